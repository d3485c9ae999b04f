//! Keys and values as bytes, by linear hashing: every insertion splits at most one bucket and every removal
//! merges at most two, so no single operation is slow.

use std::hash::Hasher;

use super::fault::{Fault, Result};
use super::layout::SEED;
use super::list::{LIST, List};
use super::slot::Value;
use super::view::View;
use super::writer::Writer;

#[cfg(test)]
mod tests;

/// The bytes of a map's own words.
pub(crate) const MAP: u64 = 8 + LIST;

const COUNT: u64 = 0;
const BUCKETS: u64 = 8;

// The fields of an entry's block.
const NEXT: u64 = 0;
const HASH: u64 = 8;
const KEY_LEN: u64 = 16;
const VALUE: u64 = 24;
const KEY: u64 = 40;

/// A map: where its own words are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Map {
    at: u64,
}

/// Where an entry is, and which word links to it.
#[derive(Clone, Copy, Debug)]
struct Found {
    link: u64,
    entry: u64,
}

/// A key's hash, the same in every process.
pub(crate) fn hash(view: &View<'_>, key: &[u8]) -> Result<u64> {
    // The standard hasher without keys of its own; the segment's seed takes their place.
    #[expect(deprecated, reason = "its successor promises no stable function, and all processes must agree")]
    let mut hasher = std::hash::SipHasher::new_with_keys(view.load(SEED)?, 0);
    hasher.write(key);
    Ok(hasher.finish())
}

/// The bucket of `hash` among `buckets`.
fn bucket_of(hash: u64, buckets: u64) -> u64 {
    let mask = buckets.next_power_of_two() - 1;
    let bucket = hash & mask;
    if bucket < buckets { bucket } else { bucket & (mask >> 1) }
}

impl Map {
    pub(crate) const fn new(at: u64) -> Map {
        Map { at }
    }

    fn buckets(self) -> List {
        List::new(self.at + BUCKETS, 8)
    }

    #[inline]
    pub(crate) fn len(self, view: &View<'_>) -> Result<u64> {
        view.load(self.at + COUNT)
    }

    fn find(self, view: &View<'_>, key: &[u8], hash: u64) -> Result<Option<Found>> {
        let (count, buckets) = (self.len(view)?, self.buckets().len(view)?);
        view.check()?;
        if count == 0 || buckets == 0 {
            return Ok(None);
        }
        if count > buckets {
            return Err(Fault::Corrupt("length of a map"));
        }
        let mut link = self.buckets().locate(view, bucket_of(hash, buckets))?;
        for _ in 0..=count {
            let entry = view.load(link)?;
            if entry == 0 {
                return Ok(None);
            }
            if view.block(entry)? < KEY {
                view.check()?;
                return Err(Fault::Corrupt("entry of a map"));
            }
            if view.load(entry + HASH)? == hash && is_key(view, entry, key)? {
                return Ok(Some(Found { link, entry }));
            }
            link = entry + NEXT;
        }
        view.check()?;
        Err(Fault::Corrupt("ring in a map"))
    }

    /// The value of `key`.
    pub(crate) fn get(self, view: &View<'_>, key: &[u8]) -> Result<Option<Value>> {
        match self.find(view, key, hash(view, key)?)? {
            Some(found) => view.slot(found.entry + VALUE),
            None => Ok(None),
        }
    }

    /// Whether there is an entry for `key`.
    pub(crate) fn contains(self, view: &View<'_>, key: &[u8]) -> Result<bool> {
        Ok(self.find(view, key, hash(view, key)?)?.is_some())
    }

    /// Gives `key` the value `value`; `true` if the key is new.
    pub(crate) fn insert(self, writer: &mut Writer<'_>, key: &[u8], value: &[u8]) -> Result<bool> {
        let hash = hash(writer, key)?;
        if let Some(found) = self.find(writer, key, hash)? {
            writer.set_slot(found.entry + VALUE, value)?;
            return Ok(false);
        }
        self.add(writer, key, hash, value)?;
        Ok(true)
    }

    /// Gives `key` the value `value`; returns the one that it had.
    pub(crate) fn replace(self, writer: &mut Writer<'_>, key: &[u8], value: &[u8]) -> Result<Option<Value>> {
        let hash = hash(writer, key)?;
        let Some(found) = self.find(writer, key, hash)? else {
            self.add(writer, key, hash, value)?;
            return Ok(None);
        };
        let before = writer.slot(found.entry + VALUE)?;
        writer.set_slot(found.entry + VALUE, value)?;
        Ok(before)
    }

    /// Adds an entry for a key that has none.
    fn add(self, writer: &mut Writer<'_>, key: &[u8], hash: u64, value: &[u8]) -> Result<()> {
        let count = self.len(writer)?;
        if count >= self.buckets().len(writer)? {
            self.split(writer)?;
        }
        let buckets = self.buckets().len(writer)?;
        let link = self.buckets().locate(writer, bucket_of(hash, buckets))?;
        let entry = writer.allocate(KEY + key.len() as u64)?;
        let first = writer.load(link)?;
        writer.fresh(entry + NEXT, first)?;
        writer.fresh(entry + HASH, hash)?;
        writer.fresh(entry + KEY_LEN, key.len() as u64)?;
        writer.view.segment.copy_in(entry + KEY, key)?;
        writer.fill_slot(entry + VALUE, value)?;
        writer.set(link, entry)?;
        writer.set(self.at + COUNT, count + 1)
    }

