//! The lock: a futex word that survives its owner.
//!
//! The steps and the races are described in `README.md`, under *The lock*. The algorithm is written
//! over two small traits, so that it runs on a futex in shared memory and in a model checker alike.

use std::time::{Duration, Instant};

use super::fault::{Fault, Result};
use super::planted::{Mistake, makes};

pub(crate) mod futex;
#[cfg(test)]
mod tests;

/// Someone may be asleep on the word.
pub(crate) const WAITERS: u32 = 0x8000_0000;
/// The owner died; set by the kernel.
pub(crate) const OWNER_DIED: u32 = 0x4000_0000;
/// The owner's number.
pub(crate) const TID: u32 = 0x3fff_ffff;

/// A 32 bit word that threads can sleep on.
pub(crate) trait Word {
    /// From which round on a waiter counts: the first pause is so long that whoever has the word can do some more before
    /// it goes from one core to another, which takes longer than most of what it is held for.
    const START: u32;
    /// Up to which round a waiter looks again, before it sleeps.
    const ROUNDS: u32;

    /// Loads the word; no ordering.
    fn load(&self) -> u32;
    /// Replaces `old` by `new`, acquiring on success; otherwise says what stood there.
    fn swap_if(&self, old: u32, new: u32) -> Result<(), u32>;
    /// Stores `new`, releasing, if `old` stood there.
    fn release_if(&self, old: u32, new: u32) -> bool;
    /// Stores `new`, releasing.
    fn release(&self, new: u32);
    /// Sleeps until woken while the word is `expected`; may return for no reason. The time is a
    /// safety net, not a schedule.
    fn sleep(&self, expected: u32, at_most: Duration);
    /// Wakes up to `count` sleepers and says how many that were.
    fn wake(&self, count: u32) -> u32;
    /// Passes a moment, longer with every call of the same wait.
    fn pause(&self, round: u32);
}

/// What the kernel must know before, while and after the word is held.
pub(crate) trait Register {
    /// This thread is about to take the word, or to give it up.
    fn pend(&self);
    /// The word is held from now on.
    fn link(&self);
    /// The word is held no longer.
    fn unlink(&self);
    /// Neither taking nor giving up.
    fn settle(&self);
}

/// How a lock was come by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Taken {
    /// The one before died with the lock held.
    pub(crate) after_death: bool,
}

/// How long an uncontended sleeper trusts that it will be woken. A waiter that is killed just when it is
/// woken takes that wake-up with it, unless the kernel hands it on; this bounds the damage.
const SAFETY_NET: Duration = Duration::from_millis(5);

/// Takes the lock for the thread `tid`.
///
/// # Errors
///
/// Fails with [`Fault::Patience`] if the lock is not free after `patience`.
#[inline(always)]
pub(crate) fn acquire(
    word: &impl Word,
    register: &impl Register,
    tid: u32,
    patience: Option<Duration>,
) -> Result<Taken> {
    if !makes(Mistake::TakenUnannounced) {
        register.pend();
    }
    // A look first, as an attempt takes the word's line away from the owner's core.
    if word.load() == 0 && word.swap_if(0, tid).is_ok() {
        if makes(Mistake::SettledEarly) {
            register.settle();
        }
        register.link();
        register.settle();
        return Ok(Taken { after_death: false });
    }
    let taken = acquire_slowly(word, tid, patience);
    if taken.is_ok() {
        register.link();
    }
    register.settle();
    taken
}

#[cold]
fn acquire_slowly<W: Word>(word: &W, tid: u32, patience: Option<Duration>) -> Result<Taken> {
    let (mut slept, mut round, mut since) = (false, W::START, None);
    word.pause(round);
    loop {
        let now = word.load();
        if now & TID == 0 {
            // Free, perhaps left by a dead owner. Sleepers there were stay announced; and who has slept cannot
            // know whether it was the only one, so it announces sleepers to be safe.
            let announced = if slept { WAITERS } else { now & WAITERS };
            if word.swap_if(now, tid | announced).is_ok() {
                return Ok(Taken { after_death: now & OWNER_DIED != 0 });
            }
            // Somebody was faster.
            word.pause(round);
            continue;
        }
        if now & WAITERS == 0 {
            if round < W::ROUNDS {
                word.pause(round);
                round += 1;
                continue;
            }
            if word.swap_if(now, now | WAITERS).is_err() {
                continue;
            }
        }
        if let Some(patience) = patience
            && since.get_or_insert_with(Instant::now).elapsed() >= patience
        {
            return Err(Fault::Patience);
        }
        word.sleep(now | WAITERS, SAFETY_NET);
        slept = true;
    }
}

/// Gives the lock of the thread `tid` up.
#[inline(always)]
pub(crate) fn release(word: &impl Word, register: &impl Register, tid: u32) {
    if !makes(Mistake::GivenUpUnannounced) {
        register.pend();
    }
    register.unlink();
    if !word.release_if(tid, 0) {
        release_to_sleepers(word);
    }
    register.settle();
}

/// Gives up a lock that somebody may sleep at; it is off the list already, and pending.
#[cold]
pub(crate) fn release_to_sleepers(word: &impl Word) {
    // The announcement stays on the word until it is certain that nobody sleeps: if the one woken here is
    // killed before it gets anywhere, the next owner finds the others still announced.
    word.release(WAITERS);
    if word.wake(1) == 0 {
        word.release_if(WAITERS, 0);
    }
}
