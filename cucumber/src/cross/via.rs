//! Which way a field takes: its adapter, serde, or none.
//!
//! A macro sees only how a type is called, and somebody's `Command` may be an enum. So the compiler is asked:
//! `(&&&Via::<A, T>::NEW).serialize(…)` takes the first of three traits that fits, each one reference closer to the receiver
//! than the next.
#![allow(missing_docs, clippy::missing_errors_doc, reason = "called by generated code only")]

use std::marker::PhantomData;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_with::{DeserializeAs, SerializeAs};

use crate::inspect::announce;

/// A value, written by an adapter.
pub(crate) struct Written<'a, T, A>(&'a T, PhantomData<fn() -> A>);

impl<'a, T, A> Written<'a, T, A> {
    pub(crate) fn new(value: &'a T) -> Self {
        Self(value, PhantomData)
    }
}

impl<T, A: SerializeAs<T>> Serialize for Written<'_, T, A> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        A::serialize_as(self.0, serializer)
    }
}

/// The choice for one type.
pub struct Via<A, T>(PhantomData<fn() -> (A, T)>);

impl<A, T> Via<A, T> {
    pub const NEW: Self = Self(PhantomData);
}

impl<A, T> std::fmt::Debug for Via<A, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Via")
    }
}

pub trait WriteAdapted<T> {
    fn serialize<S: Serializer>(&self, value: &T, serializer: S) -> Result<S::Ok, S::Error>;
}

impl<A: SerializeAs<T>, T> WriteAdapted<T> for &&Via<A, T> {
    fn serialize<S: Serializer>(&self, value: &T, serializer: S) -> Result<S::Ok, S::Error> {
        announce::<T>();
        A::serialize_as(value, serializer)
    }
}

pub trait WritePlain<T> {
    fn serialize<S: Serializer>(&self, value: &T, serializer: S) -> Result<S::Ok, S::Error>;
}

impl<A, T: Serialize> WritePlain<T> for &Via<A, T> {
    fn serialize<S: Serializer>(&self, value: &T, serializer: S) -> Result<S::Ok, S::Error> {
        announce::<T>();
        value.serialize(serializer)
    }
}

pub trait WriteNothing<A, T> {
    fn serialize<S: Serializer>(&self, value: &T, serializer: S) -> Result<S::Ok, S::Error>
    where
        T: CrossesBy<A>;
}

impl<A, T> WriteNothing<A, T> for Via<A, T> {
    fn serialize<S: Serializer>(&self, _: &T, _: S) -> Result<S::Ok, S::Error>
    where
        T: CrossesBy<A>,
    {
        Err(serde::ser::Error::custom("nothing implements `CrossesBy`"))
    }
}

pub trait ReadAdapted<'de, T> {
    fn deserialize<D: Deserializer<'de>>(&self, deserializer: D) -> Result<T, D::Error>;
}

impl<'de, A: DeserializeAs<'de, T>, T> ReadAdapted<'de, T> for &&Via<A, T> {
    fn deserialize<D: Deserializer<'de>>(&self, deserializer: D) -> Result<T, D::Error> {
        A::deserialize_as(deserializer)
    }
}

pub trait ReadPlain<'de, T> {
    fn deserialize<D: Deserializer<'de>>(&self, deserializer: D) -> Result<T, D::Error>;
}

impl<'de, A, T: Deserialize<'de>> ReadPlain<'de, T> for &Via<A, T> {
    fn deserialize<D: Deserializer<'de>>(&self, deserializer: D) -> Result<T, D::Error> {
        T::deserialize(deserializer)
    }
}

pub trait ReadNothing<'de, T> {
    fn deserialize<D: Deserializer<'de>>(&self, deserializer: D) -> Result<T, D::Error>;
}

/// Complains about nothing: writing has said it already.
impl<'de, A, T> ReadNothing<'de, T> for Via<A, T> {
    fn deserialize<D: Deserializer<'de>>(&self, _: D) -> Result<T, D::Error> {
        Err(serde::de::Error::custom("nothing implements `CrossesBy`"))
    }
}

