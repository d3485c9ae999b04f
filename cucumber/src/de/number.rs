//! Numbers as postcard has them, checked as it does.

use super::access::in_element;
use super::decoder::Decoder;
use super::input::Input;
use crate::error::{Error, Result};

/// So many bytes of memory are taken for numbers that were announced and not seen yet.
const AT_ONCE: usize = 1 << 20;

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
fn longer<const BITS: u32>(rest: &mut Input<'_>) -> Result<u64> {
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

/// An array of floats.
#[inline]
pub(super) fn several<F, const WIDTH: usize, const N: usize>(
    bytes: &[u8],
    from: fn([u8; WIDTH]) -> F,
) -> [F; N] {
    let (floats, _) = bytes.as_chunks::<WIDTH>();
    std::array::from_fn(|place| from(floats[place]))
}

impl<const PLAIN: bool> Decoder<'_, PLAIN> {
    #[inline]
    pub(super) fn number<const BITS: u32>(&mut self) -> Result<u64> {
        number::<BITS>(&mut self.rest)
    }

    /// So many numbers.
    #[inline]
    pub(super) fn numbers<const BITS: u32, N>(&mut self, len: usize, from: fn(u64) -> N) -> Result<Vec<N>> {
        let mut numbers = Vec::with_capacity(len.min(AT_ONCE / size_of::<N>()));
        let mut rest = self.rest.clone();
        for place in 0..len {
            // Those of two bytes have no way of their own here: a loop that is longer is slower.
            let value = match *rest.bytes() {
                [byte @ 0..0x80, ..] => {
                    rest.skip(1);
                    byte.into()
                }
                _ => longer::<BITS>(&mut rest).map_err(|error| in_element(error, place))?,
            };
            numbers.push(from(value));
        }
        self.rest = rest;
        Ok(numbers)
    }

    /// So many floats, or arrays of floats, of `N` bytes; each float of them has `width`.
    #[inline]
    pub(super) fn floats<F, const N: usize>(
        &mut self,
        len: usize,
        width: usize,
        from: fn([u8; N]) -> F,
    ) -> Result<Vec<F>> {
        let (whole, more) = self.rest.bytes().as_chunks::<N>();
        let Some(floats) = whole.get(..len) else {
            let error = Error::truncated();
            let error = if width < N { in_element(error, more.len() / width) } else { error };
            return Err(in_element(error, whole.len()));
        };
        self.rest.skip(len * N);
        Ok(floats.iter().map(|bytes| from(*bytes)).collect())
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
