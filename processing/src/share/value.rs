//! Any serde type, kept as one encoded value.

use std::fmt;
use std::marker::PhantomData;
use std::ops::{
    AddAssign, BitAndAssign, BitOrAssign, BitXorAssign, Deref, DerefMut, DivAssign, MulAssign, RemAssign,
    ShlAssign, ShrAssign, SubAssign,
};

use super::codec;
use super::error::{ShareError, raise};
use super::operations::operations;
use super::place::Place;
use super::shareable::{Element, ShareHandle, Shareable};
use crate::shm::fault::Fault;
use crate::shm::view::View;
use crate::shm::writer::Writer;

/// Makes any serde type [`Shareable`], as one value that is read and replaced whole.
///
/// On a field, `#[shareable(value)]` does the same without the wrapper.
///
/// ```
/// use processing::{Share, share::Plain};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Serialize, Deserialize, Clone, PartialEq, Debug)]
/// enum Mode { Fast, Careful { retries: u32 } }
///
/// let share = Share::new(Plain(Mode::Fast))?;
/// share.set(Mode::Careful { retries: 3 });
/// assert_eq!(share.get(), Mode::Careful { retries: 3 });
/// # Ok::<(), processing::ShareError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Plain<T>(pub T);

impl<T> Deref for Plain<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> DerefMut for Plain<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

/// Stands for a shared value of any serde type.
///
/// ```
/// use std::time::Duration;
/// use processing::{Share, share::Plain};
///
/// let mut share = Share::new(Plain(Duration::from_secs(1)))?;
/// *share += Duration::from_secs(2);
/// assert_eq!(*share, Duration::from_secs(3));
/// # Ok::<(), processing::ShareError>(())
/// ```
///
/// `P` is the shareable type it belongs to: [`Plain`], or `T` itself where that is [`Shareable`].
pub struct ValueHandle<T, P = Plain<T>> {
    place: Place,
    value: PhantomData<fn() -> (T, P)>,
}

impl<T: Element, P> ValueHandle<T, P> {
    operations! {
        /// The value.
        fn get | try_get(&self) -> T {
            self.place.read(load)
        }

        /// Assigns `value`.
        fn set | try_set(&self, value: T) {
            let encoded = codec::encode(&value)?;
            self.place.write(|writer, at| Ok(writer.set_slot(at, &encoded)?))
        }

        /// Assigns `value` and returns what was there.
        fn replace | try_replace(&self, value: T) -> T {
            self.try_change(|before| std::mem::replace(before, value))
        }

        /// Gives `change` the value, writes back what it makes of it, and returns what it returns.
        fn change | try_change[R](&self, change: impl FnOnce(&mut T) -> R) -> R {
            self.place.transact(|| {
                let mut value = self.try_get()?;
                let result = change(&mut value);
                self.try_set(value)?;
                Ok(result)
            })
        }
    }
}

/// The encoded value at `at`.
pub(crate) fn load<T: Element>(view: &View<'_>, at: u64) -> Result<T, ShareError> {
    match view.slot(at)? {
        Some(bytes) => codec::decode(&bytes),
        None => {
            view.check()?;
            Err(Fault::Corrupt("a value that is missing").into())
        }
    }
}

/// Puts an encoded value in the place of the one at `at`.
pub(crate) fn store<T: Element>(value: &T, writer: &mut Writer<'_>, at: u64) -> Result<(), ShareError> {
    let encoded = codec::encode(value)?;
    Ok(writer.set_slot(at, &encoded)?)
}

impl<T: Element, P: Shareable<Handle = ValueHandle<T, P>>> ShareHandle for ValueHandle<T, P> {
    type Plain = P;

    fn place(&self) -> &Place {
        &self.place
    }
}

impl<T: Element> Shareable for Plain<T> {
    type Handle = ValueHandle<T>;

    const WORDS: u64 = 2;

    fn handle(place: Place) -> ValueHandle<T> {
        ValueHandle { place, value: PhantomData }
    }

    fn load(view: &View<'_>, at: u64) -> Result<Plain<T>, ShareError> {
        load(view, at).map(Plain)
    }

    fn store(&self, writer: &mut Writer<'_>, at: u64) -> Result<(), ShareError> {
        store(&self.0, writer, at)
    }

    fn free(writer: &mut Writer<'_>, at: u64) -> Result<(), ShareError> {
        Ok(writer.clear_slot(at)?)
    }
}

/// The operators that the plain type has.
macro_rules! operators {
    ($($trait:ident::$method:ident)*) => {$(
        impl<T: Element + $trait<R>, P, R> $trait<R> for ValueHandle<T, P> {
            #[track_caller]
            fn $method(&mut self, other: R) {
                self.try_change(|value| value.$method(other)).unwrap_or_else(raise);
            }
        }
    )*};
}

operators! {
    AddAssign::add_assign
    SubAssign::sub_assign
    MulAssign::mul_assign
    DivAssign::div_assign
    RemAssign::rem_assign
    BitAndAssign::bitand_assign
    BitOrAssign::bitor_assign
    BitXorAssign::bitxor_assign
    ShlAssign::shl_assign
    ShrAssign::shr_assign
}

impl<T: Element + PartialEq, P> PartialEq<T> for ValueHandle<T, P> {
    fn eq(&self, other: &T) -> bool {
        self.get() == *other
    }
}

impl<T: Element + PartialOrd, P> PartialOrd<T> for ValueHandle<T, P> {
    fn partial_cmp(&self, other: &T) -> Option<std::cmp::Ordering> {
        self.get().partial_cmp(other)
    }
}

impl<T: Element + fmt::Display, P> fmt::Display for ValueHandle<T, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.get().fmt(f)
    }
}

impl<T: Element + fmt::Debug, P> fmt::Debug for ValueHandle<T, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.get().fmt(f)
    }
}

/// Types of the standard library that have serde's traits: shared as one value each.
macro_rules! values {
    ($($type:ty)*) => {$(
        impl Shareable for $type {
            type Handle = ValueHandle<$type, $type>;

            const WORDS: u64 = 2;

            fn handle(place: Place) -> Self::Handle {
                ValueHandle { place, value: PhantomData }
            }

            fn load(view: &View<'_>, at: u64) -> Result<$type, ShareError> {
                load(view, at)
            }

            fn store(&self, writer: &mut Writer<'_>, at: u64) -> Result<(), ShareError> {
                store(self, writer, at)
            }

            fn free(writer: &mut Writer<'_>, at: u64) -> Result<(), ShareError> {
                Ok(writer.clear_slot(at)?)
            }
        }
    )*};
}

values! {
    std::time::Duration std::time::SystemTime std::path::PathBuf
    std::net::IpAddr std::net::Ipv4Addr std::net::Ipv6Addr
    std::net::SocketAddr std::net::SocketAddrV4 std::net::SocketAddrV6
    std::num::NonZeroU8 std::num::NonZeroU16 std::num::NonZeroU32 std::num::NonZeroU64 std::num::NonZeroUsize
    std::num::NonZeroI8 std::num::NonZeroI16 std::num::NonZeroI32 std::num::NonZeroI64 std::num::NonZeroIsize
}
