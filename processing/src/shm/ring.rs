//! Bytes in one direction: a ring in shared memory with one writer and one reader.
//!
//! The writer owns one position, the reader the other, and each only ever grows. What lies between them is
//! *chunks*: a header word and bytes, padded to whole words, published as a whole. `README.md`, *The ring*, has the
//! states and the races.

use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicU64, fence};

use super::fault::{Fault, Result};
use super::page::Shared;
use super::segment::u64_of;

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
    /// Its message goes on in the next chunk.
    pub(crate) more: bool,
    /// The message that was going on is given up.
    pub(crate) abort: bool,
    /// How many descriptors ride beside the message; said by its first chunk.
    pub(crate) handles: u16,
}

const FIRST: u64 = 1 << 32;
const MORE: u64 = 1 << 33;
const ABORT: u64 = 1 << 34;

impl Chunk {
    fn word(self) -> u64 {
        let flag = |set, bit| if set { bit } else { 0 };
        self.len as u64
            | flag(self.first, FIRST)
            | flag(self.more, MORE)
            | flag(self.abort, ABORT)
            | u64::from(self.handles) << 48
    }

    fn of(word: u64) -> Result<Chunk> {
        let chunk = Chunk {
            len: (word & 0xffff_ffff) as usize,
            first: word & FIRST != 0,
            more: word & MORE != 0,
            abort: word & ABORT != 0,
            handles: (word >> 48) as u16,
        };
        if chunk.len > CHUNK || chunk.word() != word {
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

    /// For the writer: how much room there is, and the reader's position that this was told by.
    #[inline]
    pub(crate) fn room(&self) -> Result<(u64, u64)> {
        let read = self.read.position();
        Ok((ROOM - self.between(self.written.own_position(), read)?, read))
    }

    /// For the writer: puts a chunk into room that there is. Says whether the reader is to be woken.
    pub(crate) fn put(&self, chunk: Chunk, bytes: &[u8]) -> bool {
        let at = self.written.own_position();
        self.word(at).store(chunk.word(), Relaxed);
        self.copy_in(at.wrapping_add(8), bytes);
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

    /// For the reader: where the next chunk begins.
    pub(crate) fn place(&self) -> u64 {
        self.read.own_position()
    }

    /// For the reader: takes the chunk that [`Ring::next`] told of. Says whether the writer is to be woken.
    pub(crate) fn take(&self, chunk: Chunk, into: &mut Vec<u8>) -> bool {
        let at = self.read.own_position();
        self.copy_out(at.wrapping_add(8), chunk.len, into);
        // What was copied must have been, before the writer may overwrite it.
        fence(std::sync::atomic::Ordering::Acquire);
        self.read.advance(at.wrapping_add(Chunk::size(chunk.len)))
    }

    #[inline]
    fn word(&self, at: u64) -> &AtomicU64 {
        &self.data[(at / 8) as usize % WORDS]
    }

    /// The words of `len` bytes from `at` on: up to the end of the ring, and from its start.
    fn words(&self, at: u64, len: usize) -> (&[AtomicU64], &[AtomicU64]) {
        let (start, count) = ((at / 8) as usize % WORDS, len.div_ceil(8).min(WORDS));
        let head = count.min(WORDS - start);
        (&self.data[start..start + head], &self.data[..count - head])
    }

    fn copy_in(&self, at: u64, bytes: &[u8]) {
        let (head, tail) = self.words(at, bytes.len());
        let (chunks, rest) = bytes.as_chunks::<8>();
        let mut words = head.iter().chain(tail);
        for (chunk, word) in chunks.iter().zip(&mut words) {
            word.store(u64::from_le_bytes(*chunk), Relaxed);
        }
        if let (false, Some(word)) = (rest.is_empty(), words.next()) {
            word.store(u64_of(rest), Relaxed);
        }
    }

    fn copy_out(&self, at: u64, len: usize, into: &mut Vec<u8>) {
        let (head, tail) = self.words(at, len);
        let start = into.len();
        into.resize(start + len.next_multiple_of(8), 0);
        let (chunks, _) = into[start..].as_chunks_mut::<8>();
        let (first, second) = chunks.split_at_mut(head.len());
        for (chunk, word) in first.iter_mut().zip(head) {
            *chunk = word.load(Relaxed).to_le_bytes();
        }
        for (chunk, word) in second.iter_mut().zip(tail) {
            *chunk = word.load(Relaxed).to_le_bytes();
        }
        into.truncate(start + len);
    }
}
