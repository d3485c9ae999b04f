//! A buffer for the next message, kept by each thread that sends or receives: new memory is dear, a page at a time.

use std::cell::Cell;

thread_local! {
    static SPARE: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// The most that a thread keeps.
const MOST: usize = 4 << 20;

/// An empty buffer; that of the last message, perhaps.
pub(crate) fn take() -> Vec<u8> {
    // A thread that is ending has none.
    SPARE.try_with(Cell::take).unwrap_or_default()
}

/// The same, but none of a greater capacity than that.
pub(crate) fn take_within(most: usize) -> Vec<u8> {
    let spare = take();
    if spare.capacity() <= most {
        return spare;
    }
    give(spare);
    Vec::new()
}

/// Keeps a buffer that is done with, if it is a better one than there is.
pub(crate) fn give(mut bytes: Vec<u8>) {
    if bytes.capacity() <= MOST {
        bytes.clear();
        let _ = SPARE.try_with(|spare| {
            let other = spare.take();
            spare.set(if other.capacity() > bytes.capacity() { other } else { bytes });
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_buffer_is_kept_up_to_a_limit() {
        give(Vec::with_capacity(100));
        give(Vec::with_capacity(10));
        give(Vec::with_capacity(MOST + 1));
        assert_eq!(take_within(99).capacity(), 0);
        assert_eq!(take().capacity(), 100);
        assert_eq!(take().capacity(), 0);
        give(b"full".to_vec());
        assert!(take().is_empty());
    }
}
