//! Copying into and out of a ring.

use std::mem::MaybeUninit;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

use super::super::segment::u64_of;

/// From so many bytes on they are written past the cache: the reader is on another core, most likely, and to take each line
/// away from there costs more than to fetch it from memory. (Measured on one with 1 MiB there and back: 160 µs, else 940.)
const LONG: usize = 512;

/// The words of a stretch of the ring: up to its end, and from its start.
pub(super) type Words<'r> = (&'r [AtomicU64], &'r [AtomicU64]);

pub(super) fn copy_in((head, tail): Words<'_>, bytes: &[u8]) {
    let (chunks, rest) = bytes.as_chunks::<8>();
    let (first, second) = chunks.split_at(chunks.len().min(head.len()));
    let store = if bytes.len() < LONG { store } else { store_past_cache };
    store(head, first);
    store(tail, second);
    if let (false, Some(word)) = (rest.is_empty(), head.iter().chain(tail).nth(chunks.len())) {
        word.store(u64_of(rest), Relaxed);
    }
}

fn store(words: &[AtomicU64], chunks: &[[u8; 8]]) {
    for (word, chunk) in words.iter().zip(chunks) {
        word.store(u64::from_le_bytes(*chunk), Relaxed);
    }
}

#[cfg(not(target_arch = "x86_64"))]
use store as store_past_cache;

#[cfg(target_arch = "x86_64")]
fn store_past_cache(words: &[AtomicU64], chunks: &[[u8; 8]]) {
    use std::arch::x86_64::{_mm_sfence, _mm_stream_si64};
    for (word, chunk) in words.iter().zip(chunks) {
        // SAFETY:
        // - valid: it is the pointer of an atomic, which is aligned and may be written for as long as it is borrowed;
        // - race: nobody of ours reads the word before the ring's position has moved on, which is stored after the fence
        //   below; what other programs do to the memory is as with any store;
        // - ordered: the fence that the instruction asks for stands at the end of this function.
        unsafe { _mm_stream_si64(word.as_ptr().cast(), i64::from_le_bytes(*chunk)) };
    }
    // SAFETY: needs SSE, which every processor of this architecture has, and nothing else.
    unsafe { _mm_sfence() };
}

pub(super) fn copy_out((head, tail): Words<'_>, len: usize, into: &mut Vec<u8>) {
    let (start, len) = (into.len(), len.min((head.len() + tail.len()) * 8));
    into.reserve(len.next_multiple_of(8));
    let (chunks, _) = into.spare_capacity_mut().as_chunks_mut::<8>();
    let (first, second) = chunks.split_at_mut(head.len());
    for (chunk, word) in first.iter_mut().zip(head) {
        *chunk = word.load(Relaxed).to_le_bytes().map(MaybeUninit::new);
    }
    for (chunk, word) in second.iter_mut().zip(tail) {
        *chunk = word.load(Relaxed).to_le_bytes().map(MaybeUninit::new);
    }
    // SAFETY:
    // - in bounds: as many bytes and more were reserved above;
    // - initialised: `len` is no more than the words have, and each of them was written to the spare capacity in turn,
    //   from its start: there are as many `chunks`, as the room reserved is whole words.
    unsafe { into.set_len(start + len) };
}
