//! Handles on their way to another process: here the system takes care of them, beside the bytes.

use std::io;

use super::{BorrowedFd, OwnedFd};

/// Whether handles go as bytes that describe them, and not beside the bytes.
pub(crate) const HANDLES_ARE_BYTES: bool = false;

/// Handles that are made ready to leave.
#[derive(Debug)]
pub(crate) struct Parcel;

/// The handles that have left by one socket and were not received yet.
#[derive(Debug, Default)]
pub(crate) struct Transit(());

impl Parcel {
    #[expect(clippy::unnecessary_wraps, reason = "elsewhere it may fail")]
    #[inline]
    pub(crate) fn pack(_fds: &[BorrowedFd<'_>]) -> io::Result<Self> {
        Ok(Parcel)
    }

    /// What goes with the bytes.
    #[expect(clippy::unused_self, reason = "elsewhere there is something to say")]
    #[inline]
    pub(crate) fn description(&self) -> &[u8] {
        &[]
    }
}

impl Transit {
    /// Its description has been sent.
    #[expect(clippy::unused_self, reason = "elsewhere there is something to do")]
    #[inline]
    pub(crate) fn add(&mut self, _parcel: Parcel) {}

    /// Waits a moment for those that were not received yet.
    #[expect(clippy::unused_self, reason = "elsewhere there is something to do")]
    #[inline]
    pub(crate) fn settle(&mut self, _socket: BorrowedFd<'_>) {}

    /// Nobody will take them any more if the other side of the socket is gone.
    #[expect(clippy::unused_self, reason = "elsewhere there is something to do")]
    #[inline]
    pub(crate) fn end(&mut self, _socket: BorrowedFd<'_>) {}
}

/// How many bytes describe so many handles.
pub(crate) const fn description_length(_count: usize) -> usize {
    0
}

/// Takes the handles that are described.
#[expect(clippy::unnecessary_wraps, reason = "elsewhere it may fail")]
pub(crate) fn unpack(_description: &[u8]) -> io::Result<Vec<OwnedFd>> {
    Ok(Vec::new())
}

/// Waits a moment for what has been sent and not been received, before this process ends.
#[inline]
pub(crate) fn let_arrive() {}
