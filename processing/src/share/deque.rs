//! A shared `VecDeque`.

use std::collections::VecDeque;
use std::fmt;
use std::marker::PhantomData;

use super::error::ShareError;
use super::operations::operations;
use super::place::Place;
use super::row::Row;
use super::shareable::{Element, ShareHandle, Shareable};
use crate::shm::list::LIST;
use crate::shm::view::View;
use crate::shm::writer::Writer;

/// Stands for a shared `VecDeque`: a queue that any process may feed and any process may empty.
///
/// ```
/// use std::collections::VecDeque;
/// use processing::Share;
///
/// let share = Share::new(VecDeque::from(["b".to_owned()]))?;
/// share.push_front("a".into());
/// share.push_back("c".into());
/// assert_eq!(share.pop_front().as_deref(), Some("a"));
/// assert_eq!(share.len(), 2);
/// # Ok::<(), processing::ShareError>(())
/// ```
pub struct DequeHandle<T> {
    place: Place,
    element: PhantomData<fn() -> T>,
}

impl<T: Element> DequeHandle<T> {
    fn row(at: u64) -> Row<T> {
        Row::new(at)
    }

    operations! {
        /// Adds `value` at the back.
        fn push_back | try_push_back(&self, value: T) {
            let value = Row::ready(&value)?;
            self.place.write(|writer, at| Self::row(at).push_back(writer, &value))
        }

        /// Adds `value` at the front.
        fn push_front | try_push_front(&self, value: T) {
            let value = Row::ready(&value)?;
            self.place.write(|writer, at| Self::row(at).push_front(writer, &value))
        }

        /// Takes the first element. Of several who take at once, each gets another one.
        fn pop_front | try_pop_front(&self) -> Option<T> {
            self.place.write(|writer, at| Self::row(at).pop_front(writer))
        }

        /// Takes the last element.
        fn pop_back | try_pop_back(&self) -> Option<T> {
            self.place.write(|writer, at| Self::row(at).pop_back(writer))
        }

        /// The element at `index`.
        fn get | try_get(&self, index: usize) -> Option<T> {
            self.place.read(|view, at| Self::row(at).get(view, index as u64))
        }

        /// The first element.
        fn front | try_front(&self) -> Option<T> {
            self.try_get(0)
        }

        /// The last element.
        fn back | try_back(&self) -> Option<T> {
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
    }

    /// The elements as they are now, one after the other.
    ///
    /// # Panics
    ///
    /// With a [`ShareError`] as the payload, when the share is stopped or corrupt.
    #[must_use]
    #[track_caller]
    pub fn iter(&self) -> std::collections::vec_deque::IntoIter<T> {
        self.snapshot().into_iter()
    }
}

impl<T: Element> ShareHandle for DequeHandle<T> {
    type Plain = VecDeque<T>;

    fn place(&self) -> &Place {
        &self.place
    }
}

impl<T: Element> Shareable for VecDeque<T> {
    type Handle = DequeHandle<T>;

    const WORDS: u64 = LIST / 8;

    fn handle(place: Place) -> DequeHandle<T> {
        DequeHandle { place, element: PhantomData }
    }

    fn load(view: &View<'_>, at: u64) -> Result<VecDeque<T>, ShareError> {
        Row::new(at).load(view)
    }

    fn store(&self, writer: &mut Writer<'_>, at: u64) -> Result<(), ShareError> {
        Row::new(at).store(writer, self.iter())
    }

    fn free(writer: &mut Writer<'_>, at: u64) -> Result<(), ShareError> {
        Row::<T>::new(at).clear(writer)
    }
}

impl<T: Element> IntoIterator for &DequeHandle<T> {
    type Item = T;
    type IntoIter = std::collections::vec_deque::IntoIter<T>;

    #[track_caller]
    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<T: Element + PartialEq> PartialEq<VecDeque<T>> for DequeHandle<T> {
    fn eq(&self, other: &VecDeque<T>) -> bool {
        self.snapshot() == *other
    }
}

impl<T: Element + fmt::Debug> fmt::Debug for DequeHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.snapshot().fmt(f)
    }
}
