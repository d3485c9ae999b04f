//! Shared sets: the keys of a map.

use std::borrow::Borrow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fmt;
use std::hash::{BuildHasher, Hash, RandomState};

use serde::Serialize;

use super::codec;
use super::error::ShareError;
use super::map::{self, MapHandle};
use super::operations::operations;
use super::ordered::{self, OrderedMapHandle};
use super::place::Place;
use super::shareable::{Element, ShareHandle, Shareable};
use crate::shm::view::View;
use crate::shm::writer::Writer;

/// Stands for a shared `HashSet`.
///
/// ```
/// use std::collections::HashSet;
/// use processing::Share;
///
/// let share = Share::new(HashSet::from(["a".to_owned()]))?;
/// assert!(share.insert("b".into()));
/// assert!(!share.insert("b".into()), "it was there");
/// assert!(share.contains("a") && share.remove("a"));
/// assert_eq!(share.len(), 1);
/// # Ok::<(), processing::ShareError>(())
/// ```
pub struct SetHandle<T, S = RandomState>(MapHandle<T, (), S>);

/// Stands for a shared `BTreeSet`.
///
/// ```
/// use std::collections::BTreeSet;
/// use processing::Share;
///
/// let share = Share::new(BTreeSet::from([3, 1]))?;
/// share.insert(2);
/// assert_eq!(share.first(), Some(1));
/// assert_eq!(share.pop_last(), Some(3));
/// # Ok::<(), processing::ShareError>(())
/// ```
pub struct OrderedSetHandle<T>(OrderedMapHandle<T, ()>);

impl<T: Element + Eq + Hash, S: BuildHasher + Default + 'static> SetHandle<T, S> {
    operations! {
        /// Puts `value` in; `true` if it was not there.
        fn insert | try_insert(&self, value: T) -> bool {
            Ok(self.0.try_insert(value, ())?.is_none())
        }

        /// Whether `value` is in the set.
        fn contains | try_contains[Q: Serialize + ?Sized](&self, value: &Q) -> bool where { T: Borrow<Q> } {
            self.0.try_contains_key(value)
        }

        /// Takes `value` out; `true` if it was there.
        fn remove | try_remove[Q: Serialize + ?Sized](&self, value: &Q) -> bool where { T: Borrow<Q> } {
            Ok(self.0.try_remove(value)?.is_some())
        }

        /// Puts all `values` in, as one.
        fn extend | try_extend(&self, values: impl IntoIterator<Item = T>) {
            self.0.try_extend(values.into_iter().map(|value| (value, ())))
        }

        /// Takes everything out.
        fn clear | try_clear(&self) {
            self.0.try_clear()
        }

        /// How many values there are.
        fn len | try_len(&self) -> usize {
            self.0.try_len()
        }

        /// Whether there are none.
        fn is_empty | try_is_empty(&self) -> bool {
            self.0.try_is_empty()
        }

        /// All values, in no order.
        fn to_vec | try_to_vec(&self) -> Vec<T> {
            self.0.try_keys()
        }
    }
}

impl<T: Element + Ord> OrderedSetHandle<T> {
    operations! {
        /// Puts `value` in; `true` if it was not there.
        fn insert | try_insert(&self, value: T) -> bool {
            Ok(self.0.try_insert(value, ())?.is_none())
        }

        /// Whether `value` is in the set.
        fn contains | try_contains[Q: Ord + ?Sized](&self, value: &Q) -> bool where { T: Borrow<Q> } {
            self.0.try_contains_key(value)
        }

        /// Takes `value` out; `true` if it was there.
        fn remove | try_remove[Q: Ord + ?Sized](&self, value: &Q) -> bool where { T: Borrow<Q> } {
            Ok(self.0.try_remove(value)?.is_some())
        }

        /// The least value.
        fn first | try_first(&self) -> Option<T> {
            Ok(self.0.try_first_key_value()?.map(|(value, ())| value))
        }

        /// The greatest value.
        fn last | try_last(&self) -> Option<T> {
            Ok(self.0.try_last_key_value()?.map(|(value, ())| value))
        }

        /// Takes the least value out.
        fn pop_first | try_pop_first(&self) -> Option<T> {
            Ok(self.0.try_pop_first()?.map(|(value, ())| value))
        }

        /// Takes the greatest value out.
        fn pop_last | try_pop_last(&self) -> Option<T> {
            Ok(self.0.try_pop_last()?.map(|(value, ())| value))
        }

        /// Takes everything out.
        fn clear | try_clear(&self) {
            self.0.try_clear()
        }

        /// How many values there are.
        fn len | try_len(&self) -> usize {
            self.0.try_len()
        }

        /// Whether there are none.
        fn is_empty | try_is_empty(&self) -> bool {
            self.0.try_is_empty()
        }

        /// All values, in order.
        fn to_vec | try_to_vec(&self) -> Vec<T> {
            self.0.try_keys()
        }
    }
}

