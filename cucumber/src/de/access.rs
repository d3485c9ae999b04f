//! The parts of a value, while it is read.

use serde::de::value::U32Deserializer;
use serde::de::{
    DeserializeSeed, EnumAccess, IntoDeserializer, MapAccess, SeqAccess, VariantAccess, Visitor,
};

use super::decoder::{At, Decoder, Text};
use super::packed::unexpected;
use super::token::Token;
use crate::error::{Error, Result, Segment};

/// The elements of a sequence or tuple.
pub(super) struct Elements<'a, 'de, const PLAIN: bool> {
    at: At<'a, 'de, PLAIN>,
    len: usize,
    pub(super) left: usize,
}

impl<'a, 'de, const PLAIN: bool> Elements<'a, 'de, PLAIN> {
    #[inline]
    pub(super) fn new(at: At<'a, 'de, PLAIN>, len: usize) -> Self {
        Self { at, len, left: len }
    }
}

// What is wrong is worked out apart, from values: a reference would keep the whole reader in memory.

#[cold]
#[inline(never)]
pub(super) fn in_element(error: Error, place: usize) -> Error {
    error.within(Segment::Index(place))
}

impl<'de, const PLAIN: bool> SeqAccess<'de> for &mut Elements<'_, 'de, PLAIN> {
    type Error = Error;

    #[inline]
    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>> {
        if self.left == 0 {
            return Ok(None);
        }
        let place = self.len - self.left;
        self.left -= 1;
        let value = seed.deserialize(self.at.again()).map_err(|error| in_element(error, place))?;
        Ok(Some(value))
    }

    #[inline]
    fn size_hint(&self) -> Option<usize> {
        self.at.decoder.room_for(self.left)
    }
}

/// A struct's fields in order.
pub(super) struct Fields<'a, 'de, const PLAIN: bool> {
    decoder: &'a mut Decoder<'de, PLAIN>,
    /// Those that are left.
    pub(super) names: &'static [&'static str],
}

impl<'a, 'de, const PLAIN: bool> Fields<'a, 'de, PLAIN> {
    #[inline]
    pub(super) fn new(decoder: &'a mut Decoder<'de, PLAIN>, names: &'static [&'static str]) -> Self {
        Self { decoder, names }
    }
}

#[cold]
#[inline(never)]
fn in_field(error: Error, name: &'static str) -> Error {
    error.within(Segment::Field(name))
}

impl<'de, const PLAIN: bool> SeqAccess<'de> for &mut Fields<'_, 'de, PLAIN> {
    type Error = Error;

    #[inline]
    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>> {
        let [name, names @ ..] = self.names else { return Ok(None) };
        self.names = names;
        let at = At { decoder: &mut *self.decoder, place: Some(name) };
        let value = seed.deserialize(at).map_err(|error| in_field(error, name))?;
        Ok(Some(value))
    }

    #[inline]
    fn size_hint(&self) -> Option<usize> {
        Some(self.names.len().min(self.decoder.rest.len()))
    }
}

/// The entries of a map, or a struct's fields by name.
pub(super) struct Entries<'a, 'de, const PLAIN: bool> {
    at: At<'a, 'de, PLAIN>,
    len: usize,
    pub(super) left: usize,
    key: Option<Text<'de>>,
}

impl<'a, 'de, const PLAIN: bool> Entries<'a, 'de, PLAIN> {
    #[inline]
    pub(super) fn new(at: At<'a, 'de, PLAIN>, len: usize) -> Self {
        Self { at, len, left: len, key: None }
    }
}

#[cold]
#[inline(never)]
fn in_entry(error: Error, key: Option<Text<'_>>, place: usize) -> Error {
    error.within(match key {
        Some(Text { text, identifier: true }) => Segment::Name(text.to_owned()),
        Some(Text { text, .. }) if text.len() <= 64 => Segment::Key(format!("{text:?}")),
        _ => Segment::Entry(place),
    })
}

impl<'de, const PLAIN: bool> MapAccess<'de> for &mut Entries<'_, 'de, PLAIN> {
    type Error = Error;

    #[inline]
    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>> {
        if self.left == 0 {
            return Ok(None);
        }
        let place = self.len - self.left;
        self.left -= 1;
        self.at.decoder.last_text = None;
        self.key = None;
        let key = seed.deserialize(self.at.again()).map_err(|error| in_entry(error, None, place))?;
        self.key = self.at.decoder.last_text.take();
        Ok(Some(key))
    }

    #[inline]
    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value> {
        let place = self.key.as_ref().map(|key| &key.text).or(self.at.place);
        let at = At { decoder: &mut *self.at.decoder, place };
        seed.deserialize(at).map_err(|error| in_entry(error, self.key, self.len - self.left - 1))
    }

