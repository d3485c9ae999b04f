//! The serializer of both codecs.
//!
//! rmp-serde writes MessagePack's numbers, texts and headers, and postcard its own wide numbers. What is added is what
//! they lack: the comparison with the traced shape, a limit on nesting, numbers in one run, and errors that know the way.

use serde::ser::Serialize;

use super::fields::Fields;
use super::items::Items;
use super::writer::{Out, counted, out_of_room, short};
use crate::bytes::Run;
use crate::error::{Error, Kind as ErrorKind, Result};
use crate::shape::{Kind, Part, Shape, Wanted, leaf};
use crate::stack::Stack;

/// Ours among MessagePack's extension types: `Some` around something that is written as nil, so many times.
pub(crate) const EXT_SOME: i8 = 1;
/// The other: a sequence of `u8`, as bytes.
pub(crate) const EXT_BYTES: i8 = 2;

pub(super) const NIL: u8 = 0xc0;
const FIXEXT_1: u8 = 0xd4;
const MAP_OF_ONE: u8 = 0x81;

/// So many bytes has a number of 64 bits, seven in each.
const LONGEST: usize = 10;

/// Writes how many elements follow, in MessagePack.
pub(super) type Header = fn(&mut Vec<u8>, usize) -> Result<()>;

/// Writes postcard if `PLAIN`, else MessagePack with names.
pub(crate) struct Encoder<'s, const PLAIN: bool> {
    pub(super) out: Vec<u8>,
    /// The shape that the value is compared with; none where names are written.
    shape: &'s [Part],
    /// What the reader will ask for next.
    pub(super) at: Wanted,
    doubtful: bool,
    pub(super) stack: Stack,
}

impl<'s> Encoder<'s, true> {
    #[inline]
    pub(crate) fn postcard(out: Vec<u8>, shape: &'s Shape, stack: Stack) -> Self {
        Self { out, shape: &shape.parts, at: shape.root, doubtful: false, stack }
    }
}

impl Encoder<'_, false> {
    #[inline]
    pub(crate) fn message_pack(out: Vec<u8>, stack: Stack) -> Self {
        Self { out, shape: &[], at: Wanted::leaf(leaf::UNKNOWN), doubtful: false, stack }
    }
}

impl<'s, const PLAIN: bool> Encoder<'s, PLAIN> {
    #[inline]
    pub(crate) fn is_doubtful(&self) -> bool {
        self.doubtful
    }

    #[inline]
    pub(crate) fn written(&mut self) -> &mut Vec<u8> {
        &mut self.out
    }

