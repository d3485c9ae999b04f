//! What serde carries by itself, and some of its attributes.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::net::IpAddr;
use std::num::{NonZeroI128, NonZeroU16, Wrapping};
use std::ops::Bound;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::dice::Dice;

#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", content = "content", rename_all = "kebab-case")]
enum Adjacent {
    NothingAtAll,
    One(u8),
    Two(u8, String),
    Named { some: Option<u8> },
}

/// What postcard alone cannot carry.
#[derive(Serialize, Deserialize)]
#[serde(tag = "kind")]
pub(crate) enum Tagged {
    Empty,
    Full {
        #[serde(flatten)]
        extra: BTreeMap<String, Loose>,
        #[serde(skip_serializing_if = "Option::is_none", default)]
        note: Option<String>,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Loose {
    Number(i64),
    Text(String),
    Many(Vec<Loose>),
}

impl Tagged {
    pub(crate) fn any(dice: &mut Dice) -> Self {
        let loose = Loose::Many(vec![Loose::Number(-7), Loose::Text(dice.text()), Loose::Many(Vec::new())]);
        let note = (dice.below(2) == 0).then(|| dice.text());
        Self::Full { extra: BTreeMap::from([("loose".to_owned(), loose)]), note }
    }
}

/// Of types of other crates, and of the standard library.
#[derive(Serialize, Deserialize)]
pub(crate) struct Plain {
    id: uuid::Uuid,
    at: chrono::DateTime<chrono::Utc>,
    day: time::Date,
    moment: jiff::Timestamp,
    json: serde_json::Value,
    never_zero: (NonZeroU16, Option<NonZeroI128>),
    round: Wrapping<u32>,
    from: Bound<char>,
    address: IpAddr,
    by_option: BTreeMap<Option<bool>, BTreeSet<(u8, char)>>,
    #[serde(rename = "heap of all")]
    heap: BinaryHeap<u8>,
    adjacent: Vec<Adjacent>,
    words: Cow<'static, [Box<str>]>,
    #[serde(with = "backwards")]
    reversed: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    seldom: Vec<f32>,
    #[serde(skip)]
    _never: Option<Unknown>,
}

/// No serde at all.
struct Unknown;

mod backwards {
    use super::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(text: &str, serializer: S) -> Result<S::Ok, S::Error> {
        text.chars().rev().collect::<String>().serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
        Ok(String::deserialize(deserializer)?.chars().rev().collect())
    }
}

impl Plain {
    pub(crate) fn any(dice: &mut Dice) -> Self {
        let seconds = (dice.next() >> 30) as i64;
        let numbers = NonZeroU16::new(dice.next() as u16).unwrap_or(NonZeroU16::MAX);
        Self {
            id: uuid::Uuid::from_u64_pair(dice.next(), dice.next()),
            at: chrono::DateTime::from_timestamp(seconds, 7).unwrap(),
            day: time::Date::from_ordinal_date(-44, 1 + dice.below(365) as u16).unwrap(),
            moment: jiff::Timestamp::from_second(-seconds).unwrap(),
            json: serde_json::json!({ dice.text(): [null, true, 1, -1.5, { "": dice.text() }] }),
            never_zero: (numbers, NonZeroI128::new(-(i128::from(dice.next()) << 60))),
            round: Wrapping(dice.next() as u32),
            from: [Bound::Unbounded, Bound::Included('\0'), Bound::Excluded('漢')][dice.below(3)],
            address: IpAddr::from([dice.next() as u16, 0, 0, 0, 0, 0, 0, 1]),
            by_option: BTreeMap::from([(None, BTreeSet::new()), (Some(true), [(1, 'ß'), (0, 'a')].into())]),
            heap: dice.bytes().into(),
            adjacent: vec![
                Adjacent::NothingAtAll,
                Adjacent::One(dice.next() as u8),
                Adjacent::Two(2, dice.text()),
                Adjacent::Named { some: (dice.below(2) == 0).then_some(0) },
            ],
            words: Cow::Owned(vec![dice.text().into(), "".into()]),
            reversed: dice.text(),
            seldom: [0.1, -0.0, f32::INFINITY][..dice.below(4)].to_vec(),
            _never: Some(Unknown),
        }
    }
}
