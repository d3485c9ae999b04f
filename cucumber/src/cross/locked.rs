//! Locks and cells: what is in them crosses, and nobody waits for it.

use std::any::Any;
use std::cell::{OnceCell, RefCell};
use std::marker::PhantomData;
use std::sync::{Condvar, Mutex, OnceLock, RwLock, TryLockError};

use serde::de::Error as _;
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_with::{DeserializeAs, SerializeAs};

use super::Cross;
use super::via::Written;
use crate::graph::{self, Coverage};

/// The adapter of `Mutex`, `RwLock`, `RefCell`, `OnceLock` and `OnceCell`: what is in them, written by `A`.
///
/// A lock that somebody holds just now is an error. Waiting for it would be a deadlock, where the thread that encodes
/// is the one which holds it.
///
/// ```
/// use cucumber::cross::{As, Locked, Same};
/// use std::sync::Mutex;
///
/// #[derive(serde::Serialize, serde::Deserialize)]
/// struct Total(#[serde(with = "As::<Locked<Same>>")] Mutex<u64>);
///
/// let total = Total(Mutex::new(3));
/// let held = total.0.lock().unwrap();
/// let error = cucumber::to_bytes(&total).unwrap_err();
/// assert!(error.to_string().contains("this lock is held"));
/// drop(held);
/// assert!(cucumber::to_bytes(&total).is_ok());
/// ```
#[derive(Debug)]
pub struct Locked<A>(PhantomData<fn() -> A>);

const HELD: &str =
    "this lock is held while its value is sent; end the guard before, or send a copy of what is in it";

fn guarded<G, E: serde::ser::Error>(guard: Result<G, TryLockError<G>>) -> Result<G, E> {
    guard.map_err(|error| match error {
        TryLockError::WouldBlock => E::custom(HELD),
        TryLockError::Poisoned(_) => E::custom(
            "this lock is poisoned: a thread panicked while it held it; `clear_poison()` says that the value is good after all",
        ),
    })
}

impl<T, A: SerializeAs<T>> SerializeAs<Mutex<T>> for Locked<A> {
    fn serialize_as<S: Serializer>(value: &Mutex<T>, serializer: S) -> Result<S::Ok, S::Error> {
        A::serialize_as(&*guarded(value.try_lock())?, serializer)
    }
}

impl<T, A: SerializeAs<T>> SerializeAs<RwLock<T>> for Locked<A> {
    fn serialize_as<S: Serializer>(value: &RwLock<T>, serializer: S) -> Result<S::Ok, S::Error> {
        A::serialize_as(&*guarded(value.try_read())?, serializer)
    }
}

impl<T, A: SerializeAs<T>> SerializeAs<RefCell<T>> for Locked<A> {
    fn serialize_as<S: Serializer>(value: &RefCell<T>, serializer: S) -> Result<S::Ok, S::Error> {
        let value = value.try_borrow().map_err(|_| {
            S::Error::custom("this cell is borrowed while its value is sent; end the `borrow_mut()` before")
        })?;
        A::serialize_as(&*value, serializer)
    }
}

macro_rules! cells {
    ($($cell:ident, |$place:ident, $new:ident| $store:expr;)*) => {$(
        impl<'de, T, A> DeserializeAs<'de, $cell<T>> for Locked<A>
        where
            T: 'static,
            A: DeserializeAs<'de, T>,
        {
            fn deserialize_as<D: Deserializer<'de>>(deserializer: D) -> Result<$cell<T>, D::Error> {
                let value = A::deserialize_as(deserializer)?;
                graph::note_refill::<$cell<T>>(Coverage::Whole, |place: &dyn Any, new: Box<dyn Any>| {
                    if let (Some($place), Ok(new)) = (place.downcast_ref::<$cell<T>>(), new.downcast::<$cell<T>>()) {
                        let mut $new = *new;
                        $store;
                    }
                });
                Ok($cell::new(value))
            }
        }
    )*};
}

cells! {
    Mutex, |place, new| refill_mutex(place, &mut new);
    RwLock, |place, new| refill_rw_lock(place, &mut new);
    RefCell, |place, new| refill_cell(place, &mut new);
}

// A place that its new owner holds already keeps what it has: whoever reads a value knows nothing of it yet, so this is one
// that a `Deserialize` of the user's keeps borrowed for ever.

/// Stores what is in `new` into `place`.
pub(crate) fn refill_mutex<T>(place: &Mutex<T>, new: &mut Mutex<T>) {
    if let (Ok(mut place), Ok(new)) = (place.try_lock(), new.get_mut()) {
        std::mem::swap(&mut *place, new);
    }
}

/// Stores what is in `new` into `place`.
pub(crate) fn refill_rw_lock<T>(place: &RwLock<T>, new: &mut RwLock<T>) {
    if let (Ok(mut place), Ok(new)) = (place.try_write(), new.get_mut()) {
        std::mem::swap(&mut *place, new);
    }
}

/// Stores what is in `new` into `place`.
pub(crate) fn refill_cell<T>(place: &RefCell<T>, new: &mut RefCell<T>) {
    if let Ok(mut place) = place.try_borrow_mut() {
        std::mem::swap(&mut *place, new.get_mut());
    }
}

macro_rules! once {
    ($($cell:ident)*) => {$(
        impl<T, A: SerializeAs<T>> SerializeAs<$cell<T>> for Locked<A> {
            fn serialize_as<S: Serializer>(value: &$cell<T>, serializer: S) -> Result<S::Ok, S::Error> {
                value.get().map(Written::<T, A>::new).serialize(serializer)
            }
        }

        impl<'de, T, A: DeserializeAs<'de, T>> DeserializeAs<'de, $cell<T>> for Locked<A> {
            fn deserialize_as<D: Deserializer<'de>>(deserializer: D) -> Result<$cell<T>, D::Error> {
                let read = || <Option<A> as DeserializeAs<'de, Option<T>>>::deserialize_as(deserializer);
                let (value, lacks) = graph::is_hollow_after(read);
                // One that is full could not be set right later.
                Ok(value?.filter(|_| !lacks).map_or_else($cell::new, $cell::from))
            }
        }
    )*};
}

once! { OnceLock OnceCell }

impl SerializeAs<Condvar> for Cross {
    fn serialize_as<S: Serializer>(_: &Condvar, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_unit()
    }
}

impl<'de> DeserializeAs<'de, Condvar> for Cross {
    fn deserialize_as<D: Deserializer<'de>>(deserializer: D) -> Result<Condvar, D::Error> {
        <()>::deserialize(deserializer).map(|()| Condvar::new()).map_err(D::Error::custom)
    }
}
