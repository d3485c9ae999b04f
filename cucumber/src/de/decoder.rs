//! The deserializer of both codecs.

use std::cell::Cell;

use serde::de::{Deserialize, Deserializer, Visitor};

use super::access::{Elements, Entries, Fields, PackedVariant, PlainVariant};
use super::input::Input;
use super::measured::{MEASURED, Measured};
use super::number::signed;
use super::packed::{Token128, unexpected};
use super::token::{self, Token};
use crate::bytes;
use crate::error::{Error, Result};
use crate::live;
use crate::scope;
use crate::stack::Stack;

/// Reads postcard if `PLAIN`, else MessagePack with names.
pub(crate) struct Decoder<'de, const PLAIN: bool> {
    pub(super) rest: Input<'de>,
    pub(super) stack: Stack,
    /// The last text read, for when it turns out to be a map's key.
    pub(super) last_text: Option<Text<'de>>,
    /// Inside so many options around nothing.
    pub(super) options: Option<u8>,
    /// How many elements room may yet be made for before they are seen. All together are no more than there are bytes, and a
    /// forged value may announce as many at each of its levels.
    room: Cell<usize>,
}

/// The decoder, where the next value is.
pub(crate) struct At<'a, 'de, const PLAIN: bool> {
    pub(super) decoder: &'a mut Decoder<'de, PLAIN>,
    /// The field or map key that the value is in: the name of a live resource.
    pub(super) place: Option<&'a &'de str>,
}

/// A text, and whether it was read as the name of a field.
#[derive(Clone, Copy)]
pub(super) struct Text<'de> {
    pub(super) text: &'de str,
    pub(super) identifier: bool,
}

impl<'de, const PLAIN: bool> Decoder<'de, PLAIN> {
    #[inline]
    pub(crate) fn new(bytes: &'de [u8], stack: Stack) -> Self {
        let room = Cell::new(bytes.len());
        Self { rest: Input::new(bytes), stack, last_text: None, options: None, room }
    }

    /// Where the whole value is.
    #[inline]
    pub(crate) fn root(&mut self) -> At<'_, 'de, PLAIN> {
        At { decoder: self, place: None }
    }

    /// Fails if the value that was read leaves bytes behind.
    #[inline]
    pub(crate) fn end(&self) -> Result<()> {
        if self.rest.is_empty() { Ok(()) } else { Err(left_over(self.rest.len())) }
    }

    /// Reads something without parts as postcard does.
    #[inline]
    pub(super) fn take<T: Deserialize<'de>>(&mut self) -> Result<T> {
        let (value, rest) = postcard::take_from_bytes(self.rest.bytes())?;
        self.rest = Input::new(rest);
        Ok(value)
    }

    #[inline]
    pub(super) fn varint(&mut self) -> Result<u64> {
        self.number::<64>()
    }

    /// The length of a sequence or map. Encoders see to it that an element takes a byte at least.
    #[inline]
    pub(super) fn count(&mut self) -> Result<usize> {
        match usize::try_from(self.varint()?) {
            Ok(len) if len <= self.rest.len() => Ok(len),
            _ => Err(Error::truncated()),
        }
    }

    /// For how many of so many elements room may be made.
    #[inline]
    pub(super) fn room_for(&self, elements: usize) -> Option<usize> {
        let granted = elements.min(self.room.get()).min(self.rest.len());
        self.room.set(self.room.get() - granted);
        Some(granted)
    }

    #[inline]
    pub(super) fn token(&mut self) -> Result<Token<'de>> {
        match self.options.take() {
            None => token::next(&mut self.rest),
            Some(0) => Ok(Token::Nil),
            Some(more) => Ok(Token::Some(more)),
        }
    }
}

impl<'de, const PLAIN: bool> At<'_, 'de, PLAIN> {
    /// The same place, for one of several values.
    #[inline]
    pub(super) fn again(&mut self) -> At<'_, 'de, PLAIN> {
        At { decoder: &mut *self.decoder, place: self.place }
    }

    /// A sequence or tuple of so many elements; all of them must be read.
    #[inline]
    pub(super) fn elements<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value> {
        self.decoder.stack.check()?;
        let mut elements = Elements::new(self, len);
        let value = visitor.visit_seq(&mut elements)?;
        exhausted(elements.left, value)
    }

    /// A struct whose fields come in order.
    #[inline]
    pub(super) fn fields<V: Visitor<'de>>(
        self,
        names: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        self.decoder.stack.check()?;
        let mut fields = Fields::new(self.decoder, names);
        let value = visitor.visit_seq(&mut fields)?;
        exhausted(fields.names.len(), value)
    }

    #[inline]
    pub(super) fn entries<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value> {
        self.decoder.stack.check()?;
        let mut entries = Entries::new(self, len);
        let value = visitor.visit_map(&mut entries)?;
        exhausted(entries.left, value)
    }
}

#[inline]
fn exhausted<T>(left: usize, value: T) -> Result<T> {
    if left == 0 { Ok(value) } else { Err(not_read(left)) }
}

#[cold]
fn left_over(len: usize) -> Error {
    Error::malformed(format!("{len} bytes are left over behind the value; it was written by another type"))
}

#[cold]
fn not_read(left: usize) -> Error {
    Error::malformed(format!("its last {left} elements were not read; it was written by another type"))
}

/// How postcard has a number.
macro_rules! taken {
    (unsigned $self:ident $type:ty) => {
        // No more bits than the type has.
        $self.decoder.number::<{ <$type>::BITS }>()? as $type
    };
    (signed $self:ident $type:ty) => {
        // As many as the type has, so nothing is lost.
        signed($self.decoder.number::<{ <$type>::BITS }>()?) as $type
    };
    (fixed $self:ident $type:ty) => {
        <$type>::from_le_bytes($self.decoder.rest.array()?)
    };
    (bool $self:ident $type:ty) => {
        $self.decoder.flag()?
    };
    (other $self:ident $type:ty) => {
        $self.decoder.take::<$type>()?
    };
}

