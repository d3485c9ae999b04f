//! Reading, with or without the lock.

use std::sync::atomic::Ordering::{Acquire, Relaxed};
use std::sync::atomic::fence;

use super::fault::{Fault, Result};
use super::layout::{Layout, TOP};
use super::segment::Segment;

/// A look at the words of a segment.
///
/// Without the lock it is a gamble: everything read may be torn until `check` says that nothing was
/// committed since the look began.
#[derive(Clone, Copy, Debug)]
pub struct View<'s> {
    pub(crate) segment: &'s Segment,
    pub(crate) layout: Layout,
    /// The commit word when the look began; `None` under the lock.
    pub(crate) since: Option<u64>,
}

impl<'s> View<'s> {
    #[inline]
    pub(crate) fn load(&self, at: u64) -> Result<u64> {
        Ok(self.segment.word(at)?.load(Relaxed))
    }

    /// Makes sure that what was read up to here belongs together.
    ///
    /// To be called before anything read is given to code that does not expect nonsense: the user's
    /// `Deserialize`, or a loop that follows links.
    #[inline]
    pub(crate) fn check(&self) -> Result<()> {
        if let Some(since) = self.since {
            fence(Acquire);
            if self.segment.header().commit.load(Relaxed) != since {
                return Err(Fault::Changed);
            }
        }
        Ok(())
    }

    /// `count`, if so many things of `size` bytes each fit into the heap as far as it is in use: for whoever goes through
    /// all of them.
    pub(crate) fn fits(&self, count: u64, size: u64) -> Result<u64> {
        let used = self.load(TOP)?.min(self.layout.len).saturating_sub(self.layout.heap);
        if count > used / size {
            self.check()?;
            return Err(Fault::Corrupt("length"));
        }
        Ok(count)
    }

    /// `len` bytes from the word at `at` on, which lie in one block. `len` may be nonsense.
    pub(crate) fn bytes(&self, block: u64, len: u64) -> Result<Vec<u8>> {
        if len > self.block(block)? {
            self.check()?;
            return Err(Fault::Corrupt("length"));
        }
        let mut bytes = vec![0; len as usize];
        self.segment.copy_out(block, &mut bytes)?;
        self.check()?;
        Ok(bytes)
    }
}
