//! Whatever has parts, while it is written.

use serde::ser::{
    Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant,
};

use super::encoder::Encoder;
use super::writer::{counted, out_of_room, short};
use crate::error::{Error, Result, Segment};
use crate::shape::Node;

pub(crate) struct Compound<'a, 's> {
    encoder: &'a mut Encoder<'s>,
    /// What the reader will ask for; `None` where names are written.
    node: Option<&'s Node>,
    /// How many parts were announced.
    len: Option<usize>,
    /// How many are written.
    next: usize,
    /// Where they begin.
    start: usize,
    variant: Option<&'static str>,
}

impl<'a, 's> Compound<'a, 's> {
    #[inline]
    pub(super) fn new(encoder: &'a mut Encoder<'s>, node: Option<&'s Node>, len: Option<usize>) -> Self {
        let start = encoder.out.len();
        Self { encoder, node, len, next: 0, start, variant: None }
    }

    pub(super) fn in_variant(mut self, variant: &'static str) -> Self {
        self.variant = Some(variant);
        self
    }

    /// Writes the header of MessagePack's array; that of an unknown length waits for the end.
    pub(super) fn open_array(&mut self) -> Result<()> {
        if let Some(len) = self.len {
            rmp::encode::write_array_len(&mut self.encoder.out, short(len)?).map_err(out_of_room)?;
        }
        self.start = self.encoder.out.len();
        Ok(())
    }

    pub(super) fn open_map(&mut self) -> Result<()> {
        if let Some(len) = self.len {
            rmp::encode::write_map_len(&mut self.encoder.out, short(len)?).map_err(out_of_room)?;
        }
        self.start = self.encoder.out.len();
        Ok(())
    }

    /// Writes one part, which the reader asks for as part number `part` of the node.
    #[inline]
    fn put<T: Serialize + ?Sized>(
        &mut self,
        part: usize,
        value: &T,
        segment: impl FnOnce() -> Segment,
    ) -> Result<()> {
        if let Some(node) = self.node {
            self.encoder.at = match node.parts.get(part) {
                Some(&part) => part,
                None => return self.encoder.doubt(),
            };
        }
        value.serialize(&mut *self.encoder).map_err(|error| self.locate(error, segment()))
    }

    #[cold]
    fn locate(&self, error: Error, segment: Segment) -> Error {
        let error = error.within(segment);
        match self.variant {
            Some(variant) => error.within(Segment::Variant(variant)),
            None => error,
        }
    }

    /// A tuple's next element.
    #[inline]
    fn element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        let index = self.next;
        self.put(index, value, || Segment::Index(index))?;
        self.next += 1;
        Ok(())
    }

    /// A struct's next field.
    #[inline]
    fn field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<()> {
        let index = self.next;
        if let Some(node) = self.node {
            match node.names.get(index) {
                Some(&expected) if same(expected, name) => {}
                _ => return self.encoder.doubt(),
            }
        } else {
            rmp::encode::write_str(&mut self.encoder.out, name).map_err(out_of_room)?;
        }
        self.put(index, value, || Segment::Field(name))?;
        self.next += 1;
        Ok(())
    }

    /// The end of something whose number of parts is part of its type.
    #[inline]
    fn close(self) -> Result<()> {
        match self.len {
            Some(len) if len != self.next && self.node.is_some() => self.encoder.doubt(),
            Some(len) => counted(len, self.next),
            None => Ok(()),
        }
    }

    /// The end of something that has as many parts as it likes.
    fn close_counted(
        self,
        header: impl FnOnce(&mut Vec<u8>, u32) -> Result<rmp::Marker, rmp::encode::ValueWriteError>,
    ) -> Result<()> {
        let Some(len) = self.len else {
            let mut head = Vec::new();
            header(&mut head, short(self.next)?).map_err(out_of_room)?;
            self.encoder.out.splice(self.start..self.start, head);
            return Ok(());
        };
        counted(len, self.next)?;
        // Elements of no width: a reader could not tell a thousand of them from a forged count.
        if self.node.is_some() && self.encoder.out.len() - self.start < len {
            return self.encoder.doubt();
        }
        Ok(())
    }
}

/// Mostly both are the same constant, and then the text need not be read.
#[inline]
fn same(one: &'static str, other: &'static str) -> bool {
    std::ptr::eq(one, other) || one == other
}

impl SerializeSeq for Compound<'_, '_> {
    type Ok = ();
    type Error = Error;

    #[inline]
    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        let index = self.next;
        self.put(0, value, || Segment::Index(index))?;
        self.next += 1;
        Ok(())
    }

    fn end(self) -> Result<()> {
        self.close_counted(rmp::encode::write_array_len)
    }
}

impl SerializeMap for Compound<'_, '_> {
    type Ok = ();
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<()> {
        let place = self.next;
        self.put(0, key, || Segment::Entry(place))
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        let place = self.next;
        self.put(1, value, || Segment::Entry(place))?;
        self.next += 1;
        Ok(())
    }

    fn serialize_entry<K, V>(&mut self, key: &K, value: &V) -> Result<()>
    where
        K: Serialize + ?Sized,
        V: Serialize + ?Sized,
    {
        self.serialize_key(key)?;
        let place = self.next;
        self.put(1, value, || entry(key, place))?;
        self.next += 1;
        Ok(())
    }

    fn end(self) -> Result<()> {
        self.close_counted(rmp::encode::write_map_len)
    }
}

/// How an entry is called in a path: by its key, when that is short and simple.
#[cold]
fn entry<K: Serialize + ?Sized>(key: &K, place: usize) -> Segment {
    let mut encoder = Encoder::message_pack(Vec::new());
    let written = key.serialize(&mut encoder);
    match written.ok().and_then(|()| crate::de::key_text(&encoder.into_bytes())) {
        Some(text) => Segment::Key(text),
        None => Segment::Entry(place),
    }
}

macro_rules! tuples {
    ($($trait:ident $method:ident;)*) => {$(
        impl $trait for Compound<'_, '_> {
            type Ok = ();
            type Error = Error;

            #[inline]
            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
                self.element(value)
            }

            #[inline]
            fn end(self) -> Result<()> {
                self.close()
            }
        }
    )*};
}

tuples! {
    SerializeTuple serialize_element;
    SerializeTupleStruct serialize_field;
    SerializeTupleVariant serialize_field;
}

macro_rules! structs {
    ($($trait:ident;)*) => {$(
        impl $trait for Compound<'_, '_> {
            type Ok = ();
            type Error = Error;

            #[inline]
            fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<()> {
                self.field(name, value)
            }

            /// postcard's reader would take the next field for this one.
            fn skip_field(&mut self, _: &'static str) -> Result<()> {
                if self.node.is_some() { self.encoder.doubt() } else { Ok(()) }
            }

            #[inline]
            fn end(self) -> Result<()> {
                self.close()
            }
        }
    )*};
}

structs! {
    SerializeStruct;
    SerializeStructVariant;
}
