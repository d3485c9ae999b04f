//! Plain vectors of numbers, read at once.

use serde::de::Visitor;

use super::access::in_element;
use super::decoder::Decoder;
use super::number::{longer, signed};
use crate::bytes;
use crate::error::{Error, Result};

/// So many bytes of memory are taken for numbers that were announced and not seen yet.
const AT_ONCE: usize = 1 << 20;

/// An array of floats.
#[inline]
fn several<F, const WIDTH: usize, const N: usize>(bytes: &[u8], from: fn([u8; WIDTH]) -> F) -> [F; N] {
    let (floats, _) = bytes.as_chunks::<WIDTH>();
    std::array::from_fn(|place| from(floats[place]))
}

impl<'de, const PLAIN: bool> Decoder<'de, PLAIN> {
    /// A plain vector of numbers or of points in space, at once; nothing is read, if it is something else.
    #[inline]
    pub(super) fn run<V: Visitor<'de>>(&mut self, len: usize) -> Result<Option<V::Value>> {
        macro_rules! runs {
            ($($type:ty, $read:expr;)*) => {$(
                if let Some(value) = bytes::vec_visitor::<V, $type>() {
                    return Ok(Some(value($read?)));
                }
            )*};
        }
        runs! {
            u8, self.rest.take(len).map(<[u8]>::to_vec);
            f64, self.floats(len, 8, f64::from_le_bytes);
            f32, self.floats(len, 4, f32::from_le_bytes);
            [f64; 2], self.floats::<_, 16>(len, 8, |bytes| several(&bytes, f64::from_le_bytes));
            [f64; 3], self.floats::<_, 24>(len, 8, |bytes| several(&bytes, f64::from_le_bytes));
            [f64; 4], self.floats::<_, 32>(len, 8, |bytes| several(&bytes, f64::from_le_bytes));
            [f32; 2], self.floats::<_, 8>(len, 4, |bytes| several(&bytes, f32::from_le_bytes));
            [f32; 3], self.floats::<_, 12>(len, 4, |bytes| several(&bytes, f32::from_le_bytes));
            [f32; 4], self.floats::<_, 16>(len, 4, |bytes| several(&bytes, f32::from_le_bytes));
            (f64, f64), self.floats::<_, 16>(len, 8, |bytes| several(&bytes, f64::from_le_bytes).into());
            (f64, f64, f64), self.floats::<_, 24>(len, 8, |bytes| several(&bytes, f64::from_le_bytes).into());
            (f64, f64, f64, f64), self.floats::<_, 32>(len, 8, |bytes| several(&bytes, f64::from_le_bytes).into());
            (f32, f32), self.floats::<_, 8>(len, 4, |bytes| several(&bytes, f32::from_le_bytes).into());
            (f32, f32, f32), self.floats::<_, 12>(len, 4, |bytes| several(&bytes, f32::from_le_bytes).into());
            (f32, f32, f32, f32), self.floats::<_, 16>(len, 4, |bytes| several(&bytes, f32::from_le_bytes).into());
            u16, self.numbers::<16, _>(len, |value| value as u16);
            u32, self.numbers::<32, _>(len, |value| value as u32);
            u64, self.numbers::<64, _>(len, |value| value);
            i16, self.numbers::<16, _>(len, |value| signed(value) as i16);
            i32, self.numbers::<32, _>(len, |value| signed(value) as i32);
            i64, self.numbers::<64, _>(len, signed);
        }
        Ok(None)
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
                [low, ref tail @ ..] => longer::<BITS, 1>(&mut rest, (low & 0x7f).into(), tail)
                    .map_err(|error| in_element(error, place))?,
                [] => return Err(in_element(Error::truncated(), place)),
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
}
