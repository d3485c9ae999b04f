//! Operations on one word: the shortest ones, and by far the most.

use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicU64, fence};

use super::super::fault::{Fault, Result};
use super::super::layout::LOCK_NODE;
use super::super::lock;
use super::super::log::Commit;
use super::super::notify::Wake;
use super::super::planted::{Mistake, is_faultless, makes};
use super::super::robust::Thread;
use super::transaction::Held;
use super::{DEPTH, Store};

impl Store {
    /// Changes one word to what `change` makes of it; that is `None` for a word that cannot be. The shortest of all
    /// operations. (Its error is behind a pointer, or a result would not fit into registers.)
    #[inline]
    pub(crate) fn change_word<R>(
        &self,
        at: u64,
        change: impl FnOnce(u64) -> Option<(u64, R)>,
    ) -> Result<R, Box<Fault>> {
        let thread = Thread::current().map_err(Box::new)?;
        let (word, header) = (self.segment.word(at).map_err(Box::new)?, self.segment.header());
        let node = self.segment.address(LOCK_NODE);
        // What is out of the ordinary is done elsewhere, so that this stays in registers.
        if !is_faultless() || !thread.take_alone(&header.lock, node, &header.lock_next, &header.lock_prev) {
            return self.change_word_slowly(thread, at, change);
        }
        let commit = Commit::load(&self.segment);
        if commit.entries != 0 || self.check_running().is_err() || header.wake.load(Relaxed) != 0 {
            return self.change_word_held(thread, at, change);
        }
        let held = Held { store: self, thread };
        let changed = change(word.load(Relaxed));
        let Some((new, result)) = changed else { return Err(Box::new(no_value())) };
        // One store is all or nothing by itself, so there is nothing to log. If we die before the version
        // is counted, whoever recovers the lock counts it. Readers without the lock who see this change must see
        // the versions before it, too: else they could take it for part of an older one.
        fence(Release);
        word.store(new, Relaxed);
        commit.next().publish(&self.segment);
        let _ = std::mem::ManuallyDrop::new(held);
        if !thread.give_up_alone(&header.lock) {
            lock::release_to_sleepers(&header.lock);
            thread.settle();
        }
        Ok(result)
    }

    #[cold]
    #[inline(never)]
    fn change_word_slowly<R>(
        &self,
        thread: Thread,
        at: u64,
        change: impl FnOnce(u64) -> Option<(u64, R)>,
    ) -> Result<R, Box<Fault>> {
        if self.is_inside(thread) {
            // The closure is the user's arithmetic and may panic, so it runs before the state is borrowed.
            let before = self.segment.word(at).map_err(Box::new)?.load(Relaxed);
            let (new, result) = change(before).ok_or_else(|| Box::new(no_value()))?;
            self.with_active(thread, |writer| writer.set(at, new)).map_err(|fault: Fault| Box::new(fault))?;
            return Ok(result);
        }
        self.lock(thread).map_err(Box::new)?;
        self.change_word_held(thread, at, change)
    }

    /// Changes a word, with sleepers to wake or something to take back first, and gives the lock up.
    #[cold]
    #[inline(never)]
    fn change_word_held<R>(
        &self,
        thread: Thread,
        at: u64,
        change: impl FnOnce(u64) -> Option<(u64, R)>,
    ) -> Result<R, Box<Fault>> {
        let held = Held { store: self, thread };
        let commit = Commit::load(&self.segment);
        if commit.entries != 0 && !makes(Mistake::NothingTakenBack) {
            self.recover(commit).map_err(Box::new)?;
        }
        self.check_running().map_err(Box::new)?;
        let word = self.segment.word(at).map_err(Box::new)?;
        let (new, result) = change(word.load(Relaxed)).ok_or_else(|| Box::new(no_value()))?;
        self.set_word(thread, word, new, makes(Mistake::DebtAfterChange));
        held.release();
        Ok(result)
    }

    /// Stores a word outside of any transaction, and wakes whoever waits for a change.
    pub(super) fn set_word(&self, thread: Thread, word: &AtomicU64, new: u64, owe_late: bool) {
        let wake = Wake::of(&self.segment, thread);
        let owes = wake.expected();
        if owes && owe_late {
            word.store(new, Relaxed);
        }
        if owes {
            wake.owe();
        }
        // As in `change_word`.
        fence(Release);
        word.store(new, Relaxed);
        Commit::load(&self.segment).next().publish(&self.segment);
        if owes {
            wake.pay();
        }
    }

    /// One word. The shortest way to read.
    #[inline]
    pub(crate) fn read_word(&self, at: u64) -> Result<u64> {
        let (word, commit) = (self.segment.word(at)?, &self.segment.header().commit);
        let since = commit.load(Acquire);
        if DEPTH.get().1 == 0 && Commit::of(since).entries == 0 && self.check_running().is_ok() {
            let seen = word.load(Relaxed);
            fence(Acquire);
            if commit.load(Relaxed) == since {
                return Ok(seen);
            }
        }
        self.read_word_slowly(at)
    }

    #[cold]
    #[inline(never)]
    fn read_word_slowly(&self, at: u64) -> Result<u64> {
        self.read(|view| view.load(at))
    }
}

#[cold]
fn no_value() -> Fault {
    Fault::Corrupt("value of a word")
}
