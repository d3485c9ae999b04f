//! The serializer: one for both codecs, so that a type's `Serialize` is compiled once.
//!
//! postcard's and rmp-serde's own serializers write every number, text and header. What is added
//! is what they lack: the comparison with the traced shape, a limit on nesting, bytes in one run, and errors that know the way.

use serde::ser::{Serialize, Serializer};

use super::compound::Compound;
use super::writer::{Out, counted, out_of_room, short};
use crate::bytes::ByteIter;
use crate::error::{Error, Kind as ErrorKind, Result, Segment};
use crate::shape::{Kind, Node, Shape, leaf};
use crate::stack::Stack;

/// Ours among MessagePack's extension types: `Some` around something that is written as nil, so many times.
pub(crate) const EXT_SOME: i8 = 1;
/// The other: a sequence of `u8`, as bytes.
pub(crate) const EXT_BYTES: i8 = 2;

const NIL: u8 = 0xc0;
const FIXEXT_1: u8 = 0xd4;

pub(crate) struct Encoder<'s> {
    pub(super) out: Vec<u8>,
    pub(super) shape: Option<&'s Shape>,
    /// What the reader will ask for next.
    pub(super) at: u32,
    doubtful: bool,
    stack: Stack,
}

impl<'s> Encoder<'s> {
    pub(crate) fn postcard(out: Vec<u8>, shape: &'s Shape) -> Self {
        Self { out, shape: Some(shape), at: shape.root, doubtful: false, stack: Stack::here() }
    }

    pub(crate) fn message_pack(out: Vec<u8>) -> Self {
        Self { out, shape: None, at: leaf::UNKNOWN, doubtful: false, stack: Stack::here() }
    }

