//! A pool's modifiers, and the maps without any.

use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Asynced, Blocking, Call, InBackground, call};
use crate::pool::{
    Imap, Mapped, OnPool, Plain, Pool, PoolError, Retry, Star, TryMapError, UnorderedImap, default_pool,
};

impl Pool {
    fn call(&self) -> Call<OnPool<'_, Plain>, Blocking> {
        call(OnPool::new(self))
    }

    /// Makes the tuples that are mapped over the arguments of the function: `pool.star().map(f, [(1, 2), (3, 4)])`
    /// calls `f(1, 2)` and `f(3, 4)`.
    pub fn star(&self) -> Call<OnPool<'_, Star>, Blocking> {
        self.call().star()
    }

    /// Limits how long a list map may take, or how long an iterator may wait for each of its results. What is not done
    /// by then is ended.
    pub fn timeout(&self, limit: Duration) -> Call<OnPool<'_, Plain>, Blocking> {
        self.call().timeout(limit)
    }

    /// Limits how long each task may take. At the limit its worker is ended, whatever it is doing, and replaced; other
    /// tasks go on.
    pub fn task_timeout(&self, limit: Duration) -> Call<OnPool<'_, Plain>, Blocking> {
        self.call().task_timeout(limit)
    }

    /// Tries tasks again that fail; see [`Retry`].
    pub fn retry(&self, retry: impl Into<Retry>) -> Call<OnPool<'_, Plain>, Blocking> {
        self.call().retry(retry)
    }

    /// Lets no more than so many tasks begin in a second; they begin evenly spaced.
    ///
    /// # Panics
    /// If it is not a number above 0.
    pub fn rate_limit(&self, per_second: f64) -> Call<OnPool<'_, Plain>, Blocking> {
        self.call().rate_limit(per_second)
    }

    /// Shows on stderr how far the call is, as a bar or, where that is no terminal, in lines.
    #[cfg(feature = "progress")]
    pub fn progress(&self) -> Call<OnPool<'_, Plain>, Blocking> {
        self.call().progress()
    }

    /// Makes the call in a thread, and returns what can be waited for later.
    pub fn background(&self) -> Call<OnPool<'_, Plain>, InBackground> {
        self.call().background()
    }

    /// Returns futures instead of waiting. They need no particular executor.
    pub fn asynced(&self) -> Call<OnPool<'_, Plain>, Asynced> {
        self.call().asynced()
    }

    /// Calls the function with every item and returns what it returned, in the order of the items.
    ///
    /// ```
    /// # use processing::Pool;
    /// let pool = Pool::new(2)?;
    /// assert_eq!(pool.map(|text: String| text.len(), ["a".to_owned(), "bcd".to_owned()])?, [1, 3]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// For the first item, in their order, that failed: its worker died, it panicked, it cannot cross. Nothing more is
    /// begun then. An `Err` that the function returns is a value here; see [`try_map`](Pool::try_map).
    pub fn map<F, I, K>(&self, function: F, items: I) -> Result<Vec<F::Output>, PoolError>
    where
        I: IntoIterator,
        I::Item: Serialize,
        F: Mapped<I::Item, Plain, K>,
    {
        self.call().map(function, items)
    }

    /// The same as [`map`](Pool::map), in the order in which the items are done.
    ///
    /// # Errors
    /// For the item that failed first.
    pub fn unordered_map<F, I, K>(&self, function: F, items: I) -> Result<Vec<F::Output>, PoolError>
    where
        I: IntoIterator,
        I::Item: Serialize,
        F: Mapped<I::Item, Plain, K>,
    {
        self.call().unordered_map(function, items)
    }

    /// An iterator over what the function returns, in the order of the items.
    ///
    /// Each result is there as soon as it is its turn and it is ready. The input is pulled by the calls of `next`, and
    /// only so far ahead that no worker has to wait; see [`window`](crate::PoolBuilder::window). An item that failed is an
    /// `Err` in its place, and the iterator goes on behind it; where no worker is left and none can be made, it ends with the
    /// items that it has pulled. Dropping the iterator ends the work.
    pub fn imap<F, I, K>(&self, function: F, items: I) -> Imap<'_, I::IntoIter, F::Output>
    where
        I: IntoIterator,
        I::Item: Serialize,
        F: Mapped<I::Item, Plain, K>,
    {
        self.call().imap(function, items)
    }

    /// The same as [`imap`](Pool::imap), in the order in which the items are done.
    pub fn unordered_imap<F, I, K>(&self, function: F, items: I) -> UnorderedImap<'_, I::IntoIter, F::Output>
    where
        I: IntoIterator,
        I::Item: Serialize,
        F: Mapped<I::Item, Plain, K>,
    {
        self.call().unordered_imap(function, items)
    }

    /// Calls a function that returns `Result`s, and stops at the first `Err`.
    ///
    /// # Errors
    /// The error of the first item, in their order, that returned one; or why that item failed otherwise.
    pub fn try_map<F, I, K, T, E>(&self, function: F, items: I) -> Result<Vec<T>, TryMapError<E>>
    where
        I: IntoIterator,
        I::Item: Serialize,
        F: Mapped<I::Item, Plain, K, Output = Result<T, E>>,
        Result<T, E>: Serialize + DeserializeOwned + 'static,
    {
        self.call().try_map(function, items)
    }

    /// Calls the function with every item and returns what became of each.
    pub fn map_results<F, I, K>(&self, function: F, items: I) -> Vec<Result<F::Output, PoolError>>
    where
        I: IntoIterator,
        I::Item: Serialize,
        F: Mapped<I::Item, Plain, K>,
    {
        self.call().map_results(function, items)
    }
}

/// [`Pool::map`] over the [default pool](default_pool).
///
/// # Errors
/// As there.
pub fn map<F, I, K>(function: F, items: I) -> Result<Vec<F::Output>, PoolError>
where
    I: IntoIterator,
    I::Item: Serialize,
    F: Mapped<I::Item, Plain, K>,
{
    default_pool().map(function, items)
}

/// [`Pool::unordered_map`] over the [default pool](default_pool).
///
/// # Errors
/// As there.
pub fn unordered_map<F, I, K>(function: F, items: I) -> Result<Vec<F::Output>, PoolError>
where
    I: IntoIterator,
    I::Item: Serialize,
    F: Mapped<I::Item, Plain, K>,
{
    default_pool().unordered_map(function, items)
}

/// [`Pool::imap`] over the [default pool](default_pool).
pub fn imap<F, I, K>(function: F, items: I) -> Imap<'static, I::IntoIter, F::Output>
where
    I: IntoIterator,
    I::Item: Serialize,
    F: Mapped<I::Item, Plain, K>,
{
    default_pool().imap(function, items)
}

/// [`Pool::unordered_imap`] over the [default pool](default_pool).
pub fn unordered_imap<F, I, K>(function: F, items: I) -> UnorderedImap<'static, I::IntoIter, F::Output>
where
    I: IntoIterator,
    I::Item: Serialize,
    F: Mapped<I::Item, Plain, K>,
{
    default_pool().unordered_imap(function, items)
}
