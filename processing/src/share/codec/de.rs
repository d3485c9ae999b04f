//! Reads numbers and texts.

use serde::de::value::Error;
use serde::de::{Deserializer, Error as _, Visitor};
use serde::forward_to_deserialize_any;

use super::{BYTES, CHAR, DOUBLE, FALSE, SIGNED, SINGLE, TEXT, TRUE, UNIT, UNSIGNED};

/// A deserializer for what [`ser::Plain`](super::ser::Plain) wrote.
pub(super) struct Plain<'a> {
    pub(super) kind: u8,
    pub(super) rest: &'a [u8],
}

impl Plain<'_> {
    /// The rest as `N` bytes, the missing ones zero.
    fn bytes<const N: usize>(&self) -> Result<[u8; N], Error> {
        let mut bytes = [0; N];
        bytes
            .get_mut(..self.rest.len())
            .ok_or_else(|| Error::custom("a number of too many bytes"))?
            .copy_from_slice(self.rest);
        Ok(bytes)
    }
}

impl<'de> Deserializer<'de> for Plain<'_> {
    type Error = Error;

    #[inline]
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.kind {
            UNIT => visitor.visit_unit(),
            FALSE => visitor.visit_bool(false),
            TRUE => visitor.visit_bool(true),
            UNSIGNED => visitor.visit_u64(u64::from_le_bytes(self.bytes()?)),
            SIGNED => {
                let bits = u64::from_le_bytes(self.bytes()?);
                visitor.visit_i64((bits >> 1) as i64 ^ -((bits & 1) as i64))
            }
            SINGLE => visitor.visit_f32(f32::from_le_bytes(self.bytes()?)),
            DOUBLE => visitor.visit_f64(f64::from_le_bytes(self.bytes()?)),
            CHAR => {
                let code = u32::from_le_bytes(self.bytes()?);
                visitor.visit_char(char::from_u32(code).ok_or_else(|| Error::custom("not a character"))?)
            }
            TEXT => visitor.visit_str(std::str::from_utf8(self.rest).map_err(Error::custom)?),
            BYTES => visitor.visit_bytes(self.rest),
            _ => Err(Error::custom("unknown kind of value")),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn is_human_readable(&self) -> bool {
        false
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct seq
        tuple tuple_struct map struct enum identifier ignored_any
    }
}
