//! A value as a tree: what is in it, what it is called, and what makes it big.

use std::borrow::Cow;

use serde::Serialize;

use crate::error::{Segment, render};
use crate::stack::Stack;

mod bytes;
mod display;
mod json;
mod observer;
mod parts;
mod serializer;

pub use bytes::inspect_bytes;
pub(crate) use observer::{announce, announce_bytes, is_inspecting, meet, meet_weakly};

/// Shows a value as a tree of everything in it that crosses.
///
/// Nothing is left out because it cannot be read just now: a held lock is shown as one. What is shared has a number, and is shown
/// once. Each part says how many bytes it takes; a shared one takes them, with what it costs to be shared, where it is shown.
///
/// ```
/// use cucumber::cucumber;
/// use std::sync::{Arc, Mutex};
///
/// #[cucumber]
/// struct Job { id: u32, name: String, total: Arc<Mutex<u64>>, again: Arc<Mutex<u64>> }
///
/// let total = Arc::new(Mutex::new(7));
/// let job = Job { id: 1, name: "resize".into(), total: total.clone(), again: total };
/// let tree = cucumber::inspect(&job);
/// let text = tree.to_string();
/// assert!(text.contains(r#"name: String = "resize""#));
/// assert!(text.contains("#1"));
/// assert_eq!(tree.to_json(), r##"{"id":1,"name":"resize","total":{"#":1,"value":7},"again":{"#":1}}"##);
/// ```
#[must_use]
pub fn inspect<T: Serialize + ?Sized>(value: &T) -> Tree {
    let _observing = observer::Observing::begin();
    let mut root = serializer::node(value, Stack::here());
    root.size += observer::table();
    Tree { root }
}

/// What [`inspect`] and [`inspect_bytes`] show.
///
/// `Display` draws it, one part a line; long sequences and texts are cut there, except with `{:#}`.
#[derive(Clone, Debug)]
pub struct Tree {
    root: Node,
}

impl Tree {
    /// How many bytes the value takes where no names are written, without the 16 of its frame.
    #[must_use]
    pub fn size(&self) -> usize {
        self.root.size
    }

    /// The value as JSON: objects, arrays, texts and numbers, as far as JSON has them.
    ///
    /// What it has not is an object with one odd key: `{"bytes": "0aff"}`, `{"float": "NaN"}`, `{"entries": [[key, value], …]}`
    /// for a map whose keys are no texts, `{"#": 1, "value": …}` for a shared value and `{"#": 1}` for the same one again,
    /// `{"weak": 1}` for a reference that does not hold it, `{"refused": "…"}`. A struct or map that would look like one of these is
    /// written as `entries`, too.
    #[must_use]
    pub fn to_json(&self) -> String {
        json::write(&self.root)
    }

    /// The biggest parts that have no parts of their own, biggest first: each with its path and its bytes.
    ///
    /// ```
    /// let value = std::collections::BTreeMap::from([("small", vec![1u8]), ("big", vec![0; 1000])]);
    /// assert_eq!(cucumber::inspect(&value).largest(1), [(r#"["big"]"#.to_owned(), 1002)]);
    /// ```
    #[must_use]
    pub fn largest(&self, count: usize) -> Vec<(String, usize)> {
        let mut found = Vec::new();
        self.root.leaves(&mut Vec::new(), &mut found);
        found.sort_by(|(_, one), (_, other)| other.cmp(one));
        found.truncate(count);
        found
    }
}

/// One part of a value.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    /// Empty where nobody knows.
    type_name: Cow<'static, str>,
    size: usize,
    identity: Option<Identity>,
    content: Content,
}

/// What is known about a value that may be shared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Identity {
    /// Shown here.
    Here(u32),
    /// Shown elsewhere.
    Elsewhere(u32),
    /// Referred to, and not held.
    Weak(u32),
    Dangling,
}

#[derive(Clone, Debug)]
enum Content {
    Nothing,
    Bool(bool),
    Integer(i128),
    Unsigned(u128),
    Float(f64),
    Text(String),
    Bytes(Vec<u8>),
    Items(Vec<Node>),
    Entries(Vec<(Node, Node)>),
    Fields(Vec<(Cow<'static, str>, Node)>),
    Variant(Cow<'static, str>, Box<Node>),
    /// It cannot be shown, and this is why.
    Refused(String),
}

impl Node {
    fn new(type_name: impl Into<Cow<'static, str>>, size: usize, content: Content) -> Self {
        Self { type_name: type_name.into(), size, identity: None, content }
    }

    /// The parts with their places.
    fn parts(&self) -> Vec<(Segment, &Node)> {
        match &self.content {
            Content::Items(items) => {
                items.iter().enumerate().map(|(index, item)| (Segment::Index(index), item)).collect()
            }
            Content::Entries(entries) => {
                let entries = entries.iter().enumerate();
                entries.map(|(place, (key, value))| (key.as_key(place), value)).collect()
            }
            Content::Fields(fields) => {
                fields.iter().map(|(name, field)| (Segment::Name(name.to_string()), field)).collect()
            }
            Content::Variant(name, inner) => match &inner.content {
                Content::Nothing | Content::Fields(_) | Content::Items(_) => inner.parts(),
                _ => vec![(Segment::Name(name.to_string()), inner)],
            },
            _ => Vec::new(),
        }
    }

    /// How an entry is called by its key.
    fn as_key(&self, place: usize) -> Segment {
        match &self.content {
            Content::Text(text) if text.len() <= 64 => Segment::Key(format!("{text:?}")),
            Content::Integer(number) => Segment::Key(number.to_string()),
            Content::Unsigned(number) => Segment::Key(number.to_string()),
            Content::Bool(whether) => Segment::Key(whether.to_string()),
            _ => Segment::Entry(place),
        }
    }

    fn leaves(&self, path: &mut Vec<Segment>, found: &mut Vec<(String, usize)>) {
        let parts = self.parts();
        if parts.is_empty() {
            let innermost_first: Vec<Segment> = path.iter().rev().cloned().collect();
            found.push((render(None, &innermost_first), self.size));
        }
        for (segment, part) in parts {
            path.push(segment);
            part.leaves(path, found);
            path.pop();
        }
    }
}

/// How many bytes postcard takes for a number.
fn varint(number: u128) -> usize {
    let bits = 128 - number.leading_zeros() as usize;
    bits.div_ceil(7).max(1)
}

fn zigzag(number: i128) -> usize {
    varint(((number << 1) ^ (number >> 127)).cast_unsigned())
}
