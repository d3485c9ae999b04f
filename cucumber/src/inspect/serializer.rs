//! The serializer that keeps what it is given.

use serde::ser::{Serialize, Serializer};

use super::observer::{self, Announced, Met};
use super::parts::{Entries, Fields, InVariant, Items};
use super::{Content, Node, varint, zigzag};
use crate::bytes::Run;
use crate::error::{Error, Result};
use crate::stack::Stack;

/// What serde's own wrappers are called; they stand for a type whose name they do not know.
const WRAPPERS: &[&str] = &["__SerializeWith", "SerializeAsWrap<", "cross::via::Written<"];

/// A value, or why it cannot be shown.
pub(super) fn node<T: Serialize + ?Sized>(value: &T, stack: Stack) -> Node {
    let name = crate::type_name::<T>();
    let is_wrapper = WRAPPERS.iter().any(|wrapper| name.contains(wrapper));
    let outcome = match stack.check() {
        Ok(()) => value.serialize(Inspector { type_name: if is_wrapper { "" } else { name }, stack }),
        Err(error) => Err(error),
    };
    outcome.unwrap_or_else(|error| {
        let announced = observer::take_announced();
        let known = announced.type_name.unwrap_or(if is_wrapper { "" } else { name });
        let identity = announced.met.map(|met| met.identity);
        Node { identity, ..Node::new(known, 0, Content::Refused(error.to_string())) }
    })
}

fn as_text(bytes: Vec<u8>) -> Content {
    match String::from_utf8(bytes) {
        Ok(text) => Content::Text(text),
        Err(other) => Content::Bytes(other.into_bytes()),
    }
}

pub(super) struct Inspector {
    type_name: &'static str,
    pub(super) stack: Stack,
}

/// What is known of a value before its parts are.
pub(super) struct Head {
    type_name: &'static str,
    met: Option<Met>,
    in_bytes: bool,
    pub(super) stack: Stack,
}

impl Head {
    /// Of what a variant holds, which is no value by itself.
    fn inner(&self) -> Self {
        Self { type_name: "", met: None, in_bytes: false, stack: self.stack }
    }

    pub(super) fn node(self, size: usize, content: Content) -> Node {
        self.around(Node::new("", size, content))
    }

    /// Makes what a value is written as the value itself.
    fn around(self, mut node: Node) -> Node {
        let mut in_place = node.size;
        if let Some(met) = self.met {
            // Where it holds nothing but another shared value, that one has a number, too.
            if node.identity.is_some() {
                node = Node::new("", node.size, Content::Items(vec![node]));
            }
            node.identity = Some(met.identity);
            node.size += met.cost;
            in_place = met.cost;
        }
        if self.in_bytes {
            node.size += varint(in_place as u128 + 1) + 1;
        }
        if !self.type_name.is_empty() {
            node.type_name = self.type_name.into();
        }
        node
    }
}

impl Inspector {
    fn head(self, fallback: &'static str) -> Head {
        let Announced { type_name, met, in_bytes } = observer::take_announced();
        let known = type_name.unwrap_or(self.type_name);
        let type_name = if known.is_empty() { fallback } else { known };
        Head { type_name, met, in_bytes, stack: self.stack }
    }

    fn leaf(self, fallback: &'static str, size: usize, content: Content) -> Result<Node> {
        Ok(self.head(fallback).node(size, content))
    }
}

macro_rules! numbers {
    ($($method:ident $type:ident $variant:ident $size:expr;)*) => {$(
        fn $method(self, value: $type) -> Result<Node> {
            self.leaf(stringify!($type), $size(value.into()), Content::$variant(value.into()))
        }
    )*};
}

impl Serializer for Inspector {
    type Ok = Node;
    type Error = Error;
    type SerializeSeq = Items;
    type SerializeTuple = Items;
    type SerializeTupleStruct = Items;
    type SerializeTupleVariant = InVariant<Items>;
    type SerializeMap = Entries;
    type SerializeStruct = Fields;
    type SerializeStructVariant = InVariant<Fields>;

    fn is_human_readable(&self) -> bool {
        false
    }

