//! Bytes in one direction: a ring in shared memory with one writer and one reader.
//!
//! The writer owns one position, the reader the other, and each only ever grows. What lies between them is
//! *chunks*: a header word and bytes, padded to whole words, published as a whole. `README.md`, *The ring*, has the
//! states and the races.

use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicU64, fence};

use super::fault::{Fault, Result};
use super::page::Shared;

mod copy;
mod gate;
#[cfg(test)]
mod tests;

pub(crate) use gate::Gate;

/// How many words of data a ring has room for.
const WORDS: usize = 1 << 15;
/// The same in bytes.
pub(crate) const ROOM: u64 = WORDS as u64 * 8;
/// The most bytes of one chunk: a quarter of the ring, so that reading and writing overlap.
pub(crate) const CHUNK: usize = WORDS * 2;

/// One direction.
#[repr(C)]
#[derive(Debug)]
pub(crate) struct Ring {
    /// How far the writer is; the reader sleeps at it.
    pub(crate) written: Gate,
    /// How far the reader is; the writer sleeps at it.
    pub(crate) read: Gate,
    data: [AtomicU64; WORDS],
}

/// Both directions of a pipe.
#[repr(C)]
#[derive(Debug)]
pub(crate) struct Rings {
    pub(crate) down: Ring,
    pub(crate) up: Ring,
}

// SAFETY: atomics and structs of atomics only, in `repr(C)`; zero positions and flags are an empty ring.
unsafe impl Shared for Rings {}

/// What the header of a chunk says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Chunk {
    /// How many bytes follow.
    pub(crate) len: usize,
    /// It is the first of its message.
    pub(crate) first: bool,
    /// In how many more chunks its message goes on; [`Chunk::MOST`] stands for that and any greater number.
    pub(crate) more: u16,
    /// The message that was going on is given up.
    pub(crate) abort: bool,
    /// How many descriptors ride beside the message; said by its first chunk.
    pub(crate) handles: u16,
}

const FIRST: u64 = 1 << 32;
const ABORT: u64 = 1 << 33;
const MORE: u32 = 34;
const HANDLES: u32 = 48;

impl Chunk {
    /// The greatest number that `more` can say.
    const MOST: u16 = (1 << (HANDLES - MORE)) - 1;

    /// The chunk that the bytes of a message begin with, of which `sent` have been put before.
    pub(crate) fn next_of(bytes: &[u8], sent: usize) -> (Chunk, &[u8]) {
        let rest = &bytes[sent..];
        let (piece, later) = rest.split_at(rest.len().min(CHUNK));
        let more = u16::try_from(later.len().div_ceil(CHUNK)).unwrap_or(u16::MAX).min(Chunk::MOST);
        (Chunk { len: piece.len(), first: sent == 0, more, abort: false, handles: 0 }, piece)
    }

    /// Makes room in a buffer for the message that this chunk is the first one of.
    pub(crate) fn make_room(self, mut buffer: Vec<u8>) -> Vec<u8> {
        // What it says of its length may be wrong: memory that is not used costs nothing, up to a point.
        const MOST: usize = 64 << 20;
        let length = self.len + usize::from(self.more) * CHUNK;
        buffer.clear();
        // If there is none, it is asked for again as the buffer fills. The words of the ring need a little more.
        let _ = buffer.try_reserve_exact((length + 8).min(MOST));
        buffer
    }

    fn word(self) -> u64 {
        let flag = |set, bit| if set { bit } else { 0 };
        self.len as u64
            | flag(self.first, FIRST)
            | flag(self.abort, ABORT)
            | u64::from(self.more) << MORE
            | u64::from(self.handles) << HANDLES
    }

    fn of(word: u64) -> Result<Chunk> {
        let chunk = Chunk {
            len: (word & 0xffff_ffff) as usize,
            first: word & FIRST != 0,
            abort: word & ABORT != 0,
            more: (word >> MORE) as u16 & Chunk::MOST,
            handles: (word >> HANDLES) as u16,
        };
        let is_cut = chunk.more != 0 && chunk.len != CHUNK;
        if chunk.len > CHUNK || is_cut || chunk.word() != word {
            Err(Fault::Corrupt("header of a chunk"))
        } else {
            Ok(chunk)
        }
    }

