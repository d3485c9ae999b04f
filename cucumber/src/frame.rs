//! Where a value starts and ends, and how it is written: magic, version, codec, length.
//!
//! `docs/wire-format.md` has the tables. There is no checksum: frames travel between processes of one machine, through
//! kernel objects or memory whose own protocol commits a message only when it is whole, so a checksum would find nothing
//! that the length does not, and it would cost more than moving the bytes.

use crate::error::{Error, Kind, Result};

/// The version of the format that this crate writes, and the only one it reads.
pub(crate) const VERSION: u8 = 1;

/// The magic, and the version behind it.
const BEGINNING: [u8; 4] = [b'c', b'u', b'c', VERSION];
const HEADER: usize = 16;
const CODEC: usize = 4;
const FLAGS: usize = 5;
const HANDLES: usize = 6;
const LENGTH: usize = 8;

/// The body begins with the name of the value's type.
const NAMED: u8 = 1;

/// The body ends with shared values, and behind them their length.
const SHARED: u8 = 2;

/// How the value inside a frame is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Codec {
    Postcard = 1,
    MessagePack = 2,
}

/// A frame, taken apart.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Frame<'a> {
    pub(crate) codec: Codec,
    pub(crate) name: Option<&'a str>,
    pub(crate) handles: usize,
    pub(crate) value: &'a [u8],
    /// The shared values that `value` refers to, as [`graph`](crate::graph) writes them.
    pub(crate) shared: &'a [u8],
}

/// Writes the header, with its length and codec left open, and the name.
#[inline]
pub(crate) fn begin(out: &mut Vec<u8>, name: Option<&str>) -> Result<()> {
    let mut header = [0; HEADER];
    header[..CODEC].copy_from_slice(&BEGINNING);
    header[FLAGS] = if name.is_some() { NAMED } else { 0 };
    out.extend_from_slice(&header);
    name.map_or(Ok(()), |name| put_name(out, name))
}

fn put_name(out: &mut Vec<u8>, name: &str) -> Result<()> {
    let length = u16::try_from(name.len()).map_err(|_| {
        Error::unsupported(format!("a type's name has {} bytes; 65535 are possible", name.len()))
    })?;
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(name.as_bytes());
    Ok(())
}

/// Completes the header of the frame that fills `out`.
#[inline]
pub(crate) fn finish(out: &mut [u8], codec: Codec, handles: usize, shared: bool) -> Result<()> {
    let Ok(handles) = u16::try_from(handles) else { return Err(too_many(handles)) };
    let Some((header, body)) = out.split_first_chunk_mut::<HEADER>() else { return Err(no_frame(out)) };
    header[CODEC] = codec as u8;
    if shared {
        header[FLAGS] |= SHARED;
    }
    header[HANDLES..LENGTH].copy_from_slice(&handles.to_le_bytes());
    header[LENGTH..].copy_from_slice(&(body.len() as u64).to_le_bytes());
    Ok(())
}

#[cold]
fn too_many(handles: usize) -> Error {
    Error::handle(format!("the value holds {handles} handles; a frame carries 65535"))
}

/// The value of the simplest frame, of a type that survives postcard, and with nothing besides; any other is for [`open`].
#[inline]
pub(crate) fn plain(bytes: &[u8]) -> Option<&[u8]> {
    const PLAIN: u64 = u64::from_le_bytes([b'c', b'u', b'c', VERSION, Codec::Postcard as u8, 0, 0, 0]);
    let (header, value) = bytes.split_first_chunk::<HEADER>()?;
    // All of it in one comparison, and little code where it is inlined.
    let plain = u128::from(PLAIN) | (value.len() as u128) << 64;
    (u128::from_le_bytes(*header) == plain).then_some(value)
}

/// Takes a frame apart, checking everything but the value itself.
pub(crate) fn open(bytes: &[u8]) -> Result<Frame<'_>> {
    let Some((header, body)) = bytes.split_first_chunk::<HEADER>() else { return Err(no_frame(bytes)) };
    if header[..CODEC] != BEGINNING {
        return Err(no_frame(bytes));
    }
    let codec = match header[CODEC] {
        1 => Codec::Postcard,
        2 => Codec::MessagePack,
        other => return Err(Error::malformed(format!("a frame in an unknown codec, {other}"))),
    };
    let mut length = [0; 8];
    length.copy_from_slice(&header[LENGTH..]);
    match (body.len() as u64).cmp(&u64::from_le_bytes(length)) {
        std::cmp::Ordering::Less => return Err(Error::truncated()),
        std::cmp::Ordering::Greater => return Err(Error::malformed("bytes follow the end of the frame")),
        std::cmp::Ordering::Equal => {}
    }
    let handles = usize::from(u16::from_le_bytes([header[HANDLES], header[HANDLES + 1]]));
    let flags = header[FLAGS];
    if flags & !(NAMED | SHARED) != 0 {
        return Err(Error::malformed(format!("a frame with unknown flags, {flags:#04x}")));
    }
    let (body, shared) = if flags & SHARED == 0 { (body, &[][..]) } else { split_shared(body)? };
    let (name, value) = if flags & NAMED == 0 { (None, body) } else { split_name(body)? };
    Ok(Frame { codec, name, handles, value, shared })
}

/// What is wrong with bytes that do not begin as a frame.
#[cold]
fn no_frame(bytes: &[u8]) -> Error {
    match bytes.iter().zip(BEGINNING).position(|(byte, known)| *byte != known) {
        None => Error::truncated(),
        Some(3) => Error::new(Kind::Version(bytes[3])),
        Some(_) => Error::malformed("these bytes are not a frame; they were not written by this crate"),
    }
}

fn split_name(body: &[u8]) -> Result<(Option<&str>, &[u8])> {
    let (length, rest) = body.split_first_chunk::<2>().ok_or_else(Error::truncated)?;
    let length = usize::from(u16::from_le_bytes(*length));
    let (name, value) = rest.split_at_checked(length).ok_or_else(Error::truncated)?;
    let name = std::str::from_utf8(name)
        .map_err(|error| Error::malformed("a type's name is not text").caused_by(error))?;
    Ok((Some(name), value))
}

fn split_shared(body: &[u8]) -> Result<(&[u8], &[u8])> {
    let (rest, length) = body.split_last_chunk::<8>().ok_or_else(Error::truncated)?;
    let length = usize::try_from(u64::from_le_bytes(*length)).map_err(|_| Error::truncated())?;
    let end = rest.len().checked_sub(length).ok_or_else(Error::truncated)?;
    Ok(rest.split_at(end))
}

#[cfg(test)]
mod tests;
