//! A pipe: the fastest way between two processes.
//!
//! Two rings in shared memory, one per direction, and a socket beside them for descriptors and for the end of it. The
//! *anchor* stays where it was made; the *point* travels, as a field of a process, inside a message, through another pipe.

use std::fmt;
use std::future::poll_fn;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Message, spare};
use crate::shm::Page;
use crate::sys;

mod end;
mod error;
mod task;
#[cfg(test)]
mod tests;
mod transfer;
mod turn;
mod wire;

use end::{End, Patience, Side};
pub use error::PipeError;
pub(crate) use transfer::moving;

/// Makes pipes.
///
/// ```
/// use processing::Pipe;
///
/// let (anchor, point) = Pipe::pair::<String, usize>()?;
/// anchor.send(&"hello".to_owned())?;
/// assert_eq!(point.recv()?, "hello");
/// point.send(&5)?;
/// assert_eq!(anchor.recv()?, 5);
/// # Ok::<(), processing::PipeError>(())
/// ```
///
/// Each end sends its own type only:
///
/// ```compile_fail
/// # use processing::Pipe;
/// let (anchor, point) = Pipe::pair::<String, usize>().unwrap();
/// anchor.send(&5_usize).unwrap();
/// ```
///
/// An anchor stays where it is, so that a pipe always has one end here:
///
/// ```compile_fail
/// # use processing::Pipe;
/// let (anchor, point) = Pipe::pair::<String, usize>().unwrap();
/// let (other, _) = Pipe::one_way::<processing::Anchor<String, usize>>().unwrap();
/// other.send(&anchor).unwrap();
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Pipe(());

/// The type of messages in a direction that has none: see [`Pipe::one_way`].
#[derive(Clone, Copy, Debug)]
pub enum Nothing {}

/// Both ends of a new pipe.
pub type Ends<Down, Up> = (Anchor<Down, Up>, Point<Down, Up>);

impl Pipe {
    /// A pipe for `Down` messages from the anchor to the point, and `Up` messages from the point to the anchor.
    ///
    /// # Errors
    ///
    /// When the system has no memory or descriptors for it.
    pub fn pair<Down, Up>() -> Result<Ends<Down, Up>, PipeError> {
        let memory = Page::new("processing-pipe")?;
        let other = Page::open(crate::sys::AsFd::as_fd(&memory).try_clone_to_owned()?)?;
        let (ours, theirs) = sys::tag_socket_pair()?;
        let anchor = Arc::new(End::new::<Up>(Side::Anchor, memory, ours)?);
        let point = Arc::new(End::new::<Down>(Side::Point, other, theirs)?);
        Ok((Anchor { end: anchor, messages: PhantomData }, Point { end: point, messages: PhantomData }))
    }

    /// A pipe from the anchor to the point only.
    ///
    /// ```
    /// use processing::Pipe;
    ///
    /// let (anchor, point) = Pipe::one_way::<u32>()?;
    /// anchor.send(&1)?;
    /// assert_eq!(point.recv()?, 1);
    /// # Ok::<(), processing::PipeError>(())
    /// ```
    ///
    /// ```compile_fail
    /// let (anchor, point) = processing::Pipe::one_way::<u32>().unwrap();
    /// point.send(&1).unwrap();
    /// ```
    ///
    /// ```compile_fail
    /// let (anchor, point) = processing::Pipe::one_way::<u32>().unwrap();
    /// anchor.recv().unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// When the system has no memory or descriptors for it.
    pub fn one_way<Down>() -> Result<Ends<Down, Nothing>, PipeError> {
        Pipe::pair()
    }
}

/// The end of a pipe that stays.
///
/// It can be used by several threads; what they send is not mixed up.
pub struct Anchor<Down, Up> {
    end: Arc<End>,
    messages: PhantomData<fn(Down) -> Up>,
}

/// The end of a pipe that travels.
///
/// Sent to another process, in a message or as part of one, it is gone from here: it is a closed end, and when the other
/// process closes it or dies, the anchor hears of it. The same goes for a process that takes it along when it is started.
///
/// ```
/// use processing::Pipe;
///
/// let (anchor, point) = Pipe::pair::<u32, u32>()?;
/// let (courier, receiver) = Pipe::one_way()?;
/// courier.send(&point)?;
/// assert!(point.recv().unwrap_err().is_closed());
/// let point: processing::Point<u32, u32> = receiver.recv()?;
/// anchor.send(&1)?;
/// assert_eq!(point.recv()?, 1);
/// # Ok::<(), processing::PipeError>(())
/// ```
pub struct Point<Down, Up> {
    end: Arc<End>,
    messages: PhantomData<fn(Up) -> Down>,
}

