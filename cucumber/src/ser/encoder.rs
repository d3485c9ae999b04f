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
    pub(super) shape: &'s [Part],
    doubtful: bool,
    pub(super) stack: Stack,
}

/// The encoder, where the next value is.
pub(crate) struct At<'a, 's, const PLAIN: bool> {
    pub(super) encoder: &'a mut Encoder<'s, PLAIN>,
    /// What the reader will ask for next; unknown where names are written. By value, as memory would be slower.
    pub(super) wanted: Wanted,
}

impl<'s> Encoder<'s, true> {
    #[inline]
    pub(crate) fn postcard(out: Vec<u8>, shape: &'s Shape, stack: Stack) -> Self {
        Self { out, shape: &shape.parts, doubtful: false, stack }
    }
}

impl Encoder<'_, false> {
    #[inline]
    pub(crate) fn message_pack(out: Vec<u8>, stack: Stack) -> Self {
        Self { out, shape: &[], doubtful: false, stack }
    }
}

impl<'s> Encoder<'s, false> {
    /// Where a value is written with its names.
    #[inline]
    pub(crate) fn named(&mut self) -> At<'_, 's, false> {
        self.at(Wanted::leaf(leaf::UNKNOWN))
    }
}

impl<'s, const PLAIN: bool> Encoder<'s, PLAIN> {
    /// Where a value is written that the reader will ask for as `wanted`.
    #[inline]
    pub(crate) fn at(&mut self, wanted: Wanted) -> At<'_, 's, PLAIN> {
        At { encoder: self, wanted }
    }

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

impl<'a, 's, const PLAIN: bool> At<'a, 's, PLAIN> {
    /// Compares something without parts with what the reader will ask for.
    #[inline]
    pub(super) fn expect(&mut self, number: u32) -> Result<()> {
        if self.wanted.is_leaf(number) { Ok(()) } else { Err(self.encoder.doubt()) }
    }

    /// Writes something without parts; `post` is how postcard does it.
    #[inline]
    pub(super) fn leaf<T: Serialize + Copy>(
        mut self,
        number: u32,
        value: T,
        post: impl FnOnce(&mut Encoder<'s, PLAIN>, T) -> Result<()>,
    ) -> Result<()> {
        if !PLAIN {
            return self.encoder.pack(value);
        }
        self.expect(number)?;
        post(self.encoder, value)
    }

    /// The parts that the reader will ask for next, if it is so many of this kind.
    #[inline]
    fn parts(&mut self, kind: Kind, len: usize) -> Result<&'s [Part]> {
        match self.wanted.exactly(kind, len, self.encoder.shape) {
            Some(parts) => Ok(parts),
            None => Err(self.encoder.doubt()),
        }
    }

    /// Inside of this kind of thing, which has one part.
    #[inline]
    pub(super) fn inside(self, kind: Kind) -> Result<Self> {
        match self.wanted.one(kind, self.encoder.shape) {
            Some(part) => Ok(Self { wanted: part.wanted, ..self }),
            None => Err(self.encoder.doubt()),
        }
    }

    /// Begins a sequence or map.
    #[inline]
    pub(super) fn open(
        mut self,
        len: Option<usize>,
        kind: Kind,
        header: Header,
    ) -> Result<Items<'a, 's, PLAIN>> {
        self.encoder.stack.check()?;
        if !PLAIN {
            if let Some(len) = len {
                header(&mut self.encoder.out, len)?;
            }
            return Ok(Items::named(self.encoder, len));
        }
        let (key, value) = match self.parts(kind, if kind == Kind::Map { 2 } else { 1 })? {
            [key, value] => (key.wanted, value.wanted),
            parts => (parts[0].wanted, parts[0].wanted),
        };
        let Some(len) = len else { return Err(self.encoder.doubt()) };
        self.encoder.post_len(len);
        Ok(Items::plain(self.encoder, key, value, len))
    }

    /// Begins a tuple or struct.
    #[inline]
    pub(super) fn open_fields(
        mut self,
        len: usize,
        kind: Kind,
        header: Header,
    ) -> Result<Fields<'a, 's, PLAIN>> {
        self.encoder.stack.check()?;
        if !PLAIN {
            header(&mut self.encoder.out, len)?;
            return Ok(Fields::new(self.encoder, &[], len));
        }
        let parts = self.parts(kind, len)?;
        Ok(Fields::new(self.encoder, parts, len))
    }

    /// Writes a variant's number, or the beginning of the map that MessagePack writes it as; its content comes next.
    #[inline]
    pub(super) fn variant(self, index: u32, variant: &'static str) -> Result<Self> {
        if !PLAIN {
            self.encoder.out.push(MAP_OF_ONE);
            self.encoder.pack(variant)?;
            return Ok(self);
        }
        match self.wanted.nth(Kind::Enum, index as usize, self.encoder.shape) {
            Some(part) if part.is_called(variant) => {
                self.encoder.post_len(index as usize);
                Ok(Self { wanted: part.wanted, ..self })
            }
            _ => Err(self.encoder.doubt()),
        }
    }

    /// A run of bytes: in postcard's words that is just what a sequence of `u8` looks like.
    #[inline]
    pub(super) fn bytes<I: Iterator>(self, bytes: Run<I, u8>, len: usize) -> Result<()> {
        let encoder = if PLAIN {
            self.begin_run(leaf::U8, None, len)?
        } else {
            let length = short(len)?;
            rmp::encode::write_ext_meta(&mut self.encoder.out, length, EXT_BYTES).map_err(out_of_room)?;
            self.encoder
        };
        let start = encoder.out.len();
        encoder.out.extend(bytes.items());
        counted(len, encoder.out.len() - start)
    }

    /// The floats of a sequence, or its arrays of so many floats, which have the same width each.
    #[inline]
    pub(super) fn floats<I: Iterator, F: Copy + 'static, const WIDTH: usize>(
        self,
        floats: Run<I, F>,
        (number, many, len): (u32, Option<usize>, usize),
        to_bytes: fn(F) -> [u8; WIDTH],
    ) -> Result<()> {
        let out = &mut self.begin_run(number, many, len)?.out;
        let start = out.len();
        out.resize(start + len * WIDTH, 0);
        let (places, _) = out[start..].as_chunks_mut::<WIDTH>();
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
    fn begin_run(self, number: u32, many: Option<usize>, len: usize) -> Result<&'a mut Encoder<'s, PLAIN>> {
        let mut element = self.inside(Kind::Seq)?;
        match many {
            None => element.expect(number)?,
            Some(many) => {
                if !element.parts(Kind::Tuple, many)?.iter().all(|part| part.wanted.is_leaf(number)) {
                    return Err(element.encoder.doubt());
                }
            }
        }
        element.encoder.post_len(len);
        Ok(element.encoder)
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
