//! Bytes as a tree, without the type that they were written from.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, EnumAccess, MapAccess, SeqAccess, VariantAccess, Visitor};

use super::{Content, Node, Tree};
use crate::de::{Decoder, MEASURED};
use crate::error::Result;
use crate::frame::{self, Codec};
use crate::graph;
use crate::shape::{self, Kind, Shape, Wanted, leaf};
use crate::stack::Stack;

/// Shows a frame as a tree, as far as the frame tells.
///
/// Where names are written, everything is there to be seen, each part with the bytes that it takes. A message without names is shown if its type is known here
/// ([`know`](crate::know)); what cannot be told is shown as so many bytes.
///
/// ```
/// let bytes = cucumber::to_bytes(&std::collections::BTreeMap::from([("jobs", [1, 2])]))?;
/// assert_eq!(cucumber::inspect_bytes(&bytes)?.to_json(), r#"{"jobs":[1,2]}"#);
/// # Ok::<(), cucumber::Error>(())
/// ```
///
/// # Errors
///
/// When the bytes are no frame, or their content is damaged.
pub fn inspect_bytes(bytes: &[u8]) -> Result<Tree> {
    let frame = frame::open(bytes)?;
    let shape = frame.name.and_then(shape::named);
    let mut root = part(frame.codec, frame.value, shape)?;
    root.type_name = frame.name.unwrap_or("a value").to_owned().into();
    if frame.shared.is_empty() {
        return Ok(Tree { root });
    }
    let mut fields = vec![("value".into(), root)];
    for (place, found) in graph::parts(frame.shared)?.into_iter().enumerate() {
        if let Some((codec, bytes)) = found {
            let mut part = part(codec, bytes, None)?;
            part.size += graph::HEADER;
            fields.push((format!("#{}", place + 1).into(), part));
        }
    }
    let size = frame.value.len() + frame.shared.len() + graph::FOOTER;
    Ok(Tree { root: Node::new("a value and what it shares", size, Content::Fields(fields)) })
}

fn part(codec: Codec, bytes: &[u8], shape: Option<&Shape>) -> Result<Node> {
    match (codec, shape) {
        (Codec::MessagePack, _) => whole::<false>(bytes, Anything),
        (Codec::Postcard, Some(shape)) => whole::<true>(bytes, Shaped { shape, wanted: shape.root }),
        (Codec::Postcard, None) => {
            let why = "written without names, by a type that is not known here";
            Ok(Node::new("", bytes.len(), Content::Refused(why.into())))
        }
    }
}

fn whole<'de, const PLAIN: bool>(
    bytes: &'de [u8],
    seed: impl DeserializeSeed<'de, Value = Node>,
) -> Result<Node> {
    let mut decoder = Decoder::<PLAIN>::new(bytes, Stack::here());
    let mut root = seed.deserialize(decoder.root())?;
    decoder.end()?;
    root.size = bytes.len();
    Ok(root)
}

/// Takes what the seed in it takes, and notes how many bytes that were.
struct Measured<S>(S);

impl<'de, S: DeserializeSeed<'de, Value = Node>> DeserializeSeed<'de> for Measured<S> {
    type Value = Node;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        deserializer.deserialize_newtype_struct(MEASURED, self)
    }
}

impl<'de, S: DeserializeSeed<'de, Value = Node>> Visitor<'de> for Measured<S> {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value and its size")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut both: A) -> Result<Node, A::Error> {
        let node = both.next_element_seed(self.0)?.ok_or_else(unknown)?;
        let size = both.next_element()?.ok_or_else(unknown)?;
        Ok(Node { size, ..node })
    }

    /// One of a run of bytes, which is read by itself.
    fn visit_u8<E: serde::de::Error>(self, value: u8) -> Result<Node, E> {
        Anything.visit_u8(value)
    }
}

/// Takes whatever there is.
struct Anything;

/// Without its size, which is noted by [`Measured`].
fn node<E>(content: Content) -> Result<Node, E> {
    Ok(Node::new("", 0, content))
}

impl<'de> DeserializeSeed<'de> for Anything {
    type Value = Node;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        deserializer.deserialize_any(self)
    }
}

macro_rules! visits {
    ($($method:ident $type:ty, |$value:ident| $content:expr;)*) => {$(
        fn $method<E>(self, $value: $type) -> Result<Node, E> {
            node($content)
        }
    )*};
}

impl<'de> Visitor<'de> for Anything {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    visits! {
        visit_bool bool, |value| Content::Bool(value);
        visit_i64 i64, |value| Content::Integer(value.into());
        visit_i128 i128, |value| Content::Integer(value);
        visit_u64 u64, |value| Content::Unsigned(value.into());
        visit_u128 u128, |value| Content::Unsigned(value);
        visit_f32 f32, |value| Content::Float(value.into());
        visit_f64 f64, |value| Content::Float(value);
        visit_char char, |value| Content::Text(value.into());
        visit_str &str, |value| Content::Text(value.to_owned());
        visit_bytes &[u8], |value| Content::Bytes(value.to_vec());
    }

    /// Numbers of this size come from a run of bytes only.
    fn visit_u8<E>(self, value: u8) -> Result<Node, E> {
        Ok(Node::new("u8", 1, Content::Unsigned(value.into())))
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        node(Content::Nothing)
    }

