//! Why a message could not be told or listened to.

use std::fmt;

use serde::de::DeserializeOwned;

use super::Message;
use crate::ProcessError;

/// Why [`tell`](crate::Handle::tell) did not send.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TellError {
    /// The value cannot cross; the other side is as it was.
    #[error("cannot tell this value")]
    Value(#[source] cucumber::Error),
    /// Nobody is there to listen any more.
    #[error("cannot tell `{worker}` anything: it has ended")]
    Ended {
        /// The process type.
        worker: String,
    },
    /// The other side does not listen, and so much is kept for it already that there is no room for more, neither in
    /// memory nor in a file. It was not told, and can be once the other side has listened.
    #[error("cannot tell: the other side does not listen, and there is no room to keep more for it")]
    Full(#[source] std::io::Error),
    /// There is no other side: this is not a worker, or a worker of a pool.
    #[error(
        "nobody to tell: `tell` in a hook speaks to the process that called `start`, and nobody called it here"
    )]
    NoPeer,
    /// The system would not take it.
    #[error("cannot tell: the channel failed")]
    Channel(#[source] std::io::Error),
}

/// Why [`listen`](crate::Handle::listen) has no message.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ListenError {
    /// The next message is of another type. It has been taken out, so the one after it is next; the message itself
    /// is in the error.
    #[error("the next message is a `{found}`, not a `{expected}`", found = .0.found(), expected = .0.expected())]
    WrongType(UnreadMessage),
    /// The next message cannot be read. It has been taken out.
    #[error("the next message cannot be read")]
    Value(#[source] cucumber::Error),
    /// What the other side wrote cannot be messages.
    #[error("cannot listen: the channel failed")]
    Channel(#[source] std::io::Error),
    /// The other side has ended, and all its messages have been listened to.
    #[error("`{worker}` has ended and left no more messages")]
    Ended {
        /// The process type.
        worker: String,
        /// Why it ended, if it failed.
        #[source]
        cause: Option<ProcessError>,
    },
    /// There is no other side: this is not a worker, or a worker of a pool.
    #[error(
        "nobody to listen to: `listen` in a hook hears the process that called `start`, and nobody called it here"
    )]
    NoPeer,
}

/// A message that was taken for another type than it is.
pub struct UnreadMessage {
    message: Message,
    found: String,
    expected: String,
}

impl UnreadMessage {
    pub(crate) fn new<T>(message: Message, found: String) -> Self {
        UnreadMessage { message, found, expected: cucumber::type_name::<T>().to_string() }
    }

    /// The type that was asked for.
    #[must_use]
    pub fn expected(&self) -> &str {
        &self.expected
    }

    /// The type that the message is of.
    #[must_use]
    pub fn found(&self) -> &str {
        &self.found
    }

    /// Reads the message as what it is.
    ///
    /// # Errors
    /// If it is no `T` either.
    pub fn read<T: DeserializeOwned>(self) -> Result<T, cucumber::Error> {
        self.message.decode()
    }
}

impl fmt::Debug for UnreadMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnreadMessage").field("expected", &self.expected).field("found", &self.found).finish()
    }
}

/// Reads a message, or hands it back if it is of another type.
pub(crate) fn read<T: DeserializeOwned>(message: Message) -> Result<T, ListenError> {
    match cucumber::message_type(&message.bytes) {
        Ok(found) if found != cucumber::type_name::<T>() => {
            let found = found.to_owned();
            Err(ListenError::WrongType(UnreadMessage::new::<T>(message, found)))
        }
        _ => message.decode().map_err(ListenError::Value),
    }
}
