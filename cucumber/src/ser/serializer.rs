//! What serde's `Serializer` asks for, in the words of both codecs.

use serde::ser::{Serialize, Serializer};

use super::encoder::{At, NIL};
use super::fields::{Fields, InVariant};
use super::items::{Items, array_header, map_header};
use super::writer::{several, short};
use crate::bytes::Run;
use crate::error::{Error, Result, Segment};
use crate::shape::{Kind, leaf};

/// How postcard writes a number.
macro_rules! post {
    (byte $encoder:ident $value:ident) => {{
        $encoder.out.push($value as u8);
        Ok(())
    }};
    (unsigned $encoder:ident $value:ident) => {{
        $encoder.varint($value.into());
        Ok(())
    }};
    (signed $encoder:ident $value:ident) => {{
        let (value, sign) = (i64::from($value), i64::from($value) >> 63);
        $encoder.varint(((value << 1) ^ sign).cast_unsigned());
        Ok(())
    }};
    (fixed $encoder:ident $value:ident) => {{
        $encoder.out.extend_from_slice(&$value.to_le_bytes());
        Ok(())
    }};
    (long $encoder:ident $value:ident) => {
        $encoder.post($value)
    };
}

/// Floats, and points in space, in one run.
macro_rules! floats {
    ($self:ident $items:ident $($many:expr, $leaf:ident $to_bytes:expr;)*) => {$(
        $items = match Run::recognise($items) {
            Ok((floats, len)) => return $self.floats(floats, (leaf::$leaf, $many, len), $to_bytes),
            Err(items) => items,
        };
    )*};
}

macro_rules! leaves {
    ($($method:ident $type:ty, $leaf:ident $kind:ident;)*) => {$(
        #[inline]
        fn $method(self, value: $type) -> Result<()> {
            self.leaf(leaf::$leaf, value, |encoder, value| post!($kind encoder value))
        }
    )*};
}

pub(super) use post;

