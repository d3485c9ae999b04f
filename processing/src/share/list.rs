//! A shared `Vec`.

use std::any::{Any, TypeId};
use std::fmt;
use std::marker::PhantomData;

use super::error::ShareError;
use super::operations::operations;
use super::place::Place;
use super::row::{Ready, Row};
use super::shareable::{Element, ShareHandle, Shareable};
use crate::shm::list::LIST;
use crate::shm::view::View;
use crate::shm::writer::Writer;

/// Stands for a shared `Vec`. Pushing, popping, and reading or replacing one element cost the same however long it is.
///
/// ```
/// use processing::Share;
///
/// let share = Share::new(vec![1, 2])?;
/// share.push(3);
/// assert_eq!(share.get(2), Some(3));
/// assert_eq!(share.change(0, |first| *first += 10), Some(()));
/// assert_eq!(share.pop(), Some(3));
/// assert_eq!(*share, [11, 2]);
/// # Ok::<(), processing::ShareError>(())
/// ```
pub struct ListHandle<T> {
    place: Place,
    element: PhantomData<fn() -> T>,
}

impl<T: Element> ListHandle<T> {
    fn row(at: u64) -> Row<T> {
        Row::new(at)
    }

    operations! {
        /// Adds `value` at the end.
        fn push | try_push(&self, value: T) {
            let value = Row::ready(&value)?;
            self.place.write(|writer, at| Self::row(at).push_back(writer, &value))
        }

        /// Takes the last element.
        fn pop | try_pop(&self) -> Option<T> {
            self.place.write(|writer, at| Self::row(at).pop_back(writer))
        }

        /// Adds all `values` at the end, as one.
        fn extend | try_extend(&self, values: impl IntoIterator<Item = T>) {
            let values: Vec<Ready> = values.into_iter().map(|value| Row::ready(&value)).collect::<Result<_, _>>()?;
            self.place.write(|writer, at| values.iter().try_for_each(|value| Self::row(at).push_back(writer, value)))
        }

        /// The element at `index`.
        fn get | try_get(&self, index: usize) -> Option<T> {
            self.place.read(|view, at| Self::row(at).get(view, index as u64))
        }

        /// The first element.
        fn first | try_first(&self) -> Option<T> {
            self.try_get(0)
        }

        /// The last element.
        fn last | try_last(&self) -> Option<T> {
            self.place.read(|view, at| {
                let len = Self::row(at).len(view)?;
                Self::row(at).get(view, len.wrapping_sub(1))
            })
        }

        /// Replaces the element at `index`; `false` if there is none.
        fn set | try_set(&self, index: usize, value: T) -> bool {
            let value = Row::ready(&value)?;
            self.place.write(|writer, at| Self::row(at).set(writer, index as u64, &value))
        }

        /// Gives `change` the element at `index`, writes back what it makes of it, and returns what it returns.
        fn change | try_change[R](&self, index: usize, change: impl FnOnce(&mut T) -> R) -> Option<R> {
            self.place.transact(|| {
                let Some(mut value) = self.try_get(index)? else { return Ok(None) };
                let result = change(&mut value);
                self.try_set(index, value)?;
                Ok(Some(result))
            })
        }

        /// Puts `value` before the element at `index`, or at the end; `false` if `index` is further out.
        fn insert | try_insert(&self, index: usize, value: T) -> bool {
            let value = Row::ready(&value)?;
            self.place.write(|writer, at| Self::row(at).insert(writer, index as u64, &value))
        }

        /// Takes the element at `index` out; those behind it move up.
        fn remove | try_remove(&self, index: usize) -> Option<T> {
            self.place.write(|writer, at| Self::row(at).remove(writer, index as u64))
        }

        /// Keeps the elements for which `keep` says so.
        fn retain | try_retain(&self, keep: impl FnMut(&T) -> bool) {
            self.try_update(|values| values.retain(keep))
        }

        /// Drops all elements behind the first `len`.
        fn truncate | try_truncate(&self, len: usize) {
            self.place.write(|writer, at| Self::row(at).truncate(writer, len as u64))
        }

        /// Drops all elements.
        fn clear | try_clear(&self) {
            self.place.write(|writer, at| Self::row(at).clear(writer))
        }

        /// How many elements there are.
        fn len | try_len(&self) -> usize {
            self.place.read(|view, at| Ok(Self::row(at).len(view)? as usize))
        }

        /// Whether there are none.
        fn is_empty | try_is_empty(&self) -> bool {
            Ok(self.try_len()? == 0)
        }

        /// All elements.
        fn to_vec | try_to_vec(&self) -> Vec<T> {
            self.try_snapshot()
        }
    }

