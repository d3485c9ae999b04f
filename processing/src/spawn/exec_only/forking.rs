//! No process of this system waits to be copied.

use std::io;
use std::os::fd::{OwnedFd, RawFd};
use std::sync::Arc;

use rustix::process::Pid;

use crate::attendant::Attendant;

#[cfg(feature = "auto-init")]
pub(super) fn open_descriptors() -> Vec<RawFd> {
    Vec::new()
}

/// Nobody here starts a template.
pub(super) fn serve(
    _parent: Pid,
    _channel: OwnedFd,
    _known: &[RawFd],
) -> io::Result<(Arc<OwnedFd>, Attendant)> {
    Err(io::Error::new(io::ErrorKind::Unsupported, "there is no fork server on this system"))
}
