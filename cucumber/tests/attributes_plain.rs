//! The serde attributes that leave a type to the faster codec.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

mod support;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use support::{Codec, all_take, round_trip};

#[derive(Serialize, Deserialize, Debug, PartialEq, Clone, Default)]
struct Point {
    x: i32,
    y: i32,
}

#[test]
fn plain_structs_take_postcard() {
    #[derive(Serialize, Deserialize, Debug, PartialEq)]
    struct Unit;
    #[derive(Serialize, Deserialize, Debug, PartialEq)]
    struct Newtype(Point);
    #[derive(Serialize, Deserialize, Debug, PartialEq)]
    struct Tuple(i8, String, Option<Point>);
    #[derive(Serialize, Deserialize, Debug, PartialEq)]
    struct Empty {}
    #[derive(Serialize, Deserialize, Debug, PartialEq)]
    struct Generic<T> {
        one: T,
        many: Vec<T>,
    }
    all_take(Codec::Postcard, &[Unit]);
    all_take(Codec::Postcard, &[Empty {}]);
    all_take(Codec::Postcard, &[Newtype(Point { x: 1, y: -1 })]);
    all_take(Codec::Postcard, &[Tuple(1, "a".into(), None), Tuple(2, String::new(), Some(Point::default()))]);
    all_take(Codec::Postcard, &[Generic { one: 1u8, many: vec![2, 3] }]);
    all_take(Codec::Postcard, &[Generic { one: Point::default(), many: vec![] }]);
}

#[test]
fn every_variant_of_a_plain_enum_takes_postcard() {
    #[derive(Serialize, Deserialize, Debug, PartialEq)]
    enum Shape {
        Nothing,
        Dot(Point),
        Line(Point, Point),
        Circle { centre: Point, radius: f64 },
        Square { centre: Point, radius: String },
        Group(Vec<Shape>),
        Boxed(Box<Shape>),
    }
    let dot = || Shape::Dot(Point { x: 3, y: 4 });
    all_take(
        Codec::Postcard,
        &[
            Shape::Nothing,
            dot(),
            Shape::Line(Point::default(), Point::default()),
            Shape::Circle { centre: Point::default(), radius: 1.5 },
            Shape::Square { centre: Point::default(), radius: "wide".into() },
            Shape::Group(vec![dot(), Shape::Boxed(Box::new(Shape::Group(vec![Shape::Nothing])))]),
        ],
    );
}

#[test]
fn recursive_types_take_postcard() {
    #[derive(Serialize, Deserialize, Debug, PartialEq)]
    struct Tree {
        left: Option<Box<Tree>>,
        name: String,
        right: Option<Box<Tree>>,
    }
    #[derive(Serialize, Deserialize, Debug, PartialEq)]
    enum Term {
        Negated(Box<Term>),
        Sum(Box<Term>, Box<Term>),
        Call { name: String, arguments: Vec<Term> },
        Number(i64),
    }
    let leaf = |name: &str| Tree { left: None, name: name.into(), right: None };
    let tree =
        Tree { left: Some(Box::new(leaf("l"))), name: "root".into(), right: Some(Box::new(leaf("r"))) };
    all_take(Codec::Postcard, &[leaf("only"), tree]);
    let one = || Box::new(Term::Number(1));
    all_take(
        Codec::Postcard,
        &[
            Term::Negated(one()),
            Term::Sum(one(), Box::new(Term::Negated(one()))),
            Term::Call { name: "f".into(), arguments: vec![Term::Number(2), Term::Sum(one(), one())] },
        ],
    );
}

#[test]
fn renamed_fields_and_variants_take_postcard() {
    #[derive(Serialize, Deserialize, Debug, PartialEq)]
    #[serde(rename_all = "camelCase", deny_unknown_fields)]
    struct Renamed {
        first_field: u8,
        #[serde(rename = "type")]
        kind: String,
    }
    #[derive(Serialize, Deserialize, Debug, PartialEq)]
    #[serde(rename_all = "SCREAMING-KEBAB-CASE")]
    enum Level {
        VeryLow,
        #[serde(rename = "top")]
        High,
    }
    all_take(Codec::Postcard, &[Renamed { first_field: 1, kind: "a".into() }]);
    all_take(Codec::Postcard, &[Level::VeryLow, Level::High]);
}

#[test]
fn skipped_on_both_sides_takes_postcard() {
    #[derive(Serialize, Deserialize, Debug, PartialEq)]
    struct Cached {
        a: u8,
        #[serde(skip)]
        cache: u64,
        b: String,
        #[serde(default)]
        c: Option<u8>,
    }
    all_take(Codec::Postcard, &[Cached { a: 1, cache: 0, b: "b".into(), c: Some(2) }]);
}

#[test]
fn with_modules_cross() {
    mod as_text {
        use super::*;
        pub(super) fn serialize<S: Serializer>(value: &u64, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.collect_str(value)
        }
        pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
            String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
        }
    }
    #[derive(Serialize, Deserialize, Debug, PartialEq)]
    struct Custom {
        #[serde(with = "as_text")]
        a: u64,
        #[serde(with = "serde_bytes")]
        b: Vec<u8>,
        c: u8,
    }
    all_take(Codec::Postcard, &[Custom { a: 5, b: vec![1, 2, 3], c: 4 }]);
}