    /// The elements as they are now, one after the other.
    ///
    /// # Panics
    ///
    /// With a [`ShareError`] as the payload, where [`try_to_vec`](Self::try_to_vec) returns it.
    #[must_use]
    #[track_caller]
    pub fn iter(&self) -> std::vec::IntoIter<T> {
        self.to_vec().into_iter()
    }
}

impl<T: Element + PartialEq> ListHandle<T> {
    operations! {
        /// Whether some element is `value`.
        fn contains | try_contains(&self, value: &T) -> bool {
            Ok(self.try_to_vec()?.contains(value))
        }
    }
}

impl<T: Element + Ord> ListHandle<T> {
    operations! {
        /// Sorts the elements.
        fn sort | try_sort(&self) {
            self.try_update(|values| values.sort())
        }
    }
}

impl<T: Element> ShareHandle for ListHandle<T> {
    type Plain = Vec<T>;

    fn place(&self) -> &Place {
        &self.place
    }
}

impl<T: Element> Shareable for Vec<T> {
    type Handle = ListHandle<T>;

    const WORDS: u64 = LIST / 8;

    fn handle(place: Place) -> ListHandle<T> {
        ListHandle { place, element: PhantomData }
    }

    fn load(view: &View<'_>, at: u64) -> Result<Vec<T>, ShareError> {
        let row = Row::new(at);
        if TypeId::of::<T>() == TypeId::of::<u8>() {
            // Bytes are what they are; one by one they would take their time.
            let bytes: Box<dyn Any> = Box::new(row.bytes(view)?);
            if let Ok(bytes) = bytes.downcast() {
                return Ok(*bytes);
            }
        }
        row.load(view)
    }

    fn store(&self, writer: &mut Writer<'_>, at: u64) -> Result<(), ShareError> {
        if let Some(bytes) = (self as &dyn Any).downcast_ref::<Vec<u8>>() {
            return Row::<u8>::new(at).store_packed(writer, bytes, 1);
        }
        Row::new(at).store(writer, self.iter())
    }

    fn free(writer: &mut Writer<'_>, at: u64) -> Result<(), ShareError> {
        Row::<T>::new(at).clear(writer)
    }
}

impl<T: Element> IntoIterator for &ListHandle<T> {
    type Item = T;
    type IntoIter = std::vec::IntoIter<T>;

    #[track_caller]
    fn into_iter(self) -> std::vec::IntoIter<T> {
        self.iter()
    }
}

/// Comparisons, with whatever a `Vec` can be compared with.
macro_rules! comparisons {
    ($([$($generics:tt)*] $other:ty;)*) => {$(
        impl<T: Element + PartialEq<U>, U, $($generics)*> PartialEq<$other> for ListHandle<T> {
            fn eq(&self, other: &$other) -> bool {
                self.to_vec() == *other
            }
        }
    )*};
}

comparisons! {
    [] Vec<U>;
    [] [U];
    [] &[U];
    [const N: usize] [U; N];
    [const N: usize] &[U; N];
}

impl<T: Element + fmt::Debug> fmt::Debug for ListHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_vec().fmt(f)
    }
}
