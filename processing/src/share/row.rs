//! A list whose elements have a type: what `Vec` and `VecDeque` have in common.

use std::any::{Any, TypeId};
use std::marker::PhantomData;

use super::codec::{self, Encoded};
use super::error::ShareError;
use super::shareable::Element;
use crate::shm::fault::Fault;
use crate::shm::list::List;
use crate::shm::segment::u64_of;
use crate::shm::slot::SLOT;
use crate::shm::view::View;
use crate::shm::writer::Writer;

/// A list of `T`s: numbers packed side by side, everything else in slots.
pub(crate) struct Row<T> {
    list: List,
    element: PhantomData<fn() -> T>,
}

impl<T> Clone for Row<T> {
    fn clone(&self) -> Row<T> {
        *self
    }
}

impl<T> Copy for Row<T> {}

/// An element on its way into the list; made before the lock is taken, for encoding runs code of the user's.
pub(crate) enum Ready {
    Packed(u64),
    Encoded(Encoded),
}

/// The element types that are packed.
macro_rules! packed {
    ($macro:ident) => {
        $macro! { u8 i8 u16 i16 u32 i32 u64 i64 usize isize f32 f64 }
    };
}

/// How many bytes a packed `T` has; `None` if it is not packed.
fn packed_width<T: 'static>() -> Option<u64> {
    macro_rules! one_of {
        ($($type:ty)*) => {
            [$((TypeId::of::<$type>(), size_of::<$type>() as u64)),*]
        };
    }
    let widths = packed!(one_of);
    widths.into_iter().find(|(id, _)| *id == TypeId::of::<T>()).map(|(_, width)| width)
}

/// The bits of a packed element.
fn to_bits<T: 'static>(value: &T) -> u64 {
    macro_rules! one_of {
        ($($type:ty)*) => {
            $(if let Some(value) = (value as &dyn Any).downcast_ref::<$type>() {
                return u64_of(&value.to_le_bytes());
            })*
        };
    }
    packed!(one_of);
    0
}

/// The packed element with these bits; `None` if `T` is not packed.
fn of_bits<T: 'static>(bits: u64) -> Option<T> {
    let mut result = None::<T>;
    macro_rules! one_of {
        ($($type:ty)*) => {
            $(if let Some(place) = (&mut result as &mut dyn Any).downcast_mut::<Option<$type>>() {
                let bytes = bits.to_le_bytes();
                *place = bytes.first_chunk().map(|bytes| <$type>::from_le_bytes(*bytes));
            })*
        };
    }
    packed!(one_of);
    result
}

/// Which elements differ; stops looking once there are more than `few`.
fn differing(old: &[u8], new: &[u8], width: usize, few: usize) -> Vec<usize> {
    const BLOCK: usize = 4096;
    let mut found = Vec::new();
    for (number, (old, new)) in old.chunks(BLOCK).zip(new.chunks(BLOCK)).enumerate() {
        if found.len() > few {
            break;
        }
        if old != new {
            let pairs = old.chunks_exact(width).zip(new.chunks_exact(width)).enumerate();
            let first = number * BLOCK / width;
            found.extend(pairs.filter(|(_, (old, new))| old != new).map(|(index, _)| first + index));
        }
    }
    found
}

impl<T: Element> Row<T> {
    pub(crate) fn new(at: u64) -> Row<T> {
        Row { list: List::new(at, packed_width::<T>().unwrap_or(SLOT)), element: PhantomData }
    }

    fn is_packed() -> bool {
        packed_width::<T>().is_some()
    }

    pub(crate) fn ready(value: &T) -> Result<Ready, ShareError> {
        Ok(if Self::is_packed() {
            Ready::Packed(to_bits(value))
        } else {
            Ready::Encoded(codec::encode(value)?)
        })
    }

    #[inline]
    pub(crate) fn len(self, view: &View<'_>) -> Result<u64, ShareError> {
        Ok(self.list.len(view)?)
    }

    pub(crate) fn get(self, view: &View<'_>, index: u64) -> Result<Option<T>, ShareError> {
        if index >= self.list.len(view)? {
            return Ok(None);
        }
        let at = self.list.locate(view, index)?;
        self.at(view, at).map(Some)
    }

