//! The parts of a value, while they are shown.

use std::borrow::Cow;

use serde::ser::{
    Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant,
};

use super::serializer::{Head, node};
use super::{Content, Node, varint};
use crate::error::{Error, Result};

/// A sequence's or tuple's elements.
pub(super) struct Items {
    head: Head,
    items: Vec<Node>,
    is_counted: bool,
}

impl Items {
    pub(super) fn new(head: Head, is_counted: bool) -> Self {
        Self { head, items: Vec::new(), is_counted }
    }

    fn add<T: Serialize + ?Sized>(&mut self, value: &T) {
        self.items.push(node(value, self.head.stack));
    }

    fn close(self) -> Node {
        let count = if self.is_counted { varint(self.items.len() as u128) } else { 0 };
        let size = count + self.items.iter().map(|item| item.size).sum::<usize>();
        self.head.node(size, Content::Items(self.items))
    }
}

/// A struct's fields.
pub(super) struct Fields {
    head: Head,
    fields: Vec<(Cow<'static, str>, Node)>,
}

impl Fields {
    pub(super) fn new(head: Head) -> Self {
        Self { head, fields: Vec::new() }
    }

    fn add<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) {
        self.fields.push((name.into(), node(value, self.head.stack)));
    }

    fn close(self) -> Node {
        let size = self.fields.iter().map(|(_, field)| field.size).sum();
        self.head.node(size, Content::Fields(self.fields))
    }
}

/// A map's entries.
pub(super) struct Entries {
    head: Head,
    key: Option<Node>,
    entries: Vec<(Node, Node)>,
}

impl Entries {
    pub(super) fn new(head: Head) -> Self {
        Self { head, key: None, entries: Vec::new() }
    }
}

/// What a variant holds.
pub(super) struct InVariant<P> {
    head: Head,
    index: u32,
    variant: &'static str,
    parts: P,
}

impl<P> InVariant<P> {
    pub(super) fn new(head: Head, index: u32, variant: &'static str, parts: P) -> Self {
        Self { head, index, variant, parts }
    }

    fn close(self, close: fn(P) -> Node) -> Node {
        let inner = close(self.parts);
        let size = varint(self.index.into()) + inner.size;
        self.head.node(size, Content::Variant(self.variant.into(), Box::new(inner)))
    }
}

macro_rules! items {
    ($($trait:ident $method:ident;)*) => {$(
        impl $trait for Items {
            type Ok = Node;
            type Error = Error;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
                self.add(value);
                Ok(())
            }

            fn end(self) -> Result<Node> {
                Ok(self.close())
            }
        }
    )*};
}

items! {
    SerializeSeq serialize_element;
    SerializeTuple serialize_element;
    SerializeTupleStruct serialize_field;
}

impl SerializeTupleVariant for InVariant<Items> {
    type Ok = Node;
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        self.parts.add(value);
        Ok(())
    }

    fn end(self) -> Result<Node> {
        Ok(self.close(Items::close))
    }
}

impl SerializeStruct for Fields {
    type Ok = Node;
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<()> {
        self.add(name, value);
        Ok(())
    }

    fn end(self) -> Result<Node> {
        Ok(self.close())
    }
}

impl SerializeStructVariant for InVariant<Fields> {
    type Ok = Node;
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<()> {
        self.parts.add(name, value);
        Ok(())
    }

    fn end(self) -> Result<Node> {
        Ok(self.close(Fields::close))
    }
}

impl SerializeMap for Entries {
    type Ok = Node;
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<()> {
        self.key = Some(node(key, self.head.stack));
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        let key = self.key.take();
        let key = key.ok_or_else(|| Error::unsupported("its `Serialize` writes a value without a key"))?;
        self.entries.push((key, node(value, self.head.stack)));
        Ok(())
    }

    fn end(self) -> Result<Node> {
        let entries: usize = self.entries.iter().map(|(key, value)| key.size + value.size).sum();
        let size = varint(self.entries.len() as u128) + entries;
        Ok(self.head.node(size, Content::Entries(self.entries)))
    }
}
