//! A process that is a task of a pool: the same loop over the same hooks, in a worker that has others before and after.
//!
//! Its failures are judged here, by the rules that the parent goes by for any other process; only those that end the
//! worker are the pool's to judge.

use std::sync::Arc;
use std::time::Instant;

use super::Engine;
#[cfg(feature = "async")]
use super::asynced;
use crate::context::{Context, Verdict};
use crate::error::{Failure, Position};
use crate::lifecycle::Skprocess;
use crate::protocol::{Failed, Fault};
use crate::restart::{Failures, Pause, TooMany};
use crate::shm::status::Status;
use crate::shm::{Bell, Page};
use crate::sys::now;
use crate::{Phase, ProcessError};

/// What a pool's worker lends to a process.
#[derive(Debug)]
pub(crate) struct Loan {
    /// Made ready for it, with the lives that it has.
    pub(crate) status: Arc<Page<Status>>,
    pub(crate) bell: Bell,
    /// How long it waits, at least, before a hook is tried again.
    pub(crate) pause: Pause,
}

/// The failures of a process that judges them itself.
pub(super) struct OwnFailures {
    failures: Failures,
    pause: Pause,
}

/// Runs the whole process in this thread; `before` is how it failed in another worker. `deliver` takes what its `result` hook returned, or its `error` hook where
/// that has the last word.
pub(crate) fn live_here<W: Skprocess, T>(
    process: W,
    loan: Loan,
    before: Option<ProcessError>,
    deliver: impl Fn(Option<W::Output>) -> Result<T, Failure>,
) -> Result<T, ProcessError> {
    let (context, _visit) = Context::of_task(loan.status, loan.bell, W::CONFIG);
    context.0.status.begun(now());
    context.set_last_failure(before);
    let mut engine = Engine::task(process, context, loan.pause);
    match engine.live(|_, value| deliver(value)) {
        Err(error) => engine.have_last_word(error, deliver),
        delivered => delivered,
    }
}

/// Runs the `error` hook only: the worker that ran the rest is gone.
pub(crate) fn last_word<W: Skprocess, T>(
    process: W,
    loan: Loan,
    error: ProcessError,
    deliver: impl Fn(Option<W::Output>) -> Result<T, Failure>,
) -> Result<T, ProcessError> {
    let (context, _visit) = Context::of_task(loan.status, loan.bell, W::CONFIG);
    Engine::task(process, context, loan.pause).have_last_word(error, deliver)
}

impl<W: Skprocess> Engine<W> {
    fn task(process: W, context: Context, pause: Pause) -> Self {
        Engine {
            process,
            context,
            own_failures: Some(OwnFailures { failures: Failures::default(), pause }),
            checkpoints: None,
            credentials: W::credentials(),
            #[cfg(feature = "async")]
            runtime: asynced::Runtime::default(),
        }
    }

    fn have_last_word<T>(
        &mut self,
        error: ProcessError,
        deliver: impl Fn(Option<W::Output>) -> Result<T, Failure>,
    ) -> Result<T, ProcessError> {
        let value = self.last_word(error.clone())?;
        deliver(Some(value)).map_err(|_| error)
    }
}

/// What becomes of a process whose hook has failed.
pub(super) fn judge<W>(context: &Context, own: &mut OwnFailures, failed: Failed) -> Verdict {
    let Failed { phase, run, fault } = failed;
    let status = &context.0.status;
    let has_lives = Phase::is_retried(phase) && status.spend_life().is_some();
    let at = Box::new(Position {
        worker: std::any::type_name::<W>().to_owned(),
        phase: Some(phase),
        run,
        lives_left: status.lives_left(),
        pid: std::process::id(),
    });
    let error = match fault {
        Fault::Failure(failure) => ProcessError::Hook { at, failure },
        Fault::Timeout(limit) => ProcessError::Timeout { at, limit },
    };
    if !has_lives {
        return Verdict::GiveUp(error);
    }
    let restart = context.config().restart;
    match own.failures.add(Instant::now(), &restart) {
        Ok(after) => Verdict::Retry(after.max(own.pause.after(status.spent())), error),
        Err(TooMany(failures)) => Verdict::GiveUp(ProcessError::CrashLoop {
            failures,
            within: restart.within,
            last: Box::new(error),
        }),
    }
}