    fn at(self, view: &View<'_>, at: u64) -> Result<T, ShareError> {
        if Self::is_packed() {
            let bits = self.list.packed(view, at)?;
            return of_bits(bits).ok_or_else(|| Fault::Corrupt("element").into());
        }
        match view.slot(at)? {
            Some(bytes) => codec::decode(&bytes),
            None => {
                view.check()?;
                Err(Fault::Corrupt("element that is missing").into())
            }
        }
    }

    /// Fills a place that holds nothing.
    fn fill(self, writer: &mut Writer<'_>, at: u64, value: &Ready) -> Result<(), ShareError> {
        match value {
            Ready::Packed(bits) => self.list.set_packed(writer, at, *bits)?,
            Ready::Encoded(bytes) => writer.fill_slot(at, bytes)?,
        }
        Ok(())
    }

    pub(crate) fn push_back(self, writer: &mut Writer<'_>, value: &Ready) -> Result<(), ShareError> {
        let at = self.list.push_back(writer)?;
        self.fill(writer, at, value)
    }

    pub(crate) fn push_front(self, writer: &mut Writer<'_>, value: &Ready) -> Result<(), ShareError> {
        let at = self.list.push_front(writer)?;
        self.fill(writer, at, value)
    }

    /// Replaces an element; `false` if there is no such index.
    pub(crate) fn set(self, writer: &mut Writer<'_>, index: u64, value: &Ready) -> Result<bool, ShareError> {
        if index >= self.list.len(writer)? {
            return Ok(false);
        }
        let at = self.list.locate(writer, index)?;
        match value {
            Ready::Packed(bits) => self.list.set_packed(writer, at, *bits)?,
            Ready::Encoded(bytes) => writer.set_slot(at, bytes)?,
        }
        Ok(true)
    }

    /// Frees what an element owns.
    fn drop_at(self, writer: &mut Writer<'_>, index: u64) -> Result<(), ShareError> {
        if !Self::is_packed() {
            let at = self.list.locate(writer, index)?;
            writer.drop_slot(at)?;
        }
        Ok(())
    }

    pub(crate) fn pop_back(self, writer: &mut Writer<'_>) -> Result<Option<T>, ShareError> {
        let Some(last) = self.list.len(writer)?.checked_sub(1) else { return Ok(None) };
        let value = self.get(writer, last)?;
        self.drop_at(writer, last)?;
        self.list.pop_back(writer)?;
        Ok(value)
    }

    pub(crate) fn pop_front(self, writer: &mut Writer<'_>) -> Result<Option<T>, ShareError> {
        let value = self.get(writer, 0)?;
        if value.is_some() {
            self.drop_at(writer, 0)?;
            self.list.pop_front(writer)?;
        }
        Ok(value)
    }

    /// Copies the words of element `from` to the place of element `to`.
    fn shift(self, writer: &mut Writer<'_>, from: u64, to: u64) -> Result<(), ShareError> {
        let (from, to) = (self.list.locate(writer, from)?, self.list.locate(writer, to)?);
        if Self::is_packed() {
            let bits = self.list.packed(writer, from)?;
            self.list.set_packed(writer, to, bits)?;
        } else {
            for word in [0, 8] {
                let bits = writer.load(from + word)?;
                writer.set(to + word, bits)?;
            }
        }
        Ok(())
    }

    /// Puts an element between others; `false` if the index is beyond the end.
    pub(crate) fn insert(
        self,
        writer: &mut Writer<'_>,
        index: u64,
        value: &Ready,
    ) -> Result<bool, ShareError> {
        let len = self.list.len(writer)?;
        if index > len {
            return Ok(false);
        }
        if index < len / 2 {
            self.list.push_front(writer)?;
            for place in 0..index {
                self.shift(writer, place + 1, place)?;
            }
        } else {
            self.list.push_back(writer)?;
            for place in (index..len).rev() {
                self.shift(writer, place, place + 1)?;
            }
        }
        let at = self.list.locate(writer, index)?;
        self.fill(writer, at, value)?;
        Ok(true)
    }

