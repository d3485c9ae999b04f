//! What is encoded.

use std::sync::Arc;

use cucumber::cross::{As, Same, Shared};
use serde::{Deserialize, Serialize};

use crate::bytes::{posted, read};
use crate::{decoded, encoded, versus};

#[derive(
    Clone, Debug, PartialEq, Serialize, Deserialize, rkyv::Archive, rkyv::Serialize, rkyv::Deserialize,
)]
pub(crate) struct Point {
    pub(crate) id: u32,
    pub(crate) x: i32,
    pub(crate) y: i64,
    pub(crate) on: bool,
}

#[derive(
    Clone, Debug, PartialEq, Serialize, Deserialize, rkyv::Archive, rkyv::Serialize, rkyv::Deserialize,
)]
pub(crate) struct Order {
    id: u64,
    customer: Customer,
    weight: f64,
    paid: bool,
    articles: Vec<u32>,
    route: Option<Vec<Point>>,
}

#[derive(
    Clone, Debug, PartialEq, Serialize, Deserialize, rkyv::Archive, rkyv::Serialize, rkyv::Deserialize,
)]
pub(crate) struct Customer {
    name: String,
    email: Option<String>,
}

impl Point {
    pub(crate) fn number(id: u32) -> Self {
        Self { id, x: -(id as i32), y: i64::from(id) << 20, on: id.is_multiple_of(2) }
    }
}

impl Order {
    pub(crate) fn number(n: u64) -> Self {
        Self {
            id: n,
            customer: Customer {
                name: format!("customer {}", n * 31 % 400),
                email: n.is_multiple_of(3).then(|| format!("customer{n}@example.org")),
            },
            weight: n as f64 / 4.0,
            paid: n.is_multiple_of(2),
            articles: (0..n as u32 % 8).collect(),
            route: n.is_multiple_of(5).then(|| (0..3).map(Point::number).collect()),
        }
    }
}

#[derive(
    Clone, Debug, PartialEq, Serialize, Deserialize, rkyv::Archive, rkyv::Serialize, rkyv::Deserialize,
)]
pub(crate) enum Event {
    Idle,
    Moved(i32, i32),
    Said { who: u32, what: String },
    Seen(Point),
}

impl Event {
    pub(crate) fn number(n: u32) -> Self {
        match n % 4 {
            0 => Self::Idle,
            1 => Self::Moved(n as i32, -(n as i32)),
            2 => Self::Said { who: n, what: format!("words of {n}") },
            _ => Self::Seen(Point { id: n, x: 1, y: 2, on: true }),
        }
    }
}

#[derive(
    Clone, Debug, PartialEq, Serialize, Deserialize, rkyv::Archive, rkyv::Serialize, rkyv::Deserialize,
)]
pub(crate) struct Upload {
    pub(crate) id: u64,
    pub(crate) name: String,
    pub(crate) content: Vec<u8>,
}

/// A struct with a place for something shared, and the same without.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Plain {
    id: u32,
    name: String,
    shared: Option<u32>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Sharing {
    id: u32,
    name: String,
    #[serde(with = "As::<Option<Shared<Same>>>")]
    shared: Option<Arc<u32>>,
}

/// What it costs that values may be shared, where none is: beside the same type without a place for it, and that in postcard.
pub(crate) fn compare_shared() {
    let plain: Vec<Plain> =
        (0..1000).map(|id| Plain { id, name: format!("name {id}"), shared: None }).collect();
    let sharing: Vec<Sharing> =
        (0..1000).map(|id| Sharing { id, name: format!("name {id}"), shared: None }).collect();
    cucumber::know::<Vec<Plain>>();
    cucumber::know::<Vec<Sharing>>();
    versus(
        "1 000 structs in which an `Arc` could be, and none is",
        ("with a place for an `Arc`", &sharing, encoded, decoded),
        ("without one", &plain, encoded, decoded),
        10,
    );
    versus(
        "the same without a place for one",
        ("cucumber", &plain, encoded, decoded),
        ("postcard", &plain, posted, read),
        10,
    );
}
