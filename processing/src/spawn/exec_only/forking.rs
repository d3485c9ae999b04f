//! No process of this system waits to be copied.

use std::io;
use std::sync::Arc;

use crate::attendant::Attendant;
use crate::sys::{OwnedFd, ProcessId, RawFd};

#[cfg(feature = "auto-init")]
pub(super) fn open_descriptors() -> Vec<RawFd> {
    Vec::new()
}

/// Nobody here starts a template.
pub(super) fn serve(
    _parent: ProcessId,
    _channel: OwnedFd,
    _known: &[RawFd],
) -> io::Result<(Arc<OwnedFd>, Attendant)> {
    Err(io::Error::new(io::ErrorKind::Unsupported, "there is no fork server on this system"))
}
