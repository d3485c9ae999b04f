//! Results as an iterator.

use std::fmt;
use std::future::poll_fn;
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::mpsc::{Receiver, sync_channel};
use std::task::{Context, Poll};
use std::thread;
use std::time::{Duration, Instant};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::drive::{Drive, Next};
use super::error::PoolError;
use super::job::Outcome;
use super::lists::Want;

/// What [`imap`](super::Pool::imap) and [`unordered_imap`](super::Pool::unordered_imap) return: one `Result` an item.
pub struct Results<'p, I, R> {
    drive: Drive<I>,
    limit: Option<Duration>,
    pool: PhantomData<&'p super::Pool>,
    value: PhantomData<fn() -> R>,
}

/// The value of an item. No more is pulled where nothing can have one any more: the input may be endless.
fn read<I, R: DeserializeOwned>(
    drive: &mut Drive<I>,
    index: usize,
    outcome: Outcome,
) -> Result<R, PoolError> {
    let result = drive.read(index, outcome);
    if result.as_ref().is_err_and(PoolError::is_for_all) {
        drive.is_enough(Want::Before(drive.pulled()));
    }
    result
}

/// Results in the order of the items.
pub type Imap<'p, I, R> = Results<'p, I, R>;
/// Results in the order in which the items are done.
pub type UnorderedImap<'p, I, R> = Results<'p, I, R>;

impl<I, R> Results<'_, I, R> {
    pub(crate) fn new(drive: Drive<I>, limit: Option<Duration>) -> Self {
        Results { drive, limit, pool: PhantomData, value: PhantomData }
    }
}

impl<I, R> Iterator for Results<'_, I, R>
where
    I: Iterator,
    I::Item: Serialize,
    R: DeserializeOwned,
{
    type Item = Result<R, PoolError>;

    fn next(&mut self) -> Option<Self::Item> {
        let deadline = self.limit.and_then(|limit| Instant::now().checked_add(limit));
        match self.drive.next(deadline) {
            Next::Result(index, outcome) => Some(read(&mut self.drive, index, outcome)),
            Next::Over => None,
            Next::Late => Some(Err(self.drive.late(self.limit.unwrap_or_default()))),
        }
    }
}

impl<I, R> fmt::Debug for Results<'_, I, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Results").field("returned", &self.drive.returned()).finish_non_exhaustive()
    }
}

/// What `imap` returns in the background: results that a thread fetches ahead.
///
/// Dropping it ends the work.
pub struct BackgroundResults<R> {
    results: Receiver<Fetched<R>>,
    cancel: Option<Box<dyn FnOnce() + Send>>,
}

type Fetched<R> = thread::Result<Result<R, PoolError>>;

impl<R: DeserializeOwned + Send + 'static> BackgroundResults<R> {
    pub(crate) fn spawn<I>(drive: Drive<I>, limit: Option<Duration>) -> Self
    where
        I: Iterator + Send + 'static,
        I::Item: Serialize,
    {
        let cancel = drive.canceller();
        // What the thread has fetched is part of what may be pulled ahead, so it keeps no more than one.
        let (sender, results) = sync_channel(0);
        thread::spawn(move || {
            let mut fetch = Results::new(drive, limit);
            loop {
                let fetched = match catch_unwind(AssertUnwindSafe(|| fetch.next())) {
                    Ok(None) => return,
                    Ok(Some(result)) => Ok(result),
                    Err(panic) => Err(panic),
                };
                let is_last = fetched.is_err();
                if sender.send(fetched).is_err() || is_last {
                    return;
                }
            }
        });
        BackgroundResults { results, cancel: Some(Box::new(cancel)) }
    }
}

impl<R> Iterator for BackgroundResults<R> {
    type Item = Result<R, PoolError>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.results.recv().ok()? {
            Ok(result) => Some(result),
            Err(panic) => resume_unwind(panic),
        }
    }
}

impl<R> Drop for BackgroundResults<R> {
    fn drop(&mut self) {
        if let Some(cancel) = self.cancel.take() {
            cancel();
        }
    }
}

impl<R> fmt::Debug for BackgroundResults<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BackgroundResults").finish_non_exhaustive()
    }
}

/// What `imap` returns as futures.
///
/// Dropping it ends the work.
pub struct AsyncResults<I, R> {
    drive: Drive<I>,
    limit: Option<Duration>,
    /// When the result that is being waited for is too late.
    deadline: Option<Instant>,
    value: PhantomData<fn() -> R>,
}

impl<I, R> AsyncResults<I, R> {
    pub(crate) fn new(drive: Drive<I>, limit: Option<Duration>) -> Self {
        AsyncResults { drive, limit, deadline: None, value: PhantomData }
    }
}

impl<I, R> AsyncResults<I, R>
where
    I: Iterator,
    I::Item: Serialize,
    R: DeserializeOwned,
{
    /// The next result; `None` after the last one. Dropping the future loses nothing.
    pub async fn next(&mut self) -> Option<Result<R, PoolError>> {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    /// The same for whoever polls by hand.
    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<R, PoolError>>> {
        if self.deadline.is_none() {
            self.deadline = self.limit.and_then(|limit| Instant::now().checked_add(limit));
        }
        let next = self.drive.poll_next(cx, self.deadline);
        next.map(|next| {
            self.deadline = None;
            match next {
                Next::Result(index, outcome) => Some(read(&mut self.drive, index, outcome)),
                Next::Over => None,
                Next::Late => Some(Err(self.drive.late(self.limit.unwrap_or_default()))),
            }
        })
    }
}

impl<I, R> fmt::Debug for AsyncResults<I, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AsyncResults").field("returned", &self.drive.returned()).finish_non_exhaustive()
    }
}
