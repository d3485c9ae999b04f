//! MessagePack, a token at a time.
//!
//! rmp-serde writes it; it is read here because its deserializer knows neither our extension types nor our limits.

use rmp::Marker;

use super::input::Input;
use crate::error::{Error, Result};
use crate::ser::{EXT_BYTES, EXT_SOME};

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Token<'de> {
    Nil,
    Bool(bool),
    Unsigned(u64),
    Signed(i64),
    F32(f32),
    F64(f64),
    Str(&'de str),
    Bin(&'de [u8]),
    /// A sequence of `u8`.
    Bytes(&'de [u8]),
    Array(usize),
    Map(usize),
    /// `Some` around nil, so many times.
    Some(u8),
}

impl Token<'_> {
    /// What it is, for an error.
    pub(super) fn describe(self) -> &'static str {
        match self {
            Self::Nil => "nothing",
            Self::Bool(_) => "a bool",
            Self::Unsigned(_) | Self::Signed(_) => "an integer",
            Self::F32(_) | Self::F64(_) => "a float",
            Self::Str(_) => "a string",
            Self::Bin(_) => "bytes",
            Self::Bytes(_) | Self::Array(_) => "a sequence",
            Self::Map(_) => "a map or struct",
            Self::Some(_) => "an option",
        }
    }
}

macro_rules! big_endian {
    ($rest:ident, $type:ty) => {
        <$type>::from_be_bytes($rest.array()?)
    };
}

/// Takes the next token off the front.
pub(super) fn next<'de>(rest: &mut Input<'de>) -> Result<Token<'de>> {
    let [marker] = rest.array()?;
    Ok(match Marker::from_u8(marker) {
        Marker::Null => Token::Nil,
        Marker::True => Token::Bool(true),
        Marker::False => Token::Bool(false),
        Marker::FixPos(value) => Token::Unsigned(value.into()),
        Marker::FixNeg(value) => Token::Signed(value.into()),
        Marker::U8 => Token::Unsigned(big_endian!(rest, u8).into()),
        Marker::U16 => Token::Unsigned(big_endian!(rest, u16).into()),
        Marker::U32 => Token::Unsigned(big_endian!(rest, u32).into()),
        Marker::U64 => Token::Unsigned(big_endian!(rest, u64)),
        Marker::I8 => Token::Signed(big_endian!(rest, i8).into()),
        Marker::I16 => Token::Signed(big_endian!(rest, i16).into()),
        Marker::I32 => Token::Signed(big_endian!(rest, i32).into()),
        Marker::I64 => Token::Signed(big_endian!(rest, i64)),
        Marker::F32 => Token::F32(big_endian!(rest, f32)),
        Marker::F64 => Token::F64(big_endian!(rest, f64)),
        Marker::FixStr(len) => text(len.into(), rest)?,
        Marker::Str8 => text(big_endian!(rest, u8).into(), rest)?,
        Marker::Str16 => text(big_endian!(rest, u16).into(), rest)?,
        Marker::Str32 => text(big_endian!(rest, u32), rest)?,
        Marker::Bin8 => Token::Bin(run(big_endian!(rest, u8).into(), rest)?),
        Marker::Bin16 => Token::Bin(run(big_endian!(rest, u16).into(), rest)?),
        Marker::Bin32 => Token::Bin(run(big_endian!(rest, u32), rest)?),
        // Every element takes a byte at least, and every entry two.
        Marker::FixArray(len) => Token::Array(counted(len.into(), 1, rest)?),
        Marker::Array16 => Token::Array(counted(big_endian!(rest, u16).into(), 1, rest)?),
        Marker::Array32 => Token::Array(counted(big_endian!(rest, u32), 1, rest)?),
        Marker::FixMap(len) => Token::Map(counted(len.into(), 2, rest)?),
        Marker::Map16 => Token::Map(counted(big_endian!(rest, u16).into(), 2, rest)?),
        Marker::Map32 => Token::Map(counted(big_endian!(rest, u32), 2, rest)?),
        Marker::FixExt1 => extension(1, rest)?,
        Marker::FixExt2 => extension(2, rest)?,
        Marker::FixExt4 => extension(4, rest)?,
        Marker::FixExt8 => extension(8, rest)?,
        Marker::FixExt16 => extension(16, rest)?,
        Marker::Ext8 => extension(big_endian!(rest, u8).into(), rest)?,
        Marker::Ext16 => extension(big_endian!(rest, u16).into(), rest)?,
        Marker::Ext32 => extension(big_endian!(rest, u32), rest)?,
        Marker::Reserved => return Err(Error::malformed("a byte that MessagePack does not use")),
    })
}

fn run<'de>(len: u32, rest: &mut Input<'de>) -> Result<&'de [u8]> {
    rest.take(usize::try_from(len).map_err(|_| Error::truncated())?)
}

fn text<'de>(len: u32, rest: &mut Input<'de>) -> Result<Token<'de>> {
    Ok(Token::Str(std::str::from_utf8(run(len, rest)?).map_err(not_text)?))
}

#[cold]
pub(super) fn not_text(error: std::str::Utf8Error) -> Error {
    Error::malformed("a string is not valid UTF-8").caused_by(error)
}

fn counted(len: u32, width: usize, rest: &Input<'_>) -> Result<usize> {
    let len = usize::try_from(len).map_err(|_| Error::truncated())?;
    if len > rest.len() / width { Err(Error::truncated()) } else { Ok(len) }
}

fn extension<'de>(len: u32, rest: &mut Input<'de>) -> Result<Token<'de>> {
    let kind = big_endian!(rest, i8);
    let content = run(len, rest)?;
    match (kind, content) {
        (EXT_BYTES, bytes) => Ok(Token::Bytes(bytes)),
        (EXT_SOME, &[times]) if times > 0 => Ok(Token::Some(times)),
        _ => Err(Error::malformed(format!("an extension of MessagePack that is not ours, type {kind}"))),
    }
}

/// How a map's key is shown in a path; not at all, if it is long or has parts.
pub(crate) fn key_text(bytes: &[u8]) -> Option<String> {
    let mut rest = Input::new(bytes);
    let text = match next(&mut rest).ok()? {
        Token::Str(text) if text.len() <= 64 => format!("{text:?}"),
        Token::Unsigned(value) => value.to_string(),
        Token::Signed(value) => value.to_string(),
        Token::Bool(value) => value.to_string(),
        _ => return None,
    };
    rest.is_empty().then_some(text)
}
