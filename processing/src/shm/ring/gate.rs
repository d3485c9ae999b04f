//! A position that one side moves and the other sleeps at.

use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst};
use std::sync::atomic::{AtomicU32, AtomicU64, fence};

/// The atomics of a gate, so that a model checker can stand in for them.
pub(super) trait Cells {
    fn position(&self) -> u64;
    fn set_position(&self, position: u64);
    fn is_asleep(&self) -> bool;
    fn set_asleep(&self);
    /// Lowers the flag, and says whether it was up.
    fn rouse(&self) -> bool;
    fn fence(&self);
}

/// Moves the position; `true` if the sleeper is to be woken.
#[inline]
pub(super) fn advance(cells: &impl Cells, to: u64) -> bool {
    cells.set_position(to);
    // Either we see the flag here, or the sleeper, who raised it before its own fence, sees the new position.
    cells.fence();
    cells.is_asleep() && cells.rouse()
}

/// Raises the flag for a sleeper that saw `seen`; `true` if the position is still that, so that it may sleep.
///
/// Only the mover lowers the flag. A sleeper that finds itself awake, or not needing to sleep after all, leaves it up:
/// another one on the same side may rely on it, and the cost is one packet too many.
pub(super) fn announce(cells: &impl Cells, seen: u64) -> bool {
    cells.set_asleep();
    cells.fence();
    cells.position() == seen
}

/// A position and a flag, on cache lines of their own.
#[repr(C, align(128))]
#[derive(Debug)]
pub(crate) struct Gate {
    position: AtomicU64,
    asleep: AtomicU32,
}

impl Cells for Gate {
    #[inline]
    fn position(&self) -> u64 {
        self.position.load(Acquire)
    }

    #[inline]
    fn set_position(&self, position: u64) {
        self.position.store(position, Release);
    }

    #[inline]
    fn is_asleep(&self) -> bool {
        self.asleep.load(Relaxed) != 0
    }

    fn set_asleep(&self) {
        self.asleep.swap(1, AcqRel);
    }

    fn rouse(&self) -> bool {
        self.asleep.swap(0, AcqRel) != 0
    }

    #[inline]
    fn fence(&self) {
        fence(SeqCst);
    }
}

impl Gate {
    /// The other side's position.
    #[inline]
    pub(crate) fn position(&self) -> u64 {
        Cells::position(self)
    }

    /// The position of the side that asks.
    #[inline]
    pub(super) fn own_position(&self) -> u64 {
        self.position.load(Relaxed)
    }

    /// Puts the position back to the start. The flag stays: at worst somebody is woken for nothing.
    pub(super) fn reset(&self) {
        self.position.store(0, Release);
    }

    #[inline]
    pub(super) fn advance(&self, to: u64) -> bool {
        advance(self, to)
    }

    /// Announces a sleeper; `true` if it may sleep.
    pub(crate) fn announce(&self, seen: u64) -> bool {
        announce(self, seen)
    }
}

// A model is the same everywhere.
#[cfg(test)]
#[cfg(unix)]
mod tests {
    use loom::sync::atomic::{AtomicBool, AtomicU64, fence};
    use loom::sync::{Arc, Condvar, Mutex};

    use super::*;

    /// A gate in the model checker, and a bell that the waker rings.
    #[derive(Default)]
    struct Model {
        position: AtomicU64,
        asleep: AtomicBool,
        bell: Mutex<bool>,
        rung: Condvar,
    }

    impl Cells for Model {
        fn position(&self) -> u64 {
            self.position.load(Acquire)
        }
        fn set_position(&self, position: u64) {
            self.position.store(position, Release);
        }
        fn is_asleep(&self) -> bool {
            self.asleep.load(Relaxed)
        }
        fn set_asleep(&self) {
            self.asleep.swap(true, AcqRel);
        }
        fn rouse(&self) -> bool {
            self.asleep.swap(false, AcqRel)
        }
        fn fence(&self) {
            fence(SeqCst);
        }
    }

