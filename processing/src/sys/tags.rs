//! Pieces of one length, with descriptors beside them: a tag says what those are for.

use std::io;

use super::socket::{Incoming, receive, send};
use super::{AsFd, BorrowedFd, OwnedFd};

/// A tag of which not all has come, where packets have no edges; the descriptors come with its first byte.
#[derive(Debug, Default)]
pub(crate) struct TagsIn {
    bytes: [u8; 8],
    length: usize,
    fds: Vec<OwnedFd>,
}

/// What is left of a tag that was sent in part: nothing, here.
#[derive(Debug, Default)]
pub(crate) struct TagsOut(());

/// A tag, and the descriptors with it.
pub(crate) type Tagged = (u64, Vec<OwnedFd>);

impl TagsIn {
    /// The next one that has come whole; `None` if none will come any more.
    #[inline]
    pub(crate) fn receive(&mut self, socket: BorrowedFd<'_>) -> io::Result<Option<Tagged>> {
        loop {
            match receive(socket, &mut self.bytes[self.length..], &mut self.fds)? {
                Incoming::Bytes(count) => {
                    self.length += count;
                    if self.length == self.bytes.len() {
                        self.length = 0;
                        return Ok(Some((u64::from_le_bytes(self.bytes), std::mem::take(&mut self.fds))));
                    }
                }
                Incoming::End => return Ok(None),
            }
        }
    }

    /// Whether nothing has come of the next one.
    pub(crate) fn is_between(&self) -> bool {
        self.length == 0
    }
}

impl TagsOut {
    /// Sends a tag, or nothing of it.
    #[expect(clippy::unused_self, reason = "elsewhere it may go in parts")]
    pub(crate) fn send(&self, socket: &OwnedFd, tag: u64, fds: &[BorrowedFd<'_>]) -> io::Result<()> {
        let tag = tag.to_le_bytes();
        match send(socket.as_fd(), &tag, fds)? {
            // Such sockets take all of so little, or nothing.
            count if count < tag.len() => Err(io::ErrorKind::WriteZero.into()),
            _ => Ok(()),
        }
    }

    /// Sends the rest of what has been sent in part.
    #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "elsewhere there may be one")]
    #[inline]
    pub(crate) fn flush(&self, _socket: &OwnedFd) -> io::Result<()> {
        Ok(())
    }

    /// Whether nothing has to be sent first.
    #[expect(clippy::unused_self, reason = "elsewhere there may be something")]
    pub(crate) fn is_between(&self) -> bool {
        true
    }

    /// The other side is gone.
    #[expect(clippy::unused_self, reason = "elsewhere there is something to do")]
    #[inline]
    pub(crate) fn end(&self, _socket: BorrowedFd<'_>) {}
}
