//! Waiting for a change, and waking those who wait.
//!
//! The word [`WAKE`](super::layout::WAKE) is a second robust futex: a writer that finds sleepers announced there owes them a wake-up,
//! and takes the word as its own before its first store. If it dies, the kernel wakes one sleeper,
//! who wakes the rest. `README.md`, *Sleepers*, has the states and the races.

use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};
use std::time::Duration;

use super::lock::futex::Robust;
use super::lock::{OWNER_DIED, Register, TID, WAITERS, Word};
use super::planted::{Mistake, makes};
use super::robust::{Thread, WAKES_AT_DEATH};
use super::segment::Segment;
use crate::sys::futex;

/// Sleepers' values have this bit where an owner's number would be; no process number is so high.
const ASLEEP: u32 = 0x2000_0000;

/// The value that a sleeper announces: it differs from version to version, so that a sleeper who comes late
/// cannot take a younger sleeper's announcement for its own.
fn asleep(version: u32) -> u32 {
    WAITERS | ASLEEP | (version & (ASLEEP - 1))
}

fn is_asleep(value: u32) -> bool {
    value & WAITERS != 0 && value & OWNER_DIED == 0 && value & ASLEEP != 0
}

/// The sleepers' word of a segment.
pub(crate) struct Wake<'s>(Robust<'s>);

impl<'s> Wake<'s> {
    #[inline]
    pub(crate) fn of(segment: &'s Segment, thread: Thread) -> Wake<'s> {
        Wake(Robust::wake(segment, thread))
    }

    /// Takes on the duty to wake. The caller holds the lock and has changed nothing yet.
    pub(crate) fn owe(&self) {
        if !makes(Mistake::DebtUnknown) {
            self.0.link();
        }
        // On the list first: from the store on, our death wakes a sleeper.
        self.0.word.store(WAITERS | (self.0.thread.tid & TID), Relaxed);
        std::sync::atomic::compiler_fence(std::sync::atomic::Ordering::SeqCst);
        if !WAKES_AT_DEATH {
            // They wait for the lock from now on, and so see it if we die.
            futex::wake_all(self.0.word);
        }
    }

    /// Wakes everyone. The caller holds the lock, owes, and has committed.
    pub(crate) fn pay(&self) {
        if makes(Mistake::PaidEarly) {
            self.0.unlink();
            self.0.word.store(0, Release);
        }
        self.0.word.wake(i32::MAX as u32);
        self.0.pend();
        self.0.unlink();
        self.0.word.store(0, Release);
        self.0.settle();
    }

    /// Announces a sleeper who saw `version`. The caller holds the lock.
    pub(crate) fn announce(&self, version: u32) -> u32 {
        let before = self.0.word.load(Relaxed);
        if before != 0 && !is_asleep(before) {
            // Someone died owing. The mark of that is about to be overwritten, so the debt is paid here.
            self.0.word.wake(i32::MAX as u32);
        }
        let value = asleep(version);
        self.0.word.store(value, Relaxed);
        value
    }

    /// Sleeps while nothing changes; the caller has given the lock up since it announced `value`. May
    /// return for no reason.
    pub(crate) fn sleep(&self, value: u32, at_most: Option<Duration>) {
        // With the word pending, a sleeper who is killed just when the kernel has woken it on behalf of
        // a dead writer is replaced by another one.
        self.0.pend();
        futex::wait(self.0.word, value, at_most);
        let debt = WAITERS | OWNER_DIED;
        if self.0.word.load(Acquire) == debt {
            // The kernel woke us alone. As the word's owner we pass the duty on if we die as well.
            let mine = WAITERS | (self.0.thread.tid & TID);
            if self.0.word.compare_exchange(debt, mine, AcqRel, Relaxed).is_ok() {
                self.0.word.wake(i32::MAX as u32);
                // Sleepers may have come since; the next writer still owes them.
                let _ = self.0.word.compare_exchange(mine, WAITERS | ASLEEP, AcqRel, Relaxed);
            }
        }
        self.0.settle();
    }

    /// Whether anybody is announced.
    #[inline]
    pub(crate) fn expected(&self) -> bool {
        self.0.word.load(Relaxed) != 0
    }
}
