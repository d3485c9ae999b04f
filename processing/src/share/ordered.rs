//! A shared `BTreeMap`.

use std::borrow::Borrow;
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;
use std::ops::{Bound, RangeBounds};

use super::codec;
use super::error::ShareError;
use super::operations::operations;
use super::place::Place;
use super::shareable::{Element, ShareHandle, Shareable};
use crate::shm::fault::Fault;
use crate::shm::ordered::{Node, ORDERED, Ordered, Spot};
use crate::shm::view::View;
use crate::shm::writer::Writer;

/// Stands for a shared `BTreeMap`. Finding an entry takes a number of steps that grows with the logarithm of their
/// count.
///
/// ```
/// use std::collections::BTreeMap;
/// use processing::Share;
///
/// let share = Share::new(BTreeMap::from([(3, "three".to_owned())]))?;
/// share.insert(1, "one".into());
/// assert_eq!(share.first_key_value(), Some((1, "one".into())));
/// assert_eq!(share.range(2..), [(3, "three".into())]);
/// assert_eq!(share.pop_first(), Some((1, "one".into())));
/// # Ok::<(), processing::ShareError>(())
/// ```
pub struct OrderedMapHandle<K, V> {
    place: Place,
    entry: PhantomData<fn() -> (K, V)>,
}

fn key_of<K: Element>(view: &View<'_>, node: Node) -> Result<K, ShareError> {
    codec::decode(&node.key(view)?)
}

fn value_of<V: Element>(view: &View<'_>, node: Node) -> Result<V, ShareError> {
    codec::decode(&node.value(view)?.ok_or(Fault::Corrupt("value that is missing"))?)
}

fn spot_of<K: Element + Ord + Borrow<Q>, Q: Ord + ?Sized>(
    view: &View<'_>,
    at: u64,
    key: &Q,
) -> Result<Spot, ShareError> {
    Ordered::new(at).find(view, |other| Ok::<_, ShareError>(codec::decode::<K>(other)?.borrow().cmp(key)))
}

