//! Shared memory as a place in this process.

use std::io;

use memmap2::{MmapOptions, MmapRaw};

use super::OwnedFd;

/// A piece of memory as it is mapped here, for as long as this lives.
///
/// It begins at a page, and is as long as was asked for. Others may write to it at any time.
#[derive(Debug)]
pub(crate) struct Mapping(MmapRaw);

impl Mapping {
    /// The first `length` bytes of what [`fixed_memory`](super::fixed_memory) made here or elsewhere.
    pub(crate) fn new(memory: &OwnedFd, length: usize) -> io::Result<Self> {
        MmapOptions::new().len(length).map_raw(memory).map(Mapping)
    }

    /// The same of memory most of which may never be touched: room is found for it as it is.
    pub(crate) fn sparse(memory: &OwnedFd, length: usize) -> io::Result<Self> {
        MmapOptions::new().len(length).no_reserve_swap().map_raw(memory).map(Mapping)
    }

    /// Where it begins.
    #[inline]
    pub(crate) fn start(&self) -> *mut u8 {
        self.0.as_mut_ptr()
    }
}
