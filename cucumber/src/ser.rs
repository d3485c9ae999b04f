//! Value to bytes.

use serde::Serialize;

use crate::error::Result;
use crate::frame::{self, Codec};
use crate::graph;
use crate::scope::{self, Attachment, Guard};
use crate::shape;
use crate::stack::Stack;

mod encoder;
mod fields;
mod flat;
mod items;
mod serializer;
mod writer;

pub(crate) use encoder::{EXT_BYTES, EXT_SOME, Encoder};

/// A value as bytes, and the handles that ride beside them.
#[derive(Default)]
pub struct Encoded {
    /// One frame.
    pub bytes: Vec<u8>,
    /// What the value attached, in order; [`decode`](crate::decode) needs all of it.
    pub attachments: Vec<Attachment>,
}

impl std::fmt::Debug for Encoded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Encoded")
            .field("bytes", &self.bytes.len())
            .field("attachments", &self.attachments.len())
            .finish()
    }
}

/// Writes a value as bytes.
///
/// ```
/// let bytes = cucumber::to_bytes(&[1, 2, 3])?;
/// assert_eq!(cucumber::from_bytes::<[i32; 3]>(&bytes)?, [1, 2, 3]);
/// # Ok::<(), cucumber::Error>(())
/// ```
///
/// # Errors
///
/// When the value refuses to be serialised, or holds a handle, which bytes alone cannot carry. The error names the field.
pub fn to_bytes<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>> {
    let guard = Guard::refusing();
    // Where handles are refused, none are attached.
    write(Vec::new(), value, None, &guard)
}

/// Writes a value as bytes and handles.
///
/// ```
/// let encoded = cucumber::encode("hello")?;
/// assert!(encoded.attachments.is_empty());
/// let text: String = cucumber::decode(&encoded.bytes, encoded.attachments)?;
/// # Ok::<(), cucumber::Error>(())
/// ```
///
/// # Errors
///
/// When the value refuses to be serialised. The error names the field.
pub fn encode<T: Serialize + ?Sized>(value: &T) -> Result<Encoded> {
    encode_into(Vec::new(), value)
}

/// [`encode`] in a buffer that was used before, for whoever encodes often. What is in it is forgotten.
///
/// # Errors
///
/// As there.
pub fn encode_into<T: Serialize + ?Sized>(buffer: Vec<u8>, value: &T) -> Result<Encoded> {
    let guard = Guard::encoding();
    let bytes = write(buffer, value, None, &guard)?;
    Ok(Encoded { bytes, attachments: guard.take_attachments() })
}

/// [`encode`] for whoever decodes the result any number of times, in any number of processes.
pub(crate) fn encode_for_many<T: Serialize + ?Sized>(value: &T) -> Result<Encoded> {
    let guard = Guard::encoding_for_many();
    let bytes = write(Vec::new(), value, None, &guard)?;
    Ok(Encoded { bytes, attachments: guard.take_attachments() })
}

/// Writes a value as a message, which carries the name of its type ([`type_name`](crate::type_name)).
///
/// ```
/// let message = cucumber::encode_message("hello")?;
/// let mut scope = cucumber::Scope::new().with_attachments(message.attachments);
/// let wrong = cucumber::decode_message::<u32>(&message.bytes, &mut scope).unwrap_err();
/// assert!(wrong.is_wrong_type());
/// assert_eq!(cucumber::decode_message::<String>(&message.bytes, &mut scope)?, "hello");
/// # Ok::<(), cucumber::Error>(())
/// ```
///
/// # Errors
///
/// When the value refuses to be serialised. The error names the field.
pub fn encode_message<T: Serialize + ?Sized>(value: &T) -> Result<Encoded> {
    encode_message_into(Vec::new(), value)
}

/// [`encode_message`] in a buffer that was used before, for whoever encodes often. What is in it is forgotten.
///
/// # Errors
///
/// As there.
pub fn encode_message_into<T: Serialize + ?Sized>(buffer: Vec<u8>, value: &T) -> Result<Encoded> {
    let guard = Guard::encoding();
    let bytes = write(buffer, value, Some(crate::type_name::<T>()), &guard)?;
    Ok(Encoded { bytes, attachments: guard.take_attachments() })
}

/// For a frame of a small value, so that most are written without asking for more.
const ROOM: usize = 128;

/// Writes a whole frame.
#[inline]
fn write<T: Serialize + ?Sized>(
    mut bytes: Vec<u8>,
    value: &T,
    name: Option<&str>,
    guard: &Guard,
) -> Result<Vec<u8>> {
    bytes.clear();
    if bytes.capacity() < ROOM {
        bytes = Vec::with_capacity(ROOM);
    }
    frame::begin(&mut bytes, name)?;
    let written = write_value(bytes, value, guard.stack, |bytes, codec| {
        let shared = match guard.take_shared() {
            None => false,
            Some(shared) => {
                shared.append_to(bytes)?;
                true
            }
        };
        frame::finish(bytes, codec, scope::attached(), shared)
    });
    match written {
        Ok(bytes) => Ok(bytes),
        Err(error) => Err(scope::classify(error)),
    }
}

/// A part of an encoding, in bytes of its own.
pub(crate) fn part<T: Serialize + ?Sized>(value: &T) -> Result<(Codec, Vec<u8>)> {
    let mut codec = Codec::MessagePack;
    let bytes = write_value(Vec::new(), value, scope::stack(), |_, used| {
        codec = used;
        Ok(())
    })?;
    Ok((codec, bytes))
}

/// postcard where the value fits the shape that its type is read with, MessagePack with names where it does not.
///
/// The bytes are closed where the encoder has them, and moved once: to move a vector right after it was written to is to wait for it.
#[inline]
fn write_value<T: Serialize + ?Sized>(
    mut out: Vec<u8>,
    value: &T,
    stack: Stack,
    close: impl FnOnce(&mut Vec<u8>, Codec) -> Result<()>,
) -> Result<Vec<u8>> {
    stack.check()?;
    let start = out.len();
    if let Some(shape) = shape::of::<T>()
        && shape.is_known()
    {
        let (attached, shared) = (scope::attached(), graph::written());
        let mut encoder = Encoder::postcard(out, shape, stack);
        let outcome = value.serialize(encoder.at(shape.root));
        // A `Serialize` may swallow the error, so the encoder's own word counts, too.
        let doubtful = encoder.is_doubtful() || outcome.as_ref().is_err_and(crate::Error::is_doubtful);
        if !doubtful {
            outcome?;
            close(encoder.written(), Codec::Postcard)?;
            return Ok(encoder.into_bytes());
        }
        out = encoder.into_bytes();
        out.truncate(start);
        // What shared values have attached meanwhile stays theirs, as they are written only once. Then what this one has attached
        // stays, too, and nobody asks for it.
        if graph::written() == shared {
            scope::detach_from(attached);
        }
    }
    let mut encoder = Encoder::message_pack(out, stack);
    value.serialize(encoder.named())?;
    close(encoder.written(), Codec::MessagePack)?;
    Ok(encoder.into_bytes())
}