impl<K: Element + Ord, V: Element> OrderedMapHandle<K, V> {
    operations! {
        /// Gives `key` the value `value`; returns the one it had.
        fn insert | try_insert(&self, key: K, value: V) -> Option<V> {
            let (bytes, value) = (codec::encode(&key)?, codec::encode(&value)?);
            self.place.write(|writer, at| {
                let spot = spot_of::<K, K>(writer, at, &key)?;
                match spot.entry {
                    Some(entry) => {
                        let before = value_of(writer, entry)?;
                        entry.set_value(writer, &value)?;
                        Ok(Some(before))
                    }
                    None => {
                        Ordered::new(at).insert(writer, &spot, &bytes, &value)?;
                        Ok(None)
                    }
                }
            })
        }

        /// The value of `key`.
        fn get | try_get[Q: Ord + ?Sized](&self, key: &Q) -> Option<V> where { K: Borrow<Q> } {
            self.place.read(|view, at| spot_of::<K, Q>(view, at, key)?.entry.map(|entry| value_of(view, entry)).transpose())
        }

        /// Whether there is an entry for `key`.
        fn contains_key | try_contains_key[Q: Ord + ?Sized](&self, key: &Q) -> bool where { K: Borrow<Q> } {
            self.place.read(|view, at| Ok(spot_of::<K, Q>(view, at, key)?.entry.is_some()))
        }

        /// Removes the entry of `key`; returns its value.
        fn remove | try_remove[Q: Ord + ?Sized](&self, key: &Q) -> Option<V> where { K: Borrow<Q> } {
            self.place.write(|writer, at| {
                let spot = spot_of::<K, Q>(writer, at, key)?;
                let value = spot.entry.map(|entry| value_of(writer, entry)).transpose()?;
                Ordered::new(at).remove(writer, &spot)?;
                Ok(value)
            })
        }

        /// Gives `change` the value of `key`, writes back what it makes of it, and returns what it returns; `None` if
        /// there is no such entry.
        fn change | try_change[Q: Ord + ?Sized, R](&self, key: &Q, change: impl FnOnce(&mut V) -> R) -> Option<R> where { K: Borrow<Q> } {
            self.place.transact(|| {
                let Some(mut value) = self.try_get(key)? else { return Ok(None) };
                let result = change(&mut value);
                let value = codec::encode(&value)?;
                self.place.write(|writer, at| {
                    let entry = spot_of::<K, Q>(writer, at, key)?.entry;
                    Ok(entry.map_or(Ok(()), |entry| entry.set_value(writer, &value))?)
                })?;
                Ok(Some(result))
            })
        }

        /// The entry with the least key.
        fn first_key_value | try_first_key_value(&self) -> Option<(K, V)> {
            self.place.read(|view, at| {
                let first = Ordered::new(at).first(view)?;
                first.map(|node| Ok((key_of(view, node)?, value_of(view, node)?))).transpose()
            })
        }

        /// The entry with the greatest key.
        fn last_key_value | try_last_key_value(&self) -> Option<(K, V)> {
            self.place.read(|view, at| {
                let last = Ordered::new(at).last(view)?;
                last.map(|node| Ok((key_of(view, node)?, value_of(view, node)?))).transpose()
            })
        }

        /// Takes the entry with the least key. Of several who take at once, each gets another one.
        fn pop_first | try_pop_first(&self) -> Option<(K, V)> {
            self.place.transact(|| {
                let Some((key, value)) = self.try_first_key_value()? else { return Ok(None) };
                self.try_remove(&key)?;
                Ok(Some((key, value)))
            })
        }

        /// Takes the entry with the greatest key.
        fn pop_last | try_pop_last(&self) -> Option<(K, V)> {
            self.place.transact(|| {
                let Some((key, value)) = self.try_last_key_value()? else { return Ok(None) };
                self.try_remove(&key)?;
                Ok(Some((key, value)))
            })
        }

        /// The entries whose keys lie in `range`, in order.
        fn range | try_range(&self, range: impl RangeBounds<K>) -> Vec<(K, V)> {
            self.place.read(|view, at| {
                let map = Ordered::new(at);
                let spot = map.find(view, |other| {
                    let other = codec::decode::<K>(other)?;
                    let before = match range.start_bound() {
                        Bound::Included(start) => other < *start,
                        Bound::Excluded(start) => other <= *start,
                        Bound::Unbounded => false,
                    };
                    Ok::<_, ShareError>(if before { Ordering::Less } else { Ordering::Greater })
                })?;
                let (mut next, mut left, mut entries) = (map.at_or_after(view, &spot)?, map.len(view)?, Vec::new());
                while let Some(node) = next {
                    view.check()?;
                    left = left.checked_sub(1).ok_or(Fault::Corrupt("links of an ordered map"))?;
                    let key = key_of(view, node)?;
                    let beyond = match range.end_bound() {
                        Bound::Included(end) => key > *end,
                        Bound::Excluded(end) => key >= *end,
                        Bound::Unbounded => false,
                    };
                    if beyond {
                        break;
                    }
                    entries.push((key, value_of(view, node)?));
                    next = node.next(view)?;
                }
                Ok(entries)
            })
        }

        /// Removes all entries.
        fn clear | try_clear(&self) {
            self.place.write(|writer, at| Ok(Ordered::new(at).clear(writer)?))
        }

        /// How many entries there are.
        fn len | try_len(&self) -> usize {
            self.place.read(|view, at| Ok(Ordered::new(at).len(view)? as usize))
        }

        /// Whether there are none.
        fn is_empty | try_is_empty(&self) -> bool {
            Ok(self.try_len()? == 0)
        }

        /// All keys, in order.
        fn keys | try_keys(&self) -> Vec<K> {
            self.place.read(|view, at| {
                let mut keys = Vec::new();
                Ordered::new(at).for_each(&mut &*view, |view, node| {
                    keys.push(key_of(view, node)?);
                    Ok::<_, ShareError>(())
                })?;
                Ok(keys)
            })
        }

        /// All values, in the order of their keys.
        fn values | try_values(&self) -> Vec<V> {
            Ok(self.try_snapshot()?.into_values().collect())
        }
    }

