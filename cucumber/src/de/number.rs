//! Numbers as postcard has them, checked as it does.

use super::decoder::Decoder;
use crate::error::{Error, Result};

impl Decoder<'_> {
    /// The byte that is a whole number, if the next one is.
    #[inline]
    fn short(&mut self) -> Option<u8> {
        match self.rest {
            [byte @ 0..0x80, rest @ ..] => {
                self.rest = rest;
                Some(*byte)
            }
            _ => None,
        }
    }

    /// A number of that many bits, at most.
    #[inline]
    pub(super) fn number(&mut self, bits: u32) -> Result<u64> {
        match self.short() {
            Some(byte) => Ok(byte.into()),
            None => self.long(bits),
        }
    }

    /// Seven bits in each byte, the lowest first.
    #[inline]
    fn long(&mut self, bits: u32) -> Result<u64> {
        let mut value = 0;
        for (place, &byte) in self.rest.iter().enumerate() {
            let shift = place as u32 * 7;
            if shift >= bits {
                break;
            }
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                if shift + 7 > bits && byte >> (bits - shift) != 0 {
                    break;
                }
                self.rest = &self.rest[place + 1..];
                return Ok(value);
            }
        }
        Err(self.no_number(bits))
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

    #[inline]
    pub(super) fn bytes<const N: usize>(&mut self) -> Result<[u8; N]> {
        let (bytes, rest) = self.rest.split_first_chunk::<N>().ok_or_else(Error::truncated)?;
        self.rest = rest;
        Ok(*bytes)
    }
}
