//! Keys and values as bytes, in the order that the keys' own type says: a skip list.
//!
//! The order is given as a function from a key's bytes to how that key stands to the one looked for, because only the
//! caller can decode keys.

use std::cmp::Ordering;
use std::ops::Deref;

use super::fault::{Fault, Result};
use super::slot::Value;
use super::view::View;
use super::writer::Writer;

#[cfg(test)]
mod tests;

/// The bytes of an ordered map's own words.
pub(crate) const ORDERED: u64 = 8 + LEVELS as u64 * 8;

/// Enough for some 16 million entries at a quarter per level.
const LEVELS: usize = 12;

const COUNT: u64 = 0;
const HEADS: u64 = 8;

// The fields of an entry's block; behind the links stands the key.
const SHAPE: u64 = 0;
const VALUE: u64 = 8;
const LINKS: u64 = 24;

/// An ordered map: where its own words are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ordered {
    at: u64,
}

/// Where a key is, or would be: on every level, the word that links to it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spot {
    links: [u64; LEVELS],
    /// The entry with this very key.
    pub(crate) entry: Option<Node>,
}

/// An entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Node(u64);

impl Node {
    /// Height and length of the key, both checked.
    fn shape(self, view: &View<'_>) -> Result<(u64, u64)> {
        let shape = view.load(self.0 + SHAPE)?;
        let (height, len) = (shape & 0xff, shape >> 8);
        let room = view.block(self.0)?;
        if height == 0
            || height > LEVELS as u64
            || LINKS + height * 8 > room
            || len > room - LINKS - height * 8
        {
            view.check()?;
            return Err(Fault::Corrupt("entry of an ordered map"));
        }
        Ok((height, len))
    }

    fn link(self, level: usize) -> u64 {
        self.0 + LINKS + level as u64 * 8
    }

    pub(crate) fn key(self, view: &View<'_>) -> Result<Vec<u8>> {
        let (height, len) = self.shape(view)?;
        let mut key = vec![0; len as usize];
        view.segment.copy_out(self.link(height as usize), &mut key)?;
        view.check()?;
        Ok(key)
    }

    pub(crate) fn value(self, view: &View<'_>) -> Result<Option<Value>> {
        view.slot(self.0 + VALUE)
    }

    /// The entry behind this one.
    pub(crate) fn next(self, view: &View<'_>) -> Result<Option<Node>> {
        self.shape(view)?;
        node(view, self.link(0))
    }

    pub(crate) fn set_value(self, writer: &mut Writer<'_>, value: &[u8]) -> Result<()> {
        writer.set_slot(self.0 + VALUE, value)
    }
}

/// The entry that the word at `link` links to.
fn node(view: &View<'_>, link: u64) -> Result<Option<Node>> {
    let at = view.load(link)?;
    Ok((at != 0).then_some(Node(at)))
}

impl Ordered {
    pub(crate) const fn new(at: u64) -> Ordered {
        Ordered { at }
    }

    pub(crate) fn len(self, view: &View<'_>) -> Result<u64> {
        view.load(self.at + COUNT)
    }

    pub(crate) fn first(self, view: &View<'_>) -> Result<Option<Node>> {
        node(view, self.at + HEADS)
    }

    /// The last entry.
    pub(crate) fn last(self, view: &View<'_>) -> Result<Option<Node>> {
        Ok(self.walk(view, |_, _| Ok::<_, Fault>(Ordering::Less))?.1)
    }

    /// Finds the place of a key; `compare` says how an entry's key stands to it.
    pub(crate) fn find<E: From<Fault>>(
        self,
        view: &View<'_>,
        mut compare: impl FnMut(&[u8]) -> Result<Ordering, E>,
    ) -> Result<Spot, E> {
        Ok(self.walk(view, |view, node| compare(&node.key(view)?))?.0)
    }

