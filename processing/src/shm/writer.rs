//! Writing: every change of more than one word goes through here.

use std::collections::HashSet;
use std::hash::{BuildHasherDefault, Hasher};
use std::ops::Deref;
use std::sync::atomic::Ordering::Relaxed;

use super::fault::Result;
use super::log::{self, Commit};
use super::notify::Wake;
use super::planted::{Mistake, makes};
use super::robust::Thread;
use super::view::View;

/// The state of a transaction, which its owner keeps between single operations.
#[derive(Debug)]
pub(crate) struct Tx {
    pub(crate) commit: Commit,
    /// The sleepers' word is ours.
    pub(crate) owes: bool,
    /// Blocks that are free once the transaction is committed, and not before: handed out again earlier,
    /// they would be overwritten, and could not be restored.
    pub(crate) frees: Vec<u64>,
    /// Ranges to give back to the system after the commit.
    pub(crate) holes: Vec<(u64, u64)>,
    logged: Logged,
}

/// A point to which a transaction can go back.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mark {
    entries: u32,
    frees: usize,
}

impl Tx {
    #[inline]
    pub(crate) fn new(commit: Commit) -> Tx {
        Tx { commit, owes: false, frees: Vec::new(), holes: Vec::new(), logged: Logged::new() }
    }

    /// Notes where the transaction stands.
    pub(crate) fn mark(&mut self) -> Mark {
        // Going back here needs the words as they are here, also those that were logged before.
        if !makes(Mistake::PartUnlogged) {
            self.logged.clear();
        }
        Mark { entries: self.commit.entries, frees: self.frees.len() }
    }
}

/// A view that can change things. All of it or nothing will have happened.
#[derive(Debug)]
pub struct Writer<'a> {
    pub(crate) view: View<'a>,
    pub(crate) tx: &'a mut Tx,
    pub(crate) thread: Thread,
}

impl<'a> Deref for Writer<'a> {
    type Target = View<'a>;

    #[inline]
    fn deref(&self) -> &View<'a> {
        &self.view
    }
}

impl Writer<'_> {
    /// Changes a word.
    #[inline]
    pub(crate) fn set(&mut self, at: u64, new: u64) -> Result<()> {
        let word = self.view.segment.word(at)?;
        let old = word.load(Relaxed);
        if old == new {
            return Ok(());
        }
        if makes(Mistake::DataBeforeEntry) {
            word.store(new, Relaxed);
        }
        self.log(at, old)?;
        word.store(new, Relaxed);
        Ok(())
    }

    /// Makes sure that the word at `at`, which is now `old`, can be restored.
    #[inline]
    pub(crate) fn log(&mut self, at: u64, old: u64) -> Result<()> {
        if !self.view.layout.may_be_logged(at) {
            return Err(super::fault::Fault::Corrupt("target"));
        }
        if self.tx.commit.entries == 0 && !self.tx.owes {
            self.greet_sleepers()?;
        }
        if self.tx.logged.insert(at) {
            log::append(self.view.segment, &self.view.layout, &mut self.tx.commit, at, old)?;
        }
        Ok(())
    }

    /// Stores into a block that this transaction allocated: what was there is nobody's loss.
    #[inline]
    pub(crate) fn fresh(&mut self, at: u64, new: u64) -> Result<()> {
        self.view.segment.word(at)?.store(new, Relaxed);
        Ok(())
    }

    /// Takes on the duty to wake sleepers, before the first change.
    #[inline]
    fn greet_sleepers(&mut self) -> Result<()> {
        let wake = Wake::of(self.view.segment, self.thread);
        if wake.expected() {
            wake.owe();
            self.tx.owes = true;
        }
        Ok(())
    }

    /// Makes the changes count, wakes whoever waits for one, and returns memory.
    pub(crate) fn commit(&mut self) -> Result<()> {
        while let Some(block) = self.tx.frees.pop() {
            self.release(block)?;
        }
        if makes(Mistake::PunchedEarly) {
            self.punch();
        }
        let entries = self.tx.commit.entries;
        if entries != 0 {
            self.tx.commit = self.tx.commit.next();
            self.tx.commit.publish(self.view.segment);
        }
        self.settle()?;
        self.punch();
        log::trim(self.view.segment, &self.view.layout, entries);
        Ok(())
    }

    /// Gives freed pages back to the system.
    fn punch(&mut self) {
        for (at, len) in self.tx.holes.drain(..) {
            self.view.segment.punch(at, len);
        }
    }

    /// Takes everything back.
    pub(crate) fn rollback(&mut self) -> Result<()> {
        let entries = self.tx.commit.entries;
        if entries != 0 {
            log::replay(self.view.segment, &self.view.layout, &mut self.tx.commit, 0)?;
        }
        self.tx.frees.clear();
        self.tx.holes.clear();
        self.tx.logged.clear();
        self.settle()?;
        log::trim(self.view.segment, &self.view.layout, entries);
        Ok(())
    }

    /// Takes back what was done since `mark`.
    pub(crate) fn rollback_to(&mut self, mark: Mark) -> Result<()> {
        if self.tx.commit.entries > mark.entries {
            log::replay(self.view.segment, &self.view.layout, &mut self.tx.commit, mark.entries)?;
        }
        self.tx.frees.truncate(mark.frees);
        self.tx.logged.clear();
        Ok(())
    }

    /// Pays the sleepers, if they are owed.
    fn settle(&mut self) -> Result<()> {
        if std::mem::take(&mut self.tx.owes) {
            Wake::of(self.view.segment, self.thread).pay();
        }
        Ok(())
    }
}

/// Which words have an entry already, since the last mark.
#[derive(Debug)]
struct Logged {
    few: [u64; FEW],
    count: usize,
    many: Option<HashSet<u64, BuildHasherDefault<OffsetHasher>>>,
}

/// Most operations change fewer words than this.
const FEW: usize = 16;

impl Logged {
    #[inline]
    fn new() -> Logged {
        Logged { few: [0; FEW], count: 0, many: None }
    }

    /// Whether `at` was new.
    #[inline]
    fn insert(&mut self, at: u64) -> bool {
        if self.count < FEW || self.many.is_none() {
            if self.few[..self.count].contains(&at) {
                return false;
            }
            if let Some(slot) = self.few.get_mut(self.count) {
                *slot = at;
                self.count += 1;
                return true;
            }
        }
        let many = self.many.get_or_insert_with(|| self.few.iter().copied().collect());
        many.insert(at)
    }

    fn clear(&mut self) {
        self.count = 0;
        self.many = None;
    }
}

/// Offsets differ by multiples of 8; nobody chooses them to collide.
#[derive(Default, Debug)]
struct OffsetHasher(u64);

impl Hasher for OffsetHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.write_u64(u64::from(byte));
        }
    }

    fn write_u64(&mut self, value: u64) {
        self.0 = (self.0 ^ value).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);
    }
}