impl<'a, 's, const PLAIN: bool> Serializer for At<'a, 's, PLAIN> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Items<'a, 's, PLAIN>;
    type SerializeTuple = Fields<'a, 's, PLAIN>;
    type SerializeTupleStruct = Fields<'a, 's, PLAIN>;
    type SerializeTupleVariant = InVariant<'a, 's, PLAIN>;
    type SerializeMap = Items<'a, 's, PLAIN>;
    type SerializeStruct = Fields<'a, 's, PLAIN>;
    type SerializeStructVariant = InVariant<'a, 's, PLAIN>;

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
        serialize_i128 i128, I128 long;
        serialize_u8 u8, U8 byte;
        serialize_u16 u16, U16 unsigned;
        serialize_u32 u32, U32 unsigned;
        serialize_u64 u64, U64 unsigned;
        serialize_u128 u128, U128 long;
        serialize_f32 f32, F32 fixed;
        serialize_f64 f64, F64 fixed;
        serialize_char char, CHAR long;
    }

    #[inline]
    fn serialize_str(mut self, value: &str) -> Result<()> {
        if !PLAIN {
            short(value.len())?;
            return self.encoder.pack(value);
        }
        self.expect(leaf::STR)?;
        self.encoder.post_len(value.len());
        self.encoder.out.extend_from_slice(value.as_bytes());
        Ok(())
    }

    fn serialize_bytes(mut self, value: &[u8]) -> Result<()> {
        if !PLAIN {
            short(value.len())?;
            let mut serializer = rmp_serde::Serializer::new(&mut self.encoder.out);
            return Ok(Serializer::serialize_bytes(&mut serializer, value)?);
        }
        self.expect(leaf::BYTES)?;
        self.encoder.post_len(value.len());
        self.encoder.out.extend_from_slice(value);
        Ok(())
    }

    #[inline]
    fn serialize_none(self) -> Result<()> {
        if PLAIN {
            self.inside(Kind::Option)?.encoder.out.push(0);
        } else {
            self.encoder.out.push(NIL);
        }
        Ok(())
    }

    #[inline]
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<()> {
        self.encoder.stack.check()?;
        if PLAIN {
            let inside = self.inside(Kind::Option)?;
            inside.encoder.out.push(1);
            return value.serialize(inside);
        }
        let start = self.encoder.out.len();
        value.serialize(self.encoder.at(self.wanted))?;
        self.encoder.mark_some(start)
    }

    #[inline]
    fn serialize_unit(self) -> Result<()> {
        self.leaf(leaf::UNIT, (), |_, ()| Ok(()))
    }

    #[inline]
    fn serialize_unit_struct(self, _: &'static str) -> Result<()> {
        self.leaf(leaf::UNIT, (), |_, ()| Ok(()))
    }

    #[inline]
    fn serialize_unit_variant(self, _: &'static str, index: u32, variant: &'static str) -> Result<()> {
        if !PLAIN {
            return self.encoder.pack(variant);
        }
        self.variant(index, variant)?.expect(leaf::UNIT)
    }

    #[inline]
    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<()> {
        value.serialize(self)
    }

    #[inline]
    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<()> {
        self.encoder.stack.check()?;
        let mut content = self.variant(index, variant)?;
        if PLAIN {
            content = content.inside(Kind::NewtypeVariant)?;
        }
        value.serialize(content).map_err(|error| error.within(Segment::Variant(variant)))
    }

    #[inline]
    fn serialize_seq(self, len: Option<usize>) -> Result<Items<'a, 's, PLAIN>> {
        self.open(len, Kind::Seq, array_header)
    }

    #[inline]
    fn serialize_tuple(self, len: usize) -> Result<Fields<'a, 's, PLAIN>> {
        self.open_fields(len, Kind::Tuple, array_header)
    }

    #[inline]
    fn serialize_tuple_struct(self, _: &'static str, len: usize) -> Result<Fields<'a, 's, PLAIN>> {
        self.open_fields(len, Kind::Tuple, array_header)
    }

    #[inline]
    fn serialize_tuple_variant(
        self,
        _: &'static str,
        index: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<InVariant<'a, 's, PLAIN>> {
        let content = self.variant(index, variant)?;
        Ok(content.open_fields(len, Kind::Tuple, array_header)?.in_variant(variant))
    }

    #[inline]
    fn serialize_map(self, len: Option<usize>) -> Result<Items<'a, 's, PLAIN>> {
        self.open(len, Kind::Map, map_header)
    }

    #[inline]
    fn serialize_struct(self, _: &'static str, len: usize) -> Result<Fields<'a, 's, PLAIN>> {
        self.open_fields(len, Kind::Struct, map_header)
    }

    #[inline]
    fn serialize_struct_variant(
        self,
        _: &'static str,
        index: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<InVariant<'a, 's, PLAIN>> {
        let content = self.variant(index, variant)?;
        Ok(content.open_fields(len, Kind::Struct, map_header)?.in_variant(variant))
    }

    #[inline]
    fn collect_seq<I>(self, items: I) -> Result<()>
    where
        I: IntoIterator,
        I::Item: Serialize,
    {
        use serde::ser::SerializeSeq;
        let mut items = match Run::recognise(items.into_iter()) {
            Ok((bytes, len)) => return self.bytes(bytes, len),
            Err(items) => items,
        };
        if PLAIN {
            floats! { self items
                None, F64 f64::to_le_bytes;
                None, F32 f32::to_le_bytes;
                Some(2), F64 |array| several::<_, 2, _, 16>(array, f64::to_le_bytes);
                Some(3), F64 |array| several::<_, 3, _, 24>(array, f64::to_le_bytes);
                Some(4), F64 |array| several::<_, 4, _, 32>(array, f64::to_le_bytes);
                Some(2), F32 |array| several::<_, 2, _, 8>(array, f32::to_le_bytes);
                Some(3), F32 |array| several::<_, 3, _, 12>(array, f32::to_le_bytes);
                Some(4), F32 |array| several::<_, 4, _, 16>(array, f32::to_le_bytes);
                Some(2), F64 |tuple: (_, _)| several::<_, 2, _, 16>(tuple.into(), f64::to_le_bytes);
                Some(3), F64 |tuple: (_, _, _)| several::<_, 3, _, 24>(tuple.into(), f64::to_le_bytes);
                Some(4), F64 |tuple: (_, _, _, _)| several::<_, 4, _, 32>(tuple.into(), f64::to_le_bytes);
                Some(2), F32 |tuple: (_, _)| several::<_, 2, _, 8>(tuple.into(), f32::to_le_bytes);
                Some(3), F32 |tuple: (_, _, _)| several::<_, 3, _, 12>(tuple.into(), f32::to_le_bytes);
                Some(4), F32 |tuple: (_, _, _, _)| several::<_, 4, _, 16>(tuple.into(), f32::to_le_bytes);
            }
        }
        let len = match items.size_hint() {
            (low, Some(high)) if low == high => Some(low),
            _ => None,
        };
        if PLAIN
            && let Some(len) = len
            && let Some(numbers) = self.numbers_of_elements()
        {
            return self.flat(items, len, numbers);
        }
        let mut compound = self.serialize_seq(len)?;
        items.try_for_each(|item| compound.serialize_element(&item))?;
        SerializeSeq::end(compound)
    }
}