macro_rules! numbers {
    ($($method:ident $visit:ident $type:ty, $kind:ident;)*) => {$(
        #[inline]
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
            if !PLAIN {
                return self.any(visitor);
            }
            visitor.$visit(taken!($kind self $type))
        }
    )*};
}

impl<'de, const PLAIN: bool> Deserializer<'de> for At<'_, 'de, PLAIN> {
    type Error = Error;

    #[inline]
    fn is_human_readable(&self) -> bool {
        false
    }

    numbers! {
        deserialize_bool visit_bool bool, bool;
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
        if PLAIN {
            return visitor.visit_i128(self.decoder.take()?);
        }
        match self.decoder.packed_128()? {
            Token128::Small(value) => visitor.visit_i128(value),
            Token128::Wide(bytes) => visitor.visit_i128(i128::from_be_bytes(bytes)),
        }
    }

    fn deserialize_u128<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        if PLAIN {
            return visitor.visit_u128(self.decoder.take()?);
        }
        match self.decoder.packed_128()? {
            Token128::Small(value) => visitor.visit_i128(value),
            Token128::Wide(bytes) => visitor.visit_u128(u128::from_be_bytes(bytes)),
        }
    }

    #[inline]
    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        if !PLAIN {
            return self.any(visitor);
        }
        let len = self.decoder.count()?;
        let bytes = self.decoder.rest.take(len)?;
        let text = std::str::from_utf8(bytes).map_err(token::not_text)?;
        self.decoder.last_text = Some(Text { text, identifier: false });
        visitor.visit_borrowed_str(text)
    }

    #[inline]
    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.deserialize_str(visitor)
    }

    #[inline]
    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        if PLAIN {
            let len = self.decoder.count()?;
            return visitor.visit_borrowed_bytes(self.decoder.rest.take(len)?);
        }
        match self.decoder.token()? {
            Token::Bin(bytes) | Token::Bytes(bytes) => visitor.visit_borrowed_bytes(bytes),
            Token::Str(text) => visitor.visit_borrowed_str(text),
            Token::Array(len) => self.elements(len, visitor),
            other => Err(unexpected(other, "bytes")),
        }
    }

    #[inline]
    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.deserialize_bytes(visitor)
    }

    #[inline]
    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.decoder.stack.check()?;
        if PLAIN {
            return if self.decoder.flag()? { visitor.visit_some(self) } else { visitor.visit_none() };
        }
        let before = (self.decoder.rest.clone(), self.decoder.options);
        match self.decoder.token()? {
            Token::Nil => visitor.visit_none(),
            Token::Some(times) => {
                self.decoder.options = Some(times - 1);
                visitor.visit_some(self)
            }
            _ => {
                (self.decoder.rest, self.decoder.options) = before;
                visitor.visit_some(self)
            }
        }
    }

    #[inline]
    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        if PLAIN {
            return visitor.visit_unit();
        }
        match self.decoder.token()? {
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
            // The number of a shared value, too, so that what is behind it is known by the field that leads there.
            scope::set_place(self.place.copied());
        }
        if name == MEASURED {
            return visitor.visit_seq(Measured::new(self));
        }
        visitor.visit_newtype_struct(self)
    }

    #[inline]
    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        if PLAIN {
            let len = self.decoder.count()?;
            return match self.decoder.run::<V>(len)? {
                Some(value) => Ok(value),
                None => self.elements(len, visitor),
            };
        }
        let before = (self.decoder.rest.clone(), self.decoder.options);
        if let Token::Bytes(bytes) | Token::Bin(bytes) = self.decoder.token()?
            && let Some(value) = bytes::vec_visitor::<V, u8>()
        {
            return Ok(value(bytes.to_vec()));
        }
        (self.decoder.rest, self.decoder.options) = before;
        self.packed_tuple(visitor)
    }

    #[inline]
    fn deserialize_tuple<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value> {
        if PLAIN { self.elements(len, visitor) } else { self.packed_tuple(visitor) }
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
        if PLAIN {
            let len = self.decoder.count()?;
            return self.entries(len, visitor);
        }
        match self.decoder.token()? {
            Token::Map(len) => self.entries(len, visitor),
            Token::Array(len) => self.elements(len, visitor),
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
        if PLAIN { self.fields(fields, visitor) } else { self.packed_struct(fields, visitor) }
    }

    #[inline]
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        self.decoder.stack.check()?;
        if PLAIN {
            return visitor.visit_enum(PlainVariant::new(self, variants));
        }
        let before = self.decoder.rest.clone();
        match self.decoder.token()? {
            Token::Str(_) => {
                self.decoder.rest = before;
                visitor.visit_enum(PackedVariant::new(self, variants, false))
            }
            Token::Map(1) => visitor.visit_enum(PackedVariant::new(self, variants, true)),
            other => Err(unexpected(other, "an enum")),
        }
    }

    #[inline]
    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        if PLAIN {
            return self.deserialize_any(visitor);
        }
        let Self { decoder, place } = self;
        let value = At { decoder: &mut *decoder, place }.any(visitor);
        if let Some(text) = &mut decoder.last_text {
            text.identifier = true;
        }
        value
    }

    #[inline]
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        if PLAIN {
            return Err(Error::malformed(
                "the value was written without names and is read by them; it was written by another type",
            ));
        }
        self.decoder.stack.check()?;
        self.any(visitor)
    }

    #[inline]
    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.deserialize_any(visitor)
    }
}
