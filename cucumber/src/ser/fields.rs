//! Tuples and structs, while they are written: as many parts as their type has.

use serde::ser::{
    Serialize, SerializeStruct, SerializeStructVariant, SerializeTuple, SerializeTupleStruct,
    SerializeTupleVariant,
};

use super::encoder::Encoder;
use super::writer::counted;
use crate::error::{Error, Result, Segment};
use crate::shape::{Part, Wanted, leaf};

pub(crate) struct Fields<'a, 's, const PLAIN: bool> {
    encoder: &'a mut Encoder<'s, PLAIN>,
    /// What the reader will ask for; empty where names are written.
    parts: &'s [Part],
    next: usize,
    len: usize,
}

impl<'a, 's, const PLAIN: bool> Fields<'a, 's, PLAIN> {
    #[inline]
    pub(super) fn new(encoder: &'a mut Encoder<'s, PLAIN>, parts: &'s [Part], len: usize) -> Self {
        Self { encoder, parts, next: 0, len }
    }

    #[inline]
    pub(super) fn in_variant(self, variant: &'static str) -> InVariant<'a, 's, PLAIN> {
        InVariant { fields: self, variant }
    }

    /// A tuple's next element.
    #[inline(always)]
    fn element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        let index = self.next;
        self.next += 1;
        let mut wanted = Wanted::leaf(leaf::UNKNOWN);
        if PLAIN {
            match self.parts.get(index) {
                Some(part) => wanted = part.wanted,
                None => return Err(self.encoder.doubt()),
            }
        }
        value.serialize(self.encoder.at(wanted)).map_err(|error| error.within(Segment::Index(index)))
    }

    /// A struct's next field.
    #[inline(always)]
    fn field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<()> {
        let index = self.next;
        self.next += 1;
        let mut wanted = Wanted::leaf(leaf::UNKNOWN);
        if PLAIN {
            match self.parts.get(index) {
                Some(part) if part.is_called(name) => wanted = part.wanted,
                _ => return Err(self.encoder.doubt()),
            }
        } else {
            self.encoder.pack(name)?;
        }
        value.serialize(self.encoder.at(wanted)).map_err(|error| error.within(Segment::Field(name)))
    }

    /// postcard's reader would take the next field for this one.
    fn skip(&mut self) -> Result<()> {
        if PLAIN { Err(self.encoder.doubt()) } else { Ok(()) }
    }

    #[inline]
    fn close(self) -> Result<()> {
        if self.next == self.len {
            return Ok(());
        }
        if PLAIN { Err(self.encoder.doubt()) } else { counted(self.len, self.next) }
    }
}

/// The same, inside a variant.
pub(crate) struct InVariant<'a, 's, const PLAIN: bool> {
    fields: Fields<'a, 's, PLAIN>,
    variant: &'static str,
}

macro_rules! tuples {
    ($($trait:ident $method:ident;)*) => {$(
        impl<const PLAIN: bool> $trait for Fields<'_, '_, PLAIN> {
            type Ok = ();
            type Error = Error;

            #[inline(always)]
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
}

impl<const PLAIN: bool> SerializeStruct for Fields<'_, '_, PLAIN> {
    type Ok = ();
    type Error = Error;

    #[inline(always)]
    fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<()> {
        self.field(name, value)
    }

    fn skip_field(&mut self, _: &'static str) -> Result<()> {
        self.skip()
    }

    #[inline]
    fn end(self) -> Result<()> {
        self.close()
    }
}

impl<const PLAIN: bool> SerializeTupleVariant for InVariant<'_, '_, PLAIN> {
    type Ok = ();
    type Error = Error;

    #[inline(always)]
    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        self.fields.element(value).map_err(|error| error.within(Segment::Variant(self.variant)))
    }

    #[inline]
    fn end(self) -> Result<()> {
        self.fields.close()
    }
}

impl<const PLAIN: bool> SerializeStructVariant for InVariant<'_, '_, PLAIN> {
    type Ok = ();
    type Error = Error;

    #[inline(always)]
    fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<()> {
        self.fields.field(name, value).map_err(|error| error.within(Segment::Variant(self.variant)))
    }

    fn skip_field(&mut self, _: &'static str) -> Result<()> {
        self.fields.skip()
    }

    #[inline]
    fn end(self) -> Result<()> {
        self.fields.close()
    }
}