    pub(crate) fn is_doubtful(&self) -> bool {
        self.doubtful
    }

    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.out
    }

    /// The value is not what the reader will ask for.
    #[cold]
    pub(super) fn doubt<R>(&mut self) -> Result<R> {
        self.doubtful = true;
        Err(Error::new(ErrorKind::Doubtful))
    }

    /// Writes something without parts.
    #[inline]
    fn leaf<T: Serialize>(&mut self, number: u32, value: T) -> Result<()> {
        if self.shape.is_none() {
            return self.pack(value);
        }
        if self.at != number {
            return self.doubt();
        }
        self.post(value)
    }

    #[inline]
    fn post<T: Serialize>(&mut self, value: T) -> Result<()> {
        Ok(value.serialize(&mut postcard::Serializer { output: Out(&mut self.out) })?)
    }

    #[inline]
    fn pack<T: Serialize>(&mut self, value: T) -> Result<()> {
        Ok(value.serialize(&mut rmp_serde::Serializer::new(&mut self.out).with_struct_map())?)
    }

    /// The node that the reader will ask for next, if it is of this kind.
    #[inline]
    fn node(&mut self, shape: &'s Shape, kind: Kind) -> Result<&'s Node> {
        match shape.node(self.at) {
            Some(node) if node.kind == kind => Ok(node),
            _ => self.doubt(),
        }
    }

    /// Writes a variant's number, or opens the map that MessagePack writes it as; the node of what it holds.
    fn variant(
        &mut self,
        index: u32,
        variant: &'static str,
        kind: Kind,
        parts: usize,
    ) -> Result<Option<&'s Node>> {
        self.stack.check()?;
        let Some(shape) = self.shape else {
            self.out.push(0x81);
            self.pack(variant)?;
            return Ok(None);
        };
        self.at = self.variant_number(shape, index, variant)?;
        let node = self.node(shape, kind)?;
        if node.parts.len() != parts {
            return self.doubt();
        }
        self.post(index)?;
        Ok(Some(node))
    }

    fn variant_number(&mut self, shape: &'s Shape, index: u32, variant: &'static str) -> Result<u32> {
        let node = self.node(shape, Kind::Enum)?;
        let index = index as usize;
        match (node.names.get(index), node.parts.get(index)) {
            (Some(&name), Some(&part)) if name == variant => Ok(part),
            _ => self.doubt(),
        }
    }

    fn compound(&mut self, node: Option<&'s Node>, len: Option<usize>) -> Compound<'_, 's> {
        Compound::new(self, node, len)
    }

    /// A run of bytes: in postcard's words that is just what a sequence of `u8` looks like.
    fn bytes<I: Iterator>(&mut self, bytes: ByteIter<I>, len: usize) -> Result<()> {
        if let Some(shape) = self.shape {
            let node = self.node(shape, Kind::Seq)?;
            if node.parts[..] != [leaf::U8] {
                return self.doubt();
            }
            self.post(len as u64)?;
        } else {
            let length = short(len)?;
            rmp::encode::write_ext_meta(&mut self.out, length, EXT_BYTES).map_err(out_of_room)?;
        }
        let start = self.out.len();
        bytes.append_to(&mut self.out);
        counted(len, self.out.len() - start)
    }

    /// MessagePack writes `Some(x)` as `x`. Where `x` is nil, that would come back as `None`.
    fn mark_some(&mut self, start: usize) -> Result<()> {
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

macro_rules! leaves {
    ($($method:ident $type:ty, $leaf:ident;)*) => {$(
        #[inline]
        fn $method(self, value: $type) -> Result<()> {
            self.leaf(leaf::$leaf, value)
        }
    )*};
}

impl<'a, 's> Serializer for &'a mut Encoder<'s> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Compound<'a, 's>;
    type SerializeTuple = Compound<'a, 's>;
    type SerializeTupleStruct = Compound<'a, 's>;
    type SerializeTupleVariant = Compound<'a, 's>;
    type SerializeMap = Compound<'a, 's>;
    type SerializeStruct = Compound<'a, 's>;
    type SerializeStructVariant = Compound<'a, 's>;

    #[inline]
    fn is_human_readable(&self) -> bool {
        false
    }

    leaves! {
        serialize_bool bool, BOOL;
        serialize_i8 i8, I8;
        serialize_i16 i16, I16;
        serialize_i32 i32, I32;
        serialize_i64 i64, I64;
        serialize_i128 i128, I128;
        serialize_u8 u8, U8;
        serialize_u16 u16, U16;
        serialize_u32 u32, U32;
        serialize_u64 u64, U64;
        serialize_u128 u128, U128;
        serialize_f32 f32, F32;
        serialize_f64 f64, F64;
        serialize_char char, CHAR;
    }

    #[inline]
    fn serialize_str(self, value: &str) -> Result<()> {
        if self.shape.is_none() {
            short(value.len())?;
        }
        self.leaf(leaf::STR, value)
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<()> {
        if self.shape.is_none() {
            short(value.len())?;
            return Ok(Serializer::serialize_bytes(&mut rmp_serde::Serializer::new(&mut self.out), value)?);
        }
        if self.at != leaf::BYTES {
            return self.doubt();
        }
        Ok(Serializer::serialize_bytes(&mut postcard::Serializer { output: Out(&mut self.out) }, value)?)
    }

    fn serialize_none(self) -> Result<()> {
        if let Some(shape) = self.shape {
            self.node(shape, Kind::Option)?;
            self.out.push(0);
        } else {
            self.out.push(NIL);
        }
        Ok(())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<()> {
        self.stack.check()?;
        if let Some(shape) = self.shape {
            self.at = self.node(shape, Kind::Option)?.parts[0];
            self.out.push(1);
            return value.serialize(self);
        }
        let start = self.out.len();
        value.serialize(&mut *self)?;
        self.mark_some(start)
    }

    fn serialize_unit(self) -> Result<()> {
        self.leaf(leaf::UNIT, ())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<()> {
        self.leaf(leaf::UNIT, ())
    }

    fn serialize_unit_variant(self, _: &'static str, index: u32, variant: &'static str) -> Result<()> {
        let Some(shape) = self.shape else { return self.pack(variant) };
        if self.variant_number(shape, index, variant)? != leaf::UNIT {
            return self.doubt();
        }
        self.post(index)
    }

    #[inline]
    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<()> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<()> {
        if let Some(node) = self.variant(index, variant, Kind::NewtypeVariant, 1)? {
            self.at = node.parts[0];
        }
        value.serialize(self).map_err(|error| error.within(Segment::Variant(variant)))
    }

    fn serialize_seq(self, len: Option<usize>) -> Result<Compound<'a, 's>> {
        self.stack.check()?;
        let Some(shape) = self.shape else {
            let mut compound = self.compound(None, len);
            compound.open_array()?;
            return Ok(compound);
        };
        let node = self.node(shape, Kind::Seq)?;
        let Some(len) = len else { return self.doubt() };
        self.post(len as u64)?;
        Ok(self.compound(Some(node), Some(len)))
    }

    fn serialize_tuple(self, len: usize) -> Result<Compound<'a, 's>> {
        self.stack.check()?;
        let Some(shape) = self.shape else {
            let mut compound = self.compound(None, Some(len));
            compound.open_array()?;
            return Ok(compound);
        };
        let node = self.node(shape, Kind::Tuple)?;
        if node.parts.len() != len {
            return self.doubt();
        }
        Ok(self.compound(Some(node), Some(len)))
    }

    fn serialize_tuple_struct(self, _: &'static str, len: usize) -> Result<Compound<'a, 's>> {
        self.serialize_tuple(len)
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        index: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Compound<'a, 's>> {
        let node = self.variant(index, variant, Kind::Tuple, len)?;
        let mut compound = self.compound(node, Some(len)).in_variant(variant);
        if node.is_none() {
            compound.open_array()?;
        }
        Ok(compound)
    }

    fn serialize_map(self, len: Option<usize>) -> Result<Compound<'a, 's>> {
        self.stack.check()?;
        let Some(shape) = self.shape else {
            let mut compound = self.compound(None, len);
            compound.open_map()?;
            return Ok(compound);
        };
        let node = self.node(shape, Kind::Map)?;
        let Some(len) = len else { return self.doubt() };
        self.post(len as u64)?;
        Ok(self.compound(Some(node), Some(len)))
    }

    #[inline]
    fn serialize_struct(self, _: &'static str, len: usize) -> Result<Compound<'a, 's>> {
        self.stack.check()?;
        let Some(shape) = self.shape else {
            let mut compound = self.compound(None, Some(len));
            compound.open_map()?;
            return Ok(compound);
        };
        let node = self.node(shape, Kind::Struct)?;
        if node.parts.len() != len {
            return self.doubt();
        }
        Ok(self.compound(Some(node), Some(len)))
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        index: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Compound<'a, 's>> {
        let node = self.variant(index, variant, Kind::Struct, len)?;
        let mut compound = self.compound(node, Some(len)).in_variant(variant);
        if node.is_none() {
            compound.open_map()?;
        }
        Ok(compound)
    }

    #[inline]
    fn collect_seq<I>(self, items: I) -> Result<()>
    where
        I: IntoIterator,
        I::Item: Serialize,
    {
        use serde::ser::SerializeSeq;
        let mut items = match ByteIter::recognise(items.into_iter()) {
            Ok((bytes, len)) => return self.bytes(bytes, len),
            Err(items) => items,
        };
        let len = match items.size_hint() {
            (low, Some(high)) if low == high => Some(low),
            _ => None,
        };
        let mut compound = self.serialize_seq(len)?;
        items.try_for_each(|item| compound.serialize_element(&item))?;
        SerializeSeq::end(compound)
    }
}