#[test]
fn conversions_cross() {
    #[derive(Serialize, Deserialize, Debug, PartialEq, Clone)]
    #[serde(from = "(i32, i32)", into = "(i32, i32)")]
    struct Pair {
        sum: i32,
        difference: i32,
    }
    impl From<(i32, i32)> for Pair {
        fn from((sum, difference): (i32, i32)) -> Self {
            Self { sum, difference }
        }
    }
    impl From<Pair> for (i32, i32) {
        fn from(pair: Pair) -> Self {
            (pair.sum, pair.difference)
        }
    }
    #[derive(Serialize, Deserialize, Debug, PartialEq, Clone)]
    #[serde(try_from = "u8", into = "u8")]
    struct Even(u8);
    impl TryFrom<u8> for Even {
        type Error = String;
        fn try_from(value: u8) -> Result<Self, String> {
            if value.is_multiple_of(2) { Ok(Self(value)) } else { Err(format!("{value} is odd")) }
        }
    }
    impl From<Even> for u8 {
        fn from(even: Even) -> Self {
            even.0
        }
    }
    #[derive(Serialize, Deserialize, Debug, PartialEq)]
    #[serde(transparent)]
    struct Wrapper {
        inner: Point,
    }
    all_take(Codec::Postcard, &[Pair { sum: 3, difference: 1 }]);
    all_take(Codec::Postcard, &[(Even(4), "after".to_owned())]);
    all_take(Codec::Postcard, &[Wrapper { inner: Point::default() }]);
    let error = cucumber::from_bytes::<Vec<Even>>(&cucumber::to_bytes(&[2u8, 3]).unwrap()).unwrap_err();
    assert_eq!(error.to_string(), "[1]: 3 is odd");
}

#[test]
fn a_field_that_validates_does_not_cost_its_neighbours_the_faster_codec() {
    /// Takes no value that anyone would invent.
    #[derive(Serialize, Debug, PartialEq, Clone)]
    struct Picky(String);
    impl<'de> Deserialize<'de> for Picky {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            let text = String::deserialize(deserializer)?;
            if text == "xyzzy" { Ok(Self(text)) } else { Err(serde::de::Error::custom("not the word")) }
        }
    }
    #[derive(Serialize, Deserialize, Debug, PartialEq)]
    enum Kind {
        Word(Picky),
        Number(u8),
    }
    #[derive(Serialize, Deserialize, Debug, PartialEq)]
    struct Record {
        before: u8,
        word: Picky,
        kinds: Vec<Kind>,
        after: Point,
    }
    let word = Picky("xyzzy".into());
    all_take(
        Codec::Postcard,
        &[Record {
            before: 1,
            word: word.clone(),
            kinds: vec![Kind::Number(1), Kind::Word(word)],
            after: Point { x: 1, y: 2 },
        }],
    );
}

#[test]
fn remote_types_cross() {
    mod elsewhere {
        #[derive(Debug, PartialEq)]
        pub(super) struct Span {
            pub(super) secs: i64,
        }
    }
    #[derive(Serialize, Deserialize)]
    #[serde(remote = "elsewhere::Span")]
    struct SpanDef {
        secs: i64,
    }
    #[derive(Serialize, Deserialize, Debug, PartialEq)]
    struct Process {
        #[serde(with = "SpanDef")]
        wall: elsewhere::Span,
    }
    all_take(Codec::Postcard, &[Process { wall: elsewhere::Span { secs: 3 } }]);
}

#[test]
fn the_other_variant_crosses() {
    #[derive(Serialize, Deserialize, Debug, PartialEq)]
    enum Known {
        A,
        B,
        #[serde(other)]
        Else,
    }
    all_take(Codec::Postcard, &[Known::A, Known::B, Known::Else]);
}

#[test]
fn two_types_of_one_name_are_never_mistaken_for_each_other() {
    fn first() -> Vec<u8> {
        #[derive(Serialize, Deserialize)]
        struct Twin {
            a: u32,
            c: u32,
        }
        cucumber::know::<Twin>();
        cucumber::to_bytes(&Twin { a: 1, c: 2 }).unwrap()
    }
    assert_eq!(support::codec(&first()), Codec::Postcard);
    let plain = {
        #[derive(Serialize, Deserialize, Debug, PartialEq)]
        struct Twin {
            a: u32,
        }
        round_trip(&Twin { a: 1 })
    };
    let quiet = {
        #[derive(Serialize, Deserialize, Debug, PartialEq)]
        struct Twin {
            a: u32,
            #[serde(skip_serializing, default)]
            b: u32,
            c: u32,
        }
        round_trip(&Twin { a: 1, b: 0, c: 3 })
    };
    assert_eq!((plain, quiet), (Codec::Postcard, Codec::MessagePack));
}
