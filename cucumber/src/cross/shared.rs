//! `Rc`, `Arc` and `Weak`.

use std::fmt;
use std::marker::PhantomData;
use std::path::Path;
use std::rc::{self, Rc};
use std::sync::{self, Arc};

use serde::de::Visitor;
use serde::{Deserialize, Deserializer, Serializer};
use serde_with::{DeserializeAs, SerializeAs};

use super::Cross;
use super::via::Written;
use crate::error::Error;
use crate::graph::Pointer;
use crate::live::MARK;
use crate::{graph, inspect, scope};

/// The adapter of `Rc`, `Arc` and their `Weak`: what several hold is one value on the other side, too.
///
/// `A` is the adapter of what they hold; [`Same`](super::Same) if that needs none.
///
/// ```
/// use cucumber::cross::{As, Same, Shared};
/// use std::sync::Arc;
///
/// #[derive(serde::Serialize, serde::Deserialize)]
/// struct Pair(
///     #[serde(with = "As::<Shared<Same>>")] Arc<String>,
///     #[serde(with = "As::<Shared<Same>>")] Arc<String>,
/// );
///
/// let name = Arc::new("Ada".to_owned());
/// let bytes = cucumber::to_bytes(&Pair(name.clone(), name))?;
/// let back: Pair = cucumber::from_bytes(&bytes)?;
/// assert!(Arc::ptr_eq(&back.0, &back.1));
/// # Ok::<(), cucumber::Error>(())
/// ```
#[derive(Debug)]
pub struct Shared<A>(PhantomData<fn() -> A>);

fn number<S: Serializer>(number: Result<u32, Error>, serializer: S) -> Result<S::Ok, S::Error> {
    match number {
        Ok(number) => serializer.serialize_u32(number),
        Err(error) => Err(serde::ser::Error::custom(scope::stash(error))),
    }
}

/// What a shared value is referred to by. Marked as a live resource is, so that its place is noted.
struct Number(u32);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct(MARK, NumberVisitor)
    }
}

struct NumberVisitor;

impl<'de> Visitor<'de> for NumberVisitor {
    type Value = Number;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the number of a shared value")
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Number, D::Error> {
        u32::deserialize(deserializer).map(Number)
    }
}

fn referred<'de, T, D>(deserializer: D, read: impl FnOnce(u32) -> Result<T, Error>) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
{
    let Number(number) = Number::deserialize(deserializer)?;
    read(number).map_err(|error| serde::de::Error::custom(scope::stash(error)))
}

/// The pointers to some kinds of targets, each written by the adapter behind `by`.
macro_rules! shared {
    ($([$($param:tt)*] $pointer:ty, $weak:ty, by $by:ty;)*) => {$(
        impl<$($param)* A> SerializeAs<$pointer> for Shared<A>
        where
            $by: SerializeAs<<$pointer as Pointer>::Target>,
        {
            fn serialize_as<S: Serializer>(value: &$pointer, serializer: S) -> Result<S::Ok, S::Error> {
                if inspect::is_inspecting() {
                    return match inspect::meet::<$pointer>(value.address()) {
                        true => <$by>::serialize_as(value.target(), serializer),
                        false => serializer.serialize_unit(),
                    };
                }
                number(graph::write_strong::<_, $by>(value), serializer)
            }
        }

        impl<$($param)* A> SerializeAs<$weak> for Shared<A> {
            fn serialize_as<S: Serializer>(value: &$weak, serializer: S) -> Result<S::Ok, S::Error> {
                if inspect::is_inspecting() {
                    let held = value.upgrade();
                    inspect::meet_weakly::<$pointer>(held.map(|held| held.address()));
                    return serializer.serialize_unit();
                }
                number(graph::write_weak::<$pointer>(value), serializer)
            }
        }

        impl<'de, $($param)* A> DeserializeAs<'de, $pointer> for Shared<A>
        where
            $by: for<'a> DeserializeAs<'a, <$pointer as Pointer>::Content> + 'static,
        {
            fn deserialize_as<D: Deserializer<'de>>(deserializer: D) -> Result<$pointer, D::Error> {
                referred(deserializer, graph::strong::<$pointer, $by>)
            }
        }

        impl<'de, $($param)* A> DeserializeAs<'de, $weak> for Shared<A>
        where
            $by: for<'a> DeserializeAs<'a, <$pointer as Pointer>::Content> + 'static,
        {
            fn deserialize_as<D: Deserializer<'de>>(deserializer: D) -> Result<$weak, D::Error> {
                referred(deserializer, graph::weak::<$pointer, $by>)
            }
        }
    )*};
}

shared! {
    [T: 'static,] Rc<T>, rc::Weak<T>, by A;
    [T: 'static,] Arc<T>, sync::Weak<T>, by A;
    [T: 'static,] Rc<[T]>, rc::Weak<[T]>, by A;
    [T: 'static,] Arc<[T]>, sync::Weak<[T]>, by A;
    [] Rc<str>, rc::Weak<str>, by A;
    [] Arc<str>, sync::Weak<str>, by A;
    // serde has no way for a path that is not text, so no adapter is asked.
    [] Rc<Path>, rc::Weak<Path>, by Cross;
    [] Arc<Path>, sync::Weak<Path>, by Cross;
}

/// The adapter of what an `Arc<[T]>` or `Rc<[T]>` holds, where its elements are written by `A`.
#[derive(Debug)]
pub struct Slice<A>(PhantomData<fn() -> A>);

impl<T, A: SerializeAs<T>> SerializeAs<[T]> for Slice<A> {
    fn serialize_as<S: Serializer>(value: &[T], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(value.iter().map(Written::<T, A>::new))
    }
}

impl<'de, T, A: DeserializeAs<'de, T>> DeserializeAs<'de, Vec<T>> for Slice<A> {
    fn deserialize_as<D: Deserializer<'de>>(deserializer: D) -> Result<Vec<T>, D::Error> {
        <Vec<A> as DeserializeAs<'de, Vec<T>>>::deserialize_as(deserializer)
    }
}
