//! Values as the bytes that a slot holds.
//!
//! What most elements are, a number or a text, is written as one byte for its kind and then itself, without
//! a detour. Everything else goes through the general codec.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::error::ShareError;

mod de;
mod ser;
#[cfg(test)]
mod tests;

// The first byte of every encoding.
const GENERAL: u8 = 0;
const UNIT: u8 = 1;
const FALSE: u8 = 2;
const TRUE: u8 = 3;
const UNSIGNED: u8 = 4;
const SIGNED: u8 = 5;
const SINGLE: u8 = 6;
const DOUBLE: u8 = 7;
const CHAR: u8 = 8;
const TEXT: u8 = 9;
const BYTES: u8 = 10;

/// Bytes that need no memory of their own while they are few.
#[derive(Debug)]
pub(crate) enum Encoded {
    Short([u8; SHORT], usize),
    Long(Vec<u8>),
}

const SHORT: usize = 31;

impl Encoded {
    fn of(kind: u8, bytes: &[u8]) -> Encoded {
        if bytes.len() < SHORT {
            let mut short = [0; SHORT];
            short[0] = kind;
            short[1..=bytes.len()].copy_from_slice(bytes);
            Encoded::Short(short, bytes.len() + 1)
        } else {
            let mut long = Vec::with_capacity(bytes.len() + 1);
            long.push(kind);
            long.extend_from_slice(bytes);
            Encoded::Long(long)
        }
    }
}

impl std::ops::Deref for Encoded {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        match self {
            Encoded::Short(bytes, len) => &bytes[..*len],
            Encoded::Long(bytes) => bytes,
        }
    }
}

/// Turns a value into bytes.
pub(crate) fn encode<T: Serialize + ?Sized>(value: &T) -> Result<Encoded, ShareError> {
    if let Ok(encoded) = value.serialize(ser::Plain) {
        return Ok(encoded);
    }
    let frame = cucumber::to_bytes(value).map_err(ShareError::value)?;
    Ok(Encoded::of(GENERAL, &frame))
}

/// Turns bytes back into a value.
pub(crate) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ShareError> {
    match bytes.split_first() {
        Some((&GENERAL, rest)) => cucumber::from_bytes(rest).map_err(ShareError::value),
        Some((&kind, rest)) => T::deserialize(de::Plain { kind, rest }).map_err(ShareError::value),
        None => Err(ShareError::value("no bytes")),
    }
}
