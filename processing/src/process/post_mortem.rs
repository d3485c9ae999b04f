//! What a worker died of.

use std::time::Duration;

use super::state::Shared;
use crate::ProcessError;
use crate::error::{Exit, Failure, Position};

/// How many of its last lines an error brings along.
const LAST_WORDS: usize = 5;

/// Why a worker was killed by its supervisor.
#[derive(Clone, Debug)]
pub(super) enum Reason {
    /// A hook overran its limit.
    Limit(Duration),
    /// It did not answer within this time.
    Silent(Duration),
    /// It said something that is no message.
    Nonsense(String),
}

impl Reason {
    pub(super) fn into_error(self, at: Box<Position>) -> ProcessError {
        let failure = match self {
            Reason::Limit(limit) => return ProcessError::Timeout { at, limit },
            Reason::Silent(limit) => Failure::text(format!("it gave no sign of life within {limit:?}")),
            Reason::Nonsense(what) => Failure::text(what),
        };
        ProcessError::Launch { at, failure: Box::new(failure) }
    }
}

/// Reads from the status page of a worker that ended unasked what ended it.
pub(super) fn post_mortem(shared: &Shared, was_ready: bool, exit: Exit, at: Box<Position>) -> ProcessError {
    if !was_ready {
        let failure = Failure::text(format!("it {exit}, before it was ready"));
        return ProcessError::Launch { at, failure: Box::new(failure) };
    }
    match shared.status.panic.read() {
        // A panic that aborts has said why before it did.
        Some(report) if exit == Exit::ABORTED => ProcessError::Hook { at, failure: Box::new(report.into()) },
        _ => ProcessError::Died {
            at,
            exit,
            stack_overflow: shared.status.has_overflowed(),
            last_words: shared.lock().last_words(LAST_WORDS),
        },
    }
}
