//! What rides beside the bytes of a value, as the serialization engine has it, and as this process has it open.

use cucumber::Attachment;
use serde::Deserializer;

use super::OwnedFd;

/// The descriptor that was attached; whatever else was.
pub(crate) fn fd_of(attachment: Attachment) -> Result<OwnedFd, Attachment> {
    attachment.downcast().map(|fd| *fd)
}

/// A descriptor for whoever reads the value.
pub(crate) fn attachment_of(fd: OwnedFd) -> Attachment {
    Box::new(fd)
}

/// Reads the number of a descriptor, and takes that out.
pub(crate) fn deserialize_fd<'de, D: Deserializer<'de>>(deserializer: D) -> Result<OwnedFd, D::Error> {
    cucumber::scope::deserialize(deserializer)
}
