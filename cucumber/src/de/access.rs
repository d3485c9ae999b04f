//! The parts of a value, while it is read.

use serde::de::value::U32Deserializer;
use serde::de::{
    DeserializeSeed, EnumAccess, IntoDeserializer, MapAccess, SeqAccess, VariantAccess, Visitor,
};

use super::decoder::{Decoder, Text};
use super::packed::unexpected;
use super::token::Token;
use crate::error::{Error, Result, Segment};

/// The elements of a sequence or tuple, or a struct's fields in order.
pub(super) struct Elements<'a, 'de> {
    decoder: &'a mut Decoder<'de>,
    len: usize,
    left: &'a mut usize,
    names: &'static [&'static str],
}

impl<'a, 'de> Elements<'a, 'de> {
    #[inline]
    pub(super) fn new(
        decoder: &'a mut Decoder<'de>,
        len: usize,
        left: &'a mut usize,
        names: &'static [&'static str],
    ) -> Self {
        Self { decoder, len, left, names }
    }
}

impl<'de> SeqAccess<'de> for Elements<'_, 'de> {
    type Error = Error;

    #[inline]
    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>> {
        if *self.left == 0 {
            return Ok(None);
        }
        let index = self.len - *self.left;
        *self.left -= 1;
        if let Some(&name) = self.names.get(index) {
            self.decoder.place = Some(name);
        }
        match seed.deserialize(&mut *self.decoder) {
            Ok(value) => Ok(Some(value)),
            Err(error) => Err(in_element(error, self.names, index)),
        }
    }

    #[inline]
    fn size_hint(&self) -> Option<usize> {
        // Never more than the bytes can be.
        Some((*self.left).min(self.decoder.rest.len()))
    }
}

#[cold]
fn in_element(error: Error, names: &'static [&'static str], index: usize) -> Error {
    error.within(match names.get(index) {
        Some(&name) => Segment::Field(name),
        None => Segment::Index(index),
    })
}

/// The entries of a map, or a struct's fields by name.
pub(super) struct Entries<'a, 'de> {
    decoder: &'a mut Decoder<'de>,
    len: usize,
    left: &'a mut usize,
    key: Option<Text<'de>>,
}

impl<'a, 'de> Entries<'a, 'de> {
    #[inline]
    pub(super) fn new(decoder: &'a mut Decoder<'de>, len: usize, left: &'a mut usize) -> Self {
        Self { decoder, len, left, key: None }
    }

    #[cold]
    fn segment(&self) -> Segment {
        match self.key {
            Some(Text { text, identifier: true }) => Segment::Name(text.to_owned()),
            Some(Text { text, .. }) if text.len() <= 64 => Segment::Key(format!("{text:?}")),
            _ => Segment::Entry(self.len - *self.left - 1),
        }
    }
}

impl<'de> MapAccess<'de> for Entries<'_, 'de> {
    type Error = Error;

    #[inline]
    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>> {
        if *self.left == 0 {
            return Ok(None);
        }
        *self.left -= 1;
        self.decoder.last_text = None;
        self.key = None;
        let key = seed.deserialize(&mut *self.decoder).map_err(|error| error.within(self.segment()))?;
        self.key = self.decoder.last_text.take();
        Ok(Some(key))
    }

    #[inline]
    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value> {
        let outer = self.decoder.place;
        if let Some(key) = self.key {
            self.decoder.place = Some(key.text);
        }
        let value = seed.deserialize(&mut *self.decoder);
        self.decoder.place = outer;
        value.map_err(|error| error.within(self.segment()))
    }

    #[inline]
    fn size_hint(&self) -> Option<usize> {
        Some((*self.left).min(self.decoder.rest.len()))
    }
}

/// A variant by its number.
pub(super) struct PostcardVariant<'a, 'de> {
    decoder: &'a mut Decoder<'de>,
    variants: &'static [&'static str],
    name: Option<&'static str>,
}

impl<'a, 'de> PostcardVariant<'a, 'de> {
    #[inline]
    pub(super) fn new(decoder: &'a mut Decoder<'de>, variants: &'static [&'static str]) -> Self {
        Self { decoder, variants, name: None }
    }
}