/// The methods of both ends.
macro_rules! ends {
    ($($name:ident<$down:ident, $up:ident> sends $sent:ident, receives $received:ident;)*) => {$(
        impl<$sent: Serialize, $received> $name<$down, $up> {
            /// Sends a message. Waits for room while the pipe is full. Handles in the message, shares and points among
            /// them, are passed on.
            ///
            /// A message that is sent at the moment the other end dies may be lost without an error.
            ///
            /// # Errors
            ///
            /// When the other end is gone, this end is closed, or the value cannot be encoded.
            pub fn send(&self, message: &$sent) -> Result<(), PipeError> {
                send(&self.end, message, Patience::Endless)
            }

            /// Like [`send`](Self::send), for at most `time`.
            ///
            /// # Errors
            ///
            /// As `send`, and when the time is over ([`PipeError::is_timeout`]); then the message was not sent.
            pub fn send_timeout(&self, message: &$sent, time: Duration) -> Result<(), PipeError> {
                send(&self.end, message, Patience::of(time))
            }

            /// Sends a message if there is room for it.
            ///
            /// # Errors
            ///
            /// As `send`, and when there is no room ([`PipeError::is_full`]). For a message larger than 256 KiB there
            /// never is.
            pub fn try_send(&self, message: &$sent) -> Result<(), PipeError> {
                send(&self.end, message, Patience::None)
            }

            /// [`send`](Self::send) as a future, for any executor.
            ///
            /// # Errors
            ///
            /// As `send`.
            pub fn send_async(&self, message: &$sent) -> impl Future<Output = Result<(), PipeError>> + Send + use<$sent, $received> {
                send_async(Arc::clone(&self.end), encode(message))
            }
        }

        impl<$sent, $received: DeserializeOwned> $name<$down, $up> {
            /// Receives the next message; waits for it.
            ///
            /// # Errors
            ///
            /// When the other end is gone and everything it sent has been received, when this end is closed, or the
            /// message cannot be decoded.
            pub fn recv(&self) -> Result<$received, PipeError> {
                decode(self.end.receive(Patience::Endless)?.ok_or(error::Kind::TimedOut)?)
            }

            /// Like [`recv`](Self::recv), for at most `time`.
            ///
            /// # Errors
            ///
            /// As `recv`, and when the time is over: [`PipeError::is_timeout`].
            pub fn recv_timeout(&self, time: Duration) -> Result<$received, PipeError> {
                decode(self.end.receive(Patience::of(time))?.ok_or(error::Kind::TimedOut)?)
            }

            /// The next message if it is there.
            ///
            /// # Errors
            ///
            /// As `recv`.
            pub fn try_recv(&self) -> Result<Option<$received>, PipeError> {
                self.end.receive(Patience::None)?.map(decode).transpose()
            }

            /// [`recv`](Self::recv) as a future, for any executor. Dropped before it is done, it has taken nothing.
            ///
            /// # Errors
            ///
            /// As `recv`.
            pub fn recv_async(&self) -> impl Future<Output = Result<$received, PipeError>> + Send + use<$sent, $received> {
                let end = Arc::clone(&self.end);
                async move { decode(poll_fn(|cx| end.poll_receive(cx)).await?) }
            }

            /// The messages, one after the other, until the other end is gone.
            pub fn iter(&self) -> impl Iterator<Item = Result<$received, PipeError>> + '_ {
                std::iter::from_fn(|| match self.recv() {
                    Err(error) if error.is_disconnected() || error.is_closed() => None,
                    result => Some(result),
                })
            }
        }

        impl<$down, $up> $name<$down, $up> {
            /// Closes the pipe; both ends notice at once. What was sent before can still be received.
            pub fn close(&self) {
                self.end.close();
            }

            /// Whether this end was neither closed nor sent away.
            #[must_use]
            pub fn is_open(&self) -> bool {
                self.end.is_open()
            }
        }

        impl<$down, $up> fmt::Debug for $name<$down, $up> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name)).field("open", &self.is_open()).finish()
            }
        }
    )*};
}

ends! {
    Anchor<Down, Up> sends Down, receives Up;
    Point<Down, Up> sends Up, receives Down;
}

fn encode<T: Serialize>(message: &T) -> Result<Message, PipeError> {
    if let Some(bytes) = cucumber::as_bytes(message) {
        return Ok(Message { bytes: bytes.to_vec(), fds: Vec::new() });
    }
    let encode = || Message::encode_untyped_into(spare::take(), message);
    // What has nothing to drop holds no point.
    Ok(if std::mem::needs_drop::<T>() { moving(encode)? } else { encode()? })
}

fn send<T: Serialize>(end: &End, message: &T, patience: Patience) -> Result<(), PipeError> {
    // What is nothing but bytes goes into the ring from where it lies.
    if let Some(bytes) = cucumber::as_bytes(message) {
        return end.send(bytes, &[], patience);
    }
    let message = encode(message)?;
    let sent = end.send(&message.bytes, &message.fds, patience);
    spare::give(message.bytes);
    sent
}

fn decode<T: DeserializeOwned>(message: Message) -> Result<T, PipeError> {
    if cucumber::is_bytes::<T>() {
        return Ok(cucumber::from_its_bytes(message.bytes)?);
    }
    Ok(message.decode_untyped()?)
}

async fn send_async(end: Arc<End>, message: Result<Message, PipeError>) -> Result<(), PipeError> {
    let message = message?;
    if End::fits(&message) {
        return poll_fn(|cx| end.poll_send(&message, cx)).await;
    }
    // It has to wait for the other end in the middle, and must not be interrupted there by another one.
    crate::Background::spawn(move || end.send(&message.bytes, &message.fds, Patience::Endless)).await
}

impl<Down, Up> Point<Down, Up> {
    /// Tells pipes of different types apart.
    fn kind() -> &'static str {
        std::any::type_name::<(Down, Up)>()
    }
}

impl<Down, Up> Serialize for Point<Down, Up> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        transfer::serialize(&self.end, Self::kind(), serializer)
    }
}

impl<'de, Down, Up> Deserialize<'de> for Point<Down, Up> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Point {
            end: transfer::deserialize::<Down, _>(Self::kind(), deserializer)?,
            messages: PhantomData,
        })
    }
}
