//! The sizes that blocks come in: steps of 16 bytes at first, then four steps to every doubling.

use super::super::layout::{SMALL_CLASSES, SPAN_CLASSES};

/// The `class`th of the sizes 1, 2, … 8, 10, 12, 14, 16, 20, ….
const fn step(class: u64) -> u64 {
    if class < 8 {
        class + 1
    } else {
        let (doubling, quarter) = ((class - 8) / 4, (class - 8) % 4);
        (quarter + 5) << (doubling + 1)
    }
}

/// The first class whose step is at least `count`.
const fn at_least(count: u64) -> u64 {
    if count <= 8 {
        return count.saturating_sub(1);
    }
    // Of `count - 1`, the highest bit gives the doubling, and the two bits below it the quarter.
    let doubling = (count - 1).ilog2() as u64;
    let quarter = (count - 1) >> (doubling - 2) & 3;
    8 + (doubling - 3) * 4 + quarter
}

/// The class of small blocks for `size` bytes.
#[inline]
pub(super) const fn class_of(size: u64) -> u64 {
    at_least(size.div_ceil(16))
}

/// The size of a class of small blocks.
#[inline]
pub(super) const fn size_of(class: u64) -> u64 {
    step(class) * 16
}

/// The largest size that is a small one.
pub(super) const fn largest_small() -> u64 {
    size_of(SMALL_CLASSES - 1)
}

/// The class of large blocks for `spans` spans.
pub(super) const fn span_class_of(spans: u64) -> u64 {
    at_least(spans)
}

/// How many spans a class of large blocks has.
pub(super) const fn spans_of(class: u64) -> u64 {
    step(class)
}

const _: () = assert!(largest_small() == 8192);
const _: () = assert!(spans_of(SPAN_CLASSES - 1) >= 1 << 20);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_size_has_the_tightest_class() {
        for count in 1..5000 {
            let class = at_least(count);
            assert!(step(class) >= count, "{count}: class {class} is {}", step(class));
            assert!(class == 0 || step(class - 1) < count, "{count}: class {class} is {}", step(class));
        }
        for class in 0..SPAN_CLASSES {
            assert_eq!(at_least(step(class)), class);
        }
    }
}
