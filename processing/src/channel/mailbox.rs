//! Messages on the rings between a process and its parent: one side's mailbox, and what the other puts into it.
//!
//! A message that brings descriptors along goes by the control channel, and a mark in the ring keeps its place.

use std::collections::VecDeque;
use std::io;
use std::time::Instant;

use super::backlog::Backlog;
use super::{Message, Pace, spare};
use crate::shm::fault::Fault;
use crate::shm::mail::Lane;
use crate::shm::ring::Chunk;

/// How many chunks are read before others have their turn.
const TURN: usize = 4;

/// The reading side.
#[derive(Debug, Default)]
pub(crate) struct Mailbox {
    /// What has been taken from the ring and nobody has listened to.
    ready: Backlog,
    /// The message that is being read.
    partial: Option<Vec<u8>>,
    /// What came by the control channel; the ring says when it is its turn.
    apart: VecDeque<Message>,
}

/// What somebody who waits has found.
#[derive(Debug)]
pub(crate) enum Look<R> {
    /// What was looked for.
    Found(R),
    /// It has to look again.
    Again,
    /// Nothing, with the ring's writer there.
    Nothing(u64),
}

impl Mailbox {
    /// Takes the next message.
    pub(crate) fn next(&mut self, lane: &Lane) -> Result<Look<Message>, Fault> {
        match self.ready.pop()? {
            Some(message) => Ok(Look::Found(message)),
            None => self.read(lane),
        }
    }

    fn read(&mut self, lane: &Lane) -> Result<Look<Message>, Fault> {
        for _ in 0..TURN {
            let chunk = match lane.ring.next()? {
                Ok(chunk) => chunk,
                Err(saw) => return Ok(Look::Nothing(saw)),
            };
            if chunk.handles != 0 {
                // Whoever brings it rings.
                let Some(message) = self.apart.pop_front() else {
                    return Ok(Look::Nothing(lane.ring.written.position()));
                };
                lane.take(chunk, &mut Vec::new());
                return Ok(Look::Found(message));
            }
            if chunk.first {
                self.partial = Some(chunk.make_room(spare::take()));
            }
            let Some(partial) = self.partial.as_mut().filter(|_| !chunk.abort) else {
                return Err(Fault::Corrupt("a chunk without a beginning"));
            };
            lane.take(chunk, partial);
            if chunk.more == 0
                && let Some(bytes) = self.partial.take()
            {
                return Ok(Look::Found(Message { bytes, fds: Vec::new() }));
            }
        }
        Ok(Look::Again)
    }

    /// Takes in what the ring holds, so that there is room again.
    pub(crate) fn drain(&mut self, lane: &Lane) -> Result<(), Fault> {
        // Not what is put meanwhile: that might never end.
        let end = lane.ring.written.position();
        while end.wrapping_sub(lane.ring.place()).cast_signed() > 0 {
            match self.read(lane)? {
                Look::Found(message) => self.ready.push(message),
                Look::Again => {}
                Look::Nothing(_) => break,
            }
        }
        Ok(())
    }

    /// Whether there is no room for more until somebody has listened.
    pub(crate) fn is_full(&self) -> bool {
        self.ready.is_full()
    }

    /// A message that came by the control channel.
    pub(crate) fn add(&mut self, message: Message) {
        self.apart.push_back(message);
    }

    /// Forgets what a writer that is gone has left unfinished.
    pub(crate) fn forget_unfinished(&mut self) {
        self.partial = None;
        self.apart.clear();
    }
}

/// Puts as much of a message as there is room for, from the byte on that `sent` says; `true` once all of it is put.
/// `known` is as for [`Ring::has_room`](crate::shm::ring::Ring::has_room).
pub(crate) fn post(lane: &Lane, bytes: &[u8], sent: &mut usize, known: &mut u64) -> Result<bool, Fault> {
    loop {
        let (chunk, piece) = Chunk::next_of(bytes, *sent);
        if !lane.ring.has_room(Chunk::size(piece.len()), known)? {
            return Ok(false);
        }
        lane.put(chunk, piece);
        *sent += piece.len();
        if chunk.more == 0 {
            return Ok(true);
        }
    }
}

/// Puts the mark of a message that goes by the control channel; `false` if there is no room.
pub(crate) fn mark(lane: &Lane, known: &mut u64) -> Result<bool, Fault> {
    let has_room = lane.ring.has_room(Chunk::size(0), known)?;
    if has_room {
        lane.put(Chunk { len: 0, first: true, more: 0, abort: false, handles: 1 }, &[]);
    }
    Ok(has_room)
}

/// Waits until `look` finds something, or the time is over. What it finds is in the ring, or is announced by the bell.
pub(crate) fn wait_for_news<R>(
    lane: &Lane,
    deadline: Option<Instant>,
    mut look: impl FnMut() -> Look<R>,
) -> Option<R> {
    let mut pace = Pace::default();
    loop {
        let ticket = lane.news.ticket();
        let saw = match look() {
            Look::Found(found) => return Some(found),
            Look::Again => {
                pace = Pace::default();
                continue;
            }
            Look::Nothing(saw) => saw,
        };
        while !lane.has_news(saw, ticket) {
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            if left.is_some_and(|left| left.is_zero()) {
                return None;
            }
            if pace.over {
                lane.sleep_for_news(saw, ticket, left);
                break;
            }
            pace.step();
        }
    }
}

impl From<Fault> for io::Error {
    fn from(fault: Fault) -> Self {
        io::Error::new(io::ErrorKind::InvalidData, fault.to_string())
    }
}

#[cfg(test)]
mod tests;