    numbers! {
        serialize_i8 i8 Integer |_: i128| 1;
        serialize_i16 i16 Integer zigzag;
        serialize_i32 i32 Integer zigzag;
        serialize_i64 i64 Integer zigzag;
        serialize_i128 i128 Integer zigzag;
        serialize_u8 u8 Unsigned |_: u128| 1;
        serialize_u16 u16 Unsigned varint;
        serialize_u32 u32 Unsigned varint;
        serialize_u64 u64 Unsigned varint;
        serialize_u128 u128 Unsigned varint;
        serialize_f32 f32 Float |_: f64| 4;
        serialize_f64 f64 Float |_: f64| 8;
    }

    fn serialize_bool(self, value: bool) -> Result<Node> {
        self.leaf("bool", 1, Content::Bool(value))
    }

    fn serialize_char(self, value: char) -> Result<Node> {
        self.leaf("char", 1 + value.len_utf8(), Content::Text(value.into()))
    }

    fn serialize_str(self, value: &str) -> Result<Node> {
        self.leaf("String", varint(value.len() as u128) + value.len(), Content::Text(value.to_owned()))
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<Node> {
        self.leaf("bytes", varint(value.len() as u128) + value.len(), Content::Bytes(value.to_vec()))
    }

    fn serialize_none(self) -> Result<Node> {
        self.leaf("Option", 1, Content::Nothing)
    }

    /// As what it holds; that it is there says enough.
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Node> {
        let head = self.head("");
        let mut inner = node(value, head.stack);
        inner.size += 1;
        Ok(head.around(inner))
    }

    fn serialize_unit(self) -> Result<Node> {
        self.leaf("()", 0, Content::Nothing)
    }

    fn serialize_unit_struct(self, name: &'static str) -> Result<Node> {
        self.leaf(name, 0, Content::Nothing)
    }

    fn serialize_unit_variant(self, name: &'static str, index: u32, variant: &'static str) -> Result<Node> {
        let inner = Node::new("", 0, Content::Nothing);
        self.leaf(name, varint(index.into()), Content::Variant(variant.into(), Box::new(inner)))
    }

    /// As what it holds.
    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, name: &'static str, value: &T) -> Result<Node> {
        let head = self.head(name);
        let inner = node(value, head.stack);
        Ok(head.around(inner))
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<Node> {
        let head = self.head(name);
        let inner = node(value, head.stack);
        let size = varint(index.into()) + inner.size;
        match inner.content {
            // serde writes the system's texts as bytes, since they may be anything.
            Content::Bytes(bytes) if name == "OsString" => Ok(head.node(size, as_text(bytes))),
            _ => Ok(head.node(size, Content::Variant(variant.into(), Box::new(inner)))),
        }
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Items> {
        Ok(Items::new(self.head("sequence"), true))
    }

    fn serialize_tuple(self, _: usize) -> Result<Items> {
        Ok(Items::new(self.head("tuple"), false))
    }

    fn serialize_tuple_struct(self, name: &'static str, _: usize) -> Result<Items> {
        Ok(Items::new(self.head(name), false))
    }

    fn serialize_tuple_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<InVariant<Items>> {
        let head = self.head(name);
        let inner = Items::new(head.inner(), false);
        Ok(InVariant::new(head, index, variant, inner))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Entries> {
        Ok(Entries::new(self.head("map")))
    }

    fn serialize_struct(self, name: &'static str, _: usize) -> Result<Fields> {
        Ok(Fields::new(self.head(name)))
    }

    fn serialize_struct_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<InVariant<Fields>> {
        let head = self.head(name);
        let inner = Fields::new(head.inner());
        Ok(InVariant::new(head, index, variant, inner))
    }

    fn collect_seq<I>(self, items: I) -> Result<Node>
    where
        I: IntoIterator,
        I::Item: Serialize,
    {
        use serde::ser::SerializeSeq as _;
        let mut items = match Run::recognise(items.into_iter()) {
            Ok((bytes, len)) => {
                return self.leaf(
                    "Vec<u8>",
                    varint(len as u128) + len,
                    Content::Bytes(bytes.items().collect()),
                );
            }
            Err(items) => items,
        };
        let mut shown = self.serialize_seq(None)?;
        items.try_for_each(|item| shown.serialize_element(&item))?;
        shown.end()
    }
}
