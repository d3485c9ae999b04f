//! What MessagePack says of itself, for visitors that ask for something else, or for whatever there is.

use serde::de::Visitor;
use serde::de::value::SeqDeserializer;

use super::decoder::{At, Decoder, Text};
use super::token::Token;
use crate::error::{Error, Result};

impl<'de, const PLAIN: bool> At<'_, 'de, PLAIN> {
    /// Whatever comes next, in MessagePack.
    #[inline(never)]
    pub(super) fn any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.decoder.token()? {
            Token::Nil => visitor.visit_unit(),
            Token::Bool(value) => visitor.visit_bool(value),
            Token::Unsigned(value) => visitor.visit_u64(value),
            Token::Signed(value) => visitor.visit_i64(value),
            Token::F32(value) => visitor.visit_f32(value),
            Token::F64(value) => visitor.visit_f64(value),
            Token::Str(text) => {
                self.decoder.last_text = Some(Text { text, identifier: false });
                visitor.visit_borrowed_str(text)
            }
            Token::Bin(bytes) => visitor.visit_borrowed_bytes(bytes),
            Token::Bytes(bytes) => run_as_seq(bytes, visitor),
            Token::Array(len) => self.elements(len, visitor),
            Token::Map(len) => self.entries(len, visitor),
            Token::Some(times) => {
                self.decoder.options = Some(times - 1);
                visitor.visit_some(self)
            }
        }
    }

    /// A struct in MessagePack: by name, or in order if it was written as a tuple.
    #[inline(never)]
    pub(super) fn packed_struct<V: Visitor<'de>>(
        self,
        names: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        match self.decoder.token()? {
            Token::Map(len) => self.entries(len, visitor),
            Token::Array(len) => match names.get(..len) {
                Some(names) => self.fields(names, visitor),
                None => self.elements(len, visitor),
            },
            other => Err(unexpected(other, "a struct")),
        }
    }

    #[inline(never)]
    pub(super) fn packed_tuple<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.decoder.token()? {
            Token::Array(len) => self.elements(len, visitor),
            Token::Bin(bytes) | Token::Bytes(bytes) => run_as_seq(bytes, visitor),
            // Also the content of an enum that is tagged in its own way.
            Token::Map(len) => self.entries(len, visitor),
            other => Err(unexpected(other, "a sequence")),
        }
    }
}

impl<const PLAIN: bool> Decoder<'_, PLAIN> {
    pub(super) fn packed_128(&mut self) -> Result<Token128> {
        match self.token()? {
            Token::Unsigned(value) => Ok(Token128::Small(value.into())),
            Token::Signed(value) => Ok(Token128::Small(value.into())),
            Token::Bin(bytes) => match <[u8; 16]>::try_from(bytes) {
                Ok(bytes) => Ok(Token128::Wide(bytes)),
                Err(_) => Err(Error::malformed("a wide integer has 16 bytes")),
            },
            other => Err(unexpected(other, "an integer")),
        }
    }
}

/// An integer of 128 bits: a small one as any other, a wide one as bytes that only its reader knows the sign of.
pub(super) enum Token128 {
    Small(i128),
    Wide([u8; 16]),
}

#[cold]
pub(super) fn unexpected(found: Token<'_>, expected: &str) -> Error {
    let found = found.describe();
    Error::malformed(format!("found {found} where {expected} is expected; it was written by another type"))
}

/// A run of bytes, for a visitor that wants to see them one at a time.
fn run_as_seq<'de, V: Visitor<'de>>(bytes: &'de [u8], visitor: V) -> Result<V::Value> {
    visitor.visit_seq(SeqDeserializer::new(bytes.iter().copied()))
}
