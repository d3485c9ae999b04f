//! Every kind of serde type, with whatever values there may be: what comes out is what went in.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

mod support;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fmt::Debug;
use std::num::{NonZeroI8, NonZeroI64, NonZeroI128, NonZeroU16, NonZeroU64, NonZeroU128};
use std::path::PathBuf;

use cucumber::cucumber;
use proptest::collection::{btree_map, btree_set, vec};
use proptest::prelude::*;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use support::{round_trip, round_trip_as};

#[derive(Serialize, Deserialize, Debug, PartialEq, Clone)]
struct Inner {
    one: i64,
    two: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    three: Vec<u8>,
}

#[derive(Serialize, Deserialize, Debug, PartialEq, Clone)]
#[serde(untagged)]
enum Loose {
    Nothing(()),
    Flag(bool),
    Whole(i64),
    Float(f64),
    Text(String),
    Many(Vec<Loose>),
    Fields(BTreeMap<String, Loose>),
}

#[derive(Serialize, Deserialize, Debug, PartialEq, Clone)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Internal {
    Unit,
    Newtype(Inner),
    Struct { flag: bool, text: String, loose: Loose, raw: Vec<u8> },
    Nested(Box<Internal2>),
}

#[derive(Serialize, Deserialize, Debug, PartialEq, Clone)]
#[serde(tag = "other")]
enum Internal2 {
    End,
    Again { inner: Option<Box<Internal>> },
}

#[derive(Serialize, Deserialize, Debug, PartialEq, Clone)]
#[serde(tag = "t", content = "c")]
enum Adjacent {
    Unit,
    Newtype(Vec<u8>),
    Tuple(i32, Option<Option<u8>>, String),
    Struct { internal: Internal, wide: i128 },
}

#[derive(Serialize, Deserialize, Debug, PartialEq, Clone)]
struct Flat {
    id: u32,
    #[serde(flatten)]
    inner: Inner,
    #[serde(flatten)]
    maybe: Option<More>,
    #[serde(flatten)]
    rest: BTreeMap<String, Loose>,
}

#[derive(Serialize, Deserialize, Debug, PartialEq, Clone)]
struct More {
    more: String,
    float: f32,
}

mod hexadecimal {
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(value: &u64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{value:x}"))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
        u64::from_str_radix(&String::deserialize(deserializer)?, 16).map_err(serde::de::Error::custom)
    }
}

#[derive(Serialize, Deserialize, Debug, PartialEq, Clone, Default)]
#[serde(default, rename_all = "camelCase")]
struct Settled {
    #[serde(with = "hexadecimal")]
    as_text: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    maybe: Option<i8>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty", rename = "type")]
    by_key: BTreeMap<(u8, Option<char>), Vec<Option<bool>>>,
    #[serde(skip)]
    absent: u8,
    wide: (i128, u128),
    last: BTreeSet<Vec<u8>>,
}

fn loose() -> impl Strategy<Value = Loose> {
    let leaf = prop_oneof![
        Just(Loose::Nothing(())),
        any::<bool>().prop_map(Loose::Flag),
        any::<i64>().prop_map(Loose::Whole),
        any::<f64>().prop_filter("NaN is not itself", |float| !float.is_nan()).prop_map(Loose::Float),
        any::<String>().prop_map(Loose::Text),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..3).prop_map(Loose::Many),
            btree_map(any::<String>(), inner, 0..3).prop_map(Loose::Fields),
        ]
    })
}

fn inner() -> impl Strategy<Value = Inner> {
    (any::<i64>(), any::<Option<String>>(), any::<Vec<u8>>()).prop_map(|(one, two, three)| Inner {
        one,
        two,
        three,
    })
}

fn internal() -> impl Strategy<Value = Internal> {
    let leaf = prop_oneof![
        Just(Internal::Unit),
        inner().prop_map(Internal::Newtype),
        (any::<bool>(), any::<String>(), loose(), any::<Vec<u8>>())
            .prop_map(|(flag, text, loose, raw)| Internal::Struct { flag, text, loose, raw }),
        Just(Internal::Nested(Box::new(Internal2::End))),
    ];
    leaf.prop_recursive(3, 4, 1, |inner| {
        proptest::option::of(inner)
            .prop_map(|inner| Internal::Nested(Box::new(Internal2::Again { inner: inner.map(Box::new) })))
    })
}

fn adjacent() -> impl Strategy<Value = Adjacent> {
    prop_oneof![
        Just(Adjacent::Unit),
        any::<Vec<u8>>().prop_map(Adjacent::Newtype),
        any::<(i32, Option<Option<u8>>, String)>().prop_map(|(a, b, c)| Adjacent::Tuple(a, b, c)),
        (internal(), any::<i128>()).prop_map(|(internal, wide)| Adjacent::Struct { internal, wide }),
    ]
}

