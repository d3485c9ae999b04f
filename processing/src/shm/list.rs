//! A row of elements of one width that grows and shrinks at both ends.
//!
//! The elements lie in pages of 1 KiB that never move; a table in a block of its own says where the pages
//! are. The table is a ring, so the front may wander; it doubles when it is full, which copies one word for
//! every page.

use super::fault::{Fault, Result};
use super::view::View;
use super::writer::Writer;

#[cfg(test)]
mod tests;

/// The bytes of a list's own words.
pub(crate) const LIST: u64 = 32;

const HEAD: u64 = 0;
const LEN: u64 = 8;
const TABLE: u64 = 16;
/// How many pages the table has room for: 0 or a power of two.
const ROOM: u64 = 24;

const PAGE: u64 = 1024;
/// More than any memory has bytes.
const NONSENSE: u64 = 1 << 48;

/// A list: where its own words are, and how many bytes an element has (a power of two up to 64).
#[derive(Clone, Copy, Debug)]
pub(crate) struct List {
    at: u64,
    width: u64,
}

impl List {
    pub(crate) const fn new(at: u64, width: u64) -> List {
        List { at, width }
    }

    const fn per_page(self) -> u64 {
        PAGE / self.width
    }

    /// One of the list's own words. None is ever as big as [`NONSENSE`], so what is computed of them does not overflow.
    #[inline]
    fn number(self, view: &View<'_>, word: u64) -> Result<u64> {
        let number = view.load(self.at + word)?;
        if number >= NONSENSE {
            view.check()?;
            return Err(Fault::Corrupt("number of a list"));
        }
        Ok(number)
    }

    #[inline]
    pub(crate) fn len(self, view: &View<'_>) -> Result<u64> {
        self.number(view, LEN)
    }

    /// The length of a list that somebody is about to go through: never more than there can be.
    pub(crate) fn whole(self, view: &View<'_>) -> Result<u64> {
        view.fits(self.len(view)?, self.width)
    }

    /// How many pages the elements stand in.
    fn pages(self, head: u64, len: u64) -> u64 {
        if len == 0 { 0 } else { (head % self.per_page()).saturating_add(len).div_ceil(self.per_page()) }
    }

    /// How many elements the pages hold that there is room for.
    fn ring(self, room: u64) -> Result<u64> {
        if room == 0 { Err(Fault::Corrupt("table of a list")) } else { Ok(room * self.per_page()) }
    }

    /// Where in the table the page of the element at `position`, counted from the ring's start, is.
    fn entry(self, view: &View<'_>, position: u64, room: u64) -> Result<u64> {
        if !room.is_power_of_two() {
            view.check()?;
            return Err(Fault::Corrupt("table of a list"));
        }
        Ok(self.number(view, TABLE)? + (position / self.per_page() % room) * 8)
    }

    /// The byte offset of element `index`, which must be below the length.
    #[inline]
    pub(crate) fn locate(self, view: &View<'_>, index: u64) -> Result<u64> {
        let position = self.number(view, HEAD)?.wrapping_add(index);
        let entry = self.entry(view, position, self.number(view, ROOM)?)?;
        let page = view.load(entry)?;
        if view.block(page)? < PAGE {
            view.check()?;
            return Err(Fault::Corrupt("page of a list"));
        }
        Ok(page + position % self.per_page() * self.width)
    }

    /// Adds an element of unknown content at the back and returns where it is.
    #[inline]
    pub(crate) fn push_back(self, writer: &mut Writer<'_>) -> Result<u64> {
        let (head, len) = (self.number(writer, HEAD)?, self.len(writer)?);
        let before = self.pages(head, len);
        if self.pages(head, len + 1) > before {
            self.add_page(writer, before, false)?;
        }
        writer.set(self.at + LEN, len + 1)?;
        self.locate(writer, len)
    }

    /// Adds an element of unknown content at the front and returns where it is.
    pub(crate) fn push_front(self, writer: &mut Writer<'_>) -> Result<u64> {
        let (head, len) = (self.number(writer, HEAD)?, self.len(writer)?);
        if len == 0 {
            return self.push_back(writer);
        }
        if head % self.per_page() == 0 {
            self.add_page(writer, self.pages(head, len), true)?;
        }
        let (head, room) = (self.number(writer, HEAD)?, self.number(writer, ROOM)?);
        let before = if head == 0 { self.ring(room)? } else { head };
        writer.set(self.at + HEAD, before - 1)?;
        writer.set(self.at + LEN, len + 1)?;
        self.locate(writer, 0)
    }

    /// Puts one more page into the table, behind the `pages` that are there or before them.
    fn add_page(self, writer: &mut Writer<'_>, pages: u64, before: bool) -> Result<()> {
        let mut room = self.number(writer, ROOM)?;
        if pages >= room {
            room = self.double(writer, pages, room)?;
        }
        let page = writer.allocate(PAGE)?;
        let head = self.number(writer, HEAD)?;
        let place = if before {
            (head / self.per_page()).wrapping_add(room - 1)
        } else {
            head / self.per_page() + pages
        };
        let entry = self.entry(writer, place % room * self.per_page(), room)?;
        writer.set(entry, page)
    }

