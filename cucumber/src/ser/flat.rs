//! The elements of a sequence, where each is a few numbers and nothing else: `(u32, u64)`, say.
//!
//! postcard writes such an element as its numbers, one behind the other, so it is what the reader will ask for if it has the
//! same numbers in the same order. They are noted while they are written, and compared once for each element.

use serde::ser::{Impossible, Serialize, SerializeTuple, SerializeTupleStruct, Serializer};

use super::encoder::{At, Encoder};
use super::serializer::post;
use super::writer::counted;
use crate::error::{Error, Result};
use crate::shape::{Kind, Numbers, leaf};

impl<const PLAIN: bool> At<'_, '_, PLAIN> {
    /// The numbers of each element, if this is such a sequence.
    #[inline]
    pub(super) fn numbers_of_elements(&self) -> Option<Numbers> {
        let shape = self.encoder.shape;
        Numbers::of(self.wanted.one(Kind::Seq, shape)?.wanted, shape)
    }

    /// Writes them.
    #[inline]
    pub(super) fn flat<I>(self, items: I, len: usize, expected: Numbers) -> Result<()>
    where
        I: Iterator,
        I::Item: Serialize,
    {
        let encoder = self.encoder;
        encoder.post_len(len);
        let mut written = 0;
        for item in items {
            let mut flat = Flat { encoder: &mut *encoder, seen: Numbers::NONE };
            // An error comes once more when it is written with names, and says where it was.
            if item.serialize(&mut flat).is_err() || flat.seen != expected {
                return Err(encoder.doubt());
            }
            written += 1;
        }
        counted(len, written)
    }
}

/// One element, while it is written.
struct Flat<'a, 's, const PLAIN: bool> {
    encoder: &'a mut Encoder<'s, PLAIN>,
    seen: Numbers,
}

impl<const PLAIN: bool> Flat<'_, '_, PLAIN> {
    #[cold]
    #[inline(never)]
    fn other<T>(&mut self) -> Result<T> {
        Err(self.encoder.doubt())
    }
}

macro_rules! leaves {
    ($($method:ident $type:ty, $leaf:ident $kind:ident;)*) => {$(
        #[inline]
        fn $method(self, value: $type) -> Result<()> {
            self.seen = self.seen.and(leaf::$leaf);
            let encoder = &mut *self.encoder;
            post!($kind encoder value)
        }
    )*};
}

/// Everything that is no number.
macro_rules! others {
    ($($method:ident($($argument:ty),*) -> $result:ty;)*) => {$(
        fn $method(self, $(_: $argument),*) -> Result<$result> {
            self.other()
        }
    )*};
}

type Never = Impossible<(), Error>;

impl<const PLAIN: bool> Serializer for &mut Flat<'_, '_, PLAIN> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Never;
    type SerializeTuple = Self;
    type SerializeTupleStruct = Self;
    type SerializeTupleVariant = Never;
    type SerializeMap = Never;
    type SerializeStruct = Never;
    type SerializeStructVariant = Never;

    #[inline]
    fn is_human_readable(&self) -> bool {
        false
    }

    leaves! {
        serialize_bool bool, BOOL byte;
        serialize_i8 i8, I8 byte;
        serialize_i16 i16, I16 signed;
        serialize_i32 i32, I32 signed;
        serialize_i64 i64, I64 signed;
        serialize_u8 u8, U8 byte;
        serialize_u16 u16, U16 unsigned;
        serialize_u32 u32, U32 unsigned;
        serialize_u64 u64, U64 unsigned;
        serialize_f32 f32, F32 fixed;
        serialize_f64 f64, F64 fixed;
    }

    #[inline]
    fn serialize_tuple(self, _: usize) -> Result<Self> {
        Ok(self)
    }

    #[inline]
    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Self> {
        Ok(self)
    }

    #[inline]
    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<()> {
        value.serialize(self)
    }

    others! {
        serialize_i128(i128) -> ();
        serialize_u128(u128) -> ();
        serialize_char(char) -> ();
        serialize_str(&str) -> ();
        serialize_bytes(&[u8]) -> ();
        serialize_none() -> ();
        serialize_unit() -> ();
        serialize_unit_struct(&'static str) -> ();
        serialize_unit_variant(&'static str, u32, &'static str) -> ();
        serialize_seq(Option<usize>) -> Never;
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> Never;
        serialize_map(Option<usize>) -> Never;
        serialize_struct(&'static str, usize) -> Never;
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> Never;
    }

    fn serialize_some<T: Serialize + ?Sized>(self, _: &T) -> Result<()> {
        self.other()
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<()> {
        self.other()
    }
}

macro_rules! tuples {
    ($($trait:ident $method:ident;)*) => {$(
        impl<const PLAIN: bool> $trait for &mut Flat<'_, '_, PLAIN> {
            type Ok = ();
            type Error = Error;

            #[inline]
            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
                value.serialize(&mut **self)
            }

            #[inline]
            fn end(self) -> Result<()> {
                Ok(())
            }
        }
    )*};
}

tuples! {
    SerializeTuple serialize_element;
    SerializeTupleStruct serialize_field;
}
