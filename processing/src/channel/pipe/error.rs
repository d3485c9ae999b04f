//! Why a pipe did not do what it was asked.

use std::{fmt, io};

use crate::shm::fault::Fault;

/// Why nothing was sent or received.
///
/// ```
/// use processing::Pipe;
///
/// let (anchor, point) = Pipe::pair::<String, u32>()?;
/// drop(point);
/// assert!(anchor.recv().unwrap_err().is_disconnected());
/// # Ok::<(), processing::PipeError>(())
/// ```
pub struct PipeError(pub(super) Kind);

pub(super) enum Kind {
    /// The other end is closed, or whoever had it is dead.
    Disconnected,
    /// This end is closed.
    Closed,
    /// This end was sent to another process.
    Moved,
    /// The time is over.
    TimedOut,
    /// The other end has not received enough yet.
    Full,
    /// The other process wrote something that is no message.
    Corrupt(Fault),
    /// Descriptors that belong to a message did not arrive.
    Handles,
    /// A value could not be turned into bytes, or back.
    Value(cucumber::Error),
    /// The operating system refused.
    Os(io::Error),
}

impl PipeError {
    /// The other end is closed, or the process that had it is gone. Everything it sent before has been received.
    #[must_use]
    pub fn is_disconnected(&self) -> bool {
        matches!(self.0, Kind::Disconnected)
    }

    /// This end was closed, or sent to another process.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        matches!(self.0, Kind::Closed | Kind::Moved)
    }

    /// The time given is over. A message that was on its way is not lost: the next call goes on with it.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        matches!(self.0, Kind::TimedOut)
    }

    /// There is no room for the message until the other end receives.
    #[must_use]
    pub fn is_full(&self) -> bool {
        matches!(self.0, Kind::Full)
    }

    /// The value could not be encoded, or what was received could not be decoded. The pipe goes on.
    #[must_use]
    pub fn is_value(&self) -> bool {
        matches!(self.0, Kind::Value(_) | Kind::Handles)
    }
}

impl fmt::Display for PipeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &self.0 {
            Kind::Disconnected => "the other end of the pipe is gone",
            Kind::Closed => "this end of the pipe is closed",
            Kind::Moved => "this end of the pipe was sent to another process",
            Kind::TimedOut => "the other end of the pipe did not act in time",
            Kind::Full => "the pipe is full; the other end has to receive first",
            Kind::Corrupt(_) => "the other end of the pipe wrote something that is no message",
            Kind::Handles => {
                "the descriptors that belong to a message did not arrive; is their limit reached?"
            }
            Kind::Value(_) => "the value cannot go through the pipe",
            Kind::Os(_) => "the operating system refused the pipe",
        })
    }
}

impl fmt::Debug for PipeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PipeError({self}")?;
        if let Some(source) = std::error::Error::source(self) {
            write!(f, ": {source}")?;
        }
        f.write_str(")")
    }
}

impl std::error::Error for PipeError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.0 {
            Kind::Corrupt(fault) => Some(fault),
            Kind::Value(error) => Some(error),
            Kind::Os(error) => Some(error),
            _ => None,
        }
    }
}

impl From<Kind> for PipeError {
    fn from(kind: Kind) -> PipeError {
        PipeError(kind)
    }
}

impl From<Fault> for PipeError {
    fn from(fault: Fault) -> PipeError {
        PipeError(Kind::Corrupt(fault))
    }
}

impl From<io::Error> for PipeError {
    fn from(error: io::Error) -> PipeError {
        PipeError(Kind::Os(error))
    }
}

impl From<cucumber::Error> for PipeError {
    fn from(error: cucumber::Error) -> PipeError {
        PipeError(Kind::Value(error))
    }
}
