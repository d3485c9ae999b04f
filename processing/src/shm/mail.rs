//! The page through which a process and the program that started it tell each other things: a ring each way.
//!
//! `README.md`, *The mail*, has the states and the races.

use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, SeqCst};
use std::sync::atomic::{AtomicU32, fence};
use std::time::Duration;

use super::fault::Result;
use super::page::Shared;
use super::ring::{Chunk, Ring};
use crate::sys::futex;

/// Both ways between a process and its parent.
#[repr(C)]
#[derive(Debug)]
pub(crate) struct Mail {
    /// To the worker.
    pub(crate) down: Lane,
    /// To the parent.
    pub(crate) up: Lane,
    calls: Calls,
}

// SAFETY: atomics and structs of atomics only, in `repr(C)`; zeroes are empty rings, silent bells and no calls.
unsafe impl Shared for Mail {}

/// What the parent's reactor wants to hear of, by the socket, as it cannot sleep at a bell; and whether it takes more.
#[repr(C, align(128))]
#[derive(Debug)]
struct Calls(AtomicU32);

/// There is something in the ring to the parent.
const NEWS: u32 = 1;
/// There is room in the ring to the worker.
const ROOM: u32 = 2;
/// The parent has no room for another message, until somebody listens there.
const FULL: u32 = 4;

/// One way: a ring, and a bell for whoever sleeps on either side of it.
#[repr(C)]
#[derive(Debug)]
pub(crate) struct Lane {
    pub(crate) ring: Ring,
    /// The reader's side sleeps here.
    pub(crate) news: Bell,
    /// The writer's side sleeps here.
    pub(crate) room: Bell,
}

/// Counts what there was to wake up for. It is rung where the flag of the ring is up, or without a reason.
#[repr(C, align(128))]
#[derive(Debug)]
pub(crate) struct Bell(AtomicU32);

/// How often a bell had rung.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ticket(u32);

impl Bell {
    /// To be taken before looking at whatever one is going to sleep for.
    #[inline]
    pub(crate) fn ticket(&self) -> Ticket {
        Ticket(self.0.load(Acquire))
    }

    /// Wakes everyone.
    pub(crate) fn ring(&self) {
        self.0.fetch_add(1, AcqRel);
        futex::wake_all(&self.0);
    }

    /// Sleeps until it rings, unless it has since. May return for no reason.
    fn wait(&self, ticket: Ticket, at_most: Option<Duration>) {
        futex::wait(&self.0, ticket.0, at_most);
    }
}

impl Lane {
    /// For the writer: puts a chunk into room that there is.
    #[inline]
    pub(crate) fn put(&self, chunk: Chunk, bytes: &[u8]) {
        if self.ring.put(chunk, bytes) {
            self.news.ring();
        }
    }

    /// For the reader: takes the chunk that comes next.
    #[inline]
    pub(crate) fn take(&self, chunk: Chunk, into: &mut Vec<u8>) {
        if self.ring.take(chunk, into) {
            self.room.ring();
        }
    }

    /// Whether the reader has anything to look at that it did not have when it `saw` the writer there.
    #[inline]
    pub(crate) fn has_news(&self, saw: u64, ticket: Ticket) -> bool {
        self.ring.written.position() != saw || self.news.ticket() != ticket
    }

    /// For the reader: sleeps until there is more than it `saw`, or the bell rings.
    pub(crate) fn sleep_for_news(&self, saw: u64, ticket: Ticket, at_most: Option<Duration>) {
        if self.ring.written.announce(saw) {
            self.news.wait(ticket, at_most);
        }
    }

    /// For the writer: the same for room.
    pub(crate) fn sleep_for_room(&self, saw: u64, ticket: Ticket) {
        if self.ring.read.announce(saw) {
            self.room.wait(ticket, None);
        }
    }
}

impl Mail {
    /// For the parent, when there is no worker: both rings are empty.
    pub(crate) fn clear(&self) {
        self.down.ring.clear();
        self.up.ring.clear();
        self.calls.0.fetch_and(!FULL, AcqRel);
    }

    /// For the parent: says whether it has room for what the worker tells.
    pub(crate) fn set_full(&self, is_full: bool) {
        if is_full {
            self.calls.0.fetch_or(FULL, AcqRel);
        } else {
            self.calls.0.fetch_and(!FULL, AcqRel);
        }
    }

    /// For the worker, before it begins to tell something: whether the parent has no room for that.
    #[inline]
    pub(crate) fn is_full(&self) -> bool {
        self.calls.0.load(Relaxed) & FULL != 0
    }

    /// For the parent: asks for a word by the socket when there is something to hear. It has to look once more then.
    pub(crate) fn call_for_news(&self) {
        self.call(NEWS);
    }

    /// For the parent: asks for a word by the socket when there is room. It has to look once more then.
    pub(crate) fn call_for_room(&self) {
        self.call(ROOM);
    }

    fn call(&self, what: u32) {
        self.calls.0.fetch_or(what, AcqRel);
        fence(SeqCst);
    }

    /// For the worker, which has told something: whether the parent asked to hear of that.
    #[inline]
    pub(crate) fn owes_news(&self) -> bool {
        // After the fence of the ring: either this sees the call, or who called sees what was told.
        self.calls.0.load(Relaxed) & NEWS != 0 && self.calls.0.fetch_and(!NEWS, AcqRel) & NEWS != 0
    }

    /// For the worker, which has listened: whether the parent asked to hear of that. Not before half of the ring is
    /// empty, so that it is worth the trouble; no chunk is as big as that.
    #[inline]
    pub(crate) fn owes_room(&self) -> Result<bool> {
        Ok(self.calls.0.load(Relaxed) & ROOM != 0
            && self.down.ring.is_half_empty()?
            && self.calls.0.fetch_and(!ROOM, AcqRel) & ROOM != 0)
    }
}

#[cfg(test)]
mod tests;
