//! The ways in which shared memory refuses.

use std::{fmt, io};

/// Why an operation on shared memory did not happen.
#[derive(Debug)]
pub(crate) enum Fault {
    /// The memory holds something no writer of ours puts there. Names the check that failed.
    Corrupt(&'static str),
    /// The segment's maximum is reached.
    Full,
    /// The segment was stopped by its users.
    Stopped,
    /// The calling thread is already in the middle of a single operation on this segment.
    Reentrant,
    /// The lock did not come free within the caller's patience.
    Patience,
    /// A wait for a change was asked for by the one who holds the lock.
    WaitInside,
    /// The time given to wait for a change is over.
    TimedOut,
    /// A reader without the lock met a writer; it looks again.
    Changed,
    /// The operating system refused.
    Os(io::Error),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Corrupt(what) => write!(f, "the shared memory is corrupt ({what})"),
            Fault::Full => f.write_str("the shared memory is full"),
            Fault::Stopped => f.write_str("the shared memory is stopped"),
            Fault::Reentrant => f.write_str("the shared memory is already in use by this very operation"),
            Fault::Patience => f.write_str("the lock of the shared memory did not come free"),
            Fault::WaitInside => f.write_str("waiting for a change inside a transaction would never end"),
            Fault::TimedOut => f.write_str("the wait for a change timed out"),
            Fault::Changed => f.write_str("the shared memory changed under a reader"),
            Fault::Os(_) => f.write_str("the operating system refused the shared memory"),
        }
    }
}

impl std::error::Error for Fault {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Fault::Os(error) => Some(error),
            _ => None,
        }
    }
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Fault {
        Fault::Os(error)
    }
}

#[cfg(unix)]
impl From<rustix::io::Errno> for Fault {
    fn from(error: rustix::io::Errno) -> Fault {
        Fault::Os(error.into())
    }
}

pub(crate) type Result<T, E = Fault> = std::result::Result<T, E>;