    /// Replaces the table by one of twice the room, the pages in order from its start.
    fn double(self, writer: &mut Writer<'_>, pages: u64, room: u64) -> Result<u64> {
        let head = self.number(writer, HEAD)?;
        let new_room = (room * 2).max(2);
        let table = writer.allocate_zeroed(new_room * 8)?;
        for page in 0..pages {
            let entry = self.entry(writer, (head / self.per_page() + page) * self.per_page(), room)?;
            let value = writer.load(entry)?;
            writer.fresh(table + page * 8, value)?;
        }
        let old = self.number(writer, TABLE)?;
        writer.free(old);
        writer.set(self.at + TABLE, table)?;
        writer.set(self.at + ROOM, new_room)?;
        writer.set(self.at + HEAD, head % self.per_page())?;
        Ok(new_room)
    }

    /// Drops the last element, without a look at what it holds.
    pub(crate) fn pop_back(self, writer: &mut Writer<'_>) -> Result<()> {
        let (head, len) = (self.number(writer, HEAD)?, self.len(writer)?);
        if len <= 1 {
            return self.clear(writer);
        }
        let pages = self.pages(head, len - 1);
        if pages < self.pages(head, len) {
            self.drop_page(writer, (head / self.per_page() + pages) * self.per_page())?;
        }
        writer.set(self.at + LEN, len - 1)
    }

    /// Drops the first element, without a look at what it holds.
    pub(crate) fn pop_front(self, writer: &mut Writer<'_>) -> Result<()> {
        let (head, len) = (self.number(writer, HEAD)?, self.len(writer)?);
        if len <= 1 {
            return self.clear(writer);
        }
        let room = self.number(writer, ROOM)?;
        if (head + 1) % self.per_page() == 0 {
            self.drop_page(writer, head)?;
        }
        writer.set(self.at + HEAD, (head + 1) % self.ring(room)?)?;
        writer.set(self.at + LEN, len - 1)
    }

    fn drop_page(self, writer: &mut Writer<'_>, position: u64) -> Result<()> {
        let entry = self.entry(writer, position, self.number(writer, ROOM)?)?;
        let page = writer.load(entry)?;
        writer.block(page)?;
        writer.free(page);
        writer.set(entry, 0)
    }

    /// Drops all elements, without a look at what they hold, and all memory.
    pub(crate) fn clear(self, writer: &mut Writer<'_>) -> Result<()> {
        let (head, len) = (self.number(writer, HEAD)?, self.len(writer)?);
        let pages = self.pages(head, len);
        let table = self.number(writer, TABLE)?;
        if table != 0 {
            let room = self.number(writer, ROOM)?;
            if room > writer.block(table)? / 8 || pages > room {
                return Err(Fault::Corrupt("table of a list"));
            }
            for page in 0..pages {
                let entry = self.entry(writer, (head / self.per_page() + page) * self.per_page(), room)?;
                let page = writer.load(entry)?;
                writer.block(page)?;
                writer.free(page);
            }
            writer.free(table);
        }
        for word in [HEAD, LEN, TABLE, ROOM] {
            writer.set(self.at + word, 0)?;
        }
        Ok(())
    }

    /// The element at byte offset `at`, of eight bytes or fewer.
    #[inline]
    pub(crate) fn packed(self, view: &View<'_>, at: u64) -> Result<u64> {
        let word = view.load(at & !7)? >> (at % 8 * 8);
        Ok(if self.width == 8 { word } else { word & ((1 << (self.width * 8)) - 1) })
    }

    /// Changes the element at byte offset `at`, of eight bytes or fewer.
    #[inline]
    pub(crate) fn set_packed(self, writer: &mut Writer<'_>, at: u64, value: u64) -> Result<()> {
        if self.width == 8 {
            return writer.set(at, value);
        }
        let (shift, mask) = (at % 8 * 8, (1 << (self.width * 8)) - 1);
        let word = writer.load(at & !7)? & !(mask << shift);
        writer.set(at & !7, word | (value & mask) << shift)
    }

    /// Adds packed elements at the back; `bytes` holds them in order. New pages are filled as a whole.
    pub(crate) fn extend_packed(self, writer: &mut Writer<'_>, bytes: &[u8]) -> Result<()> {
        let mut rest = bytes;
        while !rest.is_empty() {
            let (head, len) = (self.number(writer, HEAD)?, self.len(writer)?);
            let taken = if (head + len) % self.per_page() == 0 {
                self.add_page(writer, self.pages(head, len), false)?;
                let taken = rest.len().min(PAGE as usize);
                writer.set(self.at + LEN, len + taken as u64 / self.width)?;
                let at = self.locate(writer, len)?;
                writer.view.segment.copy_in(at, &rest[..taken])?;
                taken
            } else {
                let at = self.push_back(writer)?;
                let width = self.width as usize;
                self.set_packed(writer, at, super::segment::u64_of(&rest[..width]))?;
                width
            };
            rest = &rest[taken..];
        }
        Ok(())
    }

    /// All packed elements, in order.
    pub(crate) fn all_packed(self, view: &View<'_>) -> Result<Vec<u8>> {
        let (head, len) = (self.number(view, HEAD)?, self.whole(view)?);
        view.check()?;
        let mut bytes = Vec::new();
        let (mut index, mut page) = (0, vec![0; PAGE as usize]);
        while index < len {
            let inside = (head + index) % self.per_page();
            let at = self.locate(view, index)?;
            let count = (self.per_page() - inside).min(len - index);
            let start = at - inside * self.width;
            view.segment.copy_out(start, &mut page)?;
            view.check()?;
            bytes.extend_from_slice(
                &page[(inside * self.width) as usize..((inside + count) * self.width) as usize],
            );
            index += count;
        }
        Ok(bytes)
    }
}
