//! One value on its way: its bytes, and the descriptors that ride beside them.

use std::sync::OnceLock;

use cucumber::{Credentials, Encoded, Scope};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::spare;
use crate::sys::{self, OwnedFd};

/// An encoded value with the descriptors of the handles inside it.
#[derive(Debug)]
pub(crate) struct Message {
    pub(crate) bytes: Vec<u8>,
    pub(crate) fds: Vec<OwnedFd>,
}

impl Message {
    /// A value that says its type, for a reader who may expect another.
    pub(crate) fn encode<T: Serialize + ?Sized>(value: &T) -> cucumber::Result<Self> {
        Message::encode_into(Vec::new(), value)
    }

    /// The same in a buffer that was used before.
    pub(crate) fn encode_into<T: Serialize + ?Sized>(buffer: Vec<u8>, value: &T) -> cucumber::Result<Self> {
        super::moving(|| Message::from_encoded(cucumber::encode_message_into(buffer, value)?))
    }

    /// A value whose type the reader knows.
    pub(crate) fn encode_untyped<T: Serialize + ?Sized>(value: &T) -> cucumber::Result<Self> {
        Message::encode_untyped_into(Vec::new(), value)
    }

    /// The same in a buffer that was used before.
    pub(crate) fn encode_untyped_into<T: Serialize + ?Sized>(
        buffer: Vec<u8>,
        value: &T,
    ) -> cucumber::Result<Self> {
        Message::from_encoded(cucumber::encode_into(buffer, value)?)
    }

    fn from_encoded(Encoded { bytes, attachments }: Encoded) -> cucumber::Result<Self> {
        // Most have none, and small ones go by in less time than the rest takes.
        if attachments.is_empty() {
            return Ok(Message { bytes, fds: Vec::new() });
        }
        let fds = attachments.into_iter().map(|attachment| {
            sys::fd_of(attachment).map_err(|_| {
                <cucumber::Error as serde::ser::Error>::custom(
                    "a handle of a kind that cannot be passed to another process",
                )
            })
        });
        Ok(Message { bytes, fds: fds.collect::<cucumber::Result<_>>()? })
    }

    /// The same bytes, and descriptors for the same handles.
    pub(crate) fn try_clone(&self) -> std::io::Result<Self> {
        let fds = self.fds.iter().map(OwnedFd::try_clone).collect::<std::io::Result<_>>()?;
        Ok(Message { bytes: self.bytes.clone(), fds })
    }

    /// Reads it as what it says it is.
    pub(crate) fn decode<T: DeserializeOwned>(self) -> cucumber::Result<T> {
        let value = cucumber::decode_message(&self.bytes, &mut scope(self.fds));
        spare::give(self.bytes);
        value
    }

    /// Reads it as what the reader knows it to be.
    pub(super) fn decode_untyped<T: DeserializeOwned>(self) -> cucumber::Result<T> {
        let value = cucumber::decode_with(&self.bytes, scope(self.fds));
        spare::give(self.bytes);
        value
    }
}

/// The credentials of the process type that this worker runs, for live resources that come to it in messages.
static CREDENTIALS: OnceLock<Credentials> = OnceLock::new();

/// Says which credentials those are; there is one such type in a process.
pub(crate) fn trust_with(credentials: &Credentials) {
    if !credentials.is_empty() {
        let _ = CREDENTIALS.set(credentials.clone());
    }
}

/// What a value from another process of ours may use besides its bytes: the descriptors that came with it, the
/// functions of this program, and the worker's credentials.
pub(crate) fn scope(fds: Vec<OwnedFd>) -> Scope {
    let scope = match fds.is_empty() {
        true => Scope::new(),
        false => Scope::new().with_attachments(fds.into_iter().map(sys::attachment_of).collect()),
    };
    let scope = match CREDENTIALS.get() {
        Some(credentials) => scope.with_credentials(credentials.clone()),
        None => scope,
    };
    match sys::function_trust() {
        Some(trust) => scope.with_functions(trust),
        None => scope,
    }
}
