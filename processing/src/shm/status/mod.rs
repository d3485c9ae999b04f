//! The status page of a worker: what its parent can see at any time, also after the worker was killed.
//!
//! | part | written by | read by |
//! |---|---|---|
//! | `stop` | parent, worker | worker, before every step |
//! | `spent` | parent: it counts every failure | both |
//! | `lives` | worker, when a hook changes the setting | both |
//! | `phase`, `run`, `since`, `deadline`, `limit` | worker, at the edges of a hook | both |
//! | `begun`, `listened`, `checkpoint`, timers | worker | both; the next worker goes on from there |
//! | `overflow`, `panic` | worker, on its way down | parent, once the worker is gone |
//!
//! There is one worker at a time, and the next is made only after the last was reaped; so each part has one writer,
//! except `stop`, which only ever goes up. A worker can be killed between any two stores: what must change together
//! lies in a [`Versioned`] record, everything else is one word.

mod report;
pub(crate) mod timers;
mod versioned;

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

pub(crate) use timers::{Lap, Stopwatches};
pub(crate) use versioned::Versioned;

use super::page::Shared;
use crate::Phase;
use crate::sys::Nanos;
use report::Report;

/// See the module's page.
#[repr(C)]
#[derive(Debug)]
pub(crate) struct Status {
    stop: AtomicU32,
    spent: AtomicU32,
    lives: AtomicU32,
    phase: AtomicU32,
    run: AtomicU64,
    since: AtomicU64,
    deadline: AtomicU64,
    limit: AtomicU64,
    begun: AtomicU64,
    listened: AtomicU64,
    overflow: AtomicU64,
    checkpoint: Versioned<5>,
    pub(crate) panic: Report,
    pub(crate) timers: Stopwatches,
}

// SAFETY: atomics and structs of atomics throughout, all `repr(C)`; zero is a valid value for each.
unsafe impl Shared for Status {}

/// What a replacement worker resumes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Checkpoint {
    /// Which of the two state files holds it.
    pub(crate) slot: u64,
    /// How long it is there.
    pub(crate) length: u64,
    /// The iteration to do next.
    pub(crate) run: u64,
    /// How many messages had been listened to.
    pub(crate) listened: u64,
    /// Which set of descriptors goes with it; 0 for the set that the process was started with.
    pub(crate) handles: u64,
}

/// No hook is running.
const BETWEEN: u32 = 0;

impl Status {
    pub(crate) fn stop(&self) {
        self.stop.store(1, Ordering::Release);
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.stop.load(Ordering::Acquire) != 0
    }

    pub(crate) fn set_lives(&self, lives: u32) {
        self.lives.store(lives, Ordering::Release);
    }

    /// Counts a failure, and says how many more there may be, if there may be any.
    pub(crate) fn spend_life(&self) -> Option<u32> {
        let spent = self.spent.fetch_add(1, Ordering::AcqRel).saturating_add(1);
        self.lives.load(Ordering::Acquire).checked_sub(spent).filter(|&left| left > 0).map(|left| left - 1)
    }

    /// How many more failures there may be.
    pub(crate) fn lives_left(&self) -> u32 {
        let (lives, spent) = (self.lives.load(Ordering::Acquire), self.spent.load(Ordering::Acquire));
        lives.saturating_sub(spent).saturating_sub(1)
    }

    pub(crate) fn run(&self) -> u64 {
        self.run.load(Ordering::Acquire)
    }

    pub(crate) fn set_run(&self, run: u64) {
        self.run.store(run, Ordering::Release);
    }

    /// The hook that is running, if one is.
    pub(crate) fn phase(&self) -> Option<Phase> {
        let phase = self.phase.load(Ordering::Acquire);
        Phase::from_index(phase.checked_sub(1)? as usize)
    }

