//! Results as a list: the loop over a call, and what its failures make of it.

use std::future::poll_fn;
use std::time::{Duration, Instant};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::drive::{Drive, Next};
use super::error::{PoolError, TryMapError};

/// What is collected of a call.
pub(crate) trait Collect<R> {
    type List;

    /// Takes in what became of an item. `false` if nothing more is wanted.
    fn take(&mut self, index: usize, result: Result<R, PoolError>) -> Want;

    fn finish(self, total: usize, late: Option<PoolError>) -> Self::List;
}

/// What is wanted after a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Want {
    /// Everything.
    All,
    /// What stands before this item, and nothing behind it.
    Before(usize),
    /// Nothing more.
    Nothing,
}

impl<I> Drive<I>
where
    I: Iterator,
    I::Item: Serialize,
{
    /// Makes the whole call.
    pub(crate) fn collect_all<R, C>(mut self, limit: Option<Duration>, mut into: C) -> C::List
    where
        R: DeserializeOwned,
        C: Collect<R>,
    {
        let deadline = limit.and_then(|limit| Instant::now().checked_add(limit));
        let late = loop {
            match self.next(deadline) {
                Next::Result(index, outcome) => {
                    let result = self.read(index, outcome);
                    if self.is_enough(into.take(index, result)) {
                        break None;
                    }
                }
                Next::Over => break None,
                Next::Late => break Some(self.late(limit.unwrap_or_default())),
            }
        };
        into.finish(self.pulled(), late)
    }

    /// The same as a future.
    pub(crate) async fn collect_later<R, C>(mut self, limit: Option<Duration>, mut into: C) -> C::List
    where
        R: DeserializeOwned,
        C: Collect<R>,
    {
        let deadline = limit.and_then(|limit| Instant::now().checked_add(limit));
        let late = loop {
            match poll_fn(|cx| self.poll_next(cx, deadline)).await {
                Next::Result(index, outcome) => {
                    let result = self.read(index, outcome);
                    if self.is_enough(into.take(index, result)) {
                        break None;
                    }
                }
                Next::Over => break None,
                Next::Late => break Some(self.late(limit.unwrap_or_default())),
            }
        };
        into.finish(self.pulled(), late)
    }
}

/// Values in the order of the items, as long as none has failed.
pub(crate) struct Ordered<R, E> {
    values: Vec<Option<R>>,
    /// How many there are before the lowest failure.
    filled: usize,
    lowest: Option<(usize, E)>,
}

impl<R, E> Ordered<R, E> {
    pub(crate) fn new() -> Self {
        Ordered { values: Vec::new(), filled: 0, lowest: None }
    }

    fn put(&mut self, index: usize, result: Result<R, E>) -> Want {
        let end = self.lowest.as_ref().map_or(usize::MAX, |(lowest, _)| *lowest);
        match result {
            _ if index > end => {}
            Ok(value) => {
                if self.values.len() <= index {
                    self.values.resize_with(index + 1, || None);
                }
                self.values[index] = Some(value);
                self.filled += 1;
            }
            Err(error) => {
                self.values.truncate(index);
                self.filled = self.values.iter().filter(|value| value.is_some()).count();
                self.lowest = Some((index, error));
            }
        }
        match &self.lowest {
            None => Want::All,
            Some((lowest, _)) if self.filled == *lowest => Want::Nothing,
            Some((lowest, _)) => Want::Before(*lowest),
        }
    }

    fn list(self, late: Option<E>) -> Result<Vec<R>, E> {
        match (self.lowest, late) {
            (Some((_, error)), None) | (_, Some(error)) => Err(error),
            (None, None) => Ok(self.values.into_iter().flatten().collect()),
        }
    }

    /// The first item that is missing.
    fn first_missing(&self) -> usize {
        self.values.iter().position(Option::is_none).unwrap_or(self.values.len())
    }
}