    fn visit_none<E>(self) -> Result<Node, E> {
        node(Content::Nothing)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Node, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = elements.next_element_seed(Measured(Self))? {
            items.push(item);
        }
        let bytes = items.iter().map(|item| match (&*item.type_name, &item.content) {
            ("u8", Content::Unsigned(byte)) => u8::try_from(*byte).ok(),
            _ => None,
        });
        match bytes.collect::<Option<Vec<u8>>>() {
            Some(bytes) if !bytes.is_empty() => node(Content::Bytes(bytes)),
            _ => node(Content::Items(items)),
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Node, A::Error> {
        let mut found = Vec::new();
        while let Some(entry) = entries.next_entry_seed(Measured(Self), Measured(Self))? {
            found.push(entry);
        }
        node(Content::Entries(found))
    }
}

/// Takes what a traced shape says is there.
#[derive(Clone, Copy)]
struct Shaped<'s> {
    shape: &'s Shape,
    wanted: Wanted,
}

impl<'s> Shaped<'s> {
    fn at(self, wanted: Wanted) -> Self {
        Self { wanted, ..self }
    }

    fn part(self, index: usize) -> Option<(&'static str, Self)> {
        let part = self.shape.node(self.wanted)?.parts.get(index)?;
        Some((part.name, self.at(part.wanted)))
    }
}

fn unknown<E: serde::de::Error>() -> E {
    E::custom("a part of the value is of an unknown shape")
}

impl<'de> DeserializeSeed<'de> for Shaped<'_> {
    type Value = Node;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        let Some(found) = self.shape.node(self.wanted) else {
            return match self.wanted.number() {
                leaf::UNIT => deserializer.deserialize_unit(Anything),
                leaf::BOOL => deserializer.deserialize_bool(Anything),
                leaf::I8 => deserializer.deserialize_i8(Anything),
                leaf::I16 => deserializer.deserialize_i16(Anything),
                leaf::I32 => deserializer.deserialize_i32(Anything),
                leaf::I64 => deserializer.deserialize_i64(Anything),
                leaf::I128 => deserializer.deserialize_i128(Anything),
                leaf::U8 => deserializer.deserialize_u8(Anything),
                leaf::U16 => deserializer.deserialize_u16(Anything),
                leaf::U32 => deserializer.deserialize_u32(Anything),
                leaf::U64 => deserializer.deserialize_u64(Anything),
                leaf::U128 => deserializer.deserialize_u128(Anything),
                leaf::F32 => deserializer.deserialize_f32(Anything),
                leaf::F64 => deserializer.deserialize_f64(Anything),
                leaf::CHAR => deserializer.deserialize_char(Anything),
                leaf::STR => deserializer.deserialize_str(Anything),
                leaf::BYTES => deserializer.deserialize_bytes(Anything),
                _ => Err(unknown()),
            };
        };
        match found.kind {
            Kind::Option => deserializer.deserialize_option(self),
            Kind::Seq => deserializer.deserialize_seq(self),
            Kind::Map => deserializer.deserialize_map(self),
            Kind::Tuple | Kind::Struct => deserializer.deserialize_tuple(found.parts.len(), self),
            Kind::Enum => deserializer.deserialize_enum("", &[], self),
            Kind::NewtypeVariant => Err(unknown()),
        }
    }
}

impl<'de> Visitor<'de> for Shaped<'_> {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("what its type reads")
    }

    fn visit_none<E>(self) -> Result<Node, E> {
        node(Content::Nothing)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        self.part(0).ok_or_else(unknown)?.1.deserialize(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Node, A::Error> {
        let kind = self.shape.node(self.wanted).map(|found| found.kind);
        let mut parts = Vec::new();
        loop {
            let place = if kind == Some(Kind::Seq) { 0 } else { parts.len() };
            let Some((name, part)) = self.part(place) else { break };
            let Some(found) = elements.next_element_seed(Measured(part))? else { break };
            parts.push((name, found));
        }
        match kind {
            Some(Kind::Struct) => {
                node(Content::Fields(parts.into_iter().map(|(name, part)| (name.into(), part)).collect()))
            }
            _ => node(Content::Items(parts.into_iter().map(|(_, part)| part).collect())),
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Node, A::Error> {
        let ((_, key), (_, value)) = self.part(0).zip(self.part(1)).ok_or_else(unknown)?;
        let mut found = Vec::new();
        while let Some(entry) = entries.next_entry_seed(Measured(key), Measured(value))? {
            found.push(entry);
        }
        node(Content::Entries(found))
    }

    fn visit_enum<A: EnumAccess<'de>>(self, access: A) -> Result<Node, A::Error> {
        let (index, variant) = access.variant::<u32>()?;
        let (name, body) = self.part(index as usize).ok_or_else(unknown)?;
        let inner = match body.shape.node(body.wanted) {
            None if body.wanted.is_leaf(leaf::UNIT) => {
                variant.unit_variant()?;
                Node::new("", 0, Content::Nothing)
            }
            Some(found) if found.kind == Kind::NewtypeVariant => {
                variant.newtype_variant_seed(Measured(body.part(0).ok_or_else(unknown)?.1))?
            }
            Some(found) => variant.tuple_variant(found.parts.len(), body)?,
            None => return Err(unknown()),
        };
        node(Content::Variant(name.into(), Box::new(inner)))
    }
}
