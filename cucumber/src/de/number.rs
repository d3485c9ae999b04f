//! Numbers as postcard has them, checked as it does.

use super::decoder::Decoder;
use crate::error::{Error, Result};

impl<const PLAIN: bool> Decoder<'_, PLAIN> {
    /// A number of that many bits, at most: seven in each byte, the lowest first.
    #[inline]
    pub(super) fn number<const BITS: u32>(&mut self) -> Result<u64> {
        match self.rest {
            [byte @ 0..0x80, rest @ ..] => {
                self.rest = rest;
                Ok((*byte).into())
            }
            _ => self.long::<BITS>(),
        }
    }

    /// The same, where it is more than one byte.
    #[inline(never)]
    fn long<const BITS: u32>(&mut self) -> Result<u64> {
        let mut value = 0;
        for place in 0..BITS.div_ceil(7) {
            let Some(&byte) = self.rest.get(place as usize) else { break };
            let shift = place * 7;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                if shift + 7 > BITS && byte >> (BITS - shift) != 0 {
                    break;
                }
                self.rest = &self.rest[place as usize + 1..];
                return Ok(value);
            }
        }
        Err(self.no_number(BITS))
    }

    /// What is wrong with the number that comes next.
    #[cold]
    #[inline(never)]
    fn no_number(&self, bits: u32) -> Error {
        let most = bits.div_ceil(7) as usize;
        if self.rest.len() < most && self.rest.iter().all(|byte| *byte >= 0x80) {
            return Error::truncated();
        }
        Error::malformed(format!("a number is bigger than {bits} bits"))
    }

    /// The byte that says if something is there, or true: 0 or 1.
    #[inline]
    pub(super) fn flag(&mut self) -> Result<bool> {
        match *self.rest {
            [flag @ 0..=1, ref rest @ ..] => {
                self.rest = rest;
                Ok(flag == 1)
            }
            _ => Err(self.no_flag()),
        }
    }

    #[cold]
    #[inline(never)]
    fn no_flag(&self) -> Error {
        match self.rest {
            [] => Error::truncated(),
            _ => Error::malformed("a byte that is 0 or 1 is something else"),
        }
    }

    #[inline]
    pub(super) fn bytes<const N: usize>(&mut self) -> Result<[u8; N]> {
        let (bytes, rest) = self.rest.split_first_chunk::<N>().ok_or_else(Error::truncated)?;
        self.rest = rest;
        Ok(*bytes)
    }

    /// So many floats of this width.
    #[inline]
    pub(super) fn floats<F, const N: usize>(&mut self, len: usize, from: fn([u8; N]) -> F) -> Result<Vec<F>> {
        let width = len.checked_mul(N).ok_or_else(Error::truncated)?;
        let (floats, _) = super::token::split(&mut self.rest, width)?.as_chunks::<N>();
        Ok(floats.iter().map(|bytes| from(*bytes)).collect())
    }
}

#[cfg(test)]
mod tests;