    /// The entries as they are now, in order.
    ///
    /// # Panics
    ///
    /// With a [`ShareError`] as the payload, when the share is stopped or corrupt.
    #[must_use]
    #[track_caller]
    pub fn iter(&self) -> std::collections::btree_map::IntoIter<K, V> {
        self.snapshot().into_iter()
    }
}

/// Makes the map hold these entries and no others.
pub(crate) fn store<'a, K: Element + Ord, V: Element>(
    writer: &mut Writer<'_>,
    at: u64,
    entries: impl ExactSizeIterator<Item = (&'a K, &'a V)>,
    wanted: impl Fn(&K) -> bool,
) -> Result<(), ShareError> {
    let (map, count) = (Ordered::new(at), entries.len());
    for (key, value) in entries {
        let spot = spot_of::<K, K>(writer, at, key)?;
        let value = codec::encode(value)?;
        match spot.entry {
            Some(entry) => entry.set_value(writer, &value)?,
            None => map.insert(writer, &spot, &codec::encode(key)?, &value)?,
        }
    }
    if map.len(writer)? == count as u64 {
        return Ok(());
    }
    let mut surplus = Vec::new();
    map.for_each(&mut &**writer, |view, node| {
        let key: K = key_of(view, node)?;
        if !wanted(&key) {
            surplus.push(key);
        }
        Ok::<_, ShareError>(())
    })?;
    for key in surplus {
        let spot = spot_of::<K, K>(writer, at, &key)?;
        map.remove(writer, &spot)?;
    }
    Ok(())
}

impl<K: Element + Ord, V: Element> ShareHandle for OrderedMapHandle<K, V> {
    type Plain = BTreeMap<K, V>;

    fn place(&self) -> &Place {
        &self.place
    }
}

impl<K: Element + Ord, V: Element> Shareable for BTreeMap<K, V> {
    type Handle = OrderedMapHandle<K, V>;

    const WORDS: u64 = ORDERED / 8;

    fn handle(place: Place) -> OrderedMapHandle<K, V> {
        OrderedMapHandle { place, entry: PhantomData }
    }

    fn load(view: &View<'_>, at: u64) -> Result<BTreeMap<K, V>, ShareError> {
        let mut map = BTreeMap::new();
        Ordered::new(at).for_each(&mut &*view, |view, node| {
            map.insert(key_of(view, node)?, value_of(view, node)?);
            Ok::<_, ShareError>(())
        })?;
        Ok(map)
    }

    fn store(&self, writer: &mut Writer<'_>, at: u64) -> Result<(), ShareError> {
        store(writer, at, self.iter(), |key| self.contains_key(key))
    }

    fn free(writer: &mut Writer<'_>, at: u64) -> Result<(), ShareError> {
        Ok(Ordered::new(at).clear(writer)?)
    }
}

impl<K: Element + Ord, V: Element> IntoIterator for &OrderedMapHandle<K, V> {
    type Item = (K, V);
    type IntoIter = std::collections::btree_map::IntoIter<K, V>;

    #[track_caller]
    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<K: Element + Ord, V: Element + PartialEq> PartialEq<BTreeMap<K, V>> for OrderedMapHandle<K, V> {
    fn eq(&self, other: &BTreeMap<K, V>) -> bool {
        self.snapshot() == *other
    }
}

impl<K: Element + Ord + fmt::Debug, V: Element + fmt::Debug> fmt::Debug for OrderedMapHandle<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.snapshot().fmt(f)
    }
}
