//! Where everything is: offsets into the segment, never addresses.
//!
//! All of it follows from the length of the segment, which is sealed, so nothing that another process
//! can write decides where we look.

use std::mem::offset_of;
use std::sync::atomic::{AtomicU32, AtomicU64};

/// The lock: a robust futex word. Its list node is at [`LOCK_NODE`], 32 bytes on, where glibc's own
/// mutexes have theirs: the kernel knows one distance per thread.
pub(crate) const LOCK: u64 = 0;
/// Low half: undo entries in force. High half: version, one more with every committed change.
pub(crate) const COMMIT: u64 = 8;
pub(crate) const LOCK_NODE: u64 = 32;
/// The sleepers' word, a second robust futex on a line of its own.
pub(crate) const WAKE: u64 = 64;
pub(crate) const WAKE_NODE: u64 = 96;

/// From a list node to its futex word, as the kernel wants it.
pub(crate) const NODE_TO_WORD: isize = -32;
const _: () = assert!(LOCK_NODE as isize + NODE_TO_WORD == LOCK as isize);
const _: () = assert!(WAKE_NODE as isize + NODE_TO_WORD == WAKE as isize);
/// From a list node to the back link, as glibc wants it.
pub(crate) const NODE_TO_PREV: u64 = 8;

pub(crate) const MAGIC: u64 = 128;
/// Fingerprint of the type whose state this is.
pub(crate) const KIND: u64 = 136;
/// The block that holds the state, and the one that holds what it was at first.
pub(crate) const ROOT: u64 = 144;
pub(crate) const INITIAL: u64 = 152;
/// 0 while running, 1 once stopped.
pub(crate) const STOPPED: u64 = 160;
/// Mixed into every hash, so that nobody can prepare colliding keys.
pub(crate) const SEED: u64 = 168;
/// Which namespace of process numbers the maker is in, and whether anybody of another one has come: then a number says
/// nothing about who exists.
pub(crate) const NAMESPACE: u64 = 176;
pub(crate) const MIXED: u64 = 184;

/// The first lines of a segment as a struct, for what every single operation touches.
#[repr(C)]
#[derive(Debug)]
pub(crate) struct Header {
    pub(crate) lock: AtomicU32,
    unused: AtomicU32,
    pub(crate) commit: AtomicU64,
    unused_too: AtomicU64,
    pub(crate) lock_prev: AtomicU64,
    pub(crate) lock_next: AtomicU64,
    rest_of_line: [AtomicU64; 3],
    pub(crate) wake: AtomicU32,
    unused_there: [AtomicU32; 5],
    pub(crate) wake_prev: AtomicU64,
    pub(crate) wake_next: AtomicU64,
    rest_of_that_line: [AtomicU64; 3],
    pub(crate) words: [AtomicU64; 8],
}

const _: () = {
    assert!(offset_of!(Header, lock) as u64 == LOCK);
    assert!(offset_of!(Header, commit) as u64 == COMMIT);
    assert!(offset_of!(Header, lock_next) as u64 == LOCK_NODE);
    assert!(offset_of!(Header, lock_prev) as u64 == LOCK_NODE - NODE_TO_PREV);
    assert!(offset_of!(Header, wake) as u64 == WAKE);
    assert!(offset_of!(Header, wake_next) as u64 == WAKE_NODE);
    assert!(offset_of!(Header, wake_prev) as u64 == WAKE_NODE - NODE_TO_PREV);
    assert!(offset_of!(Header, words) as u64 == MAGIC);
};

/// Words from here on may be changed inside a transaction, and so be restored by a replay.
pub(crate) const LOGGED: u64 = 192;
/// The first span that was never handed out.
pub(crate) const TOP: u64 = 192;
/// Heads of the lists of spans with room, one per class of small blocks.
pub(crate) const PARTIAL: u64 = 256;
pub(crate) const SMALL_CLASSES: u64 = 32;
/// Heads of the lists of free spans, one per class of span counts.
pub(crate) const FREE_SPANS: u64 = PARTIAL + SMALL_CLASSES * 8;
pub(crate) const SPAN_CLASSES: u64 = 96;
const _: () = assert!(FREE_SPANS + SPAN_CLASSES * 8 <= LOG);

/// The undo log: entries of an offset and the word that stood there.
pub(crate) const LOG: u64 = 4096;
pub(crate) const ENTRY: u64 = 16;

/// The unit of the heap.
pub(crate) const SPAN: u64 = 1 << 16;
/// What is known of one span, kept apart so that a free span needs no memory.
pub(crate) const META: u64 = 64;

pub(crate) const SMALLEST: u64 = 1 << 20;
pub(crate) const LARGEST: u64 = 1 << 36;

/// What the value of [`MAGIC`] is: the name, and the version of this layout.
pub(crate) const MAGIC_VALUE: u64 = u64::from_le_bytes(*b"share\0\0\x01");

/// The division of a segment of one length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Layout {
    pub(crate) len: u64,
    /// How many undo entries there is room for.
    pub(crate) entries: u64,
    /// Where the table of spans starts: one [`META`] for each span of the heap.
    pub(crate) meta: u64,
    /// Where the heap starts: a multiple of [`SPAN`].
    pub(crate) heap: u64,
}

impl Layout {
    /// The layout of a segment of `len` bytes; `None` if no segment has that length.
    pub(crate) fn of(len: u64) -> Option<Layout> {
        if !(SMALLEST..=LARGEST).contains(&len) || !len.is_multiple_of(SPAN) {
            return None;
        }
        // A 64th of the segment, at least the rest of the first span, at most 16 M entries.
        let log = (len / 64).clamp(SPAN - LOG, (1 << 24) * ENTRY);
        let meta = (LOG + log).next_multiple_of(4096);
        let heap = (meta + len / SPAN * META).next_multiple_of(SPAN);
        Some(Layout { len, entries: (meta - LOG) / ENTRY, meta, heap })
    }

    /// Whether `at` is a word that the undo log may speak of.
    pub(crate) fn may_be_logged(&self, at: u64) -> bool {
        at.is_multiple_of(8) && ((LOGGED..LOG).contains(&at) || (self.meta..self.len).contains(&at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_do_not_overlap() {
        for len in [SMALLEST, SMALLEST + SPAN, 1 << 24, 1 << 30, LARGEST] {
            let layout = Layout::of(len).unwrap();
            assert!(LOG + layout.entries * ENTRY <= layout.meta, "{layout:?}");
            assert!(layout.heap + SPAN <= layout.len, "{layout:?}");
            assert_eq!(layout.heap % SPAN, 0);
            assert!(layout.entries >= 1024);
        }
    }

    #[test]
    fn odd_lengths_have_no_layout() {
        for len in [0, SPAN, SMALLEST - SPAN, SMALLEST + 1, LARGEST + SPAN, u64::MAX] {
            assert_eq!(Layout::of(len), None, "{len}");
        }
    }

    #[test]
    fn the_log_speaks_of_data_only() {
        let layout = Layout::of(1 << 24).unwrap();
        for at in
            [LOCK, COMMIT, WAKE, MAGIC, ROOT, STOPPED, LOG, LOG + 16, layout.meta - 8, layout.len, TOP + 1]
        {
            assert!(!layout.may_be_logged(at), "{at}");
        }
        for at in [TOP, PARTIAL, FREE_SPANS, layout.meta, layout.heap, layout.len - 8] {
            assert!(layout.may_be_logged(at), "{at}");
        }
    }
}
