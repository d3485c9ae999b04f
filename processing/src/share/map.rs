//! A shared `HashMap`.

use std::borrow::Borrow;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::hash::{BuildHasher, Hash};
use std::marker::PhantomData;

use serde::Serialize;

use super::codec::{self, Encoded};
use super::error::ShareError;
use super::operations::operations;
use super::place::Place;
use super::shareable::{Element, ShareHandle, Shareable};
use crate::shm::fault::Fault;
use crate::shm::map::{MAP, Map};
use crate::shm::slot::Value;
use crate::shm::view::View;
use crate::shm::writer::Writer;

/// Stands for a shared `HashMap`. Reading or replacing one entry costs the same however many there are.
///
/// Keys are the same when their encodings are.
///
/// ```
/// use std::collections::{HashMap, HashSet};
/// use processing::Share;
///
/// let share = Share::new(HashMap::from([("apples".to_owned(), 1)]))?;
/// share.insert("pears".into(), 2);
/// assert_eq!(share.get("pears"), Some(2));
/// assert_eq!(share.change("apples", |count| { *count += 4; *count }), Some(5));
/// assert_eq!(share.remove("apples"), Some(5));
/// assert_eq!(share.len(), 1);
/// # Ok::<(), processing::ShareError>(())
/// ```
pub struct MapHandle<K, V, S = std::hash::RandomState> {
    place: Place,
    key: PhantomData<fn() -> K>,
    value: PhantomData<fn() -> (V, S)>,
}

fn value_of<V: Element>(value: Option<Value>) -> Result<V, ShareError> {
    codec::decode(&value.ok_or(Fault::Corrupt("value that is missing"))?)
}

impl<K: Element + Eq + Hash, V: Element, S: BuildHasher + Default + 'static> MapHandle<K, V, S> {
    operations! {
        /// Gives `key` the value `value`; returns the one it had.
        fn insert | try_insert(&self, key: K, value: V) -> Option<V> {
            let (key, value) = (codec::encode(&key)?, codec::encode(&value)?);
            self.place.write(|writer, at| {
                Map::new(at).replace(writer, &key, &value)?.map(|before| value_of(Some(before))).transpose()
            })
        }

        /// The value of `key`.
        fn get | try_get[Q: Serialize + ?Sized](&self, key: &Q) -> Option<V> where { K: Borrow<Q> } {
            let key = codec::encode(key)?;
            self.place.read(|view, at| Map::new(at).get(view, &key)?.map(|value| value_of(Some(value))).transpose())
        }

        /// Whether there is an entry for `key`.
        fn contains_key | try_contains_key[Q: Serialize + ?Sized](&self, key: &Q) -> bool where { K: Borrow<Q> } {
            let key = codec::encode(key)?;
            self.place.read(|view, at| Ok(Map::new(at).contains(view, &key)?))
        }

        /// Removes the entry of `key`; returns its value.
        fn remove | try_remove[Q: Serialize + ?Sized](&self, key: &Q) -> Option<V> where { K: Borrow<Q> } {
            let key = codec::encode(key)?;
            self.place.write(|writer, at| {
                Map::new(at).remove(writer, &key)?.map(|before| value_of(Some(before))).transpose()
            })
        }

        /// Gives `change` the value of `key`, writes back what it makes of it, and returns what it returns; `None` if
        /// there is no such entry.
        fn change | try_change[Q: Serialize + ?Sized, R](&self, key: &Q, change: impl FnOnce(&mut V) -> R) -> Option<R> where { K: Borrow<Q> } {
            let key = codec::encode(key)?;
            self.place.transact(|| {
                let Some(before) = self.place.read(|view, at| Ok(Map::new(at).get(view, &key)?))? else { return Ok(None) };
                let mut value = value_of(Some(before))?;
                let result = change(&mut value);
                let value = codec::encode(&value)?;
                self.place.write(|writer, at| Ok(Map::new(at).insert(writer, &key, &value)?))?;
                Ok(Some(result))
            })
        }

        /// Like [`change`](Self::change), but an entry that is missing is made first, of `V::default()`.
        fn change_or_default | try_change_or_default[R](&self, key: K, change: impl FnOnce(&mut V) -> R) -> R where { V: Default } {
            let key = codec::encode(&key)?;
            self.place.transact(|| {
                let before = self.place.read(|view, at| Ok(Map::new(at).get(view, &key)?))?;
                let mut value = match before {
                    Some(before) => value_of(Some(before))?,
                    None => V::default(),
                };
                let result = change(&mut value);
                let value = codec::encode(&value)?;
                self.place.write(|writer, at| Ok(Map::new(at).insert(writer, &key, &value)?))?;
                Ok(result)
            })
        }

        /// Inserts all `entries`, as one.
        fn extend | try_extend(&self, entries: impl IntoIterator<Item = (K, V)>) {
            let entries = entries
                .into_iter()
                .map(|(key, value)| Ok((codec::encode(&key)?, codec::encode(&value)?)))
                .collect::<Result<Vec<_>, ShareError>>()?;
            self.place.write(|writer, at| {
                entries.iter().try_for_each(|(key, value)| Ok(Map::new(at).insert(writer, key, value).map(drop)?))
            })
        }

        /// Removes all entries.
        fn clear | try_clear(&self) {
            self.place.write(|writer, at| Ok(Map::new(at).clear(writer)?))
        }

        /// How many entries there are.
        fn len | try_len(&self) -> usize {
            self.place.read(|view, at| Ok(Map::new(at).len(view)? as usize))
        }

        /// Whether there are none.
        fn is_empty | try_is_empty(&self) -> bool {
            Ok(self.try_len()? == 0)
        }

        /// All keys, in no order.
        fn keys | try_keys(&self) -> Vec<K> {
            self.place.read(|view, at| {
                let mut keys = Vec::new();
                Map::new(at).for_each(&mut &*view, |view, entry| {
                    keys.push(codec::decode(&entry.key(view)?)?);
                    Ok::<_, ShareError>(())
                })?;
                Ok(keys)
            })
        }

        /// All values, in no order.
        fn values | try_values(&self) -> Vec<V> {
            Ok(self.try_snapshot()?.into_values().collect())
        }
    }

    /// The entries as they are now.
    ///
    /// # Panics
    ///
    /// With a [`ShareError`] as the payload, when the share is stopped or corrupt.
    #[must_use]
    #[track_caller]
    pub fn iter(&self) -> std::collections::hash_map::IntoIter<K, V> {
        self.snapshot().into_iter()
    }
}

