//! A pool of workers: any function, closure or process type over any iterator.
//!
//! ```text
//! your iterator ─▶ drive ─▶ job's queue ─▶ dispatch ─▶ seat ┄┄▶ worker ─▶ your function
//!                    ▲                                             │
//! your loop ◀── iter ┴─ job's results ◀────── actor ◀┄┄┄┄┄┄┄┄┄┄┄┄┄┘
//! ```
//!
//! A pool has *seats*. Each is looked after by an actor of the reactor, and holds one worker at a time, with a channel
//! of its own: what happens to one worker never touches another's. A call is a *job*: its items are pulled and
//! encoded in the caller's thread, wait in the job's queue, and are sent in chunks. What a worker has begun is known
//! from shared memory at any time (see [`Claims`](crate::shm::Claims)), so that a death costs one task, and a kill
//! meets the one it is meant for.

mod actor;
mod body;
mod budget;
mod builder;
mod crew;
mod dispatch;
mod drive;
mod error;
mod function;
mod inline;
mod iter;
mod job;
mod lists;
mod options;
mod process;
#[cfg(feature = "progress")]
mod progress;
mod protocol;
mod retry;
mod seat;
mod task;
mod wire;
mod worker;

use std::fmt;
use std::marker::PhantomData;
use std::num::NonZeroUsize;
use std::sync::{Arc, OnceLock};

use serde::Serialize;

pub use builder::PoolBuilder;
pub(crate) use drive::Drive;
pub use error::{PoolError, TryMapError};
pub(crate) use function::{AnyValue, Judge, OkValue};
pub use function::{ByFunction, ByTask, Mapped, Plain, Star};
pub use iter::{AsyncResults, BackgroundResults, Imap, Results, UnorderedImap};
pub(crate) use lists::{Every, Ordered, Unordered};
pub(crate) use options::Order;
pub use process::ByProcess;
pub use retry::Retry;
pub use task::{CurrentTask, worker_index};

use crate::StartError;
use crew::{Crew, Ending};
use job::Rules;
use options::Options;

/// Worker processes that run any function, closure or process type over any iterator.
///
/// ```
/// use processing::Pool;
///
/// fn cube(x: u64) -> u64 { x * x * x }
///
/// let pool = Pool::new(2)?;
/// assert_eq!(pool.map(cube, 1..=4)?, [1, 8, 27, 64]);
///
/// // Input is pulled on demand, so it may be endless; results come as soon as they are there.
/// let first: Vec<u64> = pool.imap(|x: u64| x + 1, 0..).take(3).collect::<Result<_, _>>()?;
/// assert_eq!(first, [1, 2, 3]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// A worker that is killed, aborts or exits costs the task that it was running one of its
/// [`lives`](PoolBuilder::lives), and no other task anything; it is replaced, and the pool stays as good as new.
///
/// Workers are started when there is something to do, at most as many as the pool is for, and stay until the pool is
/// dropped. Dropping it ends them all, whatever they do; [`close`](Pool::close) lets calls in the background come to
/// their end first. When either returns, no worker is left.
pub struct Pool {
    crew: Arc<Crew>,
    options: Options,
}

impl Pool {
    /// A pool of so many workers; with 0, of as many as this program may use processors.
    ///
    /// # Errors
    /// If this program cannot start workers at all.
    pub fn new(workers: usize) -> Result<Self, StartError> {
        let mut builder = Pool::builder();
        if let Some(workers) = NonZeroUsize::new(workers) {
            builder = builder.workers(workers.get());
        }
        builder.build()
    }

    /// A pool with settings of its own.
    pub fn builder() -> PoolBuilder {
        PoolBuilder::new()
    }

    /// A pool without workers: everything runs in the calling thread, through the same codec, one item after the
    /// other. For debuggers, and for tests of what cannot cross.
    ///
    /// The environment variable `PROCESSING_INLINE=1` makes every pool such a one. Limits of time do not hold here,
    /// and a crash is the program's own.
    #[must_use]
    pub fn inline() -> Self {
        Pool::builder().into_inline()
    }

    /// How many workers it has at most; 0 if it is [`inline`](Pool::inline).
    #[must_use]
    pub fn workers(&self) -> usize {
        self.crew.limits.workers
    }

    /// The process ids of the workers that there are at the moment.
    #[must_use]
    pub fn pids(&self) -> Vec<u32> {
        let state = self.crew.lock();
        state.seats.iter().filter(|seat| seat.has_worker()).map(|seat| seat.pid).collect()
    }

    /// Waits until the calls in the background are done, then lets the workers end, and returns when none is left.
    pub fn close(self) {
        self.crew.end(Ending::Close);
    }

    /// Ends all workers at once, whatever they are doing, and returns when none is left. What calls in the background
    /// have not finished fails.
    pub fn terminate(self) {
        self.crew.end(Ending::Terminate);
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.crew.end(Ending::Terminate);
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool")
            .field("workers", &self.crew.limits.workers)
            .field("pids", &self.pids())
            .finish_non_exhaustive()
    }
}

/// The pool of [`map`](crate::map) and its kin: one for the whole program, with as many workers as it may use processors.
///
/// Its workers are started when they are needed first, and end with the program.
pub fn default_pool() -> &'static Pool {
    static POOL: OnceLock<Pool> = OnceLock::new();
    POOL.get_or_init(|| {
        // Then every call says why.
        Pool::builder().build().unwrap_or_else(|error| Pool::builder().into_broken(&error))
    })
}

/// A pool, and how the call that follows is to be made; `S` says whether items are one argument or all of them.
pub struct OnPool<'p, S> {
    pool: &'p Pool,
    options: Options,
    shape: PhantomData<fn() -> S>,
}

impl<S> Clone for OnPool<'_, S> {
    fn clone(&self) -> Self {
        OnPool { pool: self.pool, options: self.options.clone(), shape: PhantomData }
    }
}

impl<S> fmt::Debug for OnPool<'_, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OnPool").field("pool", &self.pool).field("options", &self.options).finish()
    }
}

impl<'p> OnPool<'p, Plain> {
    pub(crate) fn new(pool: &'p Pool) -> Self {
        OnPool { pool, options: pool.options.clone(), shape: PhantomData }
    }

    pub(crate) fn starred(self) -> OnPool<'p, Star> {
        OnPool { pool: self.pool, options: self.options, shape: PhantomData }
    }
}

impl<S> OnPool<'_, S> {
    /// Begins the call.
    pub(crate) fn drive<F, I, K, J>(self, function: F, items: I, order: Order) -> Drive<I::IntoIter>
    where
        I: IntoIterator,
        I::Item: Serialize,
        F: Mapped<I::Item, S, K>,
        J: Judge<F::Output>,
    {
        let callable = function.__callable::<J>();
        #[cfg(feature = "progress")]
        let shows_progress = self.options.progress;
        let drive = Drive::new(&self.pool.crew, callable, items.into_iter(), order, self.options);
        #[cfg(feature = "progress")]
        let drive = if shows_progress { drive.showing_progress() } else { drive };
        drive
    }

    pub(crate) fn options(&mut self) -> &mut Options {
        &mut self.options
    }

    pub(crate) fn rules(&mut self) -> &mut Rules {
        &mut self.options.rules
    }
}
