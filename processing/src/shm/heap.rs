//! Blocks of memory inside the segment.
//!
//! The heap is divided into spans of 64 KiB. A span holds small blocks of one size, or is the start of
//! one large block, or is free; which of these is written in a table apart from the spans, so that a
//! free span needs no memory at all. Everything the allocator changes is logged like any other data:
//! a transaction that is taken back takes its allocations back.

use super::fault::{Fault, Result};
use super::layout::{FREE_SPANS, META, PARTIAL, SMALL_CLASSES, SPAN, SPAN_CLASSES, TOP};
use super::planted::{Mistake, makes};
use super::view::View;
use super::writer::Writer;

#[cfg(test)]
mod audit;
mod classes;
#[cfg(test)]
mod tests;

use classes::{class_of, largest_small, size_of, span_class_of, spans_of};

// The fields of a span's entry in the table.
const KIND: u64 = 0;
const FREE: u64 = 8;
const BUMP: u64 = 16;
const LIVE: u64 = 24;
const NEXT: u64 = 32;
const PREV: u64 = 40;

/// What a span is used for, with the class in the low bits.
const SMALL: u64 = 0x5350_414e_0001_0000;
const LARGE: u64 = 0x5350_414e_0002_0000;
const FREED: u64 = 0x5350_414e_0003_0000;
const CLASS: u64 = 0xffff;

/// The system's unit of memory.
const PAGE: u64 = 4096;

impl View<'_> {
    /// The table entry of the span that `at` is in.
    #[inline]
    fn meta(&self, at: u64) -> Result<u64> {
        if at < self.layout.heap || at >= self.layout.len {
            return Err(Fault::Corrupt("offset of a block"));
        }
        Ok(self.layout.meta + (at - self.layout.heap) / SPAN * META)
    }

    /// The size of the block at `at`; refuses whatever is not the start of a block.
    #[inline]
    pub(crate) fn block(&self, at: u64) -> Result<u64> {
        let kind = self.load(self.meta(at)? + KIND)?;
        let class = kind & CLASS;
        if kind & !CLASS == SMALL && class < SMALL_CLASSES {
            let (size, inside) = (size_of(class), at % SPAN);
            if inside % size == 0 && inside + size <= SPAN {
                return Ok(size);
            }
        } else if kind & !CLASS == LARGE && class < SPAN_CLASSES && at.is_multiple_of(SPAN) {
            let size = spans_of(class) * SPAN;
            if size <= self.layout.len - at {
                return Ok(size);
            }
        }
        self.check()?;
        Err(Fault::Corrupt("block"))
    }
}

