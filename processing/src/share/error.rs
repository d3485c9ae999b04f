//! Why an operation on a share did not happen.

use std::fmt;

use crate::shm::fault::Fault;
use crate::shm::store::AsFault;

/// Why an operation on a [`Share`](crate::Share) did not happen.
///
/// Operators and the short methods of handles cannot return an error, so they panic with this type as the payload; the
/// methods that begin with `try_` return it.
///
/// ```
/// use processing::Share;
///
/// let share = Share::new(1_u32)?;
/// share.stop()?;
/// assert!(share.try_get().unwrap_err().is_stopped());
/// # Ok::<(), processing::ShareError>(())
/// ```
pub struct ShareError(Kind);

enum Kind {
    Fault(Fault),
    /// A value could not be turned into bytes, or back.
    Value(Box<dyn std::error::Error + Send + Sync>),
    /// A dynamic share holds another type under that name.
    Type {
        name: String,
        held: String,
        asked: &'static str,
    },
    /// A dynamic share holds nothing under that name.
    Missing(String),
}

impl ShareError {
    pub(crate) fn value(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> ShareError {
        ShareError(Kind::Value(error.into()))
    }

    pub(crate) fn wrong_type(name: &str, held: &str, asked: &'static str) -> ShareError {
        ShareError(Kind::Type { name: name.into(), held: held.into(), asked })
    }

    pub(crate) fn missing(name: &str) -> ShareError {
        ShareError(Kind::Missing(name.into()))
    }

    /// The share was stopped; after [`Share::start`](crate::Share::start) everything works again.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        matches!(self.0, Kind::Fault(Fault::Stopped))
    }

    /// The time given to a wait is over.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        matches!(self.0, Kind::Fault(Fault::TimedOut))
    }

    /// The share has no room for the value, or the transaction is too large.
    #[must_use]
    pub fn is_full(&self) -> bool {
        matches!(self.0, Kind::Fault(Fault::Full))
    }

    /// The memory of the share holds something that no operation puts there.
    #[must_use]
    pub fn is_corrupt(&self) -> bool {
        matches!(self.0, Kind::Fault(Fault::Corrupt(_)))
    }

    /// This thread holds another share and waited for this one in vain: most likely they are taken in another order
    /// elsewhere.
    #[must_use]
    pub fn is_deadlock(&self) -> bool {
        matches!(self.0, Kind::Fault(Fault::Patience))
    }

    /// The operation makes no sense where it was called: waiting inside a transaction, or touching the share while one
    /// of its own operations encodes a value.
    #[must_use]
    pub fn is_misplaced(&self) -> bool {
        matches!(self.0, Kind::Fault(Fault::WaitInside | Fault::Reentrant))
    }

    /// The value could not be encoded, or what is stored cannot be decoded as the type asked for.
    #[must_use]
    pub fn is_value(&self) -> bool {
        matches!(self.0, Kind::Value(_) | Kind::Type { .. })
    }

    /// A [dynamic](crate::Share::dynamic) share holds nothing under the name asked for.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        matches!(self.0, Kind::Missing(_))
    }
}

impl fmt::Display for ShareError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Fault(Fault::Stopped) => f.write_str("the share is stopped; `start` it first"),
            Kind::Fault(Fault::TimedOut) => f.write_str("the share did not change in time"),
            Kind::Fault(Fault::Full) => f.write_str("the share is full"),
            Kind::Fault(Fault::Corrupt(what)) => write!(f, "the share's memory is corrupt ({what})"),
            Kind::Fault(Fault::Patience) => f.write_str(
                "the share is held by someone who seems to wait for the other share that this thread holds; take them in the same order everywhere",
            ),
            Kind::Fault(Fault::WaitInside) => {
                f.write_str("waiting for a change inside a transaction would never end; wait before it")
            }
            Kind::Fault(Fault::Reentrant) => {
                f.write_str("the share is used by the very operation that is in progress on it; use a `transaction`")
            }
            Kind::Fault(Fault::Os(_)) => f.write_str("the operating system refused memory for the share"),
            Kind::Fault(fault @ Fault::Changed) => fault.fmt(f),
            Kind::Value(_) => f.write_str("the value cannot be kept in the share"),
            Kind::Type { name, held, asked } => {
                write!(f, "`{name}` holds a `{held}`, not a `{asked}`")
            }
            Kind::Missing(name) => write!(f, "the share has nothing named `{name}`; `set` it first"),
        }
    }
}

impl fmt::Debug for ShareError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ShareError({self}")?;
        if let Some(source) = std::error::Error::source(self) {
            write!(f, ": {source}")?;
        }
        f.write_str(")")
    }
}

impl std::error::Error for ShareError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.0 {
            Kind::Fault(Fault::Os(error)) => Some(error),
            Kind::Value(error) => Some(&**error),
            _ => None,
        }
    }
}

impl From<Fault> for ShareError {
    fn from(fault: Fault) -> ShareError {
        ShareError(Kind::Fault(fault))
    }
}

impl AsFault for ShareError {
    fn is_changed(&self) -> bool {
        matches!(self.0, Kind::Fault(Fault::Changed))
    }
}

/// Ends an operation that has no way to return an error.
#[cold]
#[track_caller]
pub(crate) fn raise<R>(error: ShareError) -> R {
    std::panic::panic_any(error)
}
