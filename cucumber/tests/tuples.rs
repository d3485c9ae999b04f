//! Sequences of small tuples, which have a way of their own.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

mod support;

use std::fmt::Debug;

use proptest::collection::vec;
use proptest::prelude::*;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize, Serializer};
use support::{Codec, round_trip};

#[derive(Serialize, Deserialize, Debug, PartialEq, Clone, Copy)]
struct Point(f64, f64);

#[derive(Serialize, Deserialize, Debug, PartialEq, Clone, Copy)]
struct Metres(f32);

fn as_postcard_does<T: Serialize + DeserializeOwned + PartialEq + Debug>(values: &[T]) {
    cucumber::know::<Vec<T>>();
    let bytes = cucumber::to_bytes(values).unwrap();
    assert_eq!(bytes[16..], postcard::to_stdvec(values).unwrap());
    assert_eq!(cucumber::from_bytes::<Vec<T>>(&bytes).unwrap(), values);
}

proptest! {
    #[test]
    fn all_numbers_are_written_as_postcard_does(
        one in vec(any::<(bool, i8, i16, i32, i64, u8, u16, u32, u64)>(), 0..5),
        two in vec(any::<(u32, (u8, (i64, bool)), [u16; 3])>(), 0..5),
        three in vec(any::<(f64, f32)>(), 0..5),
        many in vec(any::<[u64; 12]>(), 0..5),
    ) {
        as_postcard_does(&one);
        as_postcard_does(&two);
        as_postcard_does(&three.iter().map(|(x, y)| (Point(*x, 1.0), Metres(*y))).collect::<Vec<_>>());
        as_postcard_does(&many);
    }
}

/// Small ones are written as something that its reader does not ask for.
#[derive(Debug, PartialEq, Clone, Copy)]
struct Fickle(u16);

impl Serialize for Fickle {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            0..100 => serializer.serialize_u8(self.0 as u8),
            100..200 => serializer.serialize_i16(self.0.cast_signed()),
            200..300 => serializer.serialize_some(&self.0),
            _ => serializer.serialize_u16(self.0),
        }
    }
}

impl<'de> Deserialize<'de> for Fickle {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        u16::deserialize(deserializer).map(Self)
    }
}

#[test]
fn an_element_that_is_written_otherwise_is_noticed() {
    assert_eq!(round_trip(&vec![(Fickle(300), 1u8), (Fickle(900), 2)]), Codec::Postcard);
    for fickle in [7, 130, 250].map(Fickle) {
        assert_eq!(round_trip(&vec![(Fickle(300), 1u8), (fickle, 2)]), Codec::MessagePack);
        assert_eq!(round_trip(&vec![(fickle,)]), Codec::MessagePack);
    }
}

/// Has another number of numbers than its reader asks for.
#[derive(Deserialize, Debug, PartialEq)]
struct Uneven(u8, u8);

impl Serialize for Uneven {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.1 {
            0 => (self.0,).serialize(serializer),
            1 => (self.0, 1u8).serialize(serializer),
            _ => (self.0, 1u8, 1u8).serialize(serializer),
        }
    }
}

#[test]
fn an_element_of_another_length_is_noticed() {
    let written = |last: u8| {
        cucumber::know::<Vec<Uneven>>();
        support::codec(&cucumber::to_bytes(&[Uneven(5, 1), Uneven(6, last)][..]).unwrap())
    };
    assert_eq!([0, 1, 2].map(written), [Codec::MessagePack, Codec::Postcard, Codec::MessagePack]);
}

/// Is refused when it is odd.
#[derive(Deserialize, Debug)]
struct Even(u32);

impl Serialize for Even {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0 % 2 == 1 {
            return Err(serde::ser::Error::custom("it is odd"));
        }
        serializer.serialize_u32(self.0)
    }
}

#[test]
fn an_element_that_is_refused_is_named() {
    cucumber::know::<Vec<(u8, Even)>>();
    let values = [(1u8, Even(2)), (1, Even(4)), (1, Even(7))];
    let error = cucumber::to_bytes(&values[..]).unwrap_err();
    assert_eq!(error.to_string(), "[2][1]: it is odd");
    let bytes = cucumber::to_bytes(&values[..2]).unwrap();
    assert_eq!(support::codec(&bytes), Codec::Postcard);
}

/// Says that it has three pairs, and has two.
struct Liar;

impl Serialize for Liar {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        struct Claims(u8);
        impl Iterator for Claims {
            type Item = (u8, u8);
            fn next(&mut self) -> Option<(u8, u8)> {
                self.0 = self.0.checked_sub(1)?;
                Some((1, 2))
            }
            fn size_hint(&self) -> (usize, Option<usize>) {
                (3, Some(3))
            }
        }
        serializer.collect_seq(Claims(2))
    }
}

impl<'de> Deserialize<'de> for Liar {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Vec::<(u8, u8)>::deserialize(deserializer).map(|_| Self)
    }
}

#[test]
fn a_sequence_that_miscounts_is_refused() {
    cucumber::know::<Liar>();
    let error = cucumber::to_bytes(&Liar).unwrap_err();
    assert_eq!(error.to_string(), "its `Serialize` announces 3 elements and writes 2");
}
