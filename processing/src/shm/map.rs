//! Keys and values as bytes, by linear hashing: every insertion splits at most one bucket and every removal
//! merges at most one, so no single operation is slow.
//!
//! A bucket is one line of the cache: seven references to entries, and one to a further line, should there be more. A
//! reference holds a part of the hash beside the place, so a look-up touches that line and the one entry that it looks
//! for, which lies in one line as well where the key is short.

use std::hash::Hasher;
use std::sync::atomic::Ordering::Relaxed;

use super::fault::{Fault, Result};
use super::layout::{LARGEST, SEED};
use super::list::{LIST, List};
use super::slot::{IN_BLOCK, INLINE, SLOT, Value, pack};
use super::view::View;
use super::writer::Writer;

#[cfg(test)]
mod tests;

/// The bytes of a map's own words.
pub(crate) const MAP: u64 = 8 + LIST;

const COUNT: u64 = 0;
const BUCKETS: u64 = 8;

// The fields of an entry's block: the value's slot, and the key. A short key is packed as in a slot; of a longer one the
// first word is the length, and the bytes follow.
const VALUE: u64 = 0;
const KEY: u64 = SLOT;
/// The least bytes of an entry.
const ENTRY: u64 = KEY + SLOT;

/// The bytes of a line of references.
const LINE: u64 = 64;
/// How many references a line has.
const SLOTS: u64 = 7;
/// Where in a line the next line of its bucket is said.
const MORE: u64 = SLOTS * 8;
/// How many entries there are for each bucket.
const FILL: u64 = 4;

/// In a reference: these bits are of the hash, the others say where the entry is.
const TAG: u64 = !(2 * LARGEST - 1);

/// A map: where its own words are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Map {
    at: u64,
}

/// Where an entry is, and in which place of which bucket the reference to it.
#[derive(Clone, Copy, Debug)]
struct Found {
    entry: u64,
    bucket: u64,
    index: usize,
}

/// A key's hash, the same in every process.
pub(crate) fn hash(view: &View<'_>, key: &[u8]) -> Result<u64> {
    Ok(hash_with(view.load(SEED)?, key))
}

/// The same with a given seed.
pub(crate) fn hash_with(seed: u64, key: &[u8]) -> u64 {
    // The standard hasher without keys of its own; the segment's seed takes their place.
    #[expect(deprecated, reason = "its successor promises no stable function, and all processes must agree")]
    let mut hasher = std::hash::SipHasher::new_with_keys(seed, 0);
    hasher.write(key);
    hasher.finish()
}

/// The bucket of `hash` among `buckets`, of which there are some.
fn bucket_of(hash: u64, buckets: u64) -> u64 {
    let mask = buckets.next_power_of_two() - 1;
    let bucket = hash & mask;
    if bucket < buckets { bucket } else { bucket & (mask >> 1) }
}

/// The words that the key of an entry begins with.
fn key_words(key: &[u8]) -> (u64, u64) {
    if key.len() <= INLINE {
        return pack(key);
    }
    ((key.len() as u64) << 8 | IN_BLOCK, super::segment::u64_of(&key[..8]))
}

impl Map {
    pub(crate) const fn new(at: u64) -> Map {
        Map { at }
    }

    fn buckets(self) -> List {
        List::new(self.at + BUCKETS, LINE)
    }

    #[inline]
    pub(crate) fn len(self, view: &View<'_>) -> Result<u64> {
        view.load(self.at + COUNT)
    }

    /// How many entries and buckets there are, for whoever goes through some of them: never more than there can be.
    fn size(self, view: &View<'_>) -> Result<(u64, u64)> {
        Ok((view.fits(self.len(view)?, ENTRY)?, self.buckets().whole(view)?))
    }