    /// Takes an element out and closes the gap.
    pub(crate) fn remove(self, writer: &mut Writer<'_>, index: u64) -> Result<Option<T>, ShareError> {
        let len = self.list.len(writer)?;
        let Some(value) = self.get(writer, index)? else { return Ok(None) };
        self.drop_at(writer, index)?;
        if index < len / 2 {
            for place in (0..index).rev() {
                self.shift(writer, place, place + 1)?;
            }
            self.list.pop_front(writer)?;
        } else {
            for place in index + 1..len {
                self.shift(writer, place, place - 1)?;
            }
            self.list.pop_back(writer)?;
        }
        Ok(Some(value))
    }

    /// Drops elements at the end until there are `len`.
    pub(crate) fn truncate(self, writer: &mut Writer<'_>, len: u64) -> Result<(), ShareError> {
        while self.list.len(writer)? > len {
            let last = self.list.len(writer)? - 1;
            self.drop_at(writer, last)?;
            self.list.pop_back(writer)?;
        }
        Ok(())
    }

    pub(crate) fn clear(self, writer: &mut Writer<'_>) -> Result<(), ShareError> {
        if !Self::is_packed() {
            for index in 0..self.list.whole(writer)? {
                self.drop_at(writer, index)?;
            }
        }
        Ok(self.list.clear(writer)?)
    }

    pub(crate) fn load<C: FromIterator<T>>(self, view: &View<'_>) -> Result<C, ShareError> {
        let len = self.list.whole(view)?;
        if let Some(width) = packed_width::<T>() {
            let bytes = self.list.all_packed(view)?;
            return bytes
                .chunks_exact(width as usize)
                .map(|chunk| of_bits(u64_of(chunk)).ok_or_else(|| Fault::Corrupt("element").into()))
                .collect();
        }
        (0..len)
            .map(|index| match self.list.locate(view, index) {
                Ok(at) => self.at(view, at),
                Err(fault) => Err(fault.into()),
            })
            .collect()
    }

    /// All elements of a packed list, as bytes.
    pub(crate) fn bytes(self, view: &View<'_>) -> Result<Vec<u8>, ShareError> {
        Ok(self.list.all_packed(view)?)
    }

    /// Makes the list hold `values`, touching only what differs.
    pub(crate) fn store<'a>(
        self,
        writer: &mut Writer<'_>,
        values: impl ExactSizeIterator<Item = &'a T>,
    ) -> Result<(), ShareError> {
        if let Some(width) = packed_width::<T>() {
            let mut bytes = Vec::with_capacity(values.len() * width as usize);
            for value in values {
                bytes.extend_from_slice(&to_bits(value).to_le_bytes()[..width as usize]);
            }
            return self.store_packed(writer, &bytes, width as usize);
        }
        let (mut values, mut index) = (values, 0);
        self.truncate(writer, values.len() as u64)?;
        let kept = self.list.len(writer)?;
        for value in values.by_ref().take(kept as usize) {
            self.set(writer, index, &Self::ready(value)?)?;
            index += 1;
        }
        for value in values {
            self.push_back(writer, &Self::ready(value)?)?;
        }
        Ok(())
    }

    /// Makes the list hold these packed elements: element by element where few differ, all anew where many do, for new
    /// memory needs no undo log.
    pub(crate) fn store_packed(
        self,
        writer: &mut Writer<'_>,
        bytes: &[u8],
        width: usize,
    ) -> Result<(), ShareError> {
        let old = self.list.all_packed(writer)?;
        let few = 64.max(old.len() / width / 16);
        let dropped = old.len().saturating_sub(bytes.len()) / width;
        let differing = differing(&old, bytes, width, few);
        if dropped > few || differing.len() > few {
            self.list.clear(writer)?;
            return Ok(self.list.extend_packed(writer, bytes)?);
        }
        self.truncate(writer, (bytes.len() / width) as u64)?;
        for index in differing {
            let at = self.list.locate(writer, index as u64)?;
            self.list.set_packed(writer, at, u64_of(&bytes[index * width..][..width]))?;
        }
        Ok(self.list.extend_packed(writer, bytes.get(old.len()..).unwrap_or_default())?)
    }
}
