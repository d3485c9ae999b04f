//! Who holds a lock, on a system whose kernel keeps no list of that: the other `robust`, for macOS and Windows. On Linux it is
//! compiled with `--cfg locks_by_process`, and tested so.
//!
//! A lock's word names its owner's *process*. Whoever waits for the lock asks the system each time it has slept whether that
//! process is still there, and if not, marks the word as Linux's kernel does ([`mark_if_dead`]). Nobody asks while nobody
//! waits. Whoever sleeps for a change waits for nothing that a dead process owes: a writer wakes all sleepers before its first
//! change ([`Wake::owe`](super::notify::Wake::owe)), and they wait for its lock then.
//!
//! A thread that ends with a lock held, and leaves its process alive, is not noticed. No thread of Rust does: what holds a
//! lock gives it up when a panic takes it away.

use std::cell::Cell;
use std::io;
use std::marker::PhantomData;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicU32, AtomicU64};

use super::fault::{Fault, Result};
use super::lock::{OWNER_DIED, TID, WAITERS};
use crate::sys;

#[cfg(unix)]
mod forks;
#[cfg(unix)]
pub(crate) use forks::generation;

/// How many locks one thread can hold.
const NODES: usize = 14;

/// Whether the system wakes a sleeper when a writer dies that owes it a wake-up.
pub(crate) const WAKES_AT_DEATH: bool = false;

/// Whether a lock that `me` has not taken belongs to nobody, whatever its word says. It may be another thread's.
pub(crate) fn is_nobody(owner: u32, _me: Thread) -> bool {
    !sys::process_exists(owner)
}

struct Me {
    generation: Cell<u64>,
    number: Cell<u32>,
    held: [Cell<usize>; NODES],
    count: Cell<usize>,
}

/// A number that differs between a process and its copies: this system makes none.
#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "elsewhere it may fail")]
pub(crate) fn generation() -> Result<u64> {
    Ok(1)
}

thread_local! {
    static ME: Me = const {
        Me {
            generation: Cell::new(0),
            number: Cell::new(0),
            held: [const { Cell::new(0) }; NODES],
            count: Cell::new(0),
        }
    };
}

/// Marks the word of a lock as left by its owner, if that is gone, for the next one to take over.
#[cold]
pub(crate) fn mark_if_dead(word: &AtomicU32, seen: u32) {
    let owner = seen & TID;
    if owner != 0 && word.load(Relaxed) == seen && !sys::process_exists(owner) {
        let _ = word.compare_exchange(seen, seen & WAITERS | OWNER_DIED, AcqRel, Relaxed);
    }
}

/// The calling thread, and the number of its process.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Thread {
    /// Which of the processes that descend from each other by forks this is.
    pub(crate) generation: u64,
    pub(crate) tid: u32,
    not_send: PhantomData<*const ()>,
}

impl Thread {
    /// The calling thread; found once, and again after a fork.
    pub(crate) fn current() -> Result<Thread> {
        let generation = generation()?;
        ME.with(|me| {
            if me.generation.get() != generation {
                me.number.set(sys::process_number()?);
                me.count.set(0);
                me.generation.set(generation);
            }
            Ok(Thread { generation, tid: me.number.get(), not_send: PhantomData })
        })
    }

    /// Where this thread notes what it holds; in a forked child of it, too.
    #[cfg(all(test, unix))]
    pub(crate) fn head_address(&self) -> usize {
        ME.with(|me| std::ptr::from_ref(&me.held) as usize)
    }

    /// Nobody looks at what is about to be taken or given up.
    pub(crate) fn pend(&self, _node: usize) {}

    pub(crate) fn settle(&self) {}

    /// Whether this thread holds the lock of `node`.
    pub(crate) fn holds(&self, node: usize) -> bool {
        ME.with(|me| me.held[..me.count.get()].iter().any(|held| held.get() == node))
    }

    /// How many locks this thread holds.
    pub(crate) fn held(&self) -> usize {
        ME.with(|me| me.count.get())
    }

    /// Whether there is room for another one.
    ///
    /// # Errors
    ///
    /// Refuses when the thread holds more locks than can be noted.
    pub(crate) fn reserve(&self) -> Result<()> {
        // One more may be needed for the sleepers' word.
        if self.held() + 2 > NODES {
            return Err(Fault::Os(io::Error::other("a thread holds as many locks as it can")));
        }
        Ok(())
    }

    /// Takes `word`, if nobody has it and this thread has no other.
    pub(crate) fn take_alone(
        &self,
        word: &AtomicU32,
        node: usize,
        next: &AtomicU64,
        prev: &AtomicU64,
    ) -> bool {
        let is_taken = self.held() == 0 && word.compare_exchange(0, self.tid, Acquire, Relaxed).is_ok();
        if is_taken {
            self.link(node, next, prev);
        }
        is_taken
    }

    /// Gives up what [`take_alone`](Thread::take_alone) took; `false` if somebody sleeps there and the word is still this
    /// process's.
    pub(crate) fn give_up_alone(&self, word: &AtomicU32) -> bool {
        ME.with(|me| me.count.set(0));
        word.compare_exchange(self.tid, 0, Release, Relaxed).is_ok()
    }

    /// Notes that this thread holds the lock of `node`.
    pub(crate) fn link(&self, node: usize, _next: &AtomicU64, _prev: &AtomicU64) {
        ME.with(|me| {
            // `reserve` made sure that there is one.
            let Some(place) = me.held.get(me.count.get()) else { return };
            place.set(node);
            me.count.set(me.count.get() + 1);
        });
    }

    /// Notes that it no longer does.
    pub(crate) fn unlink(&self, node: usize, _next: &AtomicU64) {
        ME.with(|me| {
            let count = me.count.get();
            if let Some(index) = me.held[..count].iter().rposition(|held| held.get() == node) {
                me.held[index].set(me.held[count - 1].get());
                me.count.set(count - 1);
            }
        });
    }
}
