//! The undo log: what stood in a word before the running transaction changed it.
//!
//! An entry counts once [`COMMIT`](super::layout::COMMIT)'s low half says so, and the data is stored only after that. Committing is
//! one store: the next version, no entries.

use std::sync::atomic::Ordering::{Relaxed, Release, SeqCst};
use std::sync::atomic::{compiler_fence, fence};

use super::fault::{Fault, Result};
use super::layout::{ENTRY, LOG, Layout};
use super::planted::{Mistake, makes};
use super::segment::Segment;

/// What the commit word says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Commit {
    pub(crate) version: u32,
    pub(crate) entries: u32,
}

impl Commit {
    #[inline]
    pub(crate) fn of(word: u64) -> Commit {
        Commit { version: (word >> 32) as u32, entries: word as u32 }
    }

    #[inline]
    pub(crate) fn word(self) -> u64 {
        (u64::from(self.version) << 32) | u64::from(self.entries)
    }

    /// What a commit makes of it.
    #[inline]
    pub(crate) fn next(self) -> Commit {
        Commit { version: self.version.wrapping_add(1), entries: 0 }
    }

    #[inline]
    pub(crate) fn load(segment: &Segment) -> Commit {
        Commit::of(segment.header().commit.load(Relaxed))
    }

    /// Makes everything stored before count.
    #[inline]
    pub(crate) fn publish(self, segment: &Segment) {
        segment.header().commit.store(self.word(), Release);
    }
}

/// Adds an entry to the log: `old` stood at `at`. The data may be changed once this returns.
#[inline]
pub(crate) fn append(
    segment: &Segment,
    layout: &Layout,
    commit: &mut Commit,
    at: u64,
    old: u64,
) -> Result<()> {
    if u64::from(commit.entries) >= layout.entries {
        return Err(Fault::Full);
    }
    let entry = segment.words(LOG + u64::from(commit.entries) * ENTRY, 2)?;
    if makes(Mistake::CountBeforeEntry) {
        let counted = Commit { entries: commit.entries + 1, ..*commit };
        segment.header().commit.store(counted.word(), Relaxed);
    }
    entry[0].store(at, Relaxed);
    entry[1].store(old, Relaxed);
    // A killed writer leaves what it did in program order, so the compiler is all there is to hold back here.
    compiler_fence(SeqCst);
    commit.entries += 1;
    segment.header().commit.store(commit.word(), Relaxed);
    // Readers without the lock must not see the data before they see that there is an entry.
    fence(Release);
    Ok(())
}

/// Puts back what the entries from `down_to` on say, the latest first, and drops them.
///
/// Done again from the start it does the same, so it may be cut short anywhere.
pub(crate) fn replay(segment: &Segment, layout: &Layout, commit: &mut Commit, down_to: u32) -> Result<()> {
    if u64::from(commit.entries) > layout.entries {
        return Err(Fault::Corrupt("length of the log"));
    }
    for index in (down_to..commit.entries).rev() {
        let index =
            if makes(Mistake::ReplayedForwards) { commit.entries - 1 - (index - down_to) } else { index };
        let entry = segment.words(LOG + u64::from(index) * ENTRY, 2)?;
        let (at, old) = (entry[0].load(Relaxed), entry[1].load(Relaxed));
        if !layout.may_be_logged(at) {
            return Err(Fault::Corrupt("entry of the log"));
        }
        segment.word(at)?.store(old, Relaxed);
    }
    // A new version even though nothing came of it: a reader that saw the changes must notice.
    *commit = Commit { entries: down_to, ..commit.next() };
    commit.publish(segment);
    Ok(())
}

/// Gives the memory of a long log back.
pub(crate) fn trim(segment: &Segment, layout: &Layout, entries: u32) {
    const KEPT: u64 = 1 << 15;
    let end = LOG + u64::from(entries) * ENTRY;
    if end > KEPT {
        segment.punch(KEPT, end.min(layout.meta).next_multiple_of(4096) - KEPT);
    }
}