    #[inline]
    fn size_hint(&self) -> Option<usize> {
        self.at.decoder.room_for(self.left)
    }
}

/// A variant by its number.
pub(super) struct PlainVariant<'a, 'de, const PLAIN: bool> {
    at: At<'a, 'de, PLAIN>,
    variants: &'static [&'static str],
    name: Option<&'static str>,
}

impl<'a, 'de, const PLAIN: bool> PlainVariant<'a, 'de, PLAIN> {
    #[inline]
    pub(super) fn new(at: At<'a, 'de, PLAIN>, variants: &'static [&'static str]) -> Self {
        Self { at, variants, name: None }
    }
}

#[cold]
#[inline(never)]
fn in_variant(error: Error, name: Option<&'static str>) -> Error {
    match name {
        Some(name) => error.within(Segment::Variant(name)),
        None => error,
    }
}

impl<'de, const PLAIN: bool> EnumAccess<'de> for PlainVariant<'_, 'de, PLAIN> {
    type Error = Error;
    type Variant = Self;

    #[inline]
    fn variant_seed<S: DeserializeSeed<'de>>(mut self, seed: S) -> Result<(S::Value, Self)> {
        let index = self.at.decoder.number::<32>()? as u32;
        self.name = self.variants.get(index as usize).copied();
        let index: U32Deserializer<Error> = index.into_deserializer();
        Ok((seed.deserialize(index)?, self))
    }
}

impl<'de, const PLAIN: bool> VariantAccess<'de> for PlainVariant<'_, 'de, PLAIN> {
    type Error = Error;

    #[inline]
    fn unit_variant(self) -> Result<()> {
        Ok(())
    }

    #[inline]
    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value> {
        seed.deserialize(self.at).map_err(|error| in_variant(error, self.name))
    }

    #[inline]
    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value> {
        self.at.elements(len, visitor).map_err(|error| in_variant(error, self.name))
    }

    #[inline]
    fn struct_variant<V: Visitor<'de>>(self, names: &'static [&'static str], visitor: V) -> Result<V::Value> {
        self.at.fields(names, visitor).map_err(|error| in_variant(error, self.name))
    }
}

/// A variant by its name: alone, or as the one key of a map.
pub(super) struct PackedVariant<'a, 'de, const PLAIN: bool> {
    at: At<'a, 'de, PLAIN>,
    variants: &'static [&'static str],
    has_content: bool,
    name: Option<&'static str>,
}

impl<'a, 'de, const PLAIN: bool> PackedVariant<'a, 'de, PLAIN> {
    #[inline]
    pub(super) fn new(at: At<'a, 'de, PLAIN>, variants: &'static [&'static str], has_content: bool) -> Self {
        Self { at, variants, has_content, name: None }
    }

    #[inline]
    fn content(self, expected: &str) -> Result<(At<'a, 'de, PLAIN>, Option<&'static str>)> {
        if self.has_content {
            return Ok((self.at, self.name));
        }
        let error = Error::malformed(format!("a variant has no content where {expected} is expected"));
        Err(in_variant(error, self.name))
    }
}

impl<'de, const PLAIN: bool> EnumAccess<'de> for PackedVariant<'_, 'de, PLAIN> {
    type Error = Error;
    type Variant = Self;

    #[inline]
    fn variant_seed<S: DeserializeSeed<'de>>(mut self, seed: S) -> Result<(S::Value, Self)> {
        self.at.decoder.last_text = None;
        let value = seed.deserialize(self.at.again())?;
        if let Some(found) = self.at.decoder.last_text.take() {
            self.name = self.variants.iter().copied().find(|name| *name == found.text);
        }
        Ok((value, self))
    }
}

impl<'de, const PLAIN: bool> VariantAccess<'de> for PackedVariant<'_, 'de, PLAIN> {
    type Error = Error;

    #[inline]
    fn unit_variant(self) -> Result<()> {
        if !self.has_content {
            return Ok(());
        }
        match self.at.decoder.token()? {
            Token::Nil | Token::Array(0) => Ok(()),
            other => Err(in_variant(unexpected(other, "nothing"), self.name)),
        }
    }

    #[inline]
    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value> {
        let (at, name) = self.content("one value")?;
        seed.deserialize(at).map_err(|error| in_variant(error, name))
    }

    #[inline]
    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value> {
        let (at, name) = self.content("several values")?;
        at.packed_tuple(visitor).map_err(|error| in_variant(error, name))
    }

    #[inline]
    fn struct_variant<V: Visitor<'de>>(self, names: &'static [&'static str], visitor: V) -> Result<V::Value> {
        let (at, name) = self.content("named fields")?;
        at.packed_struct(names, visitor).map_err(|error| in_variant(error, name))
    }
}
