//! The maps, for each mode of a call.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Asynced, Background, Blocking, Call, InBackground};
use crate::pool::{
    AnyValue, AsyncResults, BackgroundResults, Every, Imap, Mapped, OkValue, OnPool, Order, Ordered,
    PoolError, Results, TryMapError, Unordered, UnorderedImap,
};

impl<'p, S> Call<OnPool<'p, S>, Blocking> {
    /// [`Pool::map`](crate::Pool::map) in this way.
    ///
    /// # Errors
    /// As there, or for the first item that is missing when the time is over.
    pub fn map<F, I, K>(self, function: F, items: I) -> Result<Vec<F::Output>, PoolError>
    where
        I: IntoIterator,
        I::Item: Serialize,
        F: Mapped<I::Item, S, K>,
    {
        let (target, limit) = self.into_parts();
        let drive = target.drive::<F, I, K, AnyValue>(function, items, Order::Completion);
        drive.collect_all::<F::Output, _>(limit, Ordered::new())
    }

    /// [`Pool::unordered_map`](crate::Pool::unordered_map) in this way.
    ///
    /// # Errors
    /// As there, or when the time is over.
    pub fn unordered_map<F, I, K>(self, function: F, items: I) -> Result<Vec<F::Output>, PoolError>
    where
        I: IntoIterator,
        I::Item: Serialize,
        F: Mapped<I::Item, S, K>,
    {
        let (target, limit) = self.into_parts();
        let drive = target.drive::<F, I, K, AnyValue>(function, items, Order::Completion);
        drive.collect_all::<F::Output, _>(limit, Unordered::new())
    }

    /// [`Pool::map_results`](crate::Pool::map_results) in this way. What is missing when the time is over is an error in its place.
    pub fn map_results<F, I, K>(self, function: F, items: I) -> Vec<Result<F::Output, PoolError>>
    where
        I: IntoIterator,
        I::Item: Serialize,
        F: Mapped<I::Item, S, K>,
    {
        let (target, limit) = self.into_parts();
        let drive = target.drive::<F, I, K, AnyValue>(function, items, Order::Completion);
        drive.collect_all::<F::Output, _>(limit, Every::new())
    }

    /// [`Pool::try_map`](crate::Pool::try_map) in this way.
    ///
    /// # Errors
    /// As there, or for the first item that is missing when the time is over.
    pub fn try_map<F, I, K, T, E>(self, function: F, items: I) -> Result<Vec<T>, TryMapError<E>>
    where
        I: IntoIterator,
        I::Item: Serialize,
        F: Mapped<I::Item, S, K, Output = Result<T, E>>,
        Result<T, E>: Serialize + DeserializeOwned + 'static,
    {
        let (target, limit) = self.into_parts();
        let drive = target.drive::<F, I, K, OkValue>(function, items, Order::Completion);
        drive.collect_all::<Result<T, E>, _>(limit, Ordered::<T, TryMapError<E>>::new())
    }

    /// [`Pool::imap`](crate::Pool::imap) in this way. When the time is over that a result is waited for, the iterator ends
    /// with an error.
    pub fn imap<F, I, K>(self, function: F, items: I) -> Imap<'p, I::IntoIter, F::Output>
    where
        I: IntoIterator,
        I::Item: Serialize,
        F: Mapped<I::Item, S, K>,
    {
        let (target, limit) = self.into_parts();
        Results::new(target.drive::<F, I, K, AnyValue>(function, items, Order::Input), limit)
    }

    /// [`Pool::unordered_imap`](crate::Pool::unordered_imap) in this way. When the time is over that a result is waited
    /// for, the iterator ends with an error.
    pub fn unordered_imap<F, I, K>(self, function: F, items: I) -> UnorderedImap<'p, I::IntoIter, F::Output>
    where
        I: IntoIterator,
        I::Item: Serialize,
        F: Mapped<I::Item, S, K>,
    {
        let (target, limit) = self.into_parts();
        Results::new(target.drive::<F, I, K, AnyValue>(function, items, Order::Completion), limit)
    }
}

