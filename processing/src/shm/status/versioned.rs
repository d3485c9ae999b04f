//! Several words that change together, whoever dies while changing them.

use std::sync::atomic::{AtomicU64, Ordering, fence};

/// `N` words with one writer and any number of readers, in other processes too.
///
/// There are two copies. The writer fills the one that is not in force, then counts `version` up: that single store
/// puts the copy in force, so a writer killed before it has changed nothing. A reader that sees the same version
/// before and after has read one whole copy: the writer only touches it again after the version has moved on.
#[repr(C)]
#[derive(Debug)]
pub(crate) struct Versioned<const N: usize> {
    version: AtomicU64,
    copies: [[AtomicU64; N]; 2],
}

impl<const N: usize> Versioned<N> {
    /// All zeroes before the first write.
    pub(crate) fn read(&self) -> [u64; N] {
        // A writer that never pauses could keep a reader here; each round costs it two whole writes, so a reader that
        // loses this often reads words that belong to one of two neighbouring writes, which is as good.
        const PATIENCE: usize = 1_000;
        let mut words = [0; N];
        for _ in 0..PATIENCE {
            let version = self.version.load(Ordering::Acquire);
            let copy = &self.copies[(version & 1) as usize];
            for (word, source) in words.iter_mut().zip(copy) {
                *word = source.load(Ordering::Relaxed);
            }
            fence(Ordering::Acquire);
            if self.version.load(Ordering::Relaxed) == version {
                break;
            }
        }
        words
    }

    pub(crate) fn write(&self, words: [u64; N]) {
        let next = self.version.load(Ordering::Relaxed).wrapping_add(1);
        // Readers of this copy must see that the version which put the other one in force is past.
        fence(Ordering::Release);
        for (target, word) in self.copies[(next & 1) as usize].iter().zip(words) {
            target.store(word, Ordering::Relaxed);
        }
        self.version.store(next, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicBool;

    fn new() -> Versioned<2> {
        Versioned { version: AtomicU64::new(0), copies: [const { [const { AtomicU64::new(0) }; 2] }; 2] }
    }

    #[test]
    fn a_write_that_is_not_finished_is_not_seen() {
        let record = new();
        record.write([1, 2]);
        // As far as a writer gets that dies before its last store.
        record.copies[0][0].store(9, Ordering::Relaxed);
        assert_eq!(record.read(), [1, 2]);
        record.write([3, 4]);
        assert_eq!(record.read(), [3, 4]);
    }

    #[test]
    fn readers_see_whole_records() {
        let (record, done) = (new(), AtomicBool::new(false));
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for word in 0..100_000 {
                    record.write([word, word * 3]);
                    // One that never pauses may use up a reader's patience.
                    (0..100).for_each(|_| std::hint::spin_loop());
                }
                done.store(true, Ordering::Release);
            });
            while !done.load(Ordering::Acquire) {
                let [word, triple] = record.read();
                assert_eq!(word * 3, triple);
            }
        });
    }
}
