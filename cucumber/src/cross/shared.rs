//! `Rc`, `Arc` and `Weak`.

use std::marker::PhantomData;
use std::rc::{self, Rc};
use std::sync::{self, Arc};

use serde::{Deserialize, Deserializer, Serializer};
use serde_with::{DeserializeAs, SerializeAs};

use crate::error::Error;
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

fn referred<'de, T, D>(deserializer: D, read: impl FnOnce(u32) -> Result<T, Error>) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
{
    let number = u32::deserialize(deserializer)?;
    read(number).map_err(|error| serde::de::Error::custom(scope::stash(error)))
}

macro_rules! shared {
    ($($pointer:ident $weak:path;)*) => {$(
        impl<T: 'static, A: SerializeAs<T>> SerializeAs<$pointer<T>> for Shared<A> {
            fn serialize_as<S: Serializer>(value: &$pointer<T>, serializer: S) -> Result<S::Ok, S::Error> {
                if inspect::is_inspecting() {
                    return match inspect::meet::<$pointer<T>>($pointer::as_ptr(value).addr()) {
                        true => A::serialize_as(value, serializer),
                        false => serializer.serialize_unit(),
                    };
                }
                number(graph::write_strong::<_, A>(value), serializer)
            }
        }

        impl<T: 'static, A> SerializeAs<$weak> for Shared<A> {
            fn serialize_as<S: Serializer>(value: &$weak, serializer: S) -> Result<S::Ok, S::Error> {
                if inspect::is_inspecting() {
                    let held = value.upgrade();
                    inspect::meet_weakly::<$pointer<T>>(held.map(|held| $pointer::as_ptr(&held).addr()));
                    return serializer.serialize_unit();
                }
                number(graph::write_weak::<$pointer<T>>(value), serializer)
            }
        }

        impl<'de, T, A> DeserializeAs<'de, $pointer<T>> for Shared<A>
        where
            T: 'static,
            A: for<'a> DeserializeAs<'a, T> + 'static,
        {
            fn deserialize_as<D: Deserializer<'de>>(deserializer: D) -> Result<$pointer<T>, D::Error> {
                referred(deserializer, graph::strong::<$pointer<T>, A>)
            }
        }

        impl<'de, T, A> DeserializeAs<'de, $weak> for Shared<A>
        where
            T: 'static,
            A: for<'a> DeserializeAs<'a, T> + 'static,
        {
            fn deserialize_as<D: Deserializer<'de>>(deserializer: D) -> Result<$weak, D::Error> {
                referred(deserializer, graph::weak::<$pointer<T>, A>)
            }
        }
    )*};
}

shared! {
    Rc rc::Weak<T>;
    Arc sync::Weak<T>;
}

/// Text that cannot change is as good copied.
macro_rules! text {
    ($($pointer:ident)*) => {$(
        impl<A> SerializeAs<$pointer<str>> for Shared<A> {
            fn serialize_as<S: Serializer>(value: &$pointer<str>, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(value)
            }
        }

        impl<'de, A> DeserializeAs<'de, $pointer<str>> for Shared<A> {
            fn deserialize_as<D: Deserializer<'de>>(deserializer: D) -> Result<$pointer<str>, D::Error> {
                String::deserialize(deserializer).map($pointer::from)
            }
        }
    )*};
}

text! { Rc Arc }
