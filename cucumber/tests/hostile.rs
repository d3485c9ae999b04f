//! Bytes that nobody wrote in good faith: the answer is an error, soon, and in little memory.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

mod support;

use std::cell::Cell;
use std::collections::{BTreeMap, HashMap};

use proptest::prelude::*;
use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use support::Unknown;

#[derive(Serialize, Deserialize, Debug, PartialEq, Clone)]
enum Message {
    Quit,
    Say(String),
    Many(Vec<Message>),
    Table { rows: HashMap<u32, Vec<u8>>, note: Option<Box<Message>> },
    Wide(i128, char, f64, bool),
}

fn sample() -> Message {
    let rows = HashMap::from([(1, vec![1, 2, 3]), (70_000, vec![])]);
    Message::Many(vec![
        Message::Quit,
        Message::Say("hello".into()),
        Message::Table { rows, note: Some(Box::new(Message::Wide(-5, 'x', 0.5, true))) },
    ])
}

fn frames() -> [Vec<u8>; 2] {
    cucumber::know::<Message>();
    [cucumber::to_bytes(&sample()).unwrap(), cucumber::to_bytes(&Unknown(&sample())).unwrap()]
}

/// A frame around `body`, in the codec of this number.
fn frame(codec: u8, body: &[u8]) -> Vec<u8> {
    let mut frame = b"cuc\x01".to_vec();
    frame.extend_from_slice(&[codec, 0, 0, 0]);
    frame.extend_from_slice(&(body.len() as u64).to_le_bytes());
    frame.extend_from_slice(body);
    frame
}

#[test]
fn a_frame_cut_short_is_an_error() {
    for frame in frames() {
        for end in 0..frame.len() {
            assert!(cucumber::from_bytes::<Message>(&frame[..end]).unwrap_err().is_truncated(), "{end}");
        }
    }
}

#[test]
fn a_body_cut_short_is_an_error() {
    for (codec, whole) in [1, 2].into_iter().zip(frames()) {
        let body = &whole[16..];
        assert_eq!(cucumber::from_bytes::<Message>(&frame(codec, body)).unwrap(), sample());
        for end in 0..body.len() {
            let error = cucumber::from_bytes::<Message>(&frame(codec, &body[..end])).unwrap_err();
            assert!(error.is_truncated() || error.is_malformed(), "{codec} {end}: {error:?}");
        }
    }
}

#[test]
fn a_body_that_goes_on_is_an_error() {
    for (codec, whole) in [1, 2].into_iter().zip(frames()) {
        let mut body = whole[16..].to_vec();
        body.push(0);
        let error = cucumber::from_bytes::<Message>(&frame(codec, &body)).unwrap_err();
        assert!(error.is_malformed() && error.to_string().contains("1 bytes are left over"), "{error}");
    }
}

#[test]
fn every_flipped_bit_is_survived() {
    for frame in frames() {
        for place in 0..frame.len() {
            for bit in 0..8 {
                let mut damaged = frame.clone();
                damaged[place] ^= 1 << bit;
                let _ = cucumber::from_bytes::<Message>(&damaged);
            }
        }
    }
}

/// Reserves whatever it is told, as careless visitors do.
struct Careless(usize);

impl<'de> Deserialize<'de> for Careless {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reserving;
        impl<'de> Visitor<'de> for Reserving {
            type Value = Careless;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a sequence")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Careless, A::Error> {
                let hint = elements.size_hint().unwrap_or(0);
                let mut kept = Vec::with_capacity(hint);
                while let Some(one) = elements.next_element::<u64>()? {
                    kept.push(one);
                }
                Ok(Careless(hint))
            }
        }
        deserializer.deserialize_seq(Reserving)
    }
}

#[test]
fn a_forged_length_allocates_nothing() {
    // Ten bytes that say 2^63 elements, and MessagePack's array of 2^32.
    let huge = [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01, 1, 2, 3];
    for body in [&huge[..], &[0xff, 0xff, 0xff, 0x7f, 1, 2, 3]] {
        assert!(cucumber::from_bytes::<Vec<u64>>(&frame(1, body)).unwrap_err().is_truncated());
        assert!(cucumber::from_bytes::<Vec<u8>>(&frame(1, body)).unwrap_err().is_truncated());
        assert!(cucumber::from_bytes::<String>(&frame(1, body)).is_err());
        assert!(cucumber::from_bytes::<BTreeMap<u8, u8>>(&frame(1, body)).unwrap_err().is_truncated());
        assert!(cucumber::from_bytes::<Careless>(&frame(1, body)).is_err());
        // Elements without width take no bytes, and still the count is no excuse to go on for ever.
        assert!(cucumber::from_bytes::<Vec<()>>(&frame(1, body)).unwrap_err().is_truncated());
    }
    for marker in [0xdd, 0xdf, 0xdb, 0xc6, 0xc9] {
        let body = [marker, 0xff, 0xff, 0xff, 0xff, 1, 2, 3];
        assert!(cucumber::from_bytes::<Vec<u64>>(&frame(2, &body)).unwrap_err().is_truncated());
        assert!(cucumber::from_bytes::<BTreeMap<u8, u8>>(&frame(2, &body)).unwrap_err().is_truncated());
        assert!(cucumber::from_bytes::<Careless>(&frame(2, &body)).is_err());
    }
    assert_eq!(cucumber::from_bytes::<Careless>(&frame(1, &[3, 1, 2, 3])).unwrap().0, 3);
}

