//! What a worker has done and not sent yet, where its parent finds it if the worker dies first.
//!
//! The worker writes bytes behind those that are there, then counts the length up: a worker that is killed in between
//! has added nothing. Once it has sent what is there it sets the length back to 0; what it died between the two was sent,
//! and is in the journal too. The parent reads after the worker is gone.

use std::sync::atomic::{AtomicU64, Ordering};

use super::page::Shared;

const WORDS: usize = 6 * 1024;

/// How many bytes there is room for.
const ROOM: usize = WORDS * 8;

/// See the module's page.
#[repr(C)]
#[derive(Debug)]
pub(crate) struct Journal {
    length: AtomicU64,
    words: [AtomicU64; WORDS],
}

// SAFETY: an atomic and an array of atomics in `repr(C)`; zero is a valid value for each.
unsafe impl Shared for Journal {}

impl Journal {
    /// Makes the journal say these bytes, of which those before `known` are in it already. `false` if there is no
    /// room for them.
    pub(crate) fn write(&self, bytes: &[u8], known: usize) -> bool {
        if bytes.len() > ROOM {
            return false;
        }
        let first = known / 8;
        // The word in which the known bytes end is written again, with the same bytes in front.
        for (word, chunk) in self.words[first..].iter().zip(bytes[first * 8..].chunks(8)) {
            let mut eight = [0; 8];
            eight[..chunk.len()].copy_from_slice(chunk);
            word.store(u64::from_le_bytes(eight), Ordering::Relaxed);
        }
        self.length.store(bytes.len() as u64, Ordering::Release);
        true
    }

    pub(crate) fn clear(&self) {
        self.length.store(0, Ordering::Release);
    }

    /// What is there. Another process wrote it, so it may be anything.
    pub(crate) fn read(&self) -> Vec<u8> {
        let length = usize::try_from(self.length.load(Ordering::Acquire)).unwrap_or(0).min(ROOM);
        let words = self.words.iter().take(length.div_ceil(8));
        let mut bytes: Vec<u8> = words.flat_map(|word| word.load(Ordering::Relaxed).to_le_bytes()).collect();
        bytes.truncate(length);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shm::Page;

    #[test]
    fn bytes_are_added_at_any_place() {
        let journal = Page::<Journal>::new("test").unwrap();
        let text: Vec<u8> = (0..100).collect();
        for (known, end) in [(0, 3), (3, 8), (8, 9), (9, 27), (27, 100)] {
            assert!(journal.write(&text[..end], known));
            assert_eq!(journal.read(), text[..end]);
        }
        journal.clear();
        assert!(journal.read().is_empty());
        assert!(journal.write(b"again", 0));
        assert_eq!(journal.read(), b"again");
    }

    #[test]
    fn it_holds_no_more_than_it_has_room_for() {
        let journal = Page::<Journal>::new("test").unwrap();
        assert!(journal.write(&[1; ROOM], 0));
        assert!(!journal.write(&[1; ROOM + 1], ROOM));
        journal.length.store(u64::MAX, Ordering::Relaxed);
        assert_eq!(journal.read().len(), ROOM);
    }
}
