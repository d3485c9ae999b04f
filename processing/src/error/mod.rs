//! What can go wrong, as values.

mod failure;
#[cfg_attr(windows, path = "windows/signals.rs")]
pub(crate) mod signals;
mod start;

use std::fmt;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

pub use failure::{Cause, Failure, Location};
pub(crate) use failure::{PanicReport, own_backtrace, panic_message};
pub use start::StartError;

use crate::Phase;

/// Why a process did not end with a value.
///
/// Every variant says where the process was: [`phase`](ProcessError::phase), [`run`](ProcessError::run),
/// [`lives_left`](ProcessError::lives_left), [`pid`](ProcessError::pid). `Display` is one line; what lies behind it is
/// in [`source`](std::error::Error::source), so error reporters print it as a chain.
///
/// ```
/// use processing::ProcessError;
/// let error = ProcessError::custom("the shop is closed");
/// assert!(!error.is_crash());
/// assert_eq!(error.to_string(), "the shop is closed");
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub enum ProcessError {
    /// A hook returned an error or panicked.
    Hook {
        /// Where the process was.
        at: Box<Position>,
        /// What the hook said.
        failure: Box<Failure>,
    },
    /// A hook took longer than its limit.
    Timeout {
        /// Where the process was.
        at: Box<Position>,
        /// The limit.
        limit: Duration,
    },
    /// The worker ended without being asked to: by a signal, an exit, an abort.
    Died {
        /// Where the process was.
        at: Box<Position>,
        /// How the worker ended.
        exit: Exit,
        /// Whether the stack of the hooks' thread was used up.
        stack_overflow: bool,
        /// The last lines it wrote to standard error, where that is captured.
        last_words: Vec<String>,
    },
    /// [`Handle::kill`](crate::Handle::kill) ended it.
    Killed {
        /// Where the process was.
        at: Box<Position>,
    },
    /// No worker could be made: it died before it was ready, is another build, or could not read its state.
    Launch {
        /// Where the process was.
        at: Box<Position>,
        /// What happened.
        failure: Box<Failure>,
    },
    /// It failed more often than `restart` allows.
    CrashLoop {
        /// How many failures there were within the window.
        failures: u32,
        /// The window.
        within: Duration,
        /// The last failure.
        last: Box<ProcessError>,
    },
    /// The result did not come within the limit of the call; the process goes on.
    NotYet {
        /// The limit of the call.
        limit: Duration,
    },
    /// The process ended well, but its value cannot be read here.
    Value {
        /// Where the process was.
        at: Box<Position>,
        /// Why not.
        failure: Box<Failure>,
    },
    /// The item that a pool's worker was to be given cannot be sent.
    Item {
        /// Where the process was.
        at: Box<Position>,
        /// Why not.
        failure: Box<Failure>,
    },
    /// Made by an `error` hook.
    Custom {
        /// What the hook said.
        failure: Box<Failure>,
    },
}

/// Where a process was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Position {
    /// The process type's name, as `std::any::type_name` has it.
    pub worker: String,
    /// The hook it was in, if it was in one.
    pub phase: Option<Phase>,
    /// The iteration being attempted, from 0; once they are over, how many were completed.
    pub run: u64,
    /// How many more failures it could have survived.
    pub lives_left: u32,
    /// The worker's process id; 0 if there never was one.
    pub pid: u32,
}

/// How a worker ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Exit {
    /// It exited with this status.
    Code(i32),
    /// This signal ended it. On Windows, which has none: the one by which it would have ended so on Linux.
    Signal(i32),
    /// It is gone, but its status went to someone else: a program that waits for every child, or ignores SIGCHLD.
    Unknown,
}

impl Exit {
    /// As `abort` ends a process.
    pub(crate) const ABORTED: Exit = Exit::Signal(signals::ABORT);
}

impl ProcessError {
    /// An error of one's own, for an `error` hook to return.
    pub fn custom(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        ProcessError::Custom { failure: Box::new(Failure::from_error(error.into())) }
    }

