//! A tree, drawn.

use std::fmt::{self, Display, Formatter};

use super::{Content, Identity, Node, Tree};
use crate::error::{Segment, render};

/// Of a sequence or map, unless all is asked for.
const SHOWN: usize = 8;
/// Of a text.
const CHARS: usize = 60;
/// Of bytes.
const BYTES: usize = 12;

impl Display for Tree {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut drawing = Drawing { out: f, prefix: String::new() };
        drawing.line(None, &self.root)?;
        drawing.parts(&self.root)
    }
}

struct Drawing<'a, 'f> {
    out: &'a mut Formatter<'f>,
    /// What stands in front of the parts of the node that is being drawn.
    prefix: String,
}

impl Drawing<'_, '_> {
    fn parts(&mut self, node: &Node) -> fmt::Result {
        let parts = node.parts();
        let shown =
            if self.out.alternate() || is_struct(node) { parts.len() } else { SHOWN.min(parts.len()) };
        let (shown, cut) = parts.split_at(shown);
        for (place, (segment, part)) in shown.iter().enumerate() {
            let is_last = place + 1 == shown.len() && cut.is_empty();
            write!(self.out, "\n{}{}", self.prefix, if is_last { "└─ " } else { "├─ " })?;
            self.line(Some(segment), part)?;
            let before = self.prefix.len();
            self.prefix.push_str(if is_last { "   " } else { "│  " });
            self.parts(part)?;
            self.prefix.truncate(before);
        }
        if !cut.is_empty() {
            let size = cut.iter().map(|(_, part)| part.size).sum();
            write!(self.out, "\n{}└─ … {} more, {}", self.prefix, cut.len(), Size(size))?;
        }
        Ok(())
    }

    /// Everything about one node that is not a part of it.
    fn line(&mut self, segment: Option<&Segment>, node: &Node) -> fmt::Result {
        if let Some(segment) = segment {
            write!(self.out, "{}", render(None, std::slice::from_ref(segment)))?;
            self.out.write_str(if node.type_name.is_empty() { "" } else { ": " })?;
        }
        self.out.write_str(&without_paths(&node.type_name))?;
        match node.identity {
            Some(Identity::Here(number)) => write!(self.out, " #{number}")?,
            Some(Identity::Elsewhere(number)) => return write!(self.out, " → #{number}"),
            Some(Identity::Weak(number)) => return write!(self.out, " ⇢ #{number}"),
            Some(Identity::Dangling) => return self.out.write_str(" ⇢ nothing"),
            None => {}
        }
        self.content(&node.content)?;
        if node.size > 0 {
            write!(self.out, "  ({})", Size(node.size))?;
        }
        Ok(())
    }

    fn content(&mut self, content: &Content) -> fmt::Result {
        match content {
            Content::Nothing => self.out.write_str(" = none"),
            Content::Bool(whether) => write!(self.out, " = {whether}"),
            Content::Integer(number) => write!(self.out, " = {number}"),
            Content::Unsigned(number) => write!(self.out, " = {number}"),
            Content::Float(number) => write!(self.out, " = {number:?}"),
            Content::Text(text) => self.text(text),
            Content::Bytes(bytes) => self.bytes(bytes),
            Content::Items(items) => counted(self.out, items.len(), "item"),
            Content::Entries(entries) => counted(self.out, entries.len(), "entry"),
            Content::Fields(_) => Ok(()),
            Content::Variant(name, inner) => {
                write!(self.out, " = {name}")?;
                match &inner.content {
                    Content::Nothing | Content::Fields(_) | Content::Items(_) => Ok(()),
                    _ => self.out.write_str(" …"),
                }
            }
            Content::Refused(why) => write!(self.out, " ✗ {why}"),
        }
    }

    fn text(&mut self, text: &str) -> fmt::Result {
        let is_cut = !self.out.alternate() && text.chars().nth(CHARS).is_some();
        if is_cut {
            let begin: String = text.chars().take(CHARS).collect();
            return write!(self.out, " = {begin:?}…");
        }
        write!(self.out, " = {text:?}")
    }

    fn bytes(&mut self, bytes: &[u8]) -> fmt::Result {
        let shown = if self.out.alternate() { bytes.len() } else { BYTES.min(bytes.len()) };
        self.out.write_str(" =")?;
        for byte in &bytes[..shown] {
            write!(self.out, " {byte:02x}")?;
        }
        self.out.write_str(if shown < bytes.len() { " …" } else { "" })
    }
}

/// The types alone: where they are from would fill the line.
fn without_paths(name: &str) -> String {
    let mut out = String::new();
    let mut word = 0;
    for symbol in name.chars() {
        out.push(symbol);
        if out.ends_with("::") {
            out.truncate(word);
        } else if !(symbol.is_alphanumeric() || matches!(symbol, '_' | ':' | '{' | '}')) {
            word = out.len();
        }
    }
    out
}

fn is_struct(node: &Node) -> bool {
    match &node.content {
        Content::Fields(_) => true,
        Content::Variant(_, inner) => is_struct(inner),
        _ => false,
    }
}

fn counted(out: &mut Formatter<'_>, count: usize, what: &str) -> fmt::Result {
    match (count, what) {
        (1, _) => write!(out, ", 1 {what}"),
        (_, "entry") => write!(out, ", {count} entries"),
        _ => write!(out, ", {count} {what}s"),
    }
}

/// A number of bytes for people.
struct Size(usize);

impl Display for Size {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let bytes = self.0 as f64;
        match self.0 {
            ..1024 => write!(f, "{} B", self.0),
            1024..0x10_0000 => write!(f, "{:.1} KiB", bytes / 1024.0),
            0x10_0000..0x4000_0000 => write!(f, "{:.1} MiB", bytes / 1_048_576.0),
            _ => write!(f, "{:.1} GiB", bytes / 1_073_741_824.0),
        }
    }
}
