//! What rides beside the bytes of a value, as the serialization engine has it, and as this process has it open: there
//! handles and sockets are two things, and here sockets are handles.

use std::os::windows::io::{FromRawSocket as _, IntoRawHandle as _, OwnedSocket, RawSocket};

use cucumber::Attachment;
use serde::de::Error as _;
use serde::{Deserialize as _, Deserializer};

use super::socket::{adopt, handle_of, is_socket};
use super::{AsFd as _, OwnedFd};

/// The handle or the socket that was attached; whatever else was.
pub(crate) fn fd_of(attachment: Attachment) -> Result<OwnedFd, Attachment> {
    let socket = |other: Attachment| other.downcast().map(|socket| handle_of::<OwnedSocket>(*socket));
    attachment.downcast().map(|handle| *handle).or_else(socket)
}

/// A handle or a socket for whoever reads the value.
pub(crate) fn attachment_of(handle: OwnedFd) -> Attachment {
    if !is_socket(handle.as_fd()) {
        return Box::new(handle);
    }
    match adopt(handle) {
        Ok(socket) => Box::new(as_socket(socket)),
        // It is missed by whoever wants a socket.
        Err(error) => Box::new(error),
    }
}

/// Reads the number of a handle or of a socket, and takes that out.
pub(crate) fn deserialize_fd<'de, D: Deserializer<'de>>(deserializer: D) -> Result<OwnedFd, D::Error> {
    let number = u32::deserialize(deserializer)?;
    let socket = |_| cucumber::scope::detach(number).map(handle_of::<OwnedSocket>);
    cucumber::scope::detach(number).or_else(socket).map_err(D::Error::custom)
}

fn as_socket(handle: OwnedFd) -> OwnedSocket {
    let socket = handle.into_raw_handle().expose_provenance() as RawSocket;
    // SAFETY: it is a socket, which the library knows, and was the handle's alone, which has given it up.
    unsafe { OwnedSocket::from_raw_socket(socket) }
}
