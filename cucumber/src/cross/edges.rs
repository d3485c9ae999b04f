//! Fields by which shared values refer to each other: the ones that close a circle.

use std::any::Any;
use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{SeqAccess, Visitor};
use serde::{Deserializer, Serializer};
use serde_with::{DeserializeAs, SerializeAs};

use crate::error::{Error, Result as Outcome};
use crate::frame::Codec;
use crate::graph::{self, Coverage, Part};
use crate::inspect;
use crate::scope::{self, Handling};

/// What has fields that are cells, through which a circle of `Rc` or `Arc` may run; `#[cucumber]` implements it.
pub trait Graph: Sized + 'static {
    /// How many there are: in an enum, of the variant that it is.
    fn cells(&self) -> usize;

    /// Stores what `new` has in its cells into those of `self`.
    fn refill(&self, new: Self);
}

/// The adapter of a field that may hold its owner, by way of others: `RefCell<Option<Rc<Node>>>`, `Vec<Arc<Mutex<Node>>>`.
///
/// `A` writes the field. `Owner` is the struct or enum, if the field is a cell, and `()` if it is not; then the struct has to be in one.
/// While the owner is not there yet, the field has its default, which is nothing but the beginning of its way to what it was.
#[derive(Debug)]
pub struct Edges<A, Owner = ()>(PhantomData<fn() -> (A, Owner)>);

/// Who owns a field: nobody that could set it right later, or a [`Graph`].
pub trait Owner {
    #[doc(hidden)]
    fn watch<R>(read: impl FnOnce() -> R) -> R;
}

impl Owner for () {
    fn watch<R>(read: impl FnOnce() -> R) -> R {
        read()
    }
}

impl<T: Graph> Owner for T {
    fn watch<R>(read: impl FnOnce() -> R) -> R {
        let count: fn(&dyn Any) -> usize = |value| value.downcast_ref::<T>().map_or(0, Graph::cells);
        graph::note_refill::<T>(Coverage::Cells(count), |place, new| {
            if let (Some(place), Ok(new)) = (place.downcast_ref::<T>(), new.downcast::<T>()) {
                place.refill(*new);
            }
        });
        graph::watch::<T, R>(read)
    }
}

/// The adapter of a cell in `Owner`, written by `A`, in which references may be hidden.
#[derive(Debug)]
pub struct Refilled<A, Owner>(PhantomData<fn() -> (A, Owner)>);

impl<T, A: SerializeAs<T>, O> SerializeAs<T> for Refilled<A, O> {
    fn serialize_as<S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
        A::serialize_as(value, serializer)
    }
}

impl<'de, T, A: DeserializeAs<'de, T>, O: Owner> DeserializeAs<'de, T> for Refilled<A, O> {
    fn deserialize_as<D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
        O::watch(|| A::deserialize_as(deserializer))
    }
}

impl<T: Default, A: SerializeAs<T>, O> SerializeAs<T> for Edges<A, O> {
    fn serialize_as<S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
        if inspect::is_inspecting() {
            inspect::announce_bytes();
            return A::serialize_as(value, serializer);
        }
        // In bytes of its own, so that a reader who cannot finish it yet knows where it ends.
        let (codec, mut bytes) = crate::ser::part(&Part::<_, A>::new(value))
            .map_err(|error| serde::ser::Error::custom(scope::stash(error)))?;
        bytes.push(codec as u8);
        serializer.serialize_bytes(&bytes)
    }
}

impl<'de, T, A, O> DeserializeAs<'de, T> for Edges<A, O>
where
    T: Default,
    A: for<'a> DeserializeAs<'a, T>,
    O: Owner,
{
    fn deserialize_as<D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
        let bytes = deserializer.deserialize_bytes(Bytes)?;
        if scope::handling() == Handling::Masked {
            return Ok(T::default());
        }
        let value = O::watch(|| read_now::<T, A>(&bytes));
        value.map_err(|error| serde::de::Error::custom(scope::stash(error)))
    }
}

fn read_now<T, A>(bytes: &[u8]) -> Outcome<T>
where
    T: Default,
    A: for<'a> DeserializeAs<'a, T>,
{
    let (codec, bytes) = match bytes.split_last() {
        Some((1, bytes)) => (Codec::Postcard, bytes),
        Some((2, bytes)) => (Codec::MessagePack, bytes),
        _ => return Err(Error::malformed("a field that refers to shared values is in no known codec")),
    };
    let value = graph::read::<T, A>(codec, bytes);
    // Whoever reads nothing around it, or reads it for the second time, will not come back to it.
    if value.is_err() && graph::has_cycle() && graph::is_within() {
        graph::hollow();
        return Ok(T::default());
    }
    value
}

struct Bytes;

impl<'de> Visitor<'de> for Bytes {
    // A field holds all that is deeper, so a copy at each level would be many times what came.
    type Value = Cow<'de, [u8]>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the bytes of a field that refers to shared values")
    }

    fn visit_borrowed_bytes<E>(self, bytes: &'de [u8]) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(bytes))
    }

    fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Self::Value, E> {
        Ok(Cow::Owned(bytes.to_vec()))
    }

    fn visit_byte_buf<E>(self, bytes: Vec<u8>) -> Result<Self::Value, E> {
        Ok(Cow::Owned(bytes))
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut elements: S) -> Result<Self::Value, S::Error> {
        let mut bytes = Vec::new();
        while let Some(byte) = elements.next_element()? {
            bytes.push(byte);
        }
        Ok(Cow::Owned(bytes))
    }
}
