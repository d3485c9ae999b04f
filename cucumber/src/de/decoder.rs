//! The deserializer: one for both codecs, so that a type's `Deserialize` is compiled once.

use serde::de::{Deserialize, Deserializer, Visitor};

use super::access::{Elements, Entries, PackedVariant, PostcardVariant};
use super::packed::{Token128, unexpected};
use super::token::{self, Token};
use crate::bytes;
use crate::error::{Error, Result};
use crate::frame::Codec;
use crate::live;
use crate::scope;
use crate::stack::Stack;

pub(crate) struct Decoder<'de> {
    pub(super) rest: &'de [u8],
    postcard: bool,
    pub(super) stack: Stack,
    /// The field or map key that the value is in: the name of a live resource.
    pub(super) place: Option<&'de str>,
    /// The last text read, for when it turns out to be a map's key.
    pub(super) last_text: Option<Text<'de>>,
    /// Inside so many options around nothing.
    pub(super) options: Option<u8>,
}

/// A text, and whether it was read as the name of a field.
#[derive(Clone, Copy)]
pub(super) struct Text<'de> {
    pub(super) text: &'de str,
    pub(super) identifier: bool,
}

impl<'de> Decoder<'de> {
    #[inline]
    pub(crate) fn new(codec: Codec, bytes: &'de [u8], stack: Stack) -> Self {
        Self {
            rest: bytes,
            postcard: codec == Codec::Postcard,
            stack,
            place: None,
            last_text: None,
            options: None,
        }
    }

    #[inline]
    pub(crate) fn remaining(&self) -> usize {
        self.rest.len()
    }

    /// Reads something without parts as postcard does.
    #[inline]
    pub(super) fn take<T: Deserialize<'de>>(&mut self) -> Result<T> {
        let (value, rest) = postcard::take_from_bytes(self.rest)?;
        self.rest = rest;
        Ok(value)
    }

    #[inline]
    pub(super) fn varint(&mut self) -> Result<u64> {
        self.number(64)
    }

    /// The length of a sequence or map. Encoders see to it that an element takes a byte at least.
    #[inline]
    fn count(&mut self) -> Result<usize> {
        match usize::try_from(self.varint()?) {
            Ok(len) if len <= self.rest.len() => Ok(len),
            _ => Err(Error::truncated()),
        }
    }

    #[inline]
    pub(super) fn token(&mut self) -> Result<Token<'de>> {
        match self.options.take() {
            None => token::next(&mut self.rest),
            Some(0) => Ok(Token::Nil),
            Some(more) => Ok(Token::Some(more)),
        }
    }

    /// A sequence or struct of so many elements; all of them must be read.
    #[inline]
    pub(super) fn elements<V: Visitor<'de>>(
        &mut self,
        len: usize,
        names: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        self.stack.check()?;
        let mut left = len;
        let outer = self.place;
        let value = visitor.visit_seq(Elements::new(self, len, &mut left, names))?;
        self.place = outer;
        exhausted(left, value)
    }

    #[inline]
    pub(super) fn entries<V: Visitor<'de>>(&mut self, len: usize, visitor: V) -> Result<V::Value> {
        self.stack.check()?;
        let mut left = len;
        let value = visitor.visit_map(Entries::new(self, len, &mut left))?;
        exhausted(left, value)
    }
}

#[inline]
fn exhausted<T>(left: usize, value: T) -> Result<T> {
    if left == 0 { Ok(value) } else { Err(not_read(left)) }
}

#[cold]
fn not_read(left: usize) -> Error {
    Error::malformed(format!("its last {left} elements were not read; it was written by another type"))
}

/// How postcard has a number.
macro_rules! taken {
    (unsigned $self:ident $type:ty) => {
        // No more bits than the type has.
        $self.number(<$type>::BITS)? as $type
    };
    (signed $self:ident $type:ty) => {{
        let value = $self.number(<$type>::BITS)?;
        // As many as the type has, so nothing is lost.
        ((value >> 1).cast_signed() ^ -(value & 1).cast_signed()) as $type
    }};
    (fixed $self:ident $type:ty) => {
        <$type>::from_le_bytes($self.bytes()?)
    };
    (other $self:ident $type:ty) => {
        $self.take::<$type>()?
    };
}

macro_rules! numbers {
    ($($method:ident $visit:ident $type:ty, $kind:ident;)*) => {$(
        #[inline]
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
            if !self.postcard {
                return self.any(visitor);
            }
            visitor.$visit(taken!($kind self $type))
        }
    )*};
}