/// In a thread. The function and the input go there; whatever the input does happens there.
impl<S> Call<OnPool<'_, S>, InBackground> {
    /// [`Pool::map`](crate::Pool::map) in a thread.
    ///
    /// # Panics
    /// If the system makes no thread.
    pub fn map<F, I, K>(self, function: F, items: I) -> Background<Result<Vec<F::Output>, PoolError>>
    where
        I: IntoIterator,
        I::Item: Serialize,
        F: Mapped<I::Item, S, K>,
        I::IntoIter: Send + 'static,
        F::Output: Send,
    {
        let (target, limit) = self.into_parts();
        let drive = target.drive::<F, I, K, AnyValue>(function, items, Order::Completion);
        Background::spawn(move || drive.collect_all::<F::Output, _>(limit, Ordered::new()))
    }

    /// [`Pool::unordered_map`](crate::Pool::unordered_map) in a thread.
    ///
    /// # Panics
    /// If the system makes no thread.
    pub fn unordered_map<F, I, K>(
        self,
        function: F,
        items: I,
    ) -> Background<Result<Vec<F::Output>, PoolError>>
    where
        I: IntoIterator,
        I::Item: Serialize,
        F: Mapped<I::Item, S, K>,
        I::IntoIter: Send + 'static,
        F::Output: Send,
    {
        let (target, limit) = self.into_parts();
        let drive = target.drive::<F, I, K, AnyValue>(function, items, Order::Completion);
        Background::spawn(move || drive.collect_all::<F::Output, _>(limit, Unordered::new()))
    }

    /// [`Pool::map_results`](crate::Pool::map_results) in a thread.
    ///
    /// # Panics
    /// If the system makes no thread.
    pub fn map_results<F, I, K>(self, function: F, items: I) -> Background<Vec<Result<F::Output, PoolError>>>
    where
        I: IntoIterator,
        I::Item: Serialize,
        F: Mapped<I::Item, S, K>,
        I::IntoIter: Send + 'static,
        F::Output: Send,
    {
        let (target, limit) = self.into_parts();
        let drive = target.drive::<F, I, K, AnyValue>(function, items, Order::Completion);
        Background::spawn(move || drive.collect_all::<F::Output, _>(limit, Every::new()))
    }

    /// [`Pool::try_map`](crate::Pool::try_map) in a thread.
    ///
    /// # Panics
    /// If the system makes no thread.
    pub fn try_map<F, I, K, T, E>(self, function: F, items: I) -> Background<Result<Vec<T>, TryMapError<E>>>
    where
        I: IntoIterator,
        I::Item: Serialize,
        F: Mapped<I::Item, S, K, Output = Result<T, E>>,
        Result<T, E>: Serialize + DeserializeOwned + 'static,
        I::IntoIter: Send + 'static,
        T: Send,
        E: Send,
    {
        let (target, limit) = self.into_parts();
        let drive = target.drive::<F, I, K, OkValue>(function, items, Order::Completion);
        Background::spawn(move || {
            drive.collect_all::<Result<T, E>, _>(limit, Ordered::<T, TryMapError<E>>::new())
        })
    }

    /// [`Pool::imap`](crate::Pool::imap), driven by a thread: the work goes on while nobody asks for results, as far as the
    /// window allows.
    ///
    /// # Panics
    /// If the system makes no thread.
    pub fn imap<F, I, K>(self, function: F, items: I) -> BackgroundResults<F::Output>
    where
        I: IntoIterator,
        I::Item: Serialize,
        F: Mapped<I::Item, S, K>,
        I::IntoIter: Send + 'static,
        F::Output: Send,
    {
        let (target, limit) = self.into_parts();
        BackgroundResults::spawn(target.drive::<F, I, K, AnyValue>(function, items, Order::Input), limit)
    }

    /// [`Pool::unordered_imap`](crate::Pool::unordered_imap), driven by a thread.
    ///
    /// # Panics
    /// If the system makes no thread.
    pub fn unordered_imap<F, I, K>(self, function: F, items: I) -> BackgroundResults<F::Output>
    where
        I: IntoIterator,
        I::Item: Serialize,
        F: Mapped<I::Item, S, K>,
        I::IntoIter: Send + 'static,
        F::Output: Send,
    {
        let (target, limit) = self.into_parts();
        BackgroundResults::spawn(target.drive::<F, I, K, AnyValue>(function, items, Order::Completion), limit)
    }
}

