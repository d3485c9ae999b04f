//! Sequences and maps, while they are written: as many parts as there happen to be.

use serde::ser::{Serialize, SerializeMap, SerializeSeq};

use super::encoder::{Encoder, Header};
use super::writer::{counted, out_of_room, short};
use crate::error::{Error, Result, Segment};
use crate::shape::{Wanted, leaf};

pub(crate) struct Items<'a, 's, const PLAIN: bool> {
    encoder: &'a mut Encoder<'s, PLAIN>,
    /// What the reader will ask for; nothing where names are written.
    key: Wanted,
    value: Wanted,
    /// How many were announced, if it was known.
    len: Option<usize>,
    /// How many are written.
    next: usize,
    /// Where they begin.
    start: usize,
}

impl<'a, 's, const PLAIN: bool> Items<'a, 's, PLAIN> {
    #[inline]
    pub(super) fn plain(encoder: &'a mut Encoder<'s, PLAIN>, key: Wanted, value: Wanted, len: usize) -> Self {
        let start = encoder.out.len();
        Self { encoder, key, value, len: Some(len), next: 0, start }
    }

    pub(super) fn named(encoder: &'a mut Encoder<'s, PLAIN>, len: Option<usize>) -> Self {
        let start = encoder.out.len();
        let none = Wanted::leaf(leaf::UNKNOWN);
        Self { encoder, key: none, value: none, len, next: 0, start }
    }

    #[inline]
    fn key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<()> {
        key.serialize(self.encoder.at(self.key)).map_err(|error| error.within(Segment::Entry(self.next)))
    }

    #[inline]
    fn close(self, header: Header) -> Result<()> {
        match self.len {
            // Elements of no width are written with names: a reader could not tell many of them from a forged count.
            Some(len) if len == self.next => {
                if PLAIN && self.encoder.out.len() - self.start < len {
                    return Err(self.encoder.doubt());
                }
                Ok(())
            }
            Some(len) => counted(len, self.next),
            None => self.insert_header(header),
        }
    }

    /// A length that was not known before goes in front of what is written.
    #[cold]
    fn insert_header(self, header: Header) -> Result<()> {
        let end = self.encoder.out.len();
        header(&mut self.encoder.out, self.next)?;
        let width = self.encoder.out.len() - end;
        self.encoder.out[self.start..].rotate_right(width);
        Ok(())
    }
}

/// The header of MessagePack's array.
pub(super) fn array_header(out: &mut Vec<u8>, len: usize) -> Result<()> {
    rmp::encode::write_array_len(out, short(len)?).map(drop).map_err(out_of_room)
}

/// The header of MessagePack's map.
pub(super) fn map_header(out: &mut Vec<u8>, len: usize) -> Result<()> {
    rmp::encode::write_map_len(out, short(len)?).map(drop).map_err(out_of_room)
}

impl<const PLAIN: bool> SerializeSeq for Items<'_, '_, PLAIN> {
    type Ok = ();
    type Error = Error;

    #[inline]
    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        let index = self.next;
        self.next += 1;
        value.serialize(self.encoder.at(self.key)).map_err(|error| error.within(Segment::Index(index)))
    }

    #[inline]
    fn end(self) -> Result<()> {
        self.close(array_header)
    }
}

impl<const PLAIN: bool> SerializeMap for Items<'_, '_, PLAIN> {
    type Ok = ();
    type Error = Error;

    #[inline]
    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<()> {
        self.key(key)
    }

    #[inline]
    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        let place = self.next;
        self.next += 1;
        value.serialize(self.encoder.at(self.value)).map_err(|error| error.within(Segment::Entry(place)))
    }

    #[inline]
    fn serialize_entry<K, V>(&mut self, key: &K, value: &V) -> Result<()>
    where
        K: Serialize + ?Sized,
        V: Serialize + ?Sized,
    {
        self.key(key)?;
        let place = self.next;
        self.next += 1;
        value.serialize(self.encoder.at(self.value)).map_err(|error| error.within(entry(key, place)))
    }

    #[inline]
    fn end(self) -> Result<()> {
        self.close(map_header)
    }
}

/// How an entry is called in a path: by its key, when that is short and simple.
#[cold]
fn entry<K: Serialize + ?Sized>(key: &K, place: usize) -> Segment {
    let mut encoder = Encoder::message_pack(Vec::new(), crate::scope::stack());
    let written = key.serialize(encoder.named());
    match written.ok().and_then(|()| crate::de::key_text(&encoder.into_bytes())) {
        Some(text) => Segment::Key(text),
        None => Segment::Entry(place),
    }
}
