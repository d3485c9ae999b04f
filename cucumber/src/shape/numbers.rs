//! What has nothing in it but a few numbers, one behind the other.

use super::{Kind, Part, Wanted, leaf};

/// Which numbers, in their order: five bits each, behind a one that tells how many there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Numbers(u64);

impl Numbers {
    pub(crate) const NONE: Self = Self(1);

    const BITS: u32 = 5;
    /// So many are told from any others, and from more than that: what a further one would push the first one into is
    /// not the number of a leaf.
    const MOST: u32 = 11;

    /// With one more of this kind.
    #[inline]
    pub(crate) const fn and(self, number: u32) -> Self {
        Self(self.0 << Self::BITS | number as u64)
    }

    /// Those that the reader will ask for, if it is a tuple of them.
    pub(crate) fn of(wanted: Wanted, parts: &[Part]) -> Option<Self> {
        // A number alone is compared as fast by itself.
        if wanted.is_number() {
            return None;
        }
        let numbers = Self::NONE.and_those_of(wanted, parts, 0)?;
        (numbers != Self::NONE).then_some(numbers)
    }

    fn and_those_of(self, wanted: Wanted, parts: &[Part], depth: u32) -> Option<Self> {
        if wanted.is_number() {
            let is_full = self.0 >> (Self::BITS * Self::MOST) != 0;
            return (!is_full).then(|| self.and(wanted.number()));
        }
        if depth == Self::MOST {
            return None;
        }
        let elements = wanted.exactly(Kind::Tuple, wanted.len(), parts)?;
        elements
            .iter()
            .try_fold(self, |numbers, element| numbers.and_those_of(element.wanted, parts, depth + 1))
    }
}

impl Wanted {
    /// Whether it is one that [`Numbers`] may have.
    fn is_number(self) -> bool {
        matches!(
            self.what(),
            leaf::BOOL | leaf::I8..=leaf::I64 | leaf::U8..=leaf::U64 | leaf::F32 | leaf::F64
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shape::{self, Shape};
    use serde::de::DeserializeOwned;

    fn numbers_of<T: DeserializeOwned>() -> Option<Numbers> {
        crate::know::<T>();
        let shape: &Shape = shape::of::<T>().unwrap();
        Numbers::of(shape.root, &shape.parts)
    }

    #[test]
    fn tuples_of_numbers_are_told_by_their_numbers_alone() {
        let two = Numbers::NONE.and(leaf::U8).and(leaf::F64);
        assert_eq!(numbers_of::<(u8, f64)>(), Some(two));
        assert_eq!(numbers_of::<((u8,), (f64,))>(), Some(two));
        assert_ne!(numbers_of::<(f64, u8)>(), Some(two));
        assert_ne!(numbers_of::<(u8, f64, u8)>(), Some(two));
        assert!(numbers_of::<[u8; 11]>().is_some());
        for other in [
            numbers_of::<[u8; 12]>(),
            numbers_of::<u8>(),
            numbers_of::<()>(),
            numbers_of::<((), ())>(),
            numbers_of::<(u8, String)>(),
            numbers_of::<(u8, Option<u8>)>(),
            numbers_of::<(u8, u128)>(),
            numbers_of::<(u8, char)>(),
        ] {
            assert_eq!(other, None);
        }
    }

    #[test]
    fn more_numbers_than_are_counted_are_never_taken_for_fewer() {
        let known = [leaf::BOOL, leaf::I64, leaf::U8, leaf::U64, leaf::F64];
        for len in 1..=Numbers::MOST {
            for number in known {
                let wanted = (0..len).fold(Numbers::NONE, |numbers, _| numbers.and(number));
                let mut seen = wanted;
                for more in 0..100 {
                    seen = seen.and(known[more % known.len()]);
                    assert_ne!(seen, wanted);
                }
            }
        }
    }
}