/// As futures. The input is pulled when they are polled; dropping one ends its call.
impl<S> Call<OnPool<'_, S>, Asynced> {
    /// [`Pool::map`](crate::Pool::map) as a future.
    pub fn map<F, I, K>(
        self,
        function: F,
        items: I,
    ) -> impl Future<Output = Result<Vec<F::Output>, PoolError>> + use<F, I, K, S>
    where
        I: IntoIterator,
        I::Item: Serialize,
        F: Mapped<I::Item, S, K>,
    {
        let (target, limit) = self.into_parts();
        let drive = target.drive::<F, I, K, AnyValue>(function, items, Order::Completion);
        drive.collect_later::<F::Output, _>(limit, Ordered::new())
    }

    /// [`Pool::unordered_map`](crate::Pool::unordered_map) as a future.
    pub fn unordered_map<F, I, K>(
        self,
        function: F,
        items: I,
    ) -> impl Future<Output = Result<Vec<F::Output>, PoolError>> + use<F, I, K, S>
    where
        I: IntoIterator,
        I::Item: Serialize,
        F: Mapped<I::Item, S, K>,
    {
        let (target, limit) = self.into_parts();
        let drive = target.drive::<F, I, K, AnyValue>(function, items, Order::Completion);
        drive.collect_later::<F::Output, _>(limit, Unordered::new())
    }

    /// [`Pool::map_results`](crate::Pool::map_results) as a future.
    pub fn map_results<F, I, K>(
        self,
        function: F,
        items: I,
    ) -> impl Future<Output = Vec<Result<F::Output, PoolError>>> + use<F, I, K, S>
    where
        I: IntoIterator,
        I::Item: Serialize,
        F: Mapped<I::Item, S, K>,
    {
        let (target, limit) = self.into_parts();
        let drive = target.drive::<F, I, K, AnyValue>(function, items, Order::Completion);
        drive.collect_later::<F::Output, _>(limit, Every::new())
    }

    /// [`Pool::try_map`](crate::Pool::try_map) as a future.
    pub fn try_map<F, I, K, T, E>(
        self,
        function: F,
        items: I,
    ) -> impl Future<Output = Result<Vec<T>, TryMapError<E>>> + use<F, I, K, T, E, S>
    where
        I: IntoIterator,
        I::Item: Serialize,
        F: Mapped<I::Item, S, K, Output = Result<T, E>>,
        Result<T, E>: Serialize + DeserializeOwned + 'static,
    {
        let (target, limit) = self.into_parts();
        let drive = target.drive::<F, I, K, OkValue>(function, items, Order::Completion);
        drive.collect_later::<Result<T, E>, _>(limit, Ordered::<T, TryMapError<E>>::new())
    }

    /// [`Pool::imap`](crate::Pool::imap) as a stream: `while let Some(result) = stream.next().await`.
    pub fn imap<F, I, K>(self, function: F, items: I) -> AsyncResults<I::IntoIter, F::Output>
    where
        I: IntoIterator,
        I::Item: Serialize,
        F: Mapped<I::Item, S, K>,
    {
        let (target, limit) = self.into_parts();
        AsyncResults::new(target.drive::<F, I, K, AnyValue>(function, items, Order::Input), limit)
    }

    /// [`Pool::unordered_imap`](crate::Pool::unordered_imap) as a stream.
    pub fn unordered_imap<F, I, K>(self, function: F, items: I) -> AsyncResults<I::IntoIter, F::Output>
    where
        I: IntoIterator,
        I::Item: Serialize,
        F: Mapped<I::Item, S, K>,
    {
        let (target, limit) = self.into_parts();
        AsyncResults::new(target.drive::<F, I, K, AnyValue>(function, items, Order::Completion), limit)
    }
}
