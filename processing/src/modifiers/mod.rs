//! Modifiers: the same calls, with a limit, as futures, or in the background.
//!
//! One typed builder holds what was chosen; the mode is in its type, so `background` and `asynced` exclude each other
//! at compile time, and `timeout` goes with either, in any order.

mod asynced;
mod background;
mod maps;
mod pool;
mod star;
mod tasks;
mod timeout;

use std::marker::PhantomData;
use std::time::{Duration, Instant};

pub use background::Background;
pub use pool::{imap, map, unordered_imap, unordered_map};

use crate::lifecycle::Skprocess;
use crate::process::Handle;
use crate::start::{Configured, Start};

/// A call on `T` that is still to be made, in mode `M`.
///
/// ```
/// use std::time::Duration;
/// use processing::prelude::*;
/// # #[skprocess(runs = 1)] struct Answer {}
/// # #[skprocess] impl Answer { fn run(&mut self) {} fn result(&mut self) -> u32 { 42 } }
/// let worker = Answer {}.start()?;
/// let limit = Duration::from_secs(20);
/// assert_eq!(worker.timeout(limit).result()?, 42);
/// assert_eq!(worker.timeout(limit).background().result().wait()?, 42);
/// let future = worker.asynced().timeout(limit).result();      // any executor will do
/// # drop(future);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// ```compile_fail
/// # use processing::prelude::*;
/// # #[skprocess(runs = 1)] struct Answer {}
/// # #[skprocess] impl Answer { fn run(&mut self) {} }
/// # let worker = Answer {}.start().unwrap();
/// worker.asynced().background();      // they do the same thing in different ways
/// ```
#[derive(Clone, Debug)]
#[must_use = "a modifier only prepares a call; nothing is called yet"]
pub struct Call<T, M> {
    target: T,
    limit: Option<Duration>,
    mode: PhantomData<fn() -> M>,
}

/// The mode of a [`Call`] that waits.
#[derive(Clone, Copy, Debug)]
pub struct Blocking(());

/// The mode of a [`Call`] that returns futures.
#[derive(Clone, Copy, Debug)]
pub struct Asynced(());

/// The mode of a [`Call`] that goes on in a thread.
#[derive(Clone, Copy, Debug)]
pub struct InBackground(());

impl<T, M> Call<T, M> {
    /// Limits how long the call may take. The process goes on after that; ask again or stop it.
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.limit = Some(limit);
        self
    }

    /// The target and the limit.
    pub(crate) fn into_parts(self) -> (T, Option<Duration>) {
        (self.target, self.limit)
    }

    /// The same call on something else.
    pub(crate) fn with_target<U>(self, change: impl FnOnce(T) -> U) -> Call<U, M> {
        Call { target: change(self.target), limit: self.limit, mode: PhantomData }
    }

    fn deadline(&self) -> Option<Instant> {
        Instant::now().checked_add(self.limit?)
    }
}

impl<T> Call<T, Blocking> {
    /// Returns futures instead of waiting. They need no particular executor.
    pub fn asynced(self) -> Call<T, Asynced> {
        Call { target: self.target, limit: self.limit, mode: PhantomData }
    }

    /// Makes the call in a thread, and returns what can be waited for later.
    pub fn background(self) -> Call<T, InBackground> {
        Call { target: self.target, limit: self.limit, mode: PhantomData }
    }
}

pub(crate) fn call<T>(target: T) -> Call<T, Blocking> {
    Call { target, limit: None, mode: PhantomData }
}

impl<W: Skprocess> Handle<W> {
    /// Limits how long the call that follows may wait: `worker.timeout(d).result()`.
    pub fn timeout(&self, limit: Duration) -> Call<&Self, Blocking> {
        call(self).timeout(limit)
    }

    /// Makes a future of the call that follows: `worker.asynced().result().await`.
    pub fn asynced(&self) -> Call<&Self, Asynced> {
        call(self).asynced()
    }

    /// Makes the call that follows in a thread: `worker.background().listen::<T>(d)`.
    pub fn background(&self) -> Call<&Self, InBackground> {
        call(self).background()
    }
}

/// The modifiers of `run`, for an instance that has not been started. Every [`Skprocess`] has them.
pub trait Modify: Skprocess + Sized {
    /// Limits how long `run` may wait; the process is stopped at the limit: `worker.timeout(d).run()`.
    fn timeout(self, limit: Duration) -> Call<Configured<Self>, Blocking> {
        self.configure(|config| config).timeout(limit)
    }

    /// Makes a future of `run`: `worker.asynced().run().await`. Dropping it stops the process.
    fn asynced(self) -> Call<Configured<Self>, Asynced> {
        self.configure(|config| config).asynced()
    }

    /// Makes `run` wait in a thread: `worker.background().run()`.
    fn background(self) -> Call<Configured<Self>, InBackground> {
        self.configure(|config| config).background()
    }
}

impl<W: Skprocess> Modify for W {}

impl<W: Skprocess> Configured<W> {
    /// Limits how long `run` may wait; the process is stopped at the limit.
    pub fn timeout(self, limit: Duration) -> Call<Self, Blocking> {
        call(self).timeout(limit)
    }

    /// Makes a future of `run`; dropping it stops the process.
    pub fn asynced(self) -> Call<Self, Asynced> {
        call(self).asynced()
    }

    /// Makes `run` wait in a thread.
    pub fn background(self) -> Call<Self, InBackground> {
        call(self).background()
    }
}