impl Writer<'_> {
    /// A block of at least `size` bytes, of unknown content.
    pub(crate) fn allocate(&mut self, size: u64) -> Result<u64> {
        if size > largest_small() { self.allocate_large(size) } else { self.allocate_small(class_of(size)) }
    }

    /// A block of at least `size` bytes, all zero.
    pub(crate) fn allocate_zeroed(&mut self, size: u64) -> Result<u64> {
        let block = self.allocate(size)?;
        for at in (block..block + size).step_by(8) {
            self.fresh(at, 0)?;
        }
        Ok(block)
    }

    /// Gives a block back, once the transaction is committed. 0 is no block.
    pub(crate) fn free(&mut self, block: u64) {
        if makes(Mistake::FreedAtOnce) {
            let _ = self.release(block);
        } else if block != 0 {
            self.tx.frees.push(block);
        }
    }

    fn allocate_small(&mut self, class: u64) -> Result<u64> {
        let list = PARTIAL + class * 8;
        let size = size_of(class);
        let mut span = self.load(list)?;
        if span == 0 {
            span = self.take_spans(0)?;
            let meta = self.meta(span)?;
            for (field, value) in
                [(KIND, SMALL | class), (FREE, 0), (BUMP, 0), (LIVE, 0), (NEXT, 0), (PREV, 0)]
            {
                self.set(meta + field, value)?;
            }
            self.set(list, span)?;
        }
        let meta = self.meta(span)?;
        if span % SPAN != 0 || self.load(meta + KIND)? != SMALL | class {
            return Err(Fault::Corrupt("list of spans"));
        }
        let capacity = SPAN / size;
        let (free, live) = (self.load(meta + FREE)?, self.load(meta + LIVE)?);
        if live >= capacity {
            return Err(Fault::Corrupt("full span in the list"));
        }
        let block = if free != 0 {
            if free / SPAN != span / SPAN || !(free % SPAN).is_multiple_of(size) || free % SPAN + size > SPAN
            {
                return Err(Fault::Corrupt("list of free blocks"));
            }
            // The new owner overwrites the link without a word; should the block come back, so must the link.
            let link = self.load(free)?;
            if !makes(Mistake::LinkUnlogged) {
                self.log(free, link)?;
            }
            self.set(meta + FREE, link)?;
            free
        } else {
            let bump = self.load(meta + BUMP)?;
            if bump >= capacity {
                return Err(Fault::Corrupt("full span in the list"));
            }
            self.set(meta + BUMP, bump + 1)?;
            span + bump * size
        };
        self.set(meta + LIVE, live + 1)?;
        if live + 1 >= capacity {
            self.unlist(list, meta)?;
        }
        Ok(block)
    }

    fn allocate_large(&mut self, size: u64) -> Result<u64> {
        if size > self.view.layout.len {
            return Err(Fault::Full);
        }
        let mut class = span_class_of(size.div_ceil(SPAN));
        let span = loop {
            match self.take_spans(class) {
                // Nothing of this size left; a larger free block will do.
                Err(Fault::Full) if class + 1 < SPAN_CLASSES => class += 1,
                result => break result?,
            }
        };
        let meta = self.meta(span)?;
        self.set(meta + KIND, LARGE | class)?;
        Ok(span)
    }

    /// As many spans in a row as `class` says.
    fn take_spans(&mut self, class: u64) -> Result<u64> {
        let list = FREE_SPANS + class * 8;
        let first = self.load(list)?;
        if first != 0 {
            let meta = self.meta(first)?;
            if first % SPAN != 0 || self.load(meta + KIND)? != FREED | class {
                return Err(Fault::Corrupt("list of free spans"));
            }
            let next = self.load(meta + NEXT)?;
            self.set(list, next)?;
            return Ok(first);
        }
        let top = self.load(TOP)?;
        let size = spans_of(class) * SPAN;
        if top < self.view.layout.heap || top % SPAN != 0 || top > self.view.layout.len {
            return Err(Fault::Corrupt("top of the heap"));
        }
        if size > self.view.layout.len - top {
            return Err(Fault::Full);
        }
        self.set(TOP, top + size)?;
        Ok(top)
    }

    /// Puts a block into the list it belongs to; part of a commit.
    pub(super) fn release(&mut self, block: u64) -> Result<()> {
        let size = self.block(block)?;
        let meta = self.meta(block)?;
        let kind = self.load(meta + KIND)?;
        let class = kind & CLASS;
        if kind & !CLASS == LARGE {
            return self.release_spans(block, class);
        }
        let (list, span) = (PARTIAL + class * 8, block - block % SPAN);
        let (free, live) = (self.load(meta + FREE)?, self.load(meta + LIVE)?);
        if live == 0 || live > SPAN / size {
            return Err(Fault::Corrupt("block freed twice"));
        }
        self.set(block, free)?;
        self.set(meta + FREE, block)?;
        self.set(meta + LIVE, live - 1)?;
        if live == SPAN / size {
            self.enlist(list, span)?;
        }
        if live == 1 {
            if self.load(meta + NEXT)? != 0 || self.load(meta + PREV)? != 0 {
                self.unlist(list, meta)?;
                return self.release_spans(span, 0);
            }
            // The last span of a class stays even when it is empty, since the next block of that size is
            // likely to come. But it starts anew, on its first page.
            if self.load(meta + BUMP)? > PAGE / size {
                self.set(meta + FREE, 0)?;
                self.set(meta + BUMP, 0)?;
                self.tx.holes.push((span + PAGE, SPAN - PAGE));
            }
        }
        Ok(())
    }

    fn release_spans(&mut self, span: u64, class: u64) -> Result<()> {
        let meta = self.meta(span)?;
        if class >= SPAN_CLASSES {
            return Err(Fault::Corrupt("block"));
        }
        let size = spans_of(class) * SPAN;
        if self.load(TOP)? == span + size {
            self.set(TOP, span)?;
            self.set(meta + KIND, 0)?;
        } else {
            let list = FREE_SPANS + class * 8;
            let first = self.load(list)?;
            self.set(meta + KIND, FREED | class)?;
            self.set(meta + NEXT, first)?;
            self.set(list, span)?;
        }
        self.tx.holes.push((span, size));
        Ok(())
    }

    /// Puts a span with room at the front of its class's list.
    fn enlist(&mut self, list: u64, span: u64) -> Result<()> {
        let meta = self.meta(span)?;
        let first = self.load(list)?;
        self.set(meta + NEXT, first)?;
        self.set(meta + PREV, 0)?;
        if first != 0 {
            let other = self.meta(first)?;
            self.set(other + PREV, span)?;
        }
        self.set(list, span)
    }

    fn unlist(&mut self, list: u64, meta: u64) -> Result<()> {
        let (next, prev) = (self.load(meta + NEXT)?, self.load(meta + PREV)?);
        if next != 0 {
            let other = self.meta(next)?;
            self.set(other + PREV, prev)?;
        }
        if prev != 0 {
            let other = self.meta(prev)?;
            self.set(other + NEXT, next)?;
        } else {
            self.set(list, next)?;
        }
        self.set(meta + NEXT, 0)?;
        self.set(meta + PREV, 0)
    }
}
