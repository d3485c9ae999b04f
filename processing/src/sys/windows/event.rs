//! Something that one thread sets and another one waits for, together with sockets.

use std::io;

use super::socket::{Calls, connected, never_block, read_socket, send};
use super::{AsFd, BorrowedFd, OwnedFd};

/// Readable from when it is set until it is cleared. For the threads of one process.
#[derive(Debug)]
pub(crate) struct Event {
    read: OwnedFd,
    write: OwnedFd,
}

impl Event {
    pub(crate) fn new() -> io::Result<Self> {
        let (read, write) = connected(Calls::Any)?;
        never_block(&read)?;
        never_block(&write)?;
        Ok(Event { read, write })
    }

    pub(crate) fn set(&self) {
        // It can only be full of settings that nobody has cleared yet.
        let _ = send(self.write.as_fd(), &[0], &[]);
    }

    pub(crate) fn clear(&self) {
        // What does not fit has been set after the call began, or is cleared by the next one.
        let _ = read_socket(self.read.as_fd(), &mut [0; 512]);
    }
}

impl AsFd for Event {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.read.as_fd()
    }
}
