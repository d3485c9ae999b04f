//! Numbers as postcard has them, checked as it does.

use super::decoder::Decoder;
use super::input::Input;
use crate::error::{Error, Result};

/// A number of that many bits, at most: seven in each byte, the lowest first.
#[inline]
fn number<const BITS: u32>(rest: &mut Input<'_>) -> Result<u64> {
    match *rest.bytes() {
        [byte @ 0..0x80, ..] => {
            rest.skip(1);
            Ok(byte.into())
        }
        [low, high @ 0..0x80, ..] => {
            rest.skip(2);
            Ok(u64::from(low & 0x7f) | u64::from(high) << 7)
        }
        _ => longer::<BITS>(rest),
    }
}

/// The same, where it may be more than one byte or two.
#[inline]
pub(super) fn longer<const BITS: u32>(rest: &mut Input<'_>) -> Result<u64> {
    let Long { value, width } = long::<BITS>(rest.bytes());
    if width == 0 {
        return Err(no_number(rest.bytes(), BITS));
    }
    rest.skip(width);
    Ok(value)
}

/// A number, and how many bytes it takes: none, if it is none. By value, so that what is read from can stay in registers.
struct Long {
    value: u64,
    width: usize,
}

/// The same, where it is more than two bytes.
#[inline]
fn long<const BITS: u32>(rest: &[u8]) -> Long {
    let mut value = 0;
    for (place, &byte) in (0..BITS.div_ceil(7)).zip(rest) {
        let shift = place * 7;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            if shift + 7 > BITS && byte >> (BITS - shift) != 0 {
                break;
            }
            return Long { value, width: place as usize + 1 };
        }
    }
    Long { value: 0, width: 0 }
}

/// What is wrong with the number that comes next.
#[cold]
#[inline(never)]
fn no_number(rest: &[u8], bits: u32) -> Error {
    let most = bits.div_ceil(7) as usize;
    if rest.len() < most && rest.iter().all(|byte| *byte >= 0x80) {
        return Error::truncated();
    }
    Error::malformed(format!("a number is bigger than {bits} bits"))
}

/// The number whose sign is in the lowest bit.
#[inline]
pub(super) fn signed(value: u64) -> i64 {
    (value >> 1).cast_signed() ^ -(value & 1).cast_signed()
}

impl<const PLAIN: bool> Decoder<'_, PLAIN> {
    #[inline]
    pub(super) fn number<const BITS: u32>(&mut self) -> Result<u64> {
        number::<BITS>(&mut self.rest)
    }

    /// The byte that says if something is there, or true: 0 or 1.
    #[inline]
    pub(super) fn flag(&mut self) -> Result<bool> {
        match *self.rest.bytes() {
            [flag @ 0..=1, ..] => {
                self.rest.skip(1);
                Ok(flag == 1)
            }
            _ => Err(self.no_flag()),
        }
    }

    #[cold]
    #[inline(never)]
    fn no_flag(&self) -> Error {
        match self.rest.bytes() {
            [] => Error::truncated(),
            _ => Error::malformed("a byte that is 0 or 1 is something else"),
        }
    }
}

#[cfg(test)]
mod tests;