#[derive(Serialize, Deserialize, Debug, PartialEq)]
struct Nest(Option<Box<Nest>>);

#[derive(Serialize, Deserialize, Debug)]
enum Deep {
    End,
    More(Box<Deep>),
    Pair(u8, Box<Deep>),
    List(Vec<Deep>),
}

#[test]
fn deep_nesting_is_an_error_and_no_overflow() {
    let deep = |level: &[u8], end: &[u8]| {
        let mut body = level.repeat(1_000_000);
        body.extend_from_slice(end);
        body
    };
    let too_deep =
        |error: cucumber::Error| assert!(error.is_too_deep() && error.is_unsupported(), "{error:?}");
    too_deep(cucumber::from_bytes::<Nest>(&frame(1, &deep(&[1], &[0]))).unwrap_err());
    too_deep(cucumber::from_bytes::<Deep>(&frame(1, &deep(&[1], &[0]))).unwrap_err());
    too_deep(cucumber::from_bytes::<Deep>(&frame(1, &deep(&[2, 7], &[0]))).unwrap_err());
    too_deep(cucumber::from_bytes::<Deep>(&frame(1, &deep(&[3, 1], &[0]))).unwrap_err());
    let more = [&[0x81, 0xa4][..], b"More"].concat();
    too_deep(cucumber::from_bytes::<Deep>(&frame(2, &deep(&more, b"\xa3End"))).unwrap_err());
    // What nobody reads is skipped with the same care.
    too_deep(cucumber::from_bytes::<serde::de::IgnoredAny>(&frame(2, &deep(&[0x91], &[0xc0]))).unwrap_err());
    // MessagePack writes nested options flat, and there is a limit to those, too.
    assert_eq!(cucumber::from_bytes::<Nest>(&frame(2, &[0xc0])).unwrap(), Nest(None));
}

/// Adds up for how many elements room would have been made.
struct Roomy;

impl<'de> Deserialize<'de> for Roomy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Counting;
        impl<'de> Visitor<'de> for Counting {
            type Value = Roomy;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a sequence")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Roomy, A::Error> {
                let hint = elements.size_hint().unwrap_or_default();
                ROOM.with(|room| room.set(room.get() + hint));
                while elements.next_element::<Roomy>()?.is_some() {}
                Ok(Roomy)
            }
        }
        deserializer.deserialize_seq(Counting)
    }
}

thread_local! {
    static ROOM: Cell<usize> = const { Cell::new(0) };
}

#[test]
fn room_is_made_for_no_more_elements_than_there_are_bytes() {
    for (codec, level) in [(1, &[100][..]), (2, &[0xdc, 0, 100])] {
        let body = level.repeat(300);
        assert!(cucumber::from_bytes::<Roomy>(&frame(codec, &body)).is_err());
        let room = ROOM.replace(0);
        assert!((100..=body.len()).contains(&room), "{room} elements in {} bytes", body.len());
    }
}

/// A list of which each element is in a frame of its own, in the bytes of the one around it.
struct Framed(Option<Box<Framed>>);

impl Serialize for Framed {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let inner = self.0.as_ref().map(cucumber::to_bytes).transpose().map_err(serde::ser::Error::custom)?;
        serializer.serialize_bytes(&inner.unwrap_or_default())
    }
}

impl<'de> Deserialize<'de> for Framed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let inner = serde_bytes::ByteBuf::deserialize(deserializer)?;
        let inner = (!inner.is_empty()).then(|| cucumber::from_bytes(&inner)).transpose();
        inner.map(Framed).map_err(serde::de::Error::custom)
    }
}

