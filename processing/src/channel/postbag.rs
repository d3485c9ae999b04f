//! What a process is told, until it is in the ring; and for one that may be replaced, until no later worker can need it.
//!
//! The first messages are kept in memory, up to [`NEAR`] bytes and one message however large; those behind them go to a
//! file without a name, and from there into the ring. Messages with descriptors stay in memory, up to as many bytes again.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;

use super::Packet;
use super::backlog::{HEAD, NEAR};
use super::mailbox::{mark, post};
use super::spool::{Head, Spool};
use crate::shm::fault::Fault;
use crate::shm::mail::Lane;

#[cfg(test)]
mod tests;

/// Messages in order, each with a number; see the module's page.
#[derive(Debug, Default)]
pub(crate) struct Postbag {
    /// The first ones.
    near: VecDeque<Arc<Packet>>,
    /// How many bytes those are.
    size: usize,
    /// Those behind them.
    far: Option<Far>,
    /// The number of the first one, of the next to be put into the ring, and of the one that comes behind the last.
    first: u64,
    next: u64,
    end: u64,
    /// How much of the next one has been put.
    sent: usize,
    /// How far the reader is known to be.
    known: u64,
}

/// What is in the file.
#[derive(Debug, Default)]
struct Far {
    spool: Spool,
    /// Where the first one is, and the next to be put.
    first: u64,
    next: u64,
    /// The next one, as far as it has been read.
    loaded: Option<(Vec<u8>, Head)>,
    /// Those with descriptors, of which there is but a mark in the file, and how many bytes they are.
    marked: VecDeque<Arc<Packet>>,
    size: usize,
}

impl Postbag {
    /// Puts a message behind the others; of one with descriptors, only the mark is put into the ring.
    ///
    /// # Errors
    /// Where there is no room for it.
    pub(crate) fn push(&mut self, packet: Arc<Packet>) -> io::Result<()> {
        let fits = self.near.is_empty() || self.size + packet.body.len() <= NEAR;
        if self.far.is_none() && fits {
            self.size += packet.body.len() + HEAD;
            self.near.push_back(packet);
        } else {
            self.far.get_or_insert_default().push(packet)?;
        }
        self.end += 1;
        Ok(())
    }

    /// Takes back the message that was pushed last, before anything else is done.
    pub(crate) fn take_back(&mut self, packet: &Packet) {
        self.end -= 1;
        match &mut self.far {
            None => {
                self.near.pop_back();
                self.size -= packet.body.len() + HEAD;
            }
            Some(far) => far.take_back(packet),
        }
        self.tidy();
    }

    /// The number of the first message that is still here.
    pub(crate) fn first(&self) -> u64 {
        self.first
    }

    /// Whether all of it has been put into the ring.
    pub(crate) fn is_put(&self) -> bool {
        self.next == self.end
    }

    /// Puts what there is room for; `false` if some of it has to wait. Where it `keeps` nothing, what has been put is gone.
    pub(crate) fn flush(&mut self, lane: &Lane, keeps: bool) -> Result<bool, Fault> {
        while self.next < self.end {
            let put = match (self.near.get((self.next - self.first) as usize), &mut self.far) {
                (Some(packet), _) if packet.fds.is_empty() => {
                    post(lane, &packet.body, &mut self.sent, &mut self.known)?
                }
                (Some(_), _) => mark(lane, &mut self.known)?,
                (None, Some(far)) => far.put(lane, &mut self.sent, &mut self.known)?,
                (None, None) => return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
            };
            if !put {
                return Ok(false);
            }
            self.sent = 0;
            self.next += 1;
            if !keeps {
                self.forget_until(self.next);
            }
        }
        Ok(true)
    }

    /// Forgets the messages before this number, but none that has not been put.
    pub(crate) fn forget_until(&mut self, number: u64) {
        while self.first < number.min(self.next) {
            if let Some(packet) = self.near.pop_front() {
                self.size -= packet.body.len() + HEAD;
            } else if !self.far.as_mut().is_some_and(Far::forget_first) {
                // What cannot be read stays, and is an error for whoever needs it again.
                return;
            }
            self.first += 1;
        }
        self.tidy();
    }

    /// What is put from here on begins with the first message that is still here: the ring is another's.
    pub(crate) fn rewind(&mut self) {
        (self.next, self.sent, self.known) = (self.first, 0, 0);
        if let Some(far) = &mut self.far {
            (far.next, far.loaded) = (far.first, None);
        }
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        *self = Postbag { first: self.end, next: self.end, end: self.end, ..Postbag::default() };
    }

    /// Those messages that bring descriptors along, in order.
    pub(crate) fn with_descriptors(&self) -> impl Iterator<Item = &Arc<Packet>> {
        let near = self.near.iter().filter(|packet| !packet.fds.is_empty());
        near.chain(self.far.iter().flat_map(|far| &far.marked))
    }

    /// A file with nothing in it is none.
    fn tidy(&mut self) {
        if self.end == self.first + self.near.len() as u64 {
            self.far = None;
        }
    }
}

impl Far {
    fn push(&mut self, packet: Arc<Packet>) -> io::Result<()> {
        if packet.fds.is_empty() {
            return self.spool.push(&packet.body, false);
        }
        if self.size + packet.body.len() > NEAR && !self.marked.is_empty() {
            return Err(io::Error::new(
                io::ErrorKind::StorageFull,
                "too many bytes in messages with handles",
            ));
        }
        self.spool.push(&[], true)?;
        self.size += packet.body.len() + HEAD;
        self.marked.push_back(packet);
        Ok(())
    }

    fn take_back(&mut self, packet: &Packet) {
        if packet.fds.is_empty() {
            return self.spool.take_back(packet.body.len());
        }
        self.spool.take_back(0);
        self.size -= packet.body.len() + HEAD;
        self.marked.pop_back();
    }

    /// Puts what there is room for of the next message; `true` once that is all of it.
    fn put(&mut self, lane: &Lane, sent: &mut usize, known: &mut u64) -> Result<bool, Fault> {
        let (bytes, head) = match &self.loaded {
            Some(loaded) => loaded,
            None => self.loaded.insert(self.spool.read(self.next)?),
        };
        let put = if head.is_marked { mark(lane, known)? } else { post(lane, bytes, sent, known)? };
        if put {
            self.next = head.next;
            self.loaded = None;
        }
        Ok(put)
    }

    /// Forgets the first message; `false` if it cannot be read.
    fn forget_first(&mut self) -> bool {
        let Ok(head) = self.spool.head(self.first) else { return false };
        if head.is_marked
            && let Some(packet) = self.marked.pop_front()
        {
            self.size -= packet.body.len() + HEAD;
        }
        self.first = head.next;
        self.spool.forget(head.next);
        true
    }
}
