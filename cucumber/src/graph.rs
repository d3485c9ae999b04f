//! Identity of `Rc`, `Arc` and `Weak` inside one encoding.
//!
//! A shared value is written once, in a part of its own behind the main value, and referred to by number. So it does not
//! matter who refers to it first, how often, or whether something in between reads twice.
//!
//! Reading goes from reference to part, and a reference to a part that is being read is a cycle. A `Weak` is then one to the
//! allocation in the making. Anything else is left out for the moment (a *hollow*: `None`, no elements), and when all is there
//! the content of the cell around it is read again. A cycle without a cell cannot have been built by safe code.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::marker::PhantomData;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_with::{DeserializeAs, SerializeAs};

use crate::error::{Error, Result};
use crate::frame::Codec;
use crate::scope::{is_writing, with_table, with_top};

mod incoming;
mod pointer;
mod reading;

pub(crate) use incoming::{
    Incoming, has_cycle, hollow, is_hollow_after, is_reading, is_within, note_refill, parts, settle, strong,
    watch, weak,
};
pub(crate) use pointer::Pointer;
pub(crate) use reading::Coverage;

/// No part: a `Weak` whose value is gone.
pub(crate) const DANGLING: u32 = 0;

/// A part's header: its codec (0 where there are only weak references), whether any reference is weak, its length.
pub(crate) const HEADER: usize = 10;

/// What stands behind the parts: the length of it all.
pub(crate) const FOOTER: usize = 8;

/// What is around the parts: how many there are before them, and the footer.
pub(crate) const TABLE: usize = 4 + FOOTER;

/// A part's content, written and read through the adapter `A`; both directions have one name, by which its shape is known.
pub(crate) struct Part<V, A>(pub(crate) V, PhantomData<fn() -> A>);

impl<V, A> Part<V, A> {
    pub(crate) fn new(value: V) -> Self {
        Self(value, PhantomData)
    }
}

impl<T: ?Sized, A: SerializeAs<T>> Serialize for Part<&T, A> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        A::serialize_as(self.0, serializer)
    }
}

impl<'de, T, A: DeserializeAs<'de, T>> Deserialize<'de> for Part<T, A> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        A::deserialize_as(deserializer).map(Self::new)
    }
}

/// Reads a part; from now on its type is known.
pub(crate) fn read<T, A>(codec: Codec, bytes: &[u8]) -> Result<T>
where
    A: for<'de> DeserializeAs<'de, T>,
    Part<T, A>: DeserializeOwned,
{
    crate::know::<Part<T, A>>();
    crate::de::part::<Part<T, A>>(codec, bytes, crate::scope::stack()).map(|part| part.0)
}

/// The shared values of an encoding.
#[derive(Default)]
pub(crate) struct Outgoing {
    numbers: HashMap<(usize, TypeId), u32>,
    entries: Vec<Entry>,
    /// How many of them have content.
    written: usize,
}

struct Entry {
    /// Keeps the value where it is, so that no other one gets its address meanwhile.
    _keep: Box<dyn Any>,
    begun: bool,
    is_weakly_held: bool,
    content: Option<(Codec, Vec<u8>)>,
}

impl Outgoing {
    /// The number of this value, and whether its content is still to be written.
    fn refer<P: Pointer>(&mut self, pointer: &P, is_weak: bool) -> Result<(u32, bool)> {
        let next = self.entries.len();
        let key = (pointer.address(), TypeId::of::<P>());
        let place = match self.numbers.get(&key) {
            Some(&number) => number as usize - 1,
            None => {
                let number = u32::try_from(next + 1)
                    .map_err(|_| Error::unsupported("a value holds at most 4294967294 shared values"))?;
                self.numbers.insert(key, number);
                let keep = Box::new(pointer.clone());
                self.entries.push(Entry { _keep: keep, begun: false, is_weakly_held: false, content: None });
                next
            }
        };
        let entry = &mut self.entries[place];
        entry.is_weakly_held |= is_weak;
        let is_due = !is_weak && !entry.begun;
        entry.begun |= is_due;
        Ok((place as u32 + 1, is_due))
    }

    /// Writes all parts, how many there are before them and the length of it all behind.
    pub(crate) fn append_to(&self, out: &mut Vec<u8>) -> Result<()> {
        let start = out.len();
        let count =
            u32::try_from(self.entries.len()).map_err(|_| Error::unsupported("too many shared values"))?;
        out.extend_from_slice(&count.to_le_bytes());
        for entry in &self.entries {
            let (codec, bytes) = match &entry.content {
                Some((codec, bytes)) => (*codec as u8, bytes.as_slice()),
                None => (0, &[][..]),
            };
            out.extend_from_slice(&[codec, u8::from(entry.is_weakly_held)]);
            out.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
            out.extend_from_slice(bytes);
        }
        let length = (out.len() - start) as u64;
        out.extend_from_slice(&length.to_le_bytes());
        Ok(())
    }
}

/// How many shared values of the encoding in progress are written.
#[inline]
pub(crate) fn written() -> usize {
    with_top(|table| table.and_then(|table| table.outgoing.as_ref()).map_or(0, |outgoing| outgoing.written))
}

fn refer<P: Pointer>(pointer: &P, is_weak: bool) -> Result<(u32, bool)> {
    with_table(|table| match table {
        Some(table) if is_writing() => table.outgoing.get_or_insert_default().refer(pointer, is_weak),
        _ => Err(Error::unsupported(
            "a shared value keeps its identity only within an encoding of `cucumber`; \
             for other formats write `#[serde(with = …)]` or hold it without `Rc` and `Arc`",
        )),
    })
}

/// The number by which a shared value is referred to; its content is written when that is asked for the first time.
pub(crate) fn write_strong<P: Pointer, A: SerializeAs<P::Target>>(pointer: &P) -> Result<u32> {
    let (number, is_due) = refer(pointer, false)?;
    if is_due {
        let written = crate::ser::part(&Part::<_, A>::new(pointer.target()));
        with_top(|table| {
            let outgoing = table?.outgoing.as_mut()?;
            let entry = outgoing.entries.get_mut(number as usize - 1)?;
            match written {
                Ok(content) => {
                    entry.content = Some(content);
                    outgoing.written += 1;
                }
                Err(error) => {
                    // Another attempt, in the other codec, has to meet the error again.
                    entry.begun = false;
                    return Some(Err(error));
                }
            }
            Some(Ok(()))
        })
        .unwrap_or(Ok(()))?;
    }
    Ok(number)
}

/// The number of a value that is alive, or [`DANGLING`]. It travels only if something holds it strongly.
pub(crate) fn write_weak<P: Pointer>(weak: &P::Weak) -> Result<u32> {
    match P::upgrade(weak) {
        Some(pointer) => refer(&pointer, true).map(|(number, _)| number),
        None => Ok(DANGLING),
    }
}

#[cfg(test)]
mod tests;