    pub(crate) fn not_started(worker: &str, error: &StartError) -> Self {
        let at = Position { worker: worker.to_owned(), phase: None, run: 0, lives_left: 0, pid: 0 };
        let failure = match std::error::Error::source(error) {
            Some(cause) => Failure::with_cause(error.to_string(), cause),
            None => Failure::text(error.to_string()),
        };
        ProcessError::Launch { at: Box::new(at), failure: Box::new(failure) }
    }

    /// Where the process was, if that is known.
    #[must_use]
    pub fn position(&self) -> Option<&Position> {
        match self {
            ProcessError::Hook { at, .. }
            | ProcessError::Timeout { at, .. }
            | ProcessError::Died { at, .. }
            | ProcessError::Killed { at }
            | ProcessError::Launch { at, .. }
            | ProcessError::Item { at, .. }
            | ProcessError::Value { at, .. } => Some(at),
            ProcessError::CrashLoop { last, .. } => last.position(),
            ProcessError::NotYet { .. } | ProcessError::Custom { .. } => None,
        }
    }

    /// What the hook returned or panicked with.
    #[must_use]
    pub fn failure(&self) -> Option<&Failure> {
        match self {
            ProcessError::Hook { failure, .. }
            | ProcessError::Launch { failure, .. }
            | ProcessError::Item { failure, .. }
            | ProcessError::Value { failure, .. }
            | ProcessError::Custom { failure } => Some(failure),
            ProcessError::CrashLoop { last, .. } => last.failure(),
            _ => None,
        }
    }

    /// The hook in which it happened.
    #[must_use]
    pub fn phase(&self) -> Option<Phase> {
        self.position()?.phase
    }

    /// The iteration in which it happened, from 0.
    #[must_use]
    pub fn run(&self) -> Option<u64> {
        Some(self.position()?.run)
    }

    /// How many more failures the process could have survived.
    #[must_use]
    pub fn lives_left(&self) -> Option<u32> {
        Some(self.position()?.lives_left)
    }

    /// The worker in which it happened.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        Some(self.position()?.pid).filter(|&pid| pid != 0)
    }

    /// What the hook said, without its causes.
    #[must_use]
    pub fn message(&self) -> Option<&str> {
        Some(self.failure()?.message())
    }

    /// Where in the source the panic was, or which hook returned the error.
    #[must_use]
    pub fn location(&self) -> Option<&Location> {
        self.failure()?.location()
    }

    /// The backtrace taken in the worker, where `RUST_BACKTRACE` asks for one.
    #[must_use]
    pub fn backtrace(&self) -> Option<&str> {
        self.failure()?.backtrace()
    }

    /// How the worker ended, if it ended unasked.
    #[must_use]
    pub fn exit(&self) -> Option<Exit> {
        match self {
            ProcessError::Died { exit, .. } => Some(*exit),
            ProcessError::CrashLoop { last, .. } => last.exit(),
            _ => None,
        }
    }

    /// Whether a limit ran out: of a hook, or of the call.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        match self {
            ProcessError::Timeout { .. } | ProcessError::NotYet { .. } => true,
            ProcessError::CrashLoop { last, .. } => last.is_timeout(),
            _ => false,
        }
    }

    /// Whether the worker ended unasked.
    #[must_use]
    pub fn is_crash(&self) -> bool {
        self.exit().is_some()
    }

    /// Whether a hook panicked.
    #[must_use]
    pub fn is_panic(&self) -> bool {
        self.failure().is_some_and(Failure::is_panic)
    }

    /// Whether [`Handle::kill`](crate::Handle::kill) ended it.
    #[must_use]
    pub fn is_killed(&self) -> bool {
        matches!(self, ProcessError::Killed { .. })
    }

    /// The error that a hook returned, with its own type, if that is `E` and serde can carry it.
    ///
    /// ```
    /// use serde::{Deserialize, Serialize};
    ///
    /// #[derive(Debug, Serialize, Deserialize, PartialEq)]
    /// struct SoldOut { article: u32 }
    /// # impl std::fmt::Display for SoldOut {
    /// #     fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { f.write_str("sold out") }
    /// # }
    /// # impl std::error::Error for SoldOut {}
    /// # use processing::{ProcessError, __private::Failure};
    /// # let failure = Failure::from_data(SoldOut { article: 7 });
    /// # let error = ProcessError::Custom { failure: Box::new(failure) };
    /// // `error` came from a hook that returned `Err(SoldOut { article: 7 })`
    /// assert_eq!(error.downcast::<SoldOut>(), Some(SoldOut { article: 7 }));
    /// assert_eq!(error.downcast::<String>(), None);
    /// ```
    #[must_use]
    pub fn downcast<E: DeserializeOwned>(&self) -> Option<E> {
        self.failure()?.downcast()
    }
}