impl<T: Element + Eq + Hash, S: BuildHasher + Default + 'static> ShareHandle for SetHandle<T, S> {
    type Plain = HashSet<T, S>;

    fn place(&self) -> &Place {
        self.0.place()
    }
}

impl<T: Element + Ord> ShareHandle for OrderedSetHandle<T> {
    type Plain = BTreeSet<T>;

    fn place(&self) -> &Place {
        self.0.place()
    }
}

impl<T: Element + Eq + Hash, S: BuildHasher + Default + 'static> Shareable for HashSet<T, S> {
    type Handle = SetHandle<T, S>;

    const WORDS: u64 = <HashMap<T, (), S>>::WORDS;

    fn handle(place: Place) -> SetHandle<T, S> {
        SetHandle(<HashMap<T, (), S>>::handle(place))
    }

    fn load(view: &View<'_>, at: u64) -> Result<HashSet<T, S>, ShareError> {
        Ok(<HashMap<T, (), S>>::load(view, at)?.into_keys().collect())
    }

    fn store(&self, writer: &mut Writer<'_>, at: u64) -> Result<(), ShareError> {
        map::store(writer, at, self.iter().map(|value| Ok((codec::encode(value)?, codec::encode(&())?))))
    }

    fn free(writer: &mut Writer<'_>, at: u64) -> Result<(), ShareError> {
        <HashMap<T, (), S>>::free(writer, at)
    }
}

impl<T: Element + Ord> Shareable for BTreeSet<T> {
    type Handle = OrderedSetHandle<T>;

    const WORDS: u64 = <BTreeMap<T, ()>>::WORDS;

    fn handle(place: Place) -> OrderedSetHandle<T> {
        OrderedSetHandle(<BTreeMap<T, ()>>::handle(place))
    }

    fn load(view: &View<'_>, at: u64) -> Result<BTreeSet<T>, ShareError> {
        Ok(<BTreeMap<T, ()>>::load(view, at)?.into_keys().collect())
    }

    fn store(&self, writer: &mut Writer<'_>, at: u64) -> Result<(), ShareError> {
        ordered::store(writer, at, self.iter().map(|value| (value, &())), |value| self.contains(value))
    }

    fn free(writer: &mut Writer<'_>, at: u64) -> Result<(), ShareError> {
        <BTreeMap<T, ()>>::free(writer, at)
    }
}

impl<T: Element + Eq + Hash, S: BuildHasher + Default + 'static> PartialEq<HashSet<T, S>>
    for SetHandle<T, S>
{
    fn eq(&self, other: &HashSet<T, S>) -> bool {
        self.snapshot() == *other
    }
}

impl<T: Element + Ord> PartialEq<BTreeSet<T>> for OrderedSetHandle<T> {
    fn eq(&self, other: &BTreeSet<T>) -> bool {
        self.snapshot() == *other
    }
}

impl<T, S> fmt::Debug for SetHandle<T, S>
where
    T: Element + Eq + Hash + fmt::Debug,
    S: BuildHasher + Default + 'static,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.snapshot().fmt(f)
    }
}

impl<T: Element + Ord + fmt::Debug> fmt::Debug for OrderedSetHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.snapshot().fmt(f)
    }
}
