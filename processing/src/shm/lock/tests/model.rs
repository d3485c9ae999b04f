//! The lock in a model checker: every interleaving of a few threads, without the safety net.

use std::time::Duration;

use loom::cell::UnsafeCell;
use loom::sync::atomic::AtomicU32;
use loom::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use loom::sync::{Arc, Condvar, Mutex};

use super::super::{OWNER_DIED, Register, TID, WAITERS, Word, acquire, release};

/// A futex: the kernel's queue is a mutex, and a sleeper sleeps until it is given leave.
#[derive(Default)]
struct Futex {
    value: AtomicU32,
    queue: Mutex<Queue>,
    leave: Condvar,
}

#[derive(Default)]
struct Queue {
    sleepers: u32,
    leaves: u32,
}

impl Word for Futex {
    const START: u32 = 0;
    const ROUNDS: u32 = 0;

    fn load(&self) -> u32 {
        self.value.load(Relaxed)
    }

    fn swap_if(&self, old: u32, new: u32) -> Result<(), u32> {
        self.value.compare_exchange(old, new, Acquire, Relaxed).map(drop)
    }

    fn release_if(&self, old: u32, new: u32) -> bool {
        self.value.compare_exchange(old, new, Release, Relaxed).is_ok()
    }

    fn release(&self, new: u32) {
        self.value.store(new, Release);
    }

    fn sleep(&self, expected: u32, _at_most: Duration) {
        let mut queue = self.queue.lock().unwrap();
        if self.value.load(Relaxed) == expected {
            queue.sleepers += 1;
            while queue.leaves == 0 {
                queue = self.leave.wait(queue).unwrap();
            }
            queue.leaves -= 1;
        }
    }

    fn wake(&self, count: u32) -> u32 {
        let mut queue = self.queue.lock().unwrap();
        let woken = count.min(queue.sleepers);
        queue.sleepers -= woken;
        queue.leaves += woken;
        self.leave.notify_all();
        woken
    }

    fn pause(&self, _round: u32) {
        loom::thread::yield_now();
    }
}

/// The model's threads end in an orderly way, unless they say otherwise.
struct Nobody;

impl Register for Nobody {
    fn pend(&self) {}
    fn link(&self) {}
    fn unlink(&self) {}
    fn settle(&self) {}
}

struct Guarded {
    futex: Futex,
    count: UnsafeCell<u32>,
}

// SAFETY: the cell is reached with the lock held only; that this is so is what the model checks.
unsafe impl Sync for Guarded {}

impl Guarded {
    fn new() -> Arc<Guarded> {
        Arc::new(Guarded { futex: Futex::default(), count: UnsafeCell::new(0) })
    }

    fn count(&self, tid: u32) -> bool {
        let taken = acquire(&self.futex, &Nobody, tid, None).unwrap();
        // SAFETY: the lock is held.
        self.count.with_mut(|count| unsafe { *count += 1 });
        release(&self.futex, &Nobody, tid);
        taken.after_death
    }

    /// What the kernel does for a dead owner.
    fn bury(&self, tid: u32) {
        let mut now = self.futex.value.load(Relaxed);
        while now & TID == tid {
            match self.futex.value.compare_exchange(now, now & WAITERS | OWNER_DIED, Release, Relaxed) {
                Ok(_) => {
                    if now & WAITERS != 0 {
                        self.futex.wake(1);
                    }
                    return;
                }
                Err(other) => now = other,
            }
        }
    }
}

fn check(body: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(body);
}

#[test]
fn three_threads_exclude_each_other_and_nobody_is_stranded() {
    check(|| {
        let shared = Guarded::new();
        let others: Vec<_> = [2, 3]
            .map(|tid| {
                let shared = Arc::clone(&shared);
                loom::thread::spawn(move || shared.count(tid))
            })
            .into();
        shared.count(1);
        for other in others {
            other.join().unwrap();
        }
        // SAFETY: the other threads are over.
        shared.count.with(|count| assert_eq!(unsafe { *count }, 3));
        assert_eq!(shared.futex.value.load(Relaxed), 0);
    });
}

#[test]
fn a_dead_owner_is_replaced_once() {
    check(|| {
        let shared = Guarded::new();
        let dying = {
            let shared = Arc::clone(&shared);
            loom::thread::spawn(move || {
                let taken = acquire(&shared.futex, &Nobody, 2, None).unwrap();
                shared.bury(2);
                taken.after_death
            })
        };
        let other = {
            let shared = Arc::clone(&shared);
            loom::thread::spawn(move || shared.count(3))
        };
        let mine = shared.count(1);
        assert!(!dying.join().unwrap());
        let others = other.join().unwrap();
        assert!(!(mine && others), "one heir at most");
    });
}
