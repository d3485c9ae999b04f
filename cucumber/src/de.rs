//! Bytes to value.

use serde::de::DeserializeOwned;

use crate::error::{Error, Kind, Result};
use crate::frame::{self, Codec, Frame};
use crate::graph::{self, Incoming};
use crate::scope::{self, Attachment, Guard, Scope};
use crate::stack::Stack;

mod access;
mod decoder;
mod input;
mod measured;
mod number;
mod packed;
mod runs;
mod token;

pub(crate) use decoder::Decoder;
pub(crate) use measured::MEASURED;
pub(crate) use token::key_text;

/// Reads a value that [`to_bytes`](crate::to_bytes) wrote.
///
/// ```
/// let bytes = cucumber::to_bytes(&("seven", 7))?;
/// assert_eq!(cucumber::from_bytes::<(String, i32)>(&bytes)?, ("seven".to_owned(), 7));
/// # Ok::<(), cucumber::Error>(())
/// ```
///
/// # Errors
///
/// Whatever the bytes are, the answer is a value or an error: for bytes that are no frame, are damaged, end too early or go on
/// too long, for a value of another shape, nested too deeply, or one that holds handles.
#[inline(always)]
pub fn from_bytes<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    match frame::plain(bytes) {
        Some(value) => read_plain(value, false),
        None => open_and_read(bytes, Scope::new()).result,
    }
}

/// Reads a value that [`encode`](crate::encode) wrote, with the handles that rode beside it.
///
/// # Errors
///
/// As [`from_bytes`]; and when there are more handles or fewer than the value was written with.
pub fn decode<T: DeserializeOwned>(bytes: &[u8], attachments: Vec<Attachment>) -> Result<T> {
    decode_with(bytes, Scope::new().with_attachments(attachments))
}

/// Reads a value with all that a [`Scope`] offers: handles, and credentials for its live resources.
///
/// # Errors
///
/// As [`decode`].
pub fn decode_with<T: DeserializeOwned>(bytes: &[u8], scope: Scope) -> Result<T> {
    if !scope.has_things()
        && let Some(value) = frame::plain(bytes)
    {
        return read_plain(value, scope.functions);
    }
    open_and_read(bytes, scope).result
}

/// What is in a frame that is not plain, with a word more than a result has: so the two cannot share a place in memory where
/// [`from_bytes`] is inlined, and the value of a plain frame stays in registers. Shared, it would be stored in pieces and loaded as a
/// whole, which takes longer than to read it.
struct Opened<T> {
    result: Result<T>,
    _more: usize,
}

/// Any other frame. Apart, so that what reads plain ones is small enough to be inlined.
#[inline(never)]
fn open_and_read<T: DeserializeOwned>(bytes: &[u8], scope: Scope) -> Opened<T> {
    let result = frame::open(bytes).and_then(|frame| read(&frame, scope));
    Opened { result, _more: 0 }
}

/// Reads a message that [`encode_message`](crate::encode_message) wrote, if it is one of type `T`.
///
/// If it is not, nothing is taken from `scope`, so that bytes and handles are still there for the right type.
///
/// # Errors
///
/// As [`decode`]; and when the message is one of another type: [`Error::is_wrong_type`].
pub fn decode_message<T: DeserializeOwned>(bytes: &[u8], scope: &mut Scope) -> Result<T> {
    let frame = frame::open(bytes)?;
    let found = named(&frame)?;
    let expected = crate::type_name::<T>();
    if found != expected {
        let (expected, found) = (expected.to_owned(), found.to_owned());
        return Err(Error::new(Kind::WrongType { expected, found }));
    }
    read(&frame, std::mem::take(scope))
}

/// The name of a message's type, as [`type_name`](crate::type_name) has it.
///
/// ```
/// let message = cucumber::encode_message(&vec![1u8])?;
/// assert_eq!(cucumber::message_type(&message.bytes)?, "Vec<u8>");
/// # Ok::<(), cucumber::Error>(())
/// ```
///
/// # Errors
///
/// When the bytes are not a message.
pub fn message_type(bytes: &[u8]) -> Result<&str> {
    named(&frame::open(bytes)?)
}

fn named<'a>(frame: &Frame<'a>) -> Result<&'a str> {
    frame.name.ok_or_else(|| Error::malformed("these bytes are a value, not a message: they name no type"))
}

/// Reads a value in postcard that has nothing besides.
#[inline(always)]
fn read_plain<T: DeserializeOwned>(bytes: &[u8], functions: bool) -> Result<T> {
    crate::know::<T>();
    let guard = Guard::decoding(functions);
    match whole::<T, true>(bytes, guard.stack) {
        Ok(value) => Ok(value),
        Err(error) => Err(scope::classify(error)),
    }
}

#[inline(never)]
fn read<T: DeserializeOwned>(frame: &Frame<'_>, scope: Scope) -> Result<T> {
    crate::know::<T>();
    let came = scope.attachments.len();
    if came != frame.handles {
        let wrote = frame.handles;
        return Err(Error::handle(format!(
            "the value was written with {wrote} handles and {came} came with it; pass on what `encode` attached"
        )));
    }
    let guard = Guard::decoding(scope.functions);
    let shared = match frame.shared {
        [] => None,
        bytes => Some(Box::new(Incoming::open(bytes)?)),
    };
    guard.fill(scope, shared);
    let value = part(frame.codec, frame.value, guard.stack);
    let whole = value.and_then(|value| graph::settle().map(|()| value));
    whole.map_err(scope::classify)
}

/// Reads a value that fills all the bytes.
pub(crate) fn part<T: DeserializeOwned>(codec: Codec, bytes: &[u8], stack: Stack) -> Result<T> {
    match codec {
        Codec::Postcard => whole::<T, true>(bytes, stack),
        Codec::MessagePack => whole::<T, false>(bytes, stack),
    }
}

/// As a match, and not by `?`: whatever takes a value out of a result and puts it into another one as a whole copies it.
#[inline(always)]
fn whole<T: DeserializeOwned, const PLAIN: bool>(bytes: &[u8], stack: Stack) -> Result<T> {
    // Here, too, and not just where a value begins that has parts: it may be a frame in bytes of another one.
    stack.check()?;
    let mut decoder = Decoder::<PLAIN>::new(bytes, stack);
    match T::deserialize(decoder.root()) {
        Ok(value) => match decoder.end() {
            Ok(()) => Ok(value),
            Err(error) => Err(error),
        },
        Err(error) => Err(error),
    }
}
