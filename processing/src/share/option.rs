//! A shared `Option`.

use std::fmt;
use std::marker::PhantomData;

use super::codec;
use super::error::ShareError;
use super::operations::operations;
use super::place::Place;
use super::shareable::{Element, ShareHandle, Shareable};
use crate::shm::view::View;
use crate::shm::writer::Writer;

/// Stands for a shared `Option` of any serde type.
///
/// ```
/// use processing::Share;
///
/// let share = Share::new(None::<String>)?;
/// share.set(Some("here".into()));
/// assert!(share.is_some());
/// assert_eq!(share.take(), Some("here".into()));
/// assert_eq!(*share, None);
/// # Ok::<(), processing::ShareError>(())
/// ```
pub struct OptionHandle<T> {
    place: Place,
    value: PhantomData<fn() -> T>,
}

impl<T: Element> OptionHandle<T> {
    operations! {
        /// The value.
        fn get | try_get(&self) -> Option<T> {
            self.try_snapshot()
        }

        /// Assigns `value`.
        fn set | try_set(&self, value: Option<T>) {
            self.try_assign(value)
        }

        /// Assigns `value` and returns what was there.
        fn replace | try_replace(&self, value: T) -> Option<T> {
            let value = Some(value);
            self.place.transact(|| {
                let before = self.try_get()?;
                self.try_assign(value)?;
                Ok(before)
            })
        }

        /// Takes the value out: there is none afterwards. Of several who take at once, one gets it.
        fn take | try_take(&self) -> Option<T> {
            self.place.transact(|| {
                let before = self.try_get()?;
                self.try_assign(None)?;
                Ok(before)
            })
        }

        /// Whether there is a value.
        fn is_some | try_is_some(&self) -> bool {
            self.place.read(|view, at| Ok(view.is_filled(at)?))
        }

        /// Whether there is none.
        fn is_none | try_is_none(&self) -> bool {
            Ok(!self.try_is_some()?)
        }

        /// The value; if there is none yet, what `make` makes, which runs at most once among all processes.
        fn get_or_insert_with | try_get_or_insert_with(&self, make: impl FnOnce() -> T) -> T {
            self.place.transact(|| {
                if let Some(value) = self.try_get()? {
                    return Ok(value);
                }
                let value = Some(make());
                self.place.write(|writer, at| value.store(writer, at))?;
                value.ok_or_else(|| ShareError::value("no value"))
            })
        }
    }
}

impl<T: Element> ShareHandle for OptionHandle<T> {
    type Plain = Option<T>;

    fn place(&self) -> &Place {
        &self.place
    }
}

impl<T: Element> Shareable for Option<T> {
    type Handle = OptionHandle<T>;

    const WORDS: u64 = 2;

    fn handle(place: Place) -> OptionHandle<T> {
        OptionHandle { place, value: PhantomData }
    }

    fn load(view: &View<'_>, at: u64) -> Result<Option<T>, ShareError> {
        view.slot(at)?.map(|bytes| codec::decode(&bytes)).transpose()
    }

    fn store(&self, writer: &mut Writer<'_>, at: u64) -> Result<(), ShareError> {
        match self {
            Some(value) => {
                let encoded = codec::encode(value)?;
                Ok(writer.set_slot(at, &encoded)?)
            }
            None => Ok(writer.clear_slot(at)?),
        }
    }

    fn free(writer: &mut Writer<'_>, at: u64) -> Result<(), ShareError> {
        Ok(writer.clear_slot(at)?)
    }
}

impl<T: Element + PartialEq> PartialEq<Option<T>> for OptionHandle<T> {
    fn eq(&self, other: &Option<T>) -> bool {
        self.get() == *other
    }
}

impl<T: Element + fmt::Debug> fmt::Debug for OptionHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.get().fmt(f)
    }
}
