//! The serde attributes with which values are written with names.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

mod support;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize, Serializer};
use support::{Codec, all_take, round_trip};

#[derive(Serialize, Deserialize, Debug, PartialEq, Clone, Default)]
struct Point {
    x: i32,
    y: i32,
}

#[test]
fn skip_serializing_if_takes_postcard_only_while_nothing_is_skipped() {
    #[derive(Serialize, Deserialize, Debug, PartialEq)]
    struct Sparse {
        #[serde(skip_serializing_if = "Option::is_none", default)]
        a: Option<u32>,
        b: u32,
        #[serde(skip_serializing_if = "Vec::is_empty", default)]
        c: Vec<u8>,
    }
    assert_eq!(round_trip(&Sparse { a: Some(1), b: 2, c: vec![3] }), Codec::Postcard);
    all_take(
        Codec::MessagePack,
        &[
            Sparse { a: None, b: 2, c: vec![3] },
            Sparse { a: Some(1), b: 2, c: vec![] },
            Sparse { a: None, b: 2, c: vec![] },
        ],
    );
    // One that skips is enough for all of its frame.
    let mixed = vec![Sparse { a: Some(1), b: 2, c: vec![3] }, Sparse { a: None, b: 4, c: vec![5] }];
    assert_eq!(round_trip(&mixed), Codec::MessagePack);
}

#[test]
fn skip_serializing_takes_names() {
    #[derive(Serialize, Deserialize, Debug, PartialEq)]
    struct Quiet {
        a: u32,
        #[serde(skip_serializing, default)]
        b: u32,
        c: u32,
    }
    all_take(Codec::MessagePack, &[Quiet { a: 1, b: 0, c: 3 }]);
}

#[test]
fn skip_deserializing_takes_names() {
    #[derive(Serialize, Deserialize, Debug, PartialEq)]
    struct Deaf {
        a: u32,
        #[serde(skip_deserializing)]
        b: u32,
        c: u32,
    }
    all_take(Codec::MessagePack, &[Deaf { a: 1, b: 0, c: 3 }]);
}

#[test]
fn skipped_variants_do_not_shift_the_others() {
    #[derive(Serialize, Deserialize, Debug, PartialEq)]
    enum Command {
        #[serde(skip_deserializing)]
        Old,
        Start,
        Stop(u8),
    }
    for command in [Command::Start, Command::Stop(3)] {
        round_trip(&command);
    }
    cucumber::know::<Command>();
    let written = cucumber::to_bytes(&Command::Old).unwrap();
    assert!(cucumber::from_bytes::<Command>(&written).is_err());
}

#[test]
fn aliases_take_names() {
    #[derive(Serialize, Deserialize, Debug, PartialEq)]
    struct Aliased {
        #[serde(alias = "a2", alias = "a3")]
        a: u8,
        b: u16,
    }
    #[derive(Serialize, Deserialize, Debug, PartialEq)]
    enum Choice {
        #[serde(alias = "first", alias = "uno")]
        One,
        Two(u8),
        Three,
    }
    all_take(Codec::MessagePack, &[Aliased { a: 1, b: 2 }]);
    for choice in [Choice::One, Choice::Two(2), Choice::Three] {
        round_trip(&choice);
    }
}

#[test]
fn flatten_takes_names() {
    #[derive(Serialize, Deserialize, Debug, PartialEq)]
    struct Outer {
        id: u64,
        #[serde(flatten)]
        point: Point,
        #[serde(flatten)]
        rest: BTreeMap<String, u32>,
    }
    #[derive(Serialize, Deserialize, Debug, PartialEq)]
    struct Deep {
        many: Vec<Outer>,
        bytes: Vec<u8>,
    }
    let outer = |rest: &[(&str, u32)]| Outer {
        id: 7,
        point: Point { x: 1, y: 2 },
        rest: rest.iter().map(|(key, value)| ((*key).to_owned(), *value)).collect(),
    };
    all_take(Codec::MessagePack, &[outer(&[]), outer(&[("z", 1), ("w", 2)])]);
    all_take(Codec::MessagePack, &[Deep { many: vec![outer(&[]), outer(&[("k", 3)])], bytes: vec![1, 2] }]);
    // Where there is none, nothing of it is written.
    all_take(Codec::Postcard, &[Deep { many: vec![], bytes: vec![255; 300] }]);
}