#[test]
fn frames_inside_of_frames_share_one_budget_of_stack() {
    let mut headers = Vec::new();
    let mut len = 1; // the innermost, which is empty
    for _ in 0..50_000 {
        headers.push((len, varint(len as u64 + 16)));
        len += 16 + headers.last().unwrap().1.len();
    }
    let mut bytes = frame(1, &[]);
    bytes[8..].copy_from_slice(&(len as u64).to_le_bytes());
    for (len, said) in headers.into_iter().rev() {
        bytes.extend_from_slice(&said);
        bytes.extend_from_slice(&frame(1, &[])[..8]);
        bytes.extend_from_slice(&(len as u64).to_le_bytes());
    }
    bytes.push(0);
    let error = cucumber::from_bytes::<Framed>(&bytes).map(|_| ()).unwrap_err();
    assert!(error.to_string().contains("too deeply"), "{error}");

    let list = |levels| (0..levels).fold(Framed(None), |list, _| Framed(Some(Box::new(list))));
    let back = cucumber::from_bytes::<Framed>(&cucumber::to_bytes(&list(50)).unwrap()).unwrap();
    assert_eq!(std::iter::successors(back.0.as_deref(), |list| list.0.as_deref()).count(), 50);
    let mut deep = list(50_000);
    assert!(cucumber::to_bytes(&deep).unwrap_err().to_string().contains("too deeply"));
    while let Some(inner) = deep.0.take() {
        deep = *inner;
    }
}

fn varint(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

#[test]
fn what_is_too_deep_is_refused_when_it_is_written() {
    let mut nest = Deep::End;
    for _ in 0..100_000 {
        nest = Deep::List(vec![nest]);
    }
    let error = cucumber::to_bytes(&nest).unwrap_err();
    assert!(error.is_too_deep(), "{error}");
    // Dropping it would overflow the stack as surely as writing it.
    let mut next = Some(nest);
    while let Some(Deep::List(mut inner)) = next {
        next = inner.pop();
    }
}

#[test]
fn a_hundred_levels_are_no_trouble() {
    let mut nest = Deep::End;
    for _ in 0..100 {
        nest = Deep::List(vec![nest]);
    }
    let bytes = cucumber::to_bytes(&nest).unwrap();
    cucumber::from_bytes::<Deep>(&bytes).unwrap();
    let again = cucumber::to_bytes(&nest).unwrap();
    cucumber::from_bytes::<Deep>(&again).unwrap();
}

#[test]
fn a_bigger_stack_takes_deeper_values() {
    let levels = 20_000;
    let thread = std::thread::Builder::new().stack_size(256 << 20).spawn(move || {
        cucumber::set_stack_budget(192 << 20);
        let body = [&[1].repeat(levels)[..], &[0]].concat();
        let nest: Deep = cucumber::from_bytes(&frame(1, &body)).unwrap();
        // With names the first time, perhaps: the type is known by now.
        let again = cucumber::to_bytes(&nest).unwrap();
        assert_eq!(again[16..], body);
        let mut count = 0;
        let mut next = nest;
        while let Deep::More(inner) = next {
            (next, count) = (*inner, count + 1);
        }
        count
    });
    assert_eq!(thread.unwrap().join().unwrap(), levels);
}

#[test]
fn another_type_is_an_error_or_a_value_but_never_worse() {
    for frame in frames() {
        assert!(cucumber::from_bytes::<String>(&frame).is_err());
        assert!(cucumber::from_bytes::<BTreeMap<String, u8>>(&frame).is_err());
        let _ = cucumber::from_bytes::<(u8, u8)>(&frame);
        let _ = cucumber::from_bytes::<serde_json::Value>(&frame);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2000) })]

    #[test]
    fn no_bytes_do_harm(codec in 1u8..=2, body in proptest::collection::vec(any::<u8>(), 0..200)) {
        let frame = frame(codec, &body);
        let _ = cucumber::from_bytes::<Message>(&frame);
        let _ = cucumber::from_bytes::<serde_json::Value>(&frame);
        let _ = cucumber::from_bytes::<Vec<Option<Option<(u8, String)>>>>(&frame);
        let _ = cucumber::from_bytes::<BTreeMap<Vec<u8>, std::time::Duration>>(&frame);
        let _ = cucumber::from_bytes::<Message>(&body);
    }

    #[test]
    fn no_damage_does_harm(codec in 0usize..2, places in proptest::collection::vec((any::<u16>(), any::<u8>()), 1..6)) {
        let mut frame = frames()[codec].clone();
        for (place, value) in places {
            let place = 16 + usize::from(place) % (frame.len() - 16);
            frame[place] = value;
        }
        let _ = cucumber::from_bytes::<Message>(&frame);
    }
}