impl<'de> Deserializer<'de> for &mut Decoder<'de> {
    type Error = Error;

    #[inline]
    fn is_human_readable(&self) -> bool {
        false
    }

    numbers! {
        deserialize_bool visit_bool bool, other;
        deserialize_i8 visit_i8 i8, fixed;
        deserialize_i16 visit_i16 i16, signed;
        deserialize_i32 visit_i32 i32, signed;
        deserialize_i64 visit_i64 i64, signed;
        deserialize_u8 visit_u8 u8, fixed;
        deserialize_u16 visit_u16 u16, unsigned;
        deserialize_u32 visit_u32 u32, unsigned;
        deserialize_u64 visit_u64 u64, unsigned;
        deserialize_f32 visit_f32 f32, fixed;
        deserialize_f64 visit_f64 f64, fixed;
        deserialize_char visit_char char, other;
    }

    fn deserialize_i128<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        if self.postcard {
            return visitor.visit_i128(self.take()?);
        }
        match self.packed_128()? {
            Token128::Small(value) => visitor.visit_i128(value),
            Token128::Wide(bytes) => visitor.visit_i128(i128::from_be_bytes(bytes)),
        }
    }

    fn deserialize_u128<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        if self.postcard {
            return visitor.visit_u128(self.take()?);
        }
        match self.packed_128()? {
            Token128::Small(value) => visitor.visit_i128(value),
            Token128::Wide(bytes) => visitor.visit_u128(u128::from_be_bytes(bytes)),
        }
    }

    #[inline]
    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        if !self.postcard {
            return self.any(visitor);
        }
        let len = self.count()?;
        let text = std::str::from_utf8(token::split(&mut self.rest, len)?).map_err(token::not_text)?;
        self.last_text = Some(Text { text, identifier: false });
        visitor.visit_borrowed_str(text)
    }

    #[inline]
    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.deserialize_str(visitor)
    }

    #[inline]
    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        if self.postcard {
            return visitor.visit_borrowed_bytes(self.take::<&'de [u8]>()?);
        }
        match self.token()? {
            Token::Bin(bytes) | Token::Bytes(bytes) => visitor.visit_borrowed_bytes(bytes),
            Token::Str(text) => visitor.visit_borrowed_str(text),
            Token::Array(len) => self.elements(len, &[], visitor),
            other => Err(unexpected(other, "bytes")),
        }
    }

    #[inline]
    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.deserialize_bytes(visitor)
    }

    #[inline]
    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.stack.check()?;
        if self.postcard {
            let [there] = self.bytes()?;
            return match there {
                0 => visitor.visit_none(),
                1 => visitor.visit_some(self),
                _ => Err(Error::malformed("an option is neither there nor not")),
            };
        }
        let before = (self.rest, self.options);
        match self.token()? {
            Token::Nil => visitor.visit_none(),
            Token::Some(times) => {
                self.options = Some(times - 1);
                visitor.visit_some(self)
            }
            _ => {
                (self.rest, self.options) = before;
                visitor.visit_some(self)
            }
        }
    }

    #[inline]
    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        if self.postcard {
            return visitor.visit_unit();
        }
        match self.token()? {
            Token::Nil | Token::Array(0) => visitor.visit_unit(),
            other => Err(unexpected(other, "nothing")),
        }
    }

    #[inline]
    fn deserialize_unit_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value> {
        self.deserialize_unit(visitor)
    }

    #[inline]
    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value> {
        if name == live::MARK {
            scope::set_place(self.place);
        }
        visitor.visit_newtype_struct(self)
    }

    #[inline]
    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        if self.postcard {
            let len = self.count()?;
            if let Some(value) = bytes::vec_visitor::<V>() {
                return Ok(value(token::split(&mut self.rest, len)?.to_vec()));
            }
            return self.elements(len, &[], visitor);
        }
        let before = (self.rest, self.options);
        if let Token::Bytes(bytes) | Token::Bin(bytes) = self.token()?
            && let Some(value) = bytes::vec_visitor::<V>()
        {
            return Ok(value(bytes.to_vec()));
        }
        (self.rest, self.options) = before;
        self.packed_tuple(visitor)
    }

    #[inline]
    fn deserialize_tuple<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value> {
        if self.postcard { self.elements(len, &[], visitor) } else { self.packed_tuple(visitor) }
    }

    #[inline]
    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        len: usize,
        visitor: V,
    ) -> Result<V::Value> {
        self.deserialize_tuple(len, visitor)
    }

    #[inline]
    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        if self.postcard {
            let len = self.count()?;
            return self.entries(len, visitor);
        }
        match self.token()? {
            Token::Map(len) => self.entries(len, visitor),
            Token::Array(len) => self.elements(len, &[], visitor),
            other => Err(unexpected(other, "a map")),
        }
    }

    #[inline]
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        if self.postcard {
            self.elements(fields.len(), fields, visitor)
        } else {
            self.packed_struct(fields, visitor)
        }
    }

    #[inline]
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        self.stack.check()?;
        if self.postcard {
            return visitor.visit_enum(PostcardVariant::new(self, variants));
        }
        let before = self.rest;
        match self.token()? {
            Token::Str(_) => {
                self.rest = before;
                visitor.visit_enum(PackedVariant::new(self, variants, false))
            }
            Token::Map(1) => visitor.visit_enum(PackedVariant::new(self, variants, true)),
            other => Err(unexpected(other, "an enum")),
        }
    }

    #[inline]
    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        if self.postcard {
            return self.deserialize_any(visitor);
        }
        let value = self.any(visitor);
        if let Some(text) = &mut self.last_text {
            text.identifier = true;
        }
        value
    }

    #[inline]
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        if self.postcard {
            return Err(Error::malformed(
                "the value was written without names and is read by them; it was written by another type",
            ));
        }
        self.stack.check()?;
        self.any(visitor)
    }

    #[inline]
    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.deserialize_any(visitor)
    }
}