    #[test]
    fn no_sleeper_is_forgotten() {
        let mut builder = loom::model::Builder::new();
        builder.preemption_bound = Some(3);
        builder.check(|| {
            let gate = Arc::new(Model::default());
            let mover = {
                let gate = Arc::clone(&gate);
                loom::thread::spawn(move || {
                    for to in 1..=2 {
                        if advance(&*gate, to) {
                            *gate.bell.lock().unwrap() = true;
                            gate.rung.notify_one();
                        }
                    }
                })
            };
            loop {
                let seen = gate.position();
                if seen == 2 {
                    break;
                }
                if announce(&*gate, seen) {
                    let mut bell = gate.bell.lock().unwrap();
                    while !*bell {
                        bell = gate.rung.wait(bell).unwrap();
                    }
                    *bell = false;
                }
            }
            mover.join().unwrap();
        });
    }

    /// A bell that counts, as the mail has it: whoever sleeps at it has a ticket from before its last look.
    #[derive(Default)]
    struct Counting {
        gate: Model,
        count: AtomicU64,
        /// What is there to be taken.
        taken: Mutex<u64>,
    }

    impl Counting {
        fn ring(&self) {
            self.count.fetch_add(1, AcqRel);
            // As the system does it: nobody is between its look at the count and its sleep now.
            drop(self.gate.bell.lock().unwrap());
            self.gate.rung.notify_all();
        }

        /// Takes one message; any number may want to.
        fn take(&self) {
            loop {
                let ticket = self.count.load(Acquire);
                let seen = {
                    let mut taken = self.taken.lock().unwrap();
                    let seen = self.gate.position();
                    if *taken < seen {
                        *taken += 1;
                        return;
                    }
                    seen
                };
                if announce(&self.gate, seen) {
                    let asleep = self.gate.bell.lock().unwrap();
                    if self.count.load(Acquire) == ticket {
                        drop(self.gate.rung.wait(asleep).unwrap());
                    }
                }
            }
        }
    }

    #[test]
    fn sleepers_who_share_a_bell_are_all_awake_while_there_is_something() {
        let mut builder = loom::model::Builder::new();
        builder.preemption_bound = Some(2);
        builder.check(|| {
            let counting = Arc::new(Counting::default());
            let others: Vec<_> = (0..2)
                .map(|number| {
                    let counting = Arc::clone(&counting);
                    loom::thread::spawn(move || match number {
                        0 => counting.take(),
                        _ => {
                            for to in 1..=2 {
                                if advance(&counting.gate, to) {
                                    counting.ring();
                                }
                            }
                        }
                    })
                })
                .collect();
            counting.take();
            others.into_iter().for_each(|other| other.join().unwrap());
        });
    }

    #[test]
    #[should_panic(expected = "deadlock")]
    fn without_the_fences_one_is() {
        struct Unfenced(Model);
        impl Cells for Unfenced {
            fn position(&self) -> u64 {
                self.0.position()
            }
            fn set_position(&self, position: u64) {
                self.0.set_position(position);
            }
            fn is_asleep(&self) -> bool {
                self.0.is_asleep()
            }
            fn set_asleep(&self) {
                self.0.set_asleep();
            }
            fn rouse(&self) -> bool {
                self.0.rouse()
            }
            fn fence(&self) {}
        }
        loom::model(|| {
            let gate = Arc::new(Unfenced(Model::default()));
            let mover = {
                let gate = Arc::clone(&gate);
                loom::thread::spawn(move || {
                    if advance(&*gate, 1) {
                        *gate.0.bell.lock().unwrap() = true;
                        gate.0.rung.notify_one();
                    }
                })
            };
            let seen = gate.position();
            if seen == 0 && announce(&*gate, seen) {
                let mut bell = gate.0.bell.lock().unwrap();
                while !*bell {
                    bell = gate.0.rung.wait(bell).unwrap();
                }
            }
            mover.join().unwrap();
        });
    }
}