    /// How many bytes of the ring a chunk of `len` bytes takes.
    pub(crate) fn size(len: usize) -> u64 {
        8 + len.next_multiple_of(8) as u64
    }
}

impl Ring {
    /// How many bytes lie between the positions; refuses what no reader and writer of ours leave.
    fn between(&self, written: u64, read: u64) -> Result<u64> {
        let used = written.wrapping_sub(read);
        if used > ROOM || (written | read) & 7 != 0 {
            Err(Fault::Corrupt("positions of a ring"))
        } else {
            Ok(used)
        }
    }

    /// For the writer: whether there is room for so many bytes. `known` is a place that the reader has reached, 0 if
    /// nothing is known: it is asked for only where that is not enough, as it lies in the other side's cache.
    #[inline]
    pub(crate) fn has_room(&self, size: u64, known: &mut u64) -> Result<bool> {
        let written = self.written.own_position();
        if written & 7 == 0 && size <= ROOM.saturating_sub(written.wrapping_sub(*known)) {
            return Ok(true);
        }
        *known = self.read.position();
        Ok(size <= ROOM - self.between(written, *known)?)
    }

    /// For the writer: whether all of it has been read.
    pub(crate) fn is_read(&self) -> bool {
        self.read.position() == self.written.own_position()
    }

    /// For the writer: puts a chunk into room that there is. Says whether the reader is to be woken.
    pub(crate) fn put(&self, chunk: Chunk, bytes: &[u8]) -> bool {
        let at = self.written.own_position();
        self.word(at).store(chunk.word(), Relaxed);
        copy::copy_in(self.words(at.wrapping_add(8), bytes.len()), bytes);
        self.written.advance(at.wrapping_add(Chunk::size(bytes.len())))
    }

    /// For the reader: the header of the next chunk, or the writer's position at which there was none.
    #[inline]
    pub(crate) fn next(&self) -> Result<std::result::Result<Chunk, u64>> {
        let (written, read) = (self.written.position(), self.read.own_position());
        let used = self.between(written, read)?;
        if used == 0 {
            return Ok(Err(written));
        }
        let chunk = Chunk::of(self.word(read).load(Relaxed))?;
        if Chunk::size(chunk.len) > used {
            return Err(Fault::Corrupt("length of a chunk"));
        }
        Ok(Ok(chunk))
    }

    /// For the reader: whether the writer has half of the ring for itself.
    pub(crate) fn is_half_empty(&self) -> Result<bool> {
        let used = self.between(self.written.position(), self.read.own_position())?;
        Ok(used <= ROOM / 2)
    }

    /// Empties it, whatever it holds. Nobody else may be reading or writing.
    pub(crate) fn clear(&self) {
        self.written.reset();
        self.read.reset();
    }

    /// For the reader: where the next chunk begins.
    pub(crate) fn place(&self) -> u64 {
        self.read.own_position()
    }

    /// For the reader: takes the chunk that [`Ring::next`] told of. Says whether the writer is to be woken.
    pub(crate) fn take(&self, chunk: Chunk, into: &mut Vec<u8>) -> bool {
        let at = self.read.own_position();
        copy::copy_out(self.words(at.wrapping_add(8), chunk.len), chunk.len, into);
        // What was copied must have been, before the writer may overwrite it.
        fence(std::sync::atomic::Ordering::Acquire);
        self.read.advance(at.wrapping_add(Chunk::size(chunk.len)))
    }

    #[inline]
    fn word(&self, at: u64) -> &AtomicU64 {
        &self.data[(at / 8) as usize % WORDS]
    }

    /// The words of `len` bytes from `at` on: up to the end of the ring, and from its start.
    fn words(&self, at: u64, len: usize) -> copy::Words<'_> {
        let (start, count) = ((at / 8) as usize % WORDS, len.div_ceil(8).min(WORDS));
        let head = count.min(WORDS - start);
        (&self.data[start..start + head], &self.data[..count - head])
    }
}