fn flat() -> impl Strategy<Value = Flat> {
    let more = (any::<String>(), any::<i32>()).prop_map(|(more, float)| More { more, float: float as f32 });
    // Not the names of the other fields.
    let rest = btree_map("x-.{0,4}", loose(), 0..4);
    (any::<u32>(), inner(), proptest::option::of(more), rest).prop_map(|(id, inner, maybe, rest)| Flat {
        id,
        inner,
        maybe,
        rest,
    })
}

fn settled() -> impl Strategy<Value = Settled> {
    let by_key = btree_map(any::<(u8, Option<char>)>(), any::<Vec<Option<bool>>>(), 0..3);
    let last = btree_set(any::<Vec<u8>>(), 0..3);
    (any::<u64>(), any::<Option<i8>>(), by_key, any::<(i128, u128)>(), last).prop_map(
        |(as_text, maybe, by_key, wide, last)| Settled { as_text, maybe, by_key, absent: 0, wide, last },
    )
}

fn json() -> impl Strategy<Value = serde_json::Value> {
    use serde_json::Value;
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            btree_map(any::<String>(), inner, 0..4).prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// Alone, and in places where other types are around it.
fn everywhere<T: Serialize + DeserializeOwned + PartialEq + Debug + Clone>(value: &T) {
    #[derive(Serialize, Deserialize, Debug, PartialEq)]
    struct Around<T> {
        before: String,
        value: T,
        after: Option<Vec<T>>,
    }
    #[derive(Serialize, Deserialize, Debug, PartialEq)]
    enum Either<T> {
        One(T),
        Two { value: T },
    }
    round_trip(value);
    round_trip(&Some(value.clone()));
    round_trip(&Around { before: "b".into(), value: value.clone(), after: Some(vec![value.clone()]) });
    round_trip(&vec![Either::One(value.clone()), Either::Two { value: value.clone() }]);
}

/// Seconds of some eight thousand years in either direction, which every calendar can show.
const SECONDS: std::ops::Range<i64> = -200_000_000_000..200_000_000_000;
const NANOS: std::ops::Range<u32> = 0..1_000_000_000;

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

    #[test]
    fn untagged_enums(value in loose()) {
        everywhere(&value);
    }

    #[test]
    fn internally_tagged_enums(value in internal()) {
        everywhere(&value);
    }

    #[test]
    fn adjacently_tagged_enums(value in adjacent()) {
        everywhere(&value);
    }

    #[test]
    fn flattened_structs(value in flat()) {
        everywhere(&value);
    }

    #[test]
    fn fields_that_are_skipped_renamed_defaulted_and_written_in_their_own_way(value in settled()) {
        everywhere(&value);
    }

    #[test]
    fn whatever_json_can_say(value in json()) {
        everywhere(&value);
    }

    #[test]
    fn numbers_that_are_never_zero(
        small in any::<(NonZeroI8, NonZeroU16)>(),
        large in any::<(NonZeroI64, NonZeroU64, NonZeroI128, NonZeroU128)>(),
    ) {
        everywhere(&(small, large));
        everywhere(&Some(small.0));
    }

    #[test]
    fn the_widest_numbers(value in any::<(i128, u128)>(), map in btree_map(any::<i128>(), any::<u128>(), 0..3)) {
        everywhere(&value);
        everywhere(&map);
    }

    #[test]
    fn maps_with_keys_that_are_no_text(
        pairs in btree_map(any::<(i8, Option<u32>)>(), any::<String>(), 0..4),
        chars in btree_map(any::<char>(), any::<Option<()>>(), 0..4),
        bytes in btree_map(any::<Vec<u8>>(), any::<bool>(), 0..4),
        flags in btree_map(any::<bool>(), any::<[i16; 3]>(), 0..3),
    ) {
        everywhere(&pairs);
        everywhere(&chars);
        everywhere(&bytes);
        everywhere(&flags);
    }

    #[test]
    fn floats_by_their_bits_also_where_serde_keeps_them_for_a_while(double in any::<u64>(), single in any::<u32>()) {
        #[derive(Serialize, Deserialize, Debug)]
        struct Kept {
            #[serde(flatten)]
            floats: Floats,
        }
        #[derive(Serialize, Deserialize, Debug)]
        struct Floats {
            double: f64,
            single: f32,
            both: Vec<(f64, f32)>,
        }
        let (double, single) = (f64::from_bits(double), f32::from_bits(single));
        let bits = |floats: &Floats| {
            let both = floats.both.iter().map(|(double, single)| (double.to_bits(), single.to_bits()));
            (floats.double.to_bits(), floats.single.to_bits(), both.collect::<Vec<_>>())
        };
        let floats = || Floats { double, single, both: vec![(-0.0, f32::NAN), (double, single)] };
        round_trip_as(&floats(), |one, other| bits(one) == bits(other));
        // A signalling NaN becomes a quiet one where serde turns one kind of float into the other.
        if !single.is_nan() {
            round_trip_as(&Kept { floats: floats() }, |one, other| {
                one.floats.double.to_bits() == other.floats.double.to_bits()
                    && one.floats.single.to_bits() == other.floats.single.to_bits()
            });
        }
    }

    #[test]
    fn names_that_are_no_text(bytes in vec(any::<u8>(), 0..20), more in vec(vec(1u8.., 0..5), 0..3)) {
        #[cucumber]
        #[derive(Debug, PartialEq)]
        struct Names {
            path: PathBuf,
            name: OsString,
            paths: BTreeMap<PathBuf, Option<OsString>>,
        }
        let name = support::odd_name(&bytes);
        let paths = more.into_iter().map(|bytes| support::odd_name(&bytes)).map(|name| (name.clone().into(), Some(name)));
        round_trip(&Names { path: name.clone().into(), name, paths: paths.collect() });
    }

    #[test]
    fn what_is_borrowed_arrives_owned(text in any::<String>(), bytes in any::<Vec<u8>>(), more in any::<Vec<String>>()) {
        #[derive(Serialize, Deserialize)]
        struct Lent<'a> {
            text: &'a str,
            #[serde(borrow)]
            cow: Cow<'a, str>,
            #[serde(with = "serde_bytes")]
            bytes: &'a [u8],
            #[serde(borrow)]
            more: Vec<&'a str>,
        }
        #[derive(Serialize, Deserialize, Debug, PartialEq)]
        struct Owned {
            text: String,
            cow: String,
            #[serde(with = "serde_bytes")]
            bytes: Vec<u8>,
            more: Vec<String>,
        }
        let lent = Lent {
            text: &text,
            cow: Cow::Borrowed(&text),
            bytes: &bytes,
            more: more.iter().map(String::as_str).collect(),
        };
        let back: Owned = cucumber::from_bytes(&cucumber::to_bytes(&lent).unwrap()).unwrap();
        prop_assert_eq!(&back, &Owned { text: text.clone(), cow: text.clone(), bytes: bytes.clone(), more: more.clone() });
        everywhere(&Cow::<'static, str>::Owned(text));
    }

    #[test]
    fn identifiers(number in any::<u128>()) {
        everywhere(&uuid::Uuid::from_u128(number));
    }

    #[test]
    fn dates_of_chrono(seconds in SECONDS, nanos in NANOS, east in -86_000..86_000) {
        let date = chrono::DateTime::from_timestamp(seconds, nanos).unwrap();
        everywhere(&date);
        everywhere(&(date.naive_utc(), date.date_naive(), date.naive_utc().time()));
        everywhere(&chrono::TimeDelta::new(seconds, nanos).unwrap());
        // Its text shows whole minutes only.
        let east = chrono::FixedOffset::east_opt(east / 60 * 60).unwrap();
        everywhere(&date.with_timezone(&east));
    }

    #[test]
    fn dates_of_time(seconds in SECONDS, nanos in NANOS, east in -86_000..86_000) {
        let date = time::OffsetDateTime::from_unix_timestamp(seconds).unwrap() + time::Duration::nanoseconds(nanos.into());
        everywhere(&date);
        everywhere(&(date.date(), date.time(), date.weekday(), date.month()));
        everywhere(&time::Duration::new(seconds, nanos as i32));
        everywhere(&date.to_offset(time::UtcOffset::from_whole_seconds(east).unwrap()));
    }

    #[test]
    fn dates_of_jiff(seconds in SECONDS, nanos in NANOS, east in -86_000..86_000) {
        let date = jiff::Timestamp::new(seconds, nanos as i32).unwrap();
        everywhere(&date);
        let offset = jiff::tz::Offset::from_seconds(east / 60 * 60).unwrap();
        everywhere(&offset.to_datetime(date));
        everywhere(&date.to_zoned_datetime(offset.to_time_zone()));
        // This one is written with its name, which is looked up.
        everywhere(&date.to_zoned_datetime(jiff::tz::TimeZone::UTC));
        everywhere(&jiff::SignedDuration::new(seconds, nanos as i32));
    }
}
