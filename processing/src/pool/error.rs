//! Why an item of a call over a pool has no value.

use std::fmt;
use std::time::Duration;

use serde::de::DeserializeOwned;

use crate::ProcessError;
use crate::error::{Failure, Position};

/// Why an item of a call over a pool has no value: which item, how often it was attempted, and what happened to it.
///
/// ```
/// use processing::Pool;
///
/// let pool = Pool::new(2)?;
/// let error = pool.map(|x: u32| 100 / x, [5, 0, 1]).unwrap_err();
/// assert_eq!(error.index, 1);
/// assert_eq!(error.source.message(), Some("attempt to divide by zero"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PoolError {
    /// Which item, counted from 0 in the order of the input.
    pub index: usize,
    /// How often it was begun.
    pub attempts: u32,
    /// What happened to it, the last time.
    pub source: ProcessError,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// The item failed by itself.
    Failed,
    /// It has ended one worker after the other.
    Poison,
    /// The limit of the whole call, or of waiting for the next result, was over.
    Late(Duration),
    /// The pool was ended before the item was done.
    Ended,
    /// No worker could be made.
    Broken,
}

impl PoolError {
    fn new(index: usize, attempts: u32, source: ProcessError, kind: Kind) -> Self {
        PoolError { index, attempts, source, kind }
    }

    pub(super) fn failed(index: usize, attempts: u32, source: ProcessError) -> Self {
        Self::new(index, attempts, source, Kind::Failed)
    }

    pub(super) fn poison(index: usize, attempts: u32, source: ProcessError) -> Self {
        Self::new(index, attempts, source, Kind::Poison)
    }

    pub(super) fn late(index: usize, worker: &str, limit: Duration) -> Self {
        Self::new(index, 0, ProcessError::Timeout { at: position(worker), limit }, Kind::Late(limit))
    }

    pub(super) fn ended(index: usize, worker: &str) -> Self {
        Self::new(index, 0, ProcessError::Killed { at: position(worker) }, Kind::Ended)
    }

    pub(super) fn broken(index: usize, cause: ProcessError) -> Self {
        Self::new(index, 0, cause, Kind::Broken)
    }

    pub(super) fn unsendable(index: usize, worker: &str, error: cucumber::Error) -> Self {
        let failure = Failure::with_cause("the item cannot be encoded", &error.with_root("item"));
        let source = ProcessError::Item { at: position(worker), failure: Box::new(failure) };
        Self::new(index, 0, source, Kind::Failed)
    }

    /// Whether no item will ever have a value again.
    pub(super) fn is_for_all(&self) -> bool {
        matches!(self.kind, Kind::Ended | Kind::Broken)
    }

    /// The same of another item.
    pub(super) fn at(self, index: usize) -> Self {
        PoolError { index, ..self }
    }

    /// Whether the item was given up because it has ended one worker after the other.
    #[must_use]
    pub fn is_poison(&self) -> bool {
        self.kind == Kind::Poison
    }

    /// Whether a limit was overrun: the item's own, a hook's, or that of the call.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        self.source.is_timeout()
    }

    /// Whether the item's worker ended unasked.
    #[must_use]
    pub fn is_crash(&self) -> bool {
        self.source.is_crash()
    }

    /// The error that the user's code returned, if it is an `E` and serde could carry it.
    #[must_use]
    pub fn downcast<E: DeserializeOwned>(&self) -> Option<E> {
        self.source.downcast()
    }
}

/// Where an item was that no worker has.
fn position(worker: &str) -> Box<Position> {
    Box::new(Position { worker: worker.to_owned(), phase: None, run: 0, lives_left: 0, pid: 0 })
}

impl fmt::Display for PoolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let index = self.index;
        match self.kind {
            Kind::Failed if self.attempts > 1 => {
                write!(f, "item {index} failed, at attempt {}", self.attempts)
            }
            Kind::Failed => write!(f, "item {index} failed"),
            Kind::Poison => {
                write!(
                    f,
                    "item {index} is poison: it was begun {} times and ended its workers",
                    self.attempts
                )
            }
            Kind::Late(limit) => write!(f, "item {index} was the first one missing after {limit:?}"),
            Kind::Ended => write!(f, "the pool was ended before item {index} was done"),
            Kind::Broken => write!(f, "item {index} was not begun: the pool has no workers"),
        }
    }
}

impl std::error::Error for PoolError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}

/// Why `try_map` has no values: the lowest item that returned an error, with the error itself, or that failed.
///
/// ```
/// use processing::{Pool, TryMapError};
///
/// let pool = Pool::new(2)?;
/// let parsed = pool.try_map(|text: String| text.parse::<u8>().map_err(|e| e.to_string()), ["1".to_owned(), "x".into()]);
/// assert!(matches!(parsed, Err(TryMapError::Item { index: 1, .. })));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub enum TryMapError<E> {
    /// The function returned an error for this item.
    Item {
        /// Which item.
        index: usize,
        /// What it returned.
        error: E,
    },
    /// The item never got so far.
    Pool(PoolError),
}

impl<E> TryMapError<E> {
    /// Which item.
    #[must_use]
    pub fn index(&self) -> usize {
        match self {
            TryMapError::Item { index, .. } => *index,
            TryMapError::Pool(error) => error.index,
        }
    }

    /// What the function returned, if it returned.
    #[must_use]
    pub fn into_error(self) -> Option<E> {
        match self {
            TryMapError::Item { error, .. } => Some(error),
            TryMapError::Pool(_) => None,
        }
    }
}

impl<E> From<PoolError> for TryMapError<E> {
    fn from(error: PoolError) -> Self {
        TryMapError::Pool(error)
    }
}

impl<E: fmt::Display> fmt::Display for TryMapError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TryMapError::Item { index, error } => write!(f, "item {index} failed: {error}"),
            TryMapError::Pool(error) => error.fmt(f),
        }
    }
}

impl<E: fmt::Debug + fmt::Display> std::error::Error for TryMapError<E> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            // Not every error that crosses is an `Error`, so it is told in the message.
            TryMapError::Item { .. } => None,
            TryMapError::Pool(error) => Some(&error.source),
        }
    }
}