    /// Removes the entry of `key`; returns its value.
    pub(crate) fn remove(self, writer: &mut Writer<'_>, key: &[u8]) -> Result<Option<Value>> {
        let hash = hash(writer, key)?;
        let Some(found) = self.find(writer, key, hash)? else { return Ok(None) };
        let value = writer.slot(found.entry + VALUE)?;
        let next = writer.load(found.entry + NEXT)?;
        writer.set(found.link, next)?;
        writer.drop_slot(found.entry + VALUE)?;
        writer.free(found.entry);
        let count = self.len(writer)? - 1;
        writer.set(self.at + COUNT, count)?;
        if count == 0 {
            self.buckets().clear(writer)?;
            return Ok(value);
        }
        // Two at a time, for half as many buckets as entries must go with every entry that goes.
        for _ in 0..2 {
            if count < self.buckets().len(writer)? / 2 {
                self.merge(writer)?;
            }
        }
        Ok(value)
    }

    /// Adds a bucket, which gets what is its own from the one that answered for it so far.
    fn split(self, writer: &mut Writer<'_>) -> Result<()> {
        let list = self.buckets();
        let new = list.len(writer)?;
        let place = list.push_back(writer)?;
        writer.set(place, 0)?;
        if new == 0 {
            return Ok(());
        }
        let mask = (new + 1).next_power_of_two() - 1;
        let mut link = list.locate(writer, new & (mask >> 1))?;
        let mut tail = place;
        for _ in 0..=self.len(writer)? {
            let entry = writer.load(link)?;
            if entry == 0 {
                return writer.set(tail, 0);
            }
            writer.block(entry)?;
            if writer.load(entry + HASH)? & mask == new {
                let next = writer.load(entry + NEXT)?;
                writer.set(link, next)?;
                writer.set(tail, entry)?;
                tail = entry + NEXT;
            } else {
                link = entry + NEXT;
            }
        }
        Err(Fault::Corrupt("ring in a map"))
    }

    /// Drops the last bucket; what is in it goes to the one that answers for it from now on.
    fn merge(self, writer: &mut Writer<'_>) -> Result<()> {
        let list = self.buckets();
        let last = list.len(writer)? - 1;
        if last == 0 {
            return Ok(());
        }
        let moved = list.locate(writer, last)?;
        let first = writer.load(moved)?;
        if first != 0 {
            let heir = list.locate(writer, bucket_of(last, last))?;
            let mut tail = first;
            for step in 0.. {
                writer.block(tail)?;
                let next = writer.load(tail + NEXT)?;
                if next == 0 {
                    break;
                }
                if step > self.len(writer)? {
                    return Err(Fault::Corrupt("ring in a map"));
                }
                tail = next;
            }
            let behind = writer.load(heir)?;
            writer.set(tail + NEXT, behind)?;
            writer.set(heir, first)?;
        }
        list.pop_back(writer)
    }

    /// Calls `see` with every entry, in no order.
    pub(crate) fn for_each<'v, V: std::ops::Deref<Target = View<'v>>, E: From<Fault>>(
        self,
        view: &mut V,
        mut see: impl FnMut(&mut V, Entry) -> Result<(), E>,
    ) -> Result<(), E> {
        let (count, buckets) = (view.fits(self.len(view)?, KEY)?, self.buckets().whole(view)?);
        let mut seen = 0;
        for bucket in 0..buckets {
            if seen >= count {
                break;
            }
            let mut entry = view.load(self.buckets().locate(view, bucket)?)?;
            while entry != 0 {
                view.check()?;
                if seen >= count || view.block(entry)? < KEY {
                    return Err(Fault::Corrupt("entry of a map").into());
                }
                seen += 1;
                let next = view.load(entry + NEXT)?;
                see(view, Entry(entry))?;
                entry = next;
            }
        }
        Ok(())
    }

    /// Removes everything.
    pub(crate) fn clear(self, writer: &mut Writer<'_>) -> Result<()> {
        self.for_each(writer, |writer, entry| {
            writer.drop_slot(entry.0 + VALUE)?;
            writer.free(entry.0);
            Ok::<_, Fault>(())
        })?;
        self.buckets().clear(writer)?;
        writer.set(self.at + COUNT, 0)
    }
}

/// An entry met on a walk over the map.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry(u64);

impl Entry {
    pub(crate) fn key(self, view: &View<'_>) -> Result<Vec<u8>> {
        let len = view.load(self.0 + KEY_LEN)?;
        if len > view.block(self.0)? - KEY {
            view.check()?;
            return Err(Fault::Corrupt("key of a map"));
        }
        let mut key = vec![0; len as usize];
        view.segment.copy_out(self.0 + KEY, &mut key)?;
        view.check()?;
        Ok(key)
    }

    pub(crate) fn value(self, view: &View<'_>) -> Result<Option<Value>> {
        view.slot(self.0 + VALUE)
    }
}

/// Whether the entry's key is `key`.
fn is_key(view: &View<'_>, entry: u64, key: &[u8]) -> Result<bool> {
    if view.load(entry + KEY_LEN)? != key.len() as u64 {
        return Ok(false);
    }
    for (index, chunk) in key.chunks(8).enumerate() {
        if view.load(entry + KEY + index as u64 * 8)? != super::segment::u64_of(chunk) {
            return Ok(false);
        }
    }
    Ok(true)
}
