//! `Reverse`, by which a heap yields the smallest first: moments that are due, mostly.

use std::cmp::Reverse;
use std::marker::PhantomData;

use serde::{Deserializer, Serializer};
use serde_with::{DeserializeAs, SerializeAs};

/// The adapter of [`Reverse`]: what is in it, written by `A`.
///
/// ```
/// use cucumber::cross::{As, Cross, Turned};
/// use std::cmp::Reverse;
/// use std::collections::BinaryHeap;
/// use std::time::Instant;
///
/// #[derive(serde::Serialize, serde::Deserialize)]
/// struct Timers(#[serde(with = "As::<BinaryHeap<Turned<Cross>>>")] BinaryHeap<Reverse<Instant>>);
///
/// let timers = Timers(BinaryHeap::from([Reverse(Instant::now())]));
/// let back: Timers = cucumber::from_bytes(&cucumber::to_bytes(&timers)?)?;
/// assert_eq!(back.0.len(), 1);
/// # Ok::<(), cucumber::Error>(())
/// ```
#[derive(Debug)]
pub struct Turned<A>(PhantomData<fn() -> A>);

impl<T, A: SerializeAs<T>> SerializeAs<Reverse<T>> for Turned<A> {
    fn serialize_as<S: Serializer>(value: &Reverse<T>, serializer: S) -> Result<S::Ok, S::Error> {
        A::serialize_as(&value.0, serializer)
    }
}

impl<'de, T, A: DeserializeAs<'de, T>> DeserializeAs<'de, Reverse<T>> for Turned<A> {
    fn deserialize_as<D: Deserializer<'de>>(deserializer: D) -> Result<Reverse<T>, D::Error> {
        A::deserialize_as(deserializer).map(Reverse)
    }
}
