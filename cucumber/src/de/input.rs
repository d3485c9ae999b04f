//! The bytes that are still to be read.

use std::slice::Iter;

use crate::error::{Error, Result};

/// An iterator, as that is two pointers of which only one moves: a slice's pointer and length both would.
#[derive(Clone)]
pub(super) struct Input<'de>(Iter<'de, u8>);

impl<'de> Input<'de> {
    #[inline]
    pub(super) fn new(bytes: &'de [u8]) -> Self {
        Self(bytes.iter())
    }

    /// All of them; they stay.
    #[inline]
    pub(super) fn bytes(&self) -> &'de [u8] {
        self.0.as_slice()
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.0.as_slice().is_empty()
    }

    /// Goes on behind the first `len` bytes, or to the end.
    #[inline]
    pub(super) fn skip(&mut self, len: usize) {
        if let Some(last) = len.checked_sub(1) {
            self.0.nth(last);
        }
    }

    /// The next `len` bytes.
    #[inline]
    pub(super) fn take(&mut self, len: usize) -> Result<&'de [u8]> {
        let taken = self.bytes().get(..len).ok_or_else(Error::truncated)?;
        self.skip(len);
        Ok(taken)
    }

    /// The next `N` bytes.
    #[inline]
    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let taken = self.bytes().first_chunk::<N>().ok_or_else(Error::truncated)?;
        self.skip(N);
        Ok(*taken)
    }
}