/// Makes the map hold these entries and no others.
pub(crate) fn store(
    writer: &mut Writer<'_>,
    at: u64,
    entries: impl Iterator<Item = Result<(Encoded, Encoded), ShareError>>,
) -> Result<(), ShareError> {
    let (map, mut wanted) = (Map::new(at), HashSet::new());
    for entry in entries {
        let (key, value) = entry?;
        map.insert(writer, &key, &value)?;
        wanted.insert(key.to_vec());
    }
    if map.len(writer)? == wanted.len() as u64 {
        return Ok(());
    }
    let mut surplus = Vec::new();
    map.for_each(&mut &**writer, |view, entry| {
        let key = entry.key(view)?;
        if !wanted.contains(&key) {
            surplus.push(key);
        }
        Ok::<_, ShareError>(())
    })?;
    surplus.iter().try_for_each(|key| Ok(map.remove(writer, key).map(drop)?))
}

impl<K: Element + Eq + Hash, V: Element, S: BuildHasher + Default + 'static> ShareHandle
    for MapHandle<K, V, S>
{
    type Plain = HashMap<K, V, S>;

    fn place(&self) -> &Place {
        &self.place
    }
}

impl<K: Element + Eq + Hash, V: Element, S: BuildHasher + Default + 'static> Shareable for HashMap<K, V, S> {
    type Handle = MapHandle<K, V, S>;

    const WORDS: u64 = MAP / 8;

    fn handle(place: Place) -> MapHandle<K, V, S> {
        MapHandle { place, key: PhantomData, value: PhantomData }
    }

    fn load(view: &View<'_>, at: u64) -> Result<HashMap<K, V, S>, ShareError> {
        let mut map = HashMap::default();
        Map::new(at).for_each(&mut &*view, |view, entry| {
            map.insert(codec::decode(&entry.key(view)?)?, value_of(entry.value(view)?)?);
            Ok::<_, ShareError>(())
        })?;
        Ok(map)
    }

    fn store(&self, writer: &mut Writer<'_>, at: u64) -> Result<(), ShareError> {
        store(writer, at, self.iter().map(|(key, value)| Ok((codec::encode(key)?, codec::encode(value)?))))
    }

    fn free(writer: &mut Writer<'_>, at: u64) -> Result<(), ShareError> {
        Ok(Map::new(at).clear(writer)?)
    }
}

impl<K: Element + Eq + Hash, V: Element, S: BuildHasher + Default + 'static> IntoIterator
    for &MapHandle<K, V, S>
{
    type Item = (K, V);
    type IntoIter = std::collections::hash_map::IntoIter<K, V>;

    #[track_caller]
    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<K, V, S> PartialEq<HashMap<K, V, S>> for MapHandle<K, V, S>
where
    K: Element + Eq + Hash,
    V: Element + PartialEq,
    S: BuildHasher + Default + 'static,
{
    fn eq(&self, other: &HashMap<K, V, S>) -> bool {
        self.snapshot() == *other
    }
}

impl<K, V, S> fmt::Debug for MapHandle<K, V, S>
where
    K: Element + Eq + Hash + fmt::Debug,
    V: Element + fmt::Debug,
    S: BuildHasher + Default + 'static,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.snapshot().fmt(f)
    }
}