impl<R> Collect<R> for Ordered<R, PoolError> {
    type List = Result<Vec<R>, PoolError>;

    fn take(&mut self, index: usize, result: Result<R, PoolError>) -> Want {
        self.put(index, result)
    }

    fn finish(self, _total: usize, late: Option<PoolError>) -> Self::List {
        let first = self.first_missing();
        self.list(late.map(|late| late.at(first)))
    }
}

/// The same, of a function that returns `Result`s.
impl<T, E> Collect<Result<T, E>> for Ordered<T, TryMapError<E>> {
    type List = Result<Vec<T>, TryMapError<E>>;

    fn take(&mut self, index: usize, result: Result<Result<T, E>, PoolError>) -> Want {
        self.put(
            index,
            match result {
                Ok(value) => value.map_err(|error| TryMapError::Item { index, error }),
                Err(error) => Err(TryMapError::Pool(error)),
            },
        )
    }

    fn finish(self, _total: usize, late: Option<PoolError>) -> Self::List {
        let first = self.first_missing();
        self.list(late.map(|late| TryMapError::Pool(late.at(first))))
    }
}

/// Values as they come, until one fails.
pub(crate) struct Unordered<R> {
    values: Vec<R>,
    failed: Option<PoolError>,
}

impl<R> Unordered<R> {
    pub(crate) fn new() -> Self {
        Unordered { values: Vec::new(), failed: None }
    }
}

impl<R> Collect<R> for Unordered<R> {
    type List = Result<Vec<R>, PoolError>;

    fn take(&mut self, _index: usize, result: Result<R, PoolError>) -> Want {
        match result {
            Ok(value) => {
                self.values.push(value);
                Want::All
            }
            Err(error) => {
                self.failed = Some(error);
                Want::Nothing
            }
        }
    }

    fn finish(self, _total: usize, late: Option<PoolError>) -> Self::List {
        match self.failed.or(late) {
            None => Ok(self.values),
            Some(error) => Err(error),
        }
    }
}

/// What became of every item.
pub(crate) struct Every<R> {
    results: Vec<Option<Result<R, PoolError>>>,
}

impl<R> Every<R> {
    pub(crate) fn new() -> Self {
        Every { results: Vec::new() }
    }
}

impl<R> Collect<R> for Every<R> {
    type List = Vec<Result<R, PoolError>>;

    fn take(&mut self, index: usize, result: Result<R, PoolError>) -> Want {
        if self.results.len() <= index {
            self.results.resize_with(index + 1, || None);
        }
        self.results[index] = Some(result);
        Want::All
    }

    fn finish(mut self, total: usize, late: Option<PoolError>) -> Self::List {
        if late.is_some() {
            // What was pulled has a place, so that nothing is missing without a word.
            self.results.resize_with(total.max(self.results.len()), || None);
        }
        let missing = |index| late.clone().map(|late| Err(late.at(index)));
        let results = self.results.into_iter().enumerate();
        results.filter_map(|(index, result)| result.or_else(|| missing(index))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(index: usize) -> PoolError {
        PoolError::ended(index, "test")
    }

    #[test]
    fn the_lowest_failure_is_waited_for() {
        let mut list = Ordered::<u8, PoolError>::new();
        assert_eq!(list.put(3, Err(error(3))), Want::Before(3));
        assert_eq!(list.put(4, Ok(0)), Want::Before(3));
        assert_eq!(list.put(0, Ok(0)), Want::Before(3));
        assert_eq!(list.put(1, Err(error(1))), Want::Nothing);
        assert_eq!(list.finish(5, None).unwrap_err().index, 1);
    }

    #[test]
    fn a_late_call_names_the_first_item_missing() {
        let mut list = Ordered::<u8, PoolError>::new();
        list.put(0, Ok(0));
        list.put(2, Ok(0));
        assert_eq!(list.finish(3, Some(error(9))).unwrap_err().index, 1);
    }
}