    /// A hook begins. `hard` is when the parent ends the worker, `limit` what the user asked for.
    pub(crate) fn enter(&self, phase: Phase, now: Nanos, limit: Option<(Duration, Nanos)>) {
        self.since.store(now.0, Ordering::Relaxed);
        if let Some((limit, hard)) = limit {
            self.limit.store(u64::try_from(limit.as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
            self.deadline.store(hard.0, Ordering::Relaxed);
        }
        self.phase.store(phase.index() as u32 + 1, Ordering::Release);
    }

    /// The hook has ended. The phase stays: it is where the process was last.
    pub(crate) fn leave(&self) {
        self.deadline.store(0, Ordering::Release);
    }

    /// Between two hooks: what happens now belongs to none.
    pub(crate) fn between(&self) {
        self.phase.store(BETWEEN, Ordering::Release);
    }

    /// The limit of the running hook, if it has overrun it.
    pub(crate) fn overrun(&self, now: Nanos) -> Option<Duration> {
        let deadline = self.deadline.load(Ordering::Acquire);
        (deadline != 0 && deadline <= now.0).then(|| Duration::from_nanos(self.limit.load(Ordering::Relaxed)))
    }

    /// When the running hook is to be ended, if it has a limit.
    pub(crate) fn deadline(&self) -> Option<Nanos> {
        Some(Nanos(self.deadline.load(Ordering::Acquire))).filter(|deadline| deadline.0 != 0)
    }

    /// When the process began: the first worker's first moment, whoever asks.
    pub(crate) fn begun(&self, now: Nanos) -> Nanos {
        match self.begun.compare_exchange(0, now.0, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => now,
            Err(earlier) => Nanos(earlier),
        }
    }

    pub(crate) fn listened(&self) -> u64 {
        self.listened.load(Ordering::Acquire)
    }

    pub(crate) fn set_listened(&self, count: u64) {
        self.listened.store(count, Ordering::Release);
    }

    pub(crate) fn checkpoint(&self) -> Checkpoint {
        let [slot, length, run, listened, handles] = self.checkpoint.read();
        Checkpoint { slot, length, run, listened, handles }
    }

    pub(crate) fn commit(&self, at: Checkpoint) {
        self.checkpoint.write([at.slot, at.length, at.run, at.listened, at.handles]);
    }

    /// The stack is used up; said from a signal handler.
    pub(crate) fn note_overflow(&self) {
        self.overflow.store(1, Ordering::Release);
    }

    pub(crate) fn has_overflowed(&self) -> bool {
        self.overflow.load(Ordering::Acquire) != 0
    }

    /// Makes the page ready for another process in the same worker, some of whose lives may be spent already.
    pub(crate) fn begin_anew(&self, lives: u32, spent: u32) {
        self.forget_end();
        self.stop.store(0, Ordering::Release);
        self.set_lives(lives);
        self.spent.store(spent, Ordering::Release);
        self.set_run(0);
        self.set_listened(0);
        self.begun.store(0, Ordering::Release);
        self.timers.clear();
    }

    /// How many failures have been counted.
    pub(crate) fn spent(&self) -> u32 {
        self.spent.load(Ordering::Acquire)
    }

    /// Makes the page ready for the next worker: what the last one said on its way down has been read.
    pub(crate) fn forget_end(&self) {
        self.overflow.store(0, Ordering::Release);
        self.panic.clear();
        self.leave();
        self.between();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shm::Page;

    #[test]
    fn lives_count_down_to_none() {
        let page = Page::<Status>::new("test").unwrap();
        page.set_lives(3);
        assert_eq!(page.lives_left(), 2);
        assert_eq!(page.spend_life(), Some(1));
        assert_eq!(page.spend_life(), Some(0));
        assert_eq!(page.spend_life(), None);
        assert_eq!(page.lives_left(), 0);
    }

    #[test]
    fn a_new_process_finds_nothing_of_the_last_one() {
        let page = Page::<Status>::new("test").unwrap();
        page.begin_anew(3, 0);
        page.stop();
        page.spend_life();
        page.set_run(7);
        page.begun(Nanos(5));
        page.timers.add(Lap::FullRun, Duration::from_millis(3));
        page.enter(Phase::Run, Nanos(10), Some((Duration::ZERO, Nanos(20))));
        page.begin_anew(5, 2);
        assert_eq!((page.is_stopping(), page.run(), page.phase(), page.deadline()), (false, 0, None, None));
        assert_eq!((page.spent(), page.lives_left(), page.begun(Nanos(9))), (2, 2, Nanos(9)));
        assert_eq!(page.timers.read(), crate::Timers::default());
    }

    #[test]
    fn only_a_running_hook_overruns() {
        let page = Page::<Status>::new("test").unwrap();
        let limit = Duration::from_secs(1);
        page.enter(Phase::Run, Nanos(10), Some((limit, Nanos(20))));
        assert_eq!(page.overrun(Nanos(19)), None);
        assert_eq!(page.overrun(Nanos(20)), Some(limit));
        page.leave();
        assert_eq!(page.overrun(Nanos(21)), None);
        assert_eq!(page.phase(), Some(Phase::Run));
    }

    #[test]
    fn a_nonsense_phase_is_no_phase() {
        let page = Page::<Status>::new("test").unwrap();
        page.phase.store(99, Ordering::Relaxed);
        assert_eq!(page.phase(), None);
    }
}