/// Nothing implements it; its message is what a user sees whose field cannot cross.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot cross to another process",
    label = "this field's type cannot cross",
    note = "put `#[cucumber]` on each type in it that is yours, or an attribute on the field: `#[serde(skip)]`, `#[serde(with = \"…\")]`"
)]
pub trait CrossesBy<A> {}

/// Stores a field's new content into the field, if it is a cell.
pub struct Place<'a, T>(pub &'a T);

impl<T> std::fmt::Debug for Place<'_, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Place")
    }
}

pub trait RefillCell<T> {
    fn refill(&self, new: &mut T);
}

pub trait RefillNothing<T> {
    fn refill(&self, new: &mut T);
}

impl<T> RefillCell<std::cell::RefCell<T>> for &Place<'_, std::cell::RefCell<T>> {
    fn refill(&self, new: &mut std::cell::RefCell<T>) {
        super::locked::refill_cell(self.0, new);
    }
}

impl<T> RefillCell<std::sync::Mutex<T>> for &Place<'_, std::sync::Mutex<T>> {
    fn refill(&self, new: &mut std::sync::Mutex<T>) {
        super::locked::refill_mutex(self.0, new);
    }
}

impl<T> RefillCell<std::sync::RwLock<T>> for &Place<'_, std::sync::RwLock<T>> {
    fn refill(&self, new: &mut std::sync::RwLock<T>) {
        super::locked::refill_rw_lock(self.0, new);
    }
}

macro_rules! once {
    ($($cell:ty),*) => {$(
        impl<T> RefillCell<$cell> for &Place<'_, $cell> {
            fn refill(&self, new: &mut $cell) {
                if let Some(new) = new.take() {
                    // One that is full was never left out.
                    let _ = self.0.set(new);
                }
            }
        }
    )*};
}

once!(std::cell::OnceCell<T>, std::sync::OnceLock<T>);

impl<T> RefillNothing<T> for Place<'_, T> {
    fn refill(&self, _: &mut T) {}
}

/// Imported whole, and without names, by generated code.
pub mod choosing {
    pub use super::{ReadAdapted as _, ReadNothing as _, ReadPlain as _};
    pub use super::{RefillCell as _, RefillNothing as _};
    pub use super::{WriteAdapted as _, WriteNothing as _, WritePlain as _};
}

/// What never crosses, though serde might have said no more than that: the way out.
pub mod refused {
    macro_rules! refused {
        ($($kind:ident $message:literal, $note:literal;)*) => {$(
            pub mod $kind {
                use serde::Serializer;

                pub use super::super::{ReadNothing as _, ReadPlain as _, WritePlain as _, Via};

                #[diagnostic::on_unimplemented(
                    message = $message,
                    label = "this field cannot cross to another process",
                    note = $note
                )]
                pub trait Crosses {}

                pub trait WriteRefused<T> {
                    fn serialize<S: Serializer>(&self, value: &T, serializer: S) -> Result<S::Ok, S::Error>
                    where
                        T: Crosses;
                }

                impl<A, T> WriteRefused<T> for Via<A, T> {
                    fn serialize<S: Serializer>(&self, _: &T, _: S) -> Result<S::Ok, S::Error>
                    where
                        T: Crosses,
                    {
                        Err(serde::ser::Error::custom("nothing implements `Crosses`"))
                    }
                }
            }
        )*};
    }

    refused! {
        child
            "a `{Self}` is a running process, which has one parent only",
            "send its `Command`, and start it on the other side; or send its streams, such as `ChildStdout`";
        queue
            "a `{Self}` cannot be read without being emptied, and what is in it belongs to this process",
            "send a `VecDeque`, or a `processing::Point` to talk through; or make it anew on the other side: `#[serde(skip)]` in an `Option`";
        thread
            "a `{Self}` is a thread of this process",
            "send a `task!(…)`, and start a thread for it on the other side";
        lazy
            "a `{Self}` is made by a closure of this process, which cannot be asked for what it captured",
            "use a `OnceLock`, which crosses with what is in it; or `#[serde(skip)]`, if the type around it can be made without";
        barrier
            "a `{Self}` does not say for how many threads it is, and threads of another process never reach it",
            "send the number, and make the barrier on the other side; or meet through a `processing::Share`";
    }
}
