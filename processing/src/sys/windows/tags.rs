//! Pieces of a pipe's socket: a tag, and handles that it says the purpose of.
//!
//! | bytes | what |
//! |---|---|
//! | 0–7 | the tag, little-endian |
//! | 8–9 | how many handles, little-endian |
//! | 10… | their description, if there are any |
//!
//! The socket takes and gives any part of a piece, so the rest of one is kept: by [`TagsOut`] until there is room for it,
//! before anything else is sent, and by [`TagsIn`] until it is whole.

use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::passing::{Parcel, Transit, description_length, unpack};
use super::socket::{Incoming, MOST_FDS, receive, send};
use super::{AsFd, BorrowedFd, OwnedFd};

const HEADER: usize = 10;

/// What has come of a piece.
#[derive(Debug, Default)]
pub(crate) struct TagsIn(Vec<u8>);

/// What is left of the piece that was sent last, and what is on its way.
#[derive(Debug, Default)]
pub(crate) struct TagsOut(Mutex<Outgoing>);

#[derive(Debug, Default)]
struct Outgoing {
    rest: Vec<u8>,
    transit: Transit,
}

/// A tag, and the handles with it.
pub(crate) type Tagged = (u64, Vec<OwnedFd>);

impl TagsIn {
    /// The next one that has come whole; `None` if none will come any more.
    pub(crate) fn receive(&mut self, socket: BorrowedFd<'_>) -> io::Result<Option<Tagged>> {
        loop {
            let wanted = self.wanted()?;
            if self.0.len() == wanted {
                let tag = self.0.first_chunk().map_or(0, |tag| u64::from_le_bytes(*tag));
                // Handles that cannot be had are missed by whoever reads the message.
                let handles = unpack(&self.0[HEADER..]).unwrap_or_default();
                self.0.clear();
                return Ok(Some((tag, handles)));
            }
            let mut buffer = [0; 1024];
            let most = (wanted - self.0.len()).min(buffer.len());
            match receive(socket, &mut buffer[..most], &mut Vec::new())? {
                Incoming::Bytes(count) => self.0.extend_from_slice(&buffer[..count]),
                Incoming::End => return Ok(None),
            }
        }
    }

    /// How long the piece is, as far as that is known.
    fn wanted(&self) -> io::Result<usize> {
        let Some(&[low, high]) = self.0.get(8..HEADER) else { return Ok(HEADER) };
        match usize::from(u16::from_le_bytes([low, high])) {
            count if count <= MOST_FDS => Ok(HEADER + description_length(count)),
            _ => Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "the other side sent something that is no tag",
            )),
        }
    }

    /// Whether nothing has come of the next one.
    pub(crate) fn is_between(&self) -> bool {
        self.0.is_empty()
    }
}

impl TagsOut {
    fn lock(&self) -> MutexGuard<'_, Outgoing> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends a tag, or nothing of it. The socket may have taken a part only: then [`flush`](TagsOut::flush) sends the rest.
    pub(crate) fn send(&self, socket: &OwnedFd, tag: u64, handles: &[BorrowedFd<'_>]) -> io::Result<()> {
        let mut outgoing = self.lock();
        outgoing.flush(socket)?;
        let parcel = Parcel::pack(handles)?;
        outgoing.rest.extend_from_slice(&tag.to_le_bytes());
        outgoing.rest.extend_from_slice(&(handles.len() as u16).to_le_bytes());
        outgoing.rest.extend_from_slice(parcel.description());
        let whole = outgoing.rest.len();
        match outgoing.flush(socket) {
            Err(error) if outgoing.rest.len() == whole => {
                outgoing.rest.clear();
                return Err(error);
            }
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => return Err(error),
            _ => {}
        }
        outgoing.transit.add(parcel);
        Ok(())
    }

    /// Sends the rest of what has been sent in part.
    pub(crate) fn flush(&self, socket: &OwnedFd) -> io::Result<()> {
        self.lock().flush(socket)
    }

    /// Whether nothing has to be sent first.
    pub(crate) fn is_between(&self) -> bool {
        self.lock().rest.is_empty()
    }

    /// The other side may be gone.
    pub(crate) fn end(&self, socket: BorrowedFd<'_>) {
        self.lock().transit.end(socket);
    }
}

impl Outgoing {
    fn flush(&mut self, socket: &OwnedFd) -> io::Result<()> {
        while !self.rest.is_empty() {
            let count = send(socket.as_fd(), &self.rest, &[])?;
            self.rest.drain(..count);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::socket::never_block;
    use super::super::tag_socket_pair;
    use super::*;

    #[test]
    fn pieces_come_whole_and_in_order_however_little_room_there_is() {
        let (here, there) = tag_socket_pair().unwrap();
        never_block(&here).unwrap();
        never_block(&there).unwrap();
        let (mut incoming, outgoing) = (TagsIn::default(), TagsOut::default());
        let (mut sent, mut received) = (0, 0);
        while received < 20_000 {
            while sent < 20_000 && outgoing.send(&here, sent, &[]).is_ok() {
                sent += 1;
            }
            match incoming.receive(there.as_fd()) {
                Ok(tagged) => {
                    assert_eq!(tagged.unwrap().0, received);
                    received += 1;
                }
                Err(error) => assert_eq!(error.kind(), io::ErrorKind::WouldBlock),
            }
            let _ = outgoing.flush(&here);
        }
        assert!(incoming.is_between() && outgoing.is_between());
        drop(here);
        assert!(incoming.receive(there.as_fd()).unwrap().is_none());
    }

    #[test]
    fn a_count_that_is_none_is_an_error() {
        let (here, there) = tag_socket_pair().unwrap();
        send(here.as_fd(), &[0xFF; HEADER], &[]).unwrap();
        assert!(TagsIn::default().receive(there.as_fd()).is_err());
    }
}
