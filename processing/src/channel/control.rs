//! The control channel of a worker: a stream of packets over the socket that both sides were born with.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;

use super::packet::{Packet, parse, unspill};
use crate::sys::{self, AsFd, Incoming, OwnedFd, Parcel, Transit};

/// The sending half. Packets are sent in the order in which they are pushed.
#[derive(Debug)]
pub(crate) struct Outbox {
    socket: Arc<OwnedFd>,
    waiting: VecDeque<Arc<Packet>>,
    /// How much of the first packet that waits has been sent: whole stretches, then bytes of the next.
    sent: (usize, usize),
    /// Where its body is, if it is too big for the stream.
    spilled: Option<OwnedFd>,
    /// Its descriptors, made ready to leave.
    parcel: Option<Parcel>,
    transit: Transit,
}

impl Outbox {
    pub(crate) fn new(socket: Arc<OwnedFd>) -> Self {
        let transit = Transit::default();
        Outbox { socket, waiting: VecDeque::new(), sent: (0, 0), spilled: None, parcel: None, transit }
    }

    /// Whether something waits that the socket would not take.
    pub(crate) fn is_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    pub(crate) fn push(&mut self, packet: Arc<Packet>) {
        self.waiting.push_back(packet);
    }

    /// Takes the last packet back, unless some of it has been sent.
    pub(crate) fn take_back(&mut self) -> bool {
        if self.waiting.len() == 1 {
            if self.sent != (0, 0) {
                return false;
            }
            self.spilled = None;
            self.parcel = None;
        }
        self.waiting.pop_back().is_some()
    }

    /// Sends what the socket takes. `false` if some of it has to wait until the socket can be written to.
    pub(crate) fn flush(&mut self) -> io::Result<bool> {
        while let Some(packet) = self.waiting.front() {
            if self.spilled.is_none() {
                self.spilled = packet.spill()?;
            }
            let parcel = match self.parcel.take() {
                Some(parcel) => parcel,
                None => packet.parcel(self.spilled.as_ref())?,
            };
            let parcel = self.parcel.insert(parcel);
            let stretches = packet.stretches(self.spilled.as_ref(), parcel);
            while let Some((bytes, fds)) = stretches.get(self.sent.0) {
                let fds = if self.sent.1 == 0 { &fds[..] } else { &[] };
                match sys::send(self.socket.as_fd(), &bytes[self.sent.1..], fds) {
                    Ok(count) if self.sent.1 + count == bytes.len() => self.sent = (self.sent.0 + 1, 0),
                    Ok(count) => self.sent.1 += count,
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                    Err(error) => return Err(error),
                }
            }
            self.sent = (0, 0);
            self.spilled = None;
            if let Some(parcel) = self.parcel.take() {
                self.transit.add(parcel);
            }
            self.waiting.pop_front();
        }
        Ok(true)
    }

    /// Has what was sent not depend on this process any more: where handles are fetched from their sender, waits a moment
    /// until they have been.
    pub(crate) fn settle(&mut self) {
        self.transit.settle(self.socket.as_fd());
    }
}

impl Drop for Outbox {
    fn drop(&mut self) {
        self.transit.end(self.socket.as_fd());
    }
}

/// The receiving half.
#[derive(Debug)]
pub(crate) struct Inbox {
    socket: Arc<OwnedFd>,
    bytes: Vec<u8>,
    fds: Vec<OwnedFd>,
    buffer: Vec<u8>,
}

/// How much is read at once: little at first, as most workers are told little and every page is one more; more, up to
/// this, once there is more.
const FIRST_READ: usize = 2 * 1024;
const LARGEST_READ: usize = 64 * 1024;

impl Inbox {
    pub(crate) fn new(socket: Arc<OwnedFd>) -> Self {
        Inbox { socket, bytes: Vec::new(), fds: Vec::new(), buffer: vec![0; FIRST_READ] }
    }

    /// The next packet; `None` at the end of the stream. Where the socket does not block, `WouldBlock` is an error
    /// like any other.
    pub(crate) fn next(&mut self) -> io::Result<Option<Packet>> {
        loop {
            if let Some(packet) = self.take()? {
                return Ok(Some(packet));
            }
            match sys::receive(self.socket.as_fd(), &mut self.buffer, &mut self.fds)? {
                Incoming::Bytes(count) => {
                    self.bytes.extend_from_slice(&self.buffer[..count]);
                    if count == self.buffer.len() && count < LARGEST_READ {
                        self.buffer.resize(2 * count, 0);
                    }
                }
                // A packet that a dying peer did not finish is dropped with its descriptors.
                Incoming::End => return Ok(None),
            }
        }
    }

    fn take(&mut self) -> io::Result<Option<Packet>> {
        let Some(found) = parse(&self.bytes)? else { return Ok(None) };
        if sys::HANDLES_ARE_BYTES {
            self.fds = sys::unpack(&self.bytes[found.body.end..found.end])?;
        }
        if self.fds.len() < found.fds {
            let lost = "descriptors were lost on the way; this program may have no room for more";
            return Err(io::Error::new(io::ErrorKind::InvalidData, lost));
        }
        let fds = self.fds.drain(..found.fds).collect();
        let body = self.bytes[found.body.clone()].to_vec();
        self.bytes.drain(..found.end);
        unspill(found.kind, body, fds, found.spilled).map(Some)
    }
}

#[cfg(test)]
mod tests;