    #[inline]
    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.out
    }

    /// The value is not what the reader will ask for.
    #[cold]
    #[inline(never)]
    pub(super) fn doubt(&mut self) -> Error {
        self.doubtful = true;
        Error::new(ErrorKind::Doubtful)
    }

    /// Compares something without parts with what the reader will ask for.
    #[inline]
    pub(super) fn expect(&mut self, number: u32) -> Result<()> {
        if self.at.is_leaf(number) { Ok(()) } else { Err(self.doubt()) }
    }

    /// Writes something without parts; `post` is how postcard does it.
    #[inline]
    pub(super) fn leaf<T: Serialize + Copy>(
        &mut self,
        number: u32,
        value: T,
        post: impl FnOnce(&mut Self, T) -> Result<()>,
    ) -> Result<()> {
        if !PLAIN {
            return self.pack(value);
        }
        self.expect(number)?;
        post(self, value)
    }

    /// Seven bits in each byte, the lowest first.
    #[inline]
    pub(super) fn varint(&mut self, value: u64) {
        match value {
            0..0x80 => self.out.push(value as u8),
            _ => long_varint(&mut self.out, value),
        }
    }

    #[inline(never)]
    pub(super) fn post<T: Serialize>(&mut self, value: T) -> Result<()> {
        Ok(value.serialize(&mut postcard::Serializer { output: Out(&mut self.out) })?)
    }

    /// The number of elements that follow.
    #[inline]
    pub(super) fn post_len(&mut self, len: usize) {
        self.varint(len as u64);
    }

    #[inline(never)]
    pub(super) fn pack<T: Serialize>(&mut self, value: T) -> Result<()> {
        Ok(value.serialize(&mut rmp_serde::Serializer::new(&mut self.out).with_struct_map())?)
    }

    /// The parts that the reader will ask for next, if it is so many of this kind.
    #[inline]
    pub(super) fn parts(&mut self, kind: Kind, len: usize) -> Result<&'s [Part]> {
        match self.at.exactly(kind, len, self.shape) {
            Some(parts) => Ok(parts),
            None => Err(self.doubt()),
        }
    }

    /// What the reader will ask for inside of this kind of thing, which has one part.
    #[inline]
    pub(super) fn inside(&mut self, kind: Kind) -> Result<Wanted> {
        match self.at.one(kind, self.shape) {
            Some(part) => Ok(part.wanted),
            None => Err(self.doubt()),
        }
    }

    /// Begins a sequence or map.
    #[inline]
    pub(super) fn open<'a>(
        &'a mut self,
        len: Option<usize>,
        kind: Kind,
        header: Header,
    ) -> Result<Items<'a, 's, PLAIN>> {
        self.stack.check()?;
        if !PLAIN {
            if let Some(len) = len {
                header(&mut self.out, len)?;
            }
            return Ok(Items::named(self, len));
        }
        let (key, value) = match self.parts(kind, if kind == Kind::Map { 2 } else { 1 })? {
            [key, value] => (key.wanted, value.wanted),
            parts => (parts[0].wanted, parts[0].wanted),
        };
        let Some(len) = len else { return Err(self.doubt()) };
        self.post_len(len);
        Ok(Items::plain(self, key, value, len))
    }

    /// Begins a tuple or struct.
    #[inline]
    pub(super) fn open_fields<'a>(
        &'a mut self,
        len: usize,
        kind: Kind,
        header: Header,
    ) -> Result<Fields<'a, 's, PLAIN>> {
        self.stack.check()?;
        if !PLAIN {
            header(&mut self.out, len)?;
            return Ok(Fields::new(self, &[], len));
        }
        let parts = self.parts(kind, len)?;
        Ok(Fields::new(self, parts, len))
    }

    /// Writes a variant's number, or the beginning of the map that MessagePack writes it as.
    #[inline]
    pub(super) fn variant(&mut self, index: u32, variant: &'static str) -> Result<()> {
        if !PLAIN {
            self.out.push(MAP_OF_ONE);
            return self.pack(variant);
        }
        self.at = self.variant_content(index, variant)?;
        self.post_len(index as usize);
        Ok(())
    }

    #[inline]
    pub(super) fn variant_content(&mut self, index: u32, variant: &'static str) -> Result<Wanted> {
        match self.at.nth(Kind::Enum, index as usize, self.shape) {
            Some(part) if part.is_called(variant) => Ok(part.wanted),
            _ => Err(self.doubt()),
        }
    }

    /// A run of bytes: in postcard's words that is just what a sequence of `u8` looks like.
    #[inline]
    pub(super) fn bytes<I: Iterator>(&mut self, bytes: Run<I, u8>, len: usize) -> Result<()> {
        if PLAIN {
            self.begin_run(leaf::U8, None, len)?;
        } else {
            let length = short(len)?;
            rmp::encode::write_ext_meta(&mut self.out, length, EXT_BYTES).map_err(out_of_room)?;
        }
        let start = self.out.len();
        self.out.extend(bytes.items());
        counted(len, self.out.len() - start)
    }

    /// The floats of a sequence, or its arrays of so many floats, which have the same width each.
    #[inline]
    pub(super) fn floats<I: Iterator, F: Copy + 'static, const WIDTH: usize>(
        &mut self,
        floats: Run<I, F>,
        (number, many, len): (u32, Option<usize>, usize),
        to_bytes: fn(F) -> [u8; WIDTH],
    ) -> Result<()> {
        self.begin_run(number, many, len)?;
        let start = self.out.len();
        self.out.resize(start + len * WIDTH, 0);
        let (places, _) = self.out[start..].as_chunks_mut::<WIDTH>();
        let mut written = 0;
        for float in floats.items() {
            if let Some(place) = places.get_mut(written) {
                *place = to_bytes(float);
            }
            written += 1;
        }
        counted(len, written)
    }

    /// The length of a sequence whose elements are leaves of this number, or arrays of so many.
    #[inline]
    fn begin_run(&mut self, number: u32, many: Option<usize>, len: usize) -> Result<()> {
        self.at = self.inside(Kind::Seq)?;
        match many {
            None => self.expect(number)?,
            Some(many) => {
                if !self.parts(Kind::Tuple, many)?.iter().all(|part| part.wanted.is_leaf(number)) {
                    return Err(self.doubt());
                }
            }
        }
        self.post_len(len);
        Ok(())
    }

    /// MessagePack writes `Some(x)` as `x`. Where `x` is nil, that would come back as `None`.
    pub(super) fn mark_some(&mut self, start: usize) -> Result<()> {
        match self.out[start..] {
            [NIL] => {
                self.out.truncate(start);
                self.out.extend_from_slice(&[FIXEXT_1, EXT_SOME as u8, 1]);
            }
            [FIXEXT_1, kind, times] if kind == EXT_SOME as u8 => {
                let times = times.checked_add(1);
                let times =
                    times.ok_or_else(|| Error::unsupported("more than 255 options around nothing"))?;
                self.out[start + 2] = times;
            }
            _ => {}
        }
        Ok(())
    }
}

/// A number that takes more than one byte.
#[inline(never)]
fn long_varint(out: &mut Vec<u8>, mut value: u64) {
    // Room for the longest, at once.
    out.extend_from_slice(&[0; LONGEST]);
    let end = out.len();
    let Some(bytes) = out.last_chunk_mut::<LONGEST>() else { return };
    let mut len = 0;
    while value >= 0x80 && len < LONGEST - 1 {
        bytes[len] = value as u8 | 0x80;
        value >>= 7;
        len += 1;
    }
    bytes[len] = value as u8;
    out.truncate(end - LONGEST + len + 1);
}