    /// The place before the first entry that is not `Less`, and the last entry before it.
    fn walk<E: From<Fault>>(
        self,
        view: &View<'_>,
        mut compare: impl FnMut(&View<'_>, Node) -> Result<Ordering, E>,
    ) -> Result<(Spot, Option<Node>), E> {
        let mut spot = Spot { links: [0; LEVELS], entry: None };
        let (mut before, mut beyond): (Option<Node>, Option<Node>) = (None, None);
        let mut steps = view.fits(self.len(view)?, LINKS)?.saturating_add(LEVELS as u64);
        for level in (0..LEVELS).rev() {
            loop {
                let link = before.map_or(self.at + HEADS + level as u64 * 8, |node| node.link(level));
                spot.links[level] = link;
                let Some(next) = node(view, link)? else { break };
                // Met on the level above already.
                if beyond == Some(next) {
                    break;
                }
                view.check()?;
                if next.shape(view)?.0 <= level as u64 || steps == 0 {
                    return Err(Fault::Corrupt("links of an ordered map").into());
                }
                match compare(view, next)? {
                    Ordering::Less => {
                        before = Some(next);
                        steps -= 1;
                    }
                    standing => {
                        beyond = Some(next);
                        if standing == Ordering::Equal {
                            spot.entry = Some(next);
                        }
                        break;
                    }
                }
            }
        }
        Ok((spot, before))
    }

    /// The first entry at the spot or behind it.
    pub(crate) fn at_or_after(self, view: &View<'_>, spot: &Spot) -> Result<Option<Node>> {
        node(view, spot.links[0])
    }

    /// Puts a new key in. `spot` is where [`Ordered::find`] says in the same change, and has no entry.
    pub(crate) fn insert(self, writer: &mut Writer<'_>, spot: &Spot, key: &[u8], value: &[u8]) -> Result<()> {
        let height = height_of(super::map::hash(writer, key)?);
        let new = Node(writer.allocate(LINKS + height as u64 * 8 + key.len() as u64)?);
        writer.fresh(new.0 + SHAPE, height as u64 | (key.len() as u64) << 8)?;
        writer.view.segment.copy_in(new.link(height), key)?;
        writer.fill_slot(new.0 + VALUE, value)?;
        for level in 0..height {
            let behind = writer.load(spot.links[level])?;
            writer.fresh(new.link(level), behind)?;
            writer.set(spot.links[level], new.0)?;
        }
        let count = self.len(writer)?;
        writer.set(self.at + COUNT, count + 1)
    }

    /// Takes the entry at the spot out.
    pub(crate) fn remove(self, writer: &mut Writer<'_>, spot: &Spot) -> Result<()> {
        let Some(entry) = spot.entry else { return Ok(()) };
        let (height, _) = entry.shape(writer)?;
        for level in 0..height as usize {
            if writer.load(spot.links[level])? != entry.0 {
                return Err(Fault::Corrupt("links of an ordered map"));
            }
            let behind = writer.load(entry.link(level))?;
            writer.set(spot.links[level], behind)?;
        }
        writer.drop_slot(entry.0 + VALUE)?;
        writer.free(entry.0);
        let count = self.len(writer)?;
        writer.set(self.at + COUNT, count.saturating_sub(1))
    }

    /// Calls `see` with every entry, in order.
    pub(crate) fn for_each<'v, V: Deref<Target = View<'v>>, E: From<Fault>>(
        self,
        view: &mut V,
        mut see: impl FnMut(&mut V, Node) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut left = self.len(view)?;
        let mut next = self.first(view)?;
        while let Some(node) = next {
            view.check()?;
            left = left.checked_sub(1).ok_or(Fault::Corrupt("links of an ordered map"))?;
            next = node.next(view)?;
            see(view, node)?;
        }
        Ok(())
    }

    /// Removes everything.
    pub(crate) fn clear(self, writer: &mut Writer<'_>) -> Result<()> {
        self.for_each(writer, |writer, node| {
            writer.drop_slot(node.0 + VALUE)?;
            writer.free(node.0);
            Ok::<_, Fault>(())
        })?;
        for word in 0..ORDERED / 8 {
            writer.set(self.at + word * 8, 0)?;
        }
        Ok(())
    }
}

/// How many levels an entry stands on: one more for every two zero bits of its hash.
fn height_of(hash: u64) -> usize {
    (hash.trailing_zeros() as usize / 2 + 1).min(LEVELS)
}
