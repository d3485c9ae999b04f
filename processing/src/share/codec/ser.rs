//! Writes numbers and texts; declines everything else.

use std::fmt;

use serde::ser::{Error, Impossible, Serialize, Serializer};

use super::{BYTES, CHAR, DOUBLE, Encoded, FALSE, SIGNED, SINGLE, TEXT, TRUE, UNIT, UNSIGNED};

/// A serializer for a single number or text.
pub(super) struct Plain;

/// The value is neither.
#[derive(Debug)]
pub(super) struct Declined;

impl fmt::Display for Declined {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a number or a text")
    }
}

impl std::error::Error for Declined {}

impl Error for Declined {
    fn custom<T: fmt::Display>(_: T) -> Declined {
        Declined
    }
}

/// The bytes of a number up to its highest that is not zero.
fn significant(bytes: &[u8]) -> &[u8] {
    let len = bytes.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
    &bytes[..len]
}

type Done = Result<Encoded, Declined>;
type Never = Impossible<Encoded, Declined>;

impl Serializer for Plain {
    type Ok = Encoded;
    type Error = Declined;
    type SerializeSeq = Never;
    type SerializeTuple = Never;
    type SerializeTupleStruct = Never;
    type SerializeTupleVariant = Never;
    type SerializeMap = Never;
    type SerializeStruct = Never;
    type SerializeStructVariant = Never;

    fn serialize_bool(self, v: bool) -> Done {
        Ok(Encoded::of(if v { TRUE } else { FALSE }, &[]))
    }

    fn serialize_i8(self, v: i8) -> Done {
        self.serialize_i64(v.into())
    }

    fn serialize_i16(self, v: i16) -> Done {
        self.serialize_i64(v.into())
    }

    fn serialize_i32(self, v: i32) -> Done {
        self.serialize_i64(v.into())
    }

    fn serialize_i64(self, v: i64) -> Done {
        // The sign goes to the lowest bit, so that small negative numbers are short as well.
        Ok(Encoded::of(SIGNED, significant(&((v << 1) ^ (v >> 63)).to_le_bytes())))
    }

    fn serialize_u8(self, v: u8) -> Done {
        self.serialize_u64(v.into())
    }

    fn serialize_u16(self, v: u16) -> Done {
        self.serialize_u64(v.into())
    }

    fn serialize_u32(self, v: u32) -> Done {
        self.serialize_u64(v.into())
    }

    fn serialize_u64(self, v: u64) -> Done {
        Ok(Encoded::of(UNSIGNED, significant(&v.to_le_bytes())))
    }

    fn serialize_f32(self, v: f32) -> Done {
        Ok(Encoded::of(SINGLE, &v.to_le_bytes()))
    }

    fn serialize_f64(self, v: f64) -> Done {
        Ok(Encoded::of(DOUBLE, &v.to_le_bytes()))
    }

    fn serialize_char(self, v: char) -> Done {
        Ok(Encoded::of(CHAR, &u32::from(v).to_le_bytes()))
    }

    fn serialize_str(self, v: &str) -> Done {
        Ok(Encoded::of(TEXT, v.as_bytes()))
    }

    fn serialize_bytes(self, v: &[u8]) -> Done {
        Ok(Encoded::of(BYTES, v))
    }

    fn serialize_unit(self) -> Done {
        Ok(Encoded::of(UNIT, &[]))
    }

    fn serialize_unit_struct(self, _: &'static str) -> Done {
        self.serialize_unit()
    }

    fn serialize_newtype_struct<T: ?Sized + Serialize>(self, _: &'static str, value: &T) -> Done {
        value.serialize(self)
    }

    fn serialize_none(self) -> Done {
        Err(Declined)
    }

    fn serialize_some<T: ?Sized + Serialize>(self, _: &T) -> Done {
        Err(Declined)
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, _: &'static str) -> Done {
        Err(Declined)
    }

    fn serialize_newtype_variant<T: ?Sized + Serialize>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Done {
        Err(Declined)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Never, Declined> {
        Err(Declined)
    }

    fn serialize_tuple(self, _: usize) -> Result<Never, Declined> {
        Err(Declined)
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Never, Declined> {
        Err(Declined)
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Never, Declined> {
        Err(Declined)
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Never, Declined> {
        Err(Declined)
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Never, Declined> {
        Err(Declined)
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Never, Declined> {
        Err(Declined)
    }

    fn collect_str<T: ?Sized + fmt::Display>(self, value: &T) -> Done {
        self.serialize_str(&value.to_string())
    }

    fn is_human_readable(&self) -> bool {
        false
    }
}
