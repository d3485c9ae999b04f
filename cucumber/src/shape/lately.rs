//! What a thread has found out lately, by an address.

use std::cell::Cell;
use std::num::NonZeroUsize;

/// A program has some hundred types that it sends and receives, and a thread a few of them.
const PLACES: usize = 64;

/// A table with one place for many addresses: whoever comes last has it. Whoever does not find his own asks those who know.
pub(super) struct Lately<V: Copy>([Cell<Option<(NonZeroUsize, V)>>; PLACES]);

impl<V: Copy> Lately<V> {
    pub(super) const fn new() -> Self {
        Self([const { Cell::new(None) }; PLACES])
    }

    #[inline]
    fn place(&self, address: NonZeroUsize) -> &Cell<Option<(NonZeroUsize, V)>> {
        // Addresses are spread well enough by one multiplication, whose upper bits have seen them all.
        let spread = (address.get() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 58;
        &self.0[spread as usize % PLACES]
    }

    #[inline]
    pub(super) fn find(&self, address: usize) -> Option<V> {
        let address = NonZeroUsize::new(address)?;
        self.place(address).get().filter(|(known, _)| *known == address).map(|(_, value)| value)
    }

    pub(super) fn keep(&self, address: usize, value: V) {
        if let Some(address) = NonZeroUsize::new(address) {
            self.place(address).set(Some((address, value)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_shares_a_place_is_never_mistaken() {
        let lately = Lately::new();
        lately.keep(0, 1);
        assert_eq!(lately.find(0), None);
        for address in 1..10_000usize {
            assert_eq!(lately.find(address), None);
            lately.keep(address, address * 3);
            assert_eq!(lately.find(address), Some(address * 3));
        }
        let kept = (1..10_000).filter_map(|address| lately.find(address)).count();
        assert_eq!(kept, PLACES);
    }
}