#[cold]
fn in_variant(error: Error, name: Option<&'static str>) -> Error {
    match name {
        Some(name) => error.within(Segment::Variant(name)),
        None => error,
    }
}

impl<'de> EnumAccess<'de> for PostcardVariant<'_, 'de> {
    type Error = Error;
    type Variant = Self;

    #[inline]
    fn variant_seed<S: DeserializeSeed<'de>>(mut self, seed: S) -> Result<(S::Value, Self)> {
        let index = u32::try_from(self.decoder.varint()?)
            .map_err(|_| Error::malformed("a variant's number is too big"))?;
        self.name = self.variants.get(index as usize).copied();
        let index: U32Deserializer<Error> = index.into_deserializer();
        Ok((seed.deserialize(index)?, self))
    }
}

impl<'de> VariantAccess<'de> for PostcardVariant<'_, 'de> {
    type Error = Error;

    #[inline]
    fn unit_variant(self) -> Result<()> {
        Ok(())
    }

    #[inline]
    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value> {
        seed.deserialize(self.decoder).map_err(|error| in_variant(error, self.name))
    }

    #[inline]
    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value> {
        self.decoder.elements(len, &[], visitor).map_err(|error| in_variant(error, self.name))
    }

    #[inline]
    fn struct_variant<V: Visitor<'de>>(self, names: &'static [&'static str], visitor: V) -> Result<V::Value> {
        self.decoder.elements(names.len(), names, visitor).map_err(|error| in_variant(error, self.name))
    }
}

/// A variant by its name: alone, or as the one key of a map.
pub(super) struct PackedVariant<'a, 'de> {
    decoder: &'a mut Decoder<'de>,
    variants: &'static [&'static str],
    has_content: bool,
    name: Option<&'static str>,
}

impl<'a, 'de> PackedVariant<'a, 'de> {
    #[inline]
    pub(super) fn new(
        decoder: &'a mut Decoder<'de>,
        variants: &'static [&'static str],
        has_content: bool,
    ) -> Self {
        Self { decoder, variants, has_content, name: None }
    }

    #[inline]
    fn content(self, expected: &str) -> Result<(&'a mut Decoder<'de>, Option<&'static str>)> {
        if self.has_content {
            return Ok((self.decoder, self.name));
        }
        let error = Error::malformed(format!("a variant has no content where {expected} is expected"));
        Err(in_variant(error, self.name))
    }
}

impl<'de> EnumAccess<'de> for PackedVariant<'_, 'de> {
    type Error = Error;
    type Variant = Self;

    #[inline]
    fn variant_seed<S: DeserializeSeed<'de>>(mut self, seed: S) -> Result<(S::Value, Self)> {
        self.decoder.last_text = None;
        let value = seed.deserialize(&mut *self.decoder)?;
        if let Some(found) = self.decoder.last_text.take() {
            self.name = self.variants.iter().copied().find(|name| *name == found.text);
        }
        Ok((value, self))
    }
}

impl<'de> VariantAccess<'de> for PackedVariant<'_, 'de> {
    type Error = Error;

    #[inline]
    fn unit_variant(self) -> Result<()> {
        if !self.has_content {
            return Ok(());
        }
        match self.decoder.token()? {
            Token::Nil | Token::Array(0) => Ok(()),
            other => Err(in_variant(unexpected(other, "nothing"), self.name)),
        }
    }

    #[inline]
    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value> {
        let (decoder, name) = self.content("one value")?;
        seed.deserialize(decoder).map_err(|error| in_variant(error, name))
    }

    #[inline]
    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value> {
        let (decoder, name) = self.content("several values")?;
        decoder.packed_tuple(visitor).map_err(|error| in_variant(error, name))
    }

    #[inline]
    fn struct_variant<V: Visitor<'de>>(self, names: &'static [&'static str], visitor: V) -> Result<V::Value> {
        let (decoder, name) = self.content("named fields")?;
        decoder.packed_struct(names, visitor).map_err(|error| in_variant(error, name))
    }
}
