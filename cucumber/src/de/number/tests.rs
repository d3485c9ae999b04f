use super::*;
use crate::stack::Stack;

fn read<const BITS: u32>(bytes: &[u8]) -> Option<(u64, usize)> {
    let mut decoder = Decoder::<true>::new(bytes, Stack::here());
    decoder.number::<BITS>().ok().map(|value| (value, bytes.len() - decoder.rest.len()))
}

/// What postcard says to the same bytes.
fn postcard<T: serde::de::DeserializeOwned + Into<u64>>(bytes: &[u8]) -> Option<(u64, usize)> {
    let (value, rest) = postcard::take_from_bytes::<T>(bytes).ok()?;
    Some((value.into(), bytes.len() - rest.len()))
}

/// Numbers that look random and are the same each time.
fn dice() -> impl FnMut() -> u64 {
    let mut state = 0x5eed_u64;
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    }
}

#[test]
fn all_bytes_are_read_as_postcard_reads_them() {
    let mut dice = dice();
    for _ in 0..200_000 {
        let mut bytes: Vec<u8> = (0..dice() % 14).map(|_| dice() as u8).collect();
        // Numbers of random bytes are short; these ones go on.
        for byte in bytes.iter_mut().take((dice() % 12) as usize) {
            *byte |= 0x80;
        }
        assert_eq!(read::<16>(&bytes), postcard::<u16>(&bytes), "{bytes:x?}");
        assert_eq!(read::<32>(&bytes), postcard::<u32>(&bytes), "{bytes:x?}");
        assert_eq!(read::<64>(&bytes), postcard::<u64>(&bytes), "{bytes:x?}");
    }
}

#[test]
fn every_width_is_read_with_and_without_bytes_behind() {
    let mut dice = dice();
    for bits in 0..64 {
        for value in [1 << bits, u64::MAX >> bits, dice() >> bits] {
            let mut bytes = postcard::to_stdvec(&value).unwrap();
            let len = bytes.len();
            assert_eq!(read::<64>(&bytes), Some((value, len)));
            bytes.extend([0xff; 9]);
            assert_eq!(read::<64>(&bytes), Some((value, len)));
            assert_eq!(read::<32>(&bytes), u32::try_from(value).ok().map(|_| (value, len)));
        }
    }
}