impl fmt::Display for ProcessError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ProcessError::Hook { at, failure } => {
                let how = if failure.is_panic() { "panicked" } else { "failed" };
                write!(f, "worker `{}` {how}{at}", at.worker)
            }
            ProcessError::Timeout { at, limit } => {
                write!(f, "worker `{}` was ended at its limit of {limit:?}{at}", at.worker)
            }
            ProcessError::Died { at, exit, stack_overflow, last_words } => {
                let why = if *stack_overflow { ", its stack used up," } else { "" };
                write!(f, "worker `{}` {exit}{why}{at}", at.worker)?;
                match last_words.last() {
                    Some(line) => write!(f, "; its last words were `{line}`"),
                    None => Ok(()),
                }
            }
            ProcessError::Killed { at } => write!(f, "worker `{}` was killed by its handle{at}", at.worker),
            ProcessError::Launch { at, .. } => write!(f, "worker `{}` could not be started", at.worker),
            ProcessError::CrashLoop { failures, within, .. } => write!(
                f,
                "gave up after {failures} failures within {within:?}; `restart` allows no more, whatever `lives` says"
            ),
            ProcessError::NotYet { limit } => {
                write!(f, "no result within {limit:?}; the process goes on, so ask again or stop it")
            }
            ProcessError::Value { at, .. } => {
                write!(f, "the result of worker `{}` cannot be read", at.worker)
            }
            ProcessError::Item { at, .. } => {
                write!(f, "an item for `{}` cannot be sent to a worker", at.worker)
            }
            ProcessError::Custom { failure } => failure.fmt(f),
        }
    }
}

impl std::error::Error for ProcessError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            ProcessError::Hook { failure, .. }
            | ProcessError::Launch { failure, .. }
            | ProcessError::Item { failure, .. }
            | ProcessError::Value { failure, .. } => Some(&**failure),
            ProcessError::Custom { failure } => failure.first_cause(),
            ProcessError::CrashLoop { last, .. } => Some(&**last),
            _ => None,
        }
    }
}

/// ` in `run` (run 3, 1 life left, pid 4711)`
impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(phase) = self.phase {
            write!(f, " in `{phase}`")?;
        }
        write!(f, " (run {}, ", self.run)?;
        match self.lives_left {
            0 => write!(f, "no lives left")?,
            1 => write!(f, "1 life left")?,
            lives => write!(f, "{lives} lives left")?,
        }
        match self.pid {
            0 => write!(f, ")"),
            pid => write!(f, ", pid {pid})"),
        }
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Exit::Code(code) => write!(f, "exited with status {code} before its work was done"),
            Exit::Signal(signal) => match signals::name(signal) {
                Some(name) => write!(f, "was ended by {name}"),
                None => write!(f, "was ended by signal {signal}"),
            },
            Exit::Unknown => f.write_str("is gone; its exit status went to another waiter in this program"),
        }
    }
}

#[cfg(test)]
mod tests;
