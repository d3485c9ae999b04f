//! A value, and how many bytes it took: for whoever looks at bytes without the type that they were written from.

use serde::de::{DeserializeSeed, IntoDeserializer, SeqAccess};

use super::decoder::At;
use crate::error::{Error, Result};

/// A newtype struct of this name is read as a sequence of two: what is there, and how many bytes that took.
pub(crate) const MEASURED: &str = "$cucumber::Measured";

pub(super) struct Measured<'a, 'de, const PLAIN: bool> {
    at: At<'a, 'de, PLAIN>,
    next: Next,
}

enum Next {
    Value,
    /// With how many bytes were left before the value.
    Size(usize),
    Nothing,
}

impl<'a, 'de, const PLAIN: bool> Measured<'a, 'de, PLAIN> {
    pub(super) fn new(at: At<'a, 'de, PLAIN>) -> Self {
        Self { at, next: Next::Value }
    }
}

impl<'de, const PLAIN: bool> SeqAccess<'de> for Measured<'_, 'de, PLAIN> {
    type Error = Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>> {
        let left = self.at.decoder.rest.len();
        match self.next {
            Next::Value => {
                self.next = Next::Size(left);
                seed.deserialize(self.at.again()).map(Some)
            }
            Next::Size(before) => {
                self.next = Next::Nothing;
                let taken = before.saturating_sub(left);
                seed.deserialize(IntoDeserializer::<Error>::into_deserializer(taken)).map(Some)
            }
            Next::Nothing => Ok(None),
        }
    }
}
