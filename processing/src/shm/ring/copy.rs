//! Copying into and out of a ring.
//!
//! What is written goes through the cache, word by word; long pieces go past it where the cores have no cache in common: taking
//! each line away from a distant reader costs several times what fetching it from memory does. (1 MiB there and back between two
//! such cores: 100 µs, through the cache 940. Between near ones: 210, through the cache 130.)

use std::mem::MaybeUninit;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

use super::super::segment::u64_of;
use crate::sys;

/// What is long: from here on it is the faster way between distant cores.
const LONG: usize = 8 << 10;

/// The words of a stretch of the ring: up to its end, and from its start.
pub(super) type Words<'r> = (&'r [AtomicU64], &'r [AtomicU64]);

pub(super) fn copy_in((head, tail): Words<'_>, bytes: &[u8]) {
    let (chunks, rest) = bytes.as_chunks::<8>();
    let (first, second) = chunks.split_at(chunks.len().min(head.len()));
    let store = if bytes.len() < LONG || sys::share_a_cache() { store } else { store_long };
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

pub(super) fn copy_out((head, tail): Words<'_>, len: usize, into: &mut Vec<u8>) {
    let (start, len) = (into.len(), len.min((head.len() + tail.len()) * 8));
    into.reserve(len.next_multiple_of(8));
    let (chunks, _) = into.spare_capacity_mut().as_chunks_mut::<8>();
    let (first, second) = chunks.split_at_mut(head.len());
    let load = if len < LONG { load } else { load_long };
    load(head, first);
    load(tail, second);
    // SAFETY:
    // - in bounds: as many bytes and more were reserved above;
    // - initialised: `len` is no more than the words have, and each of them was written to the spare capacity in turn,
    //   from its start: there are as many `chunks`, as the room reserved is whole words.
    unsafe { into.set_len(start + len) };
}

fn load(words: &[AtomicU64], chunks: &mut [[MaybeUninit<u8>; 8]]) {
    for (word, chunk) in words.iter().zip(chunks) {
        *chunk = word.load(Relaxed).to_le_bytes().map(MaybeUninit::new);
    }
}

#[cfg(not(target_arch = "x86_64"))]
use {load as load_long, store as store_long};

/// Stores past the cache, two words at a time.
#[cfg(target_arch = "x86_64")]
fn store_long(words: &[AtomicU64], chunks: &[[u8; 8]]) {
    use std::arch::x86_64::{_mm_loadu_si128, _mm_sfence, _mm_stream_si128};
    let count = words.len().min(chunks.len());
    // The pairs have to be aligned as such.
    let odd = usize::from(!words.as_ptr().addr().is_multiple_of(16)).min(count);
    store(&words[..odd], &chunks[..odd]);
    let (pairs, last) = words[odd..count].as_chunks::<2>();
    let (sources, rest) = chunks[odd..count].as_chunks::<2>();
    for (pair, source) in pairs.iter().zip(sources) {
        // SAFETY: reads the 16 bytes of `source`, of which nothing but that is asked.
        let both = unsafe { _mm_loadu_si128(source.as_ptr().cast()) };
        // SAFETY:
        // - valid: the pointer of two atomics, which may be written for as long as they are borrowed;
        // - aligned: the first pair is, as has been seen to, and each is as long as that;
        // - race: nobody of ours reads the words before the ring's position has moved on, which is stored after the fence
        //   below; what other programs do to the memory is as with any store;
        // - ordered: the fence that the instruction asks for stands at the end of this function.
        unsafe { _mm_stream_si128(pair.as_ptr().cast_mut().cast(), both) };
    }
    store(last, rest);
    // SAFETY: needs SSE, which every processor of this architecture has, and nothing else.
    unsafe { _mm_sfence() };
}

/// Loads with the instruction that copies strings, unless that is slow.
#[cfg(target_arch = "x86_64")]
fn load_long(words: &[AtomicU64], chunks: &mut [[MaybeUninit<u8>; 8]]) {
    // Some processors (AMD's Zen) then take it for a copy onto itself, and go byte by byte: sixteen times as long.
    let ahead = chunks.as_ptr().addr().wrapping_sub(words.as_ptr().addr()) % 4096;
    if (1..64).contains(&ahead) {
        return load(words, chunks);
    }
    let count = words.len().min(chunks.len()) * 8;
    // SAFETY:
    // - in bounds: `words` and `chunks` have `count` bytes each, as just computed;
    // - valid: both are borrowed; that the words may change meanwhile is as with volatile reads, as the compiler assumes
    //   nothing of what an instruction of ours reads;
    // - direction: the flag is clear, as the calling convention has it, and the instruction changes none.
    unsafe {
        std::arch::asm!(
            "rep movsb",
            inout("rcx") count => _,
            inout("rdi") chunks.as_mut_ptr() => _,
            inout("rsi") words.as_ptr() => _,
            options(nostack, preserves_flags),
        );
    }
}