#[test]
fn flatten_around_bytes_and_options() {
    #[derive(Serialize, Deserialize, Debug, PartialEq)]
    struct Inner {
        bytes: Vec<u8>,
        maybe: Option<Option<u8>>,
        wide: u64,
        unit: (),
    }
    #[derive(Serialize, Deserialize, Debug, PartialEq)]
    struct Outer {
        #[serde(flatten)]
        inner: Inner,
    }
    for maybe in [None, Some(None), Some(Some(3))] {
        let inner = Inner { bytes: vec![0, 127, 128, 255], maybe, wide: u64::MAX, unit: () };
        all_take(Codec::MessagePack, &[Outer { inner }]);
    }
}

#[test]
fn internally_tagged_enums_take_names() {
    #[derive(Serialize, Deserialize, Debug, PartialEq)]
    #[serde(tag = "type")]
    enum Event {
        Quit,
        Key { code: u32, held: bool },
        Move(Point),
        Text { text: String, raw: Vec<u8> },
    }
    all_take(
        Codec::MessagePack,
        &[
            Event::Quit,
            Event::Key { code: 13, held: false },
            Event::Move(Point { x: 1, y: 2 }),
            Event::Text { text: "a".into(), raw: vec![1, 2, 200] },
        ],
    );
}

#[test]
fn adjacently_tagged_enums_cross() {
    #[derive(Serialize, Deserialize, Debug, PartialEq)]
    #[serde(tag = "t", content = "c")]
    enum Event {
        Quit,
        Key(u32),
        Pair(u8, String),
        Move { x: i64, y: i64 },
        Raw(Vec<u8>),
    }
    for event in [
        Event::Quit,
        Event::Key(3),
        Event::Pair(1, "a".into()),
        Event::Move { x: -1, y: 1 },
        Event::Raw(vec![9, 200]),
    ] {
        round_trip(&event);
    }
}

#[test]
fn untagged_enums_take_names() {
    #[derive(Serialize, Deserialize, Debug, PartialEq)]
    #[serde(untagged)]
    enum Value {
        Flag(bool),
        Number(i64),
        Float(f64),
        Text(String),
        Point(Point),
        Bytes(Vec<u8>),
        List(Vec<Value>),
    }
    all_take(
        Codec::MessagePack,
        &[
            Value::Flag(true),
            Value::Number(-5),
            Value::Number(i64::MAX),
            Value::Float(0.5),
            Value::Text("a".into()),
            Value::Point(Point { x: 1, y: 2 }),
            Value::Bytes(vec![0, 1, 255]),
            Value::List(vec![Value::Flag(false), Value::Text("b".into())]),
        ],
    );
    // Deep inside plain types as well, and only where one is really there.
    assert_eq!(round_trip(&(1u8, vec![Value::Number(1)])), Codec::MessagePack);
    assert_eq!(round_trip(&(1u8, Vec::<Value>::new())), Codec::Postcard);
}

#[test]
fn what_is_written_otherwise_than_it_is_read_takes_names() {
    // Written as a sequence, read as a tuple: postcard would take the length for the first element.
    fn as_slice<S: Serializer>(value: &[u16; 2], serializer: S) -> Result<S::Ok, S::Error> {
        value.as_slice().serialize(serializer)
    }
    #[derive(Serialize, Deserialize, Debug, PartialEq)]
    struct Mixed {
        #[serde(serialize_with = "as_slice")]
        pair: [u16; 2],
        after: u16,
    }
    all_take(Codec::MessagePack, &[Mixed { pair: [1, 2], after: 3 }]);

    // Written narrow, read wide.
    fn narrow<S: Serializer>(value: &u64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(u8::try_from(*value).unwrap())
    }
    #[derive(Serialize, Deserialize, Debug, PartialEq)]
    struct Narrow {
        #[serde(serialize_with = "narrow")]
        a: u64,
        b: u64,
    }
    all_take(Codec::MessagePack, &[Narrow { a: 200, b: 3 }]);
}
