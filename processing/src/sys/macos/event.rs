//! Something that one thread sets and another one waits for, together with descriptors.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// Readable from when it is set until it is cleared. For the threads of one process.
#[derive(Debug)]
pub(crate) struct Event {
    read: OwnedFd,
    write: OwnedFd,
}

impl Event {
    pub(crate) fn new() -> io::Result<Self> {
        let (read, write) = super::pipe()?;
        rustix::io::ioctl_fionbio(&read, true)?;
        rustix::io::ioctl_fionbio(&write, true)?;
        Ok(Event { read, write })
    }

    pub(crate) fn set(&self) {
        // It can only be full of settings that nobody has cleared yet.
        let _ = rustix::io::write(&self.write, &[0]);
    }

    pub(crate) fn clear(&self) {
        // What does not fit has been set after the call began, or is cleared by the next one.
        let _ = rustix::io::read(&self.read, &mut [0; 512]);
    }
}

impl AsFd for Event {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.read.as_fd()
    }
}
