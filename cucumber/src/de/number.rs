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
        [low, high, ref tail @ ..] => {
            let begun = u64::from(low & 0x7f) | u64::from(high & 0x7f) << 7;
            longer::<BITS, 2>(rest, begun, tail)
        }
        _ => Err(no_number(rest.bytes(), BITS)),
    }
}

/// The rest of a number of which so many bytes are read, and more follow.
#[inline]
pub(super) fn longer<'de, const BITS: u32, const READ: u32>(
    rest: &mut Input<'de>,
    begun: u64,
    tail: &'de [u8],
) -> Result<u64> {
    match long::<BITS, READ>(begun, tail) {
        Long { value, tail: Some(tail) } => {
            *rest = Input::new(tail);
            Ok(value)
        }
        Long { tail: None, .. } => Err(no_number(rest.bytes(), BITS)),
    }
}

/// A number, and what follows it: nothing, if it is none. By value, so that what is read from can stay in registers.
struct Long<'de> {
    value: u64,
    tail: Option<&'de [u8]>,
}

#[inline]
fn long<const BITS: u32, const READ: u32>(mut value: u64, mut tail: &[u8]) -> Long<'_> {
    for place in READ..BITS.div_ceil(7) {
        let [byte, more @ ..] = tail else { break };
        tail = more;
        let shift = place * 7;
        value |= u64::from(byte & 0x7f) << shift;
        if *byte < 0x80 {
            if shift + 7 > BITS && byte >> (BITS - shift) != 0 {
                break;
            }
            return Long { value, tail: Some(tail) };
        }
    }
    Long { value: 0, tail: None }
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
            _ => Err(no_flag(self.rest.bytes())),
        }
    }
}

#[cold]
#[inline(never)]
fn no_flag(rest: &[u8]) -> Error {
    match rest {
        [] => Error::truncated(),
        _ => Error::malformed("a byte that is 0 or 1 is something else"),
    }
}

#[cfg(test)]
mod tests;
