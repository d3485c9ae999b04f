//! What can be shared, and how it is laid out.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::error::{ShareError, raise};
use super::place::Place;
use crate::shm::view::View;
use crate::shm::writer::Writer;

/// A type whose values can live in a [`Share`](crate::Share).
///
/// Derive it for your own structs and enums; numbers, `bool`, `char`, `String`, `Option`, the collections, tuples and
/// arrays have it. A type that only has serde's traits goes in as one value: with `#[shareable(value)]` on the field,
/// or wrapped in [`Plain`](crate::share::Plain).
///
/// ```
/// use processing::{Share, Shareable};
///
/// #[derive(Shareable, Default)]
/// struct Stock { apples: u32, names: Vec<String> }
///
/// let mut share = Share::new(Stock::default())?;
/// share.apples += 3;
/// share.names.push("Ada".into());
/// assert_eq!(share.apples, 3);
/// # Ok::<(), processing::ShareError>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be shared",
    label = "not `Shareable`",
    note = "add `#[derive(Shareable)]` to the type, or, if it has serde's traits, `#[shareable(value)]` to the field"
)]
pub trait Shareable: Sized + 'static {
    /// What stands for a value in the share.
    type Handle: ShareHandle<Plain = Self>;

    /// How many words the value takes in place.
    #[doc(hidden)]
    const WORDS: u64;

    /// The handle for the value at `place`.
    #[doc(hidden)]
    fn handle(place: Place) -> Self::Handle;

    /// The value at `at`.
    #[doc(hidden)]
    fn load(view: &View<'_>, at: u64) -> Result<Self, ShareError>;

    /// Puts the value in the place of what is at `at`: another value, or zeroes.
    #[doc(hidden)]
    fn store(&self, writer: &mut Writer<'_>, at: u64) -> Result<(), ShareError>;

    /// Frees what belongs to the value at `at`, and leaves zeroes.
    #[doc(hidden)]
    fn free(writer: &mut Writer<'_>, at: u64) -> Result<(), ShareError>;
}

/// What stands for a value in a share: the methods that all handles have.
///
/// Each of them is one atomic operation, or part of the transaction that the calling thread is in.
///
/// ```
/// use processing::{Share, ShareHandle};
///
/// let share = Share::new((1_u32, String::from("one")))?;
/// assert_eq!(share.snapshot(), (1, "one".into()));
/// share.assign((2, "two".into()));
/// let before = share.update(|pair| std::mem::replace(&mut pair.0, 3));
/// assert_eq!((before, share.snapshot()), (2, (3, "two".into())));
/// # Ok::<(), processing::ShareError>(())
/// ```
pub trait ShareHandle: Sized {
    /// The type whose values this handle stands for.
    type Plain: Shareable<Handle = Self>;

    /// Where the value is.
    #[doc(hidden)]
    fn place(&self) -> &Place;

    /// The value as it is now, all of it at one instant.
    ///
    /// # Panics
    ///
    /// With a [`ShareError`] as the payload, where [`try_snapshot`](ShareHandle::try_snapshot) returns it.
    #[track_caller]
    fn snapshot(&self) -> Self::Plain {
        self.try_snapshot().unwrap_or_else(raise)
    }

    /// Like [`snapshot`](ShareHandle::snapshot).
    ///
    /// # Errors
    ///
    /// When the share is stopped or corrupt.
    fn try_snapshot(&self) -> Result<Self::Plain, ShareError> {
        self.place().read(Self::Plain::load)
    }

    /// Replaces the value.
    ///
    /// # Panics
    ///
    /// With a [`ShareError`] as the payload, where [`try_assign`](ShareHandle::try_assign) returns it.
    #[track_caller]
    fn assign(&self, value: Self::Plain) {
        self.try_assign(value).unwrap_or_else(raise);
    }

    /// Like [`assign`](ShareHandle::assign).
    ///
    /// # Errors
    ///
    /// When the share is stopped, full or corrupt, or the value cannot be encoded.
    fn try_assign(&self, value: Self::Plain) -> Result<(), ShareError> {
        self.place().write(|writer, at| value.store(writer, at))
    }

    /// Gives `change` the value as plain data, writes back what it makes of it, and returns what it returns; nobody can
    /// come between. If it panics nothing is changed.
    ///
    /// # Panics
    ///
    /// With a [`ShareError`] as the payload, where [`try_update`](ShareHandle::try_update) returns it.
    #[track_caller]
    fn update<R>(&self, change: impl FnOnce(&mut Self::Plain) -> R) -> R {
        self.try_update(change).unwrap_or_else(raise)
    }

    /// Like [`update`](ShareHandle::update).
    ///
    /// # Errors
    ///
    /// When the share is stopped, full or corrupt, or the value cannot be encoded.
    fn try_update<R>(&self, change: impl FnOnce(&mut Self::Plain) -> R) -> Result<R, ShareError> {
        self.place().transact(|| {
            let mut value = self.try_snapshot()?;
            let result = change(&mut value);
            self.try_assign(value)?;
            Ok(result)
        })
    }
}

/// What an element of a shared collection needs: serde's traits.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be an element of a shared collection",
    note = "elements need `serde::Serialize` and `serde::Deserialize`"
)]
pub trait Element: Serialize + DeserializeOwned + 'static {}

impl<T: Serialize + DeserializeOwned + 'static> Element for T {}