    fn find(self, view: &View<'_>, key: &[u8], hash: u64) -> Result<Option<Found>> {
        let (count, buckets) = self.size(view)?;
        view.check()?;
        if count == 0 || buckets == 0 {
            return Ok(None);
        }
        let bucket = self.buckets().locate(view, bucket_of(hash, buckets))?;
        let (mut line, words) = (bucket, key_words(key));
        for step in 0..=count {
            for (slot, reference) in view.segment.words(line, SLOTS)?.iter().enumerate() {
                let reference = reference.load(Relaxed);
                if reference == 0 {
                    return Ok(None);
                }
                let entry = reference & !TAG;
                if reference & TAG == hash & TAG && is_key(view, entry, key, words)? {
                    return Ok(Some(Found { entry, bucket, index: (step * SLOTS) as usize + slot }));
                }
            }
            line = next_line(view, line)?;
            if line == 0 {
                return Ok(None);
            }
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
        let (count, buckets) = self.size(writer)?;
        if count >= buckets * FILL {
            self.split(writer)?;
        }
        let buckets = self.buckets().len(writer)?;
        let bucket = self.buckets().locate(writer, bucket_of(hash, buckets))?;
        let (first, second) = key_words(key);
        let entry = writer.allocate((KEY + 8 + key.len() as u64).max(ENTRY))?;
        writer.fresh(entry + KEY, first)?;
        writer.fresh(entry + KEY + 8, second)?;
        if key.len() > INLINE {
            writer.view.segment.copy_in(entry + KEY + 8, key)?;
        }
        writer.fill_slot(entry + VALUE, value)?;
        let mut references = self.references(writer, bucket)?;
        references.push(hash & TAG | entry);
        self.fill(writer, bucket, &references)?;
        writer.set(self.at + COUNT, count + 1)
    }

    /// Removes the entry of `key`; returns its value.
    pub(crate) fn remove(self, writer: &mut Writer<'_>, key: &[u8]) -> Result<Option<Value>> {
        let hash = hash(writer, key)?;
        let Some(Found { entry, bucket, index }) = self.find(writer, key, hash)? else { return Ok(None) };
        let value = writer.slot(entry + VALUE)?;
        let mut references = self.references(writer, bucket)?;
        if index >= references.len() {
            return Err(Fault::Corrupt("bucket of a map"));
        }
        references.swap_remove(index);
        self.fill(writer, bucket, &references)?;
        writer.drop_slot(entry + VALUE)?;
        writer.free(entry);
        let count = self.len(writer)?.saturating_sub(1);
        writer.set(self.at + COUNT, count)?;
        let buckets = self.buckets().len(writer)?;
        if count == 0 {
            self.free_lines(writer)?;
            self.buckets().clear(writer)?;
        } else if count < buckets * FILL / 2 {
            self.merge(writer, buckets)?;
        }
        Ok(value)
    }

    /// Adds a bucket, which gets what is its own from the one that answered for it so far.
    fn split(self, writer: &mut Writer<'_>) -> Result<()> {
        let list = self.buckets();
        let new = list.len(writer)?;
        let place = list.push_back(writer)?;
        // What is there is of a bucket that was dropped.
        for at in (place..place + LINE).step_by(8) {
            writer.set(at, 0)?;
        }
        if new == 0 {
            return Ok(());
        }
        let mask = (new + 1).next_power_of_two() - 1;
        let old = list.locate(writer, new & (mask >> 1))?;
        let (mut staying, mut moving) = (Vec::new(), Vec::new());
        for reference in self.references(writer, old)? {
            let key = Entry(reference & !TAG).key(writer)?;
            let is_new = hash(writer, &key)? & mask == new;
            if is_new { &mut moving } else { &mut staying }.push(reference);
        }
        self.fill(writer, place, &moving)?;
        self.fill(writer, old, &staying)
    }

    /// Drops the last of the buckets; what is in it goes to the one that answers for it from now on.
    fn merge(self, writer: &mut Writer<'_>, buckets: u64) -> Result<()> {
        let (list, last) = (self.buckets(), buckets.saturating_sub(1));
        if last == 0 {
            return Ok(());
        }
        let dropped = list.locate(writer, last)?;
        let moving = self.references(writer, dropped)?;
        if !moving.is_empty() {
            let heir = list.locate(writer, bucket_of(last, last))?;
            let mut references = self.references(writer, heir)?;
            references.extend(moving);
            self.fill(writer, heir, &references)?;
            self.fill(writer, dropped, &[])?;
        }
        list.pop_back(writer)
    }

    /// The references in a bucket.
    fn references(self, view: &View<'_>, bucket: u64) -> Result<Vec<u64>> {
        let count = self.size(view)?.0;
        let (mut references, mut line) = (Vec::new(), bucket);
        while references.len() as u64 <= count {
            let words = view.segment.words(line, SLOTS)?.iter().map(|word| word.load(Relaxed));
            references.extend(words.take_while(|&reference| reference != 0));
            line = next_line(view, line)?;
            if line == 0 {
                view.check()?;
                return Ok(references);
            }
        }
        view.check()?;
        Err(Fault::Corrupt("ring in a map"))
    }

    /// Makes a bucket hold these references and no others, in as many lines as it takes.
    fn fill(self, writer: &mut Writer<'_>, bucket: u64, references: &[u64]) -> Result<()> {
        let (mut line, mut rest) = (bucket, references);
        loop {
            let (here, later) = rest.split_at(rest.len().min(SLOTS as usize));
            for slot in 0..SLOTS {
                writer.set(line + slot * 8, here.get(slot as usize).copied().unwrap_or(0))?;
            }
            let mut next = next_line(writer, line)?;
            if later.is_empty() {
                writer.set(line + MORE, 0)?;
                return self.free_from(writer, next);
            }
            if next == 0 {
                next = writer.allocate_zeroed(LINE)?;
                writer.set(line + MORE, next)?;
            }
            (line, rest) = (next, later);
        }
    }

    /// Frees a line and those behind it.
    fn free_from(self, writer: &mut Writer<'_>, mut line: u64) -> Result<()> {
        for _ in 0..=self.size(writer)?.0 {
            if line == 0 {
                return Ok(());
            }
            let next = next_line(writer, line)?;
            writer.free(line);
            line = next;
        }
        Err(Fault::Corrupt("ring in a map"))
    }

    /// Frees what lines there are besides the first ones of the buckets.
    fn free_lines(self, writer: &mut Writer<'_>) -> Result<()> {
        for bucket in 0..self.size(writer)?.1 {
            let bucket = self.buckets().locate(writer, bucket)?;
            let more = next_line(writer, bucket)?;
            self.free_from(writer, more)?;
        }
        Ok(())
    }

    /// Calls `see` with every entry, in no order.
    pub(crate) fn for_each<'v, V: std::ops::Deref<Target = View<'v>>, E: From<Fault>>(
        self,
        view: &mut V,
        mut see: impl FnMut(&mut V, Entry) -> Result<(), E>,
    ) -> Result<(), E> {
        let (count, buckets) = self.size(view)?;
        let mut seen = 0;
        for bucket in 0..buckets {
            if seen >= count {
                break;
            }
            let bucket = self.buckets().locate(view, bucket)?;
            for reference in self.references(view, bucket)? {
                seen += 1;
                if seen > count {
                    return Err(Fault::Corrupt("entry of a map").into());
                }
                see(view, Entry(reference & !TAG))?;
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
        self.free_lines(writer)?;
        self.buckets().clear(writer)?;
        writer.set(self.at + COUNT, 0)
    }
}

/// An entry met on a walk over the map.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry(u64);

impl Entry {
    pub(crate) fn key(self, view: &View<'_>) -> Result<Vec<u8>> {
        let (block, first) = (view.block(self.0)?, view.load(self.0 + KEY)?);
        let missing = Fault::Corrupt("key of a map");
        if first & 0xff != IN_BLOCK {
            return Ok(view.slot(self.0 + KEY)?.ok_or(missing)?.into_vec());
        }
        let len = first >> 8;
        if len > block.saturating_sub(KEY + 8) {
            view.check()?;
            return Err(missing);
        }
        let mut key = vec![0; len as usize];
        view.segment.copy_out(self.0 + KEY + 8, &mut key)?;
        view.check()?;
        Ok(key)
    }

    pub(crate) fn value(self, view: &View<'_>) -> Result<Option<Value>> {
        view.slot(self.0 + VALUE)
    }
}

/// The line behind a line, 0 for none.
fn next_line(view: &View<'_>, line: u64) -> Result<u64> {
    let next = view.load(line + MORE)?;
    if next != 0 && view.block(next)? < LINE {
        view.check()?;
        return Err(Fault::Corrupt("line of a map"));
    }
    Ok(next)
}

/// Whether the entry's key is `key`, which begins with these words.
fn is_key(view: &View<'_>, entry: u64, key: &[u8], (first, second): (u64, u64)) -> Result<bool> {
    if view.block(entry)? < ENTRY {
        view.check()?;
        return Err(Fault::Corrupt("entry of a map"));
    }
    if view.load(entry + KEY)? != first || view.load(entry + KEY + 8)? != second {
        return Ok(false);
    }
    if key.len() > INLINE {
        for (index, chunk) in key.chunks(8).enumerate().skip(1) {
            if view.load(entry + KEY + 8 + index as u64 * 8)? != super::segment::u64_of(chunk) {
                return Ok(false);
            }
        }
    }
    Ok(true)
}
