//! A tree, as JSON that every parser takes.

use std::fmt::Write as _;

use super::{Content, Identity, Node};

pub(super) fn write(node: &Node) -> String {
    let mut out = String::new();
    value(node, &mut out);
    out
}

fn value(node: &Node, out: &mut String) {
    // Writing to a string cannot fail.
    let _ = match node.identity {
        Some(Identity::Here(number)) => {
            let _ = write!(out, "{{\"#\":{number},\"value\":");
            content(node, out);
            out.push('}');
            return;
        }
        Some(Identity::Elsewhere(number)) => write!(out, "{{\"#\":{number}}}"),
        Some(Identity::Weak(number)) => write!(out, "{{\"weak\":{number}}}"),
        Some(Identity::Dangling) => write!(out, "{{\"weak\":null}}"),
        None => {
            content(node, out);
            return;
        }
    };
}

fn content(node: &Node, out: &mut String) {
    match &node.content {
        Content::Nothing => out.push_str("null"),
        Content::Bool(whether) => out.push_str(if *whether { "true" } else { "false" }),
        Content::Integer(number) => out.push_str(&number.to_string()),
        Content::Unsigned(number) => out.push_str(&number.to_string()),
        Content::Float(number) if number.is_finite() => out.push_str(&format!("{number:?}")),
        Content::Float(number) => single("float", out, |out| text(&format!("{number:?}"), out)),
        Content::Text(written) => text(written, out),
        Content::Bytes(bytes) => single("bytes", out, |out| {
            out.push('"');
            for byte in bytes {
                let _ = write!(out, "{byte:02x}");
            }
            out.push('"');
        }),
        Content::Items(items) => list('[', items.iter(), ']', out, value),
        Content::Fields(fields) => {
            let fields: Vec<_> = fields.iter().map(|(name, field)| (&**name, field)).collect();
            object(&fields, out);
        }
        Content::Entries(entries) => {
            match entries.iter().map(|(key, entry)| Some((as_text(key)?, entry))).collect() {
                Some::<Vec<_>>(entries) => object(&entries, out),
                None => pairs(entries.iter().map(|(key, entry)| (key, entry)), value, out),
            }
        }
        Content::Variant(name, inner) if matches!(inner.content, Content::Nothing) => text(name, out),
        Content::Variant(name, inner) => object(&[(name, inner)], out),
        Content::Refused(why) => single("refused", out, |out| text(why, out)),
    }
}

fn as_text(node: &Node) -> Option<&str> {
    match &node.content {
        Content::Text(text) if node.identity.is_none() => Some(text),
        _ => None,
    }
}

fn object(entries: &[(&str, &Node)], out: &mut String) {
    if is_like_ours(entries) {
        pairs(entries.iter().copied(), text, out);
        return;
    }
    list('{', entries.iter(), '}', out, |(key, entry), out| {
        text(key, out);
        out.push(':');
        value(entry, out);
    });
}

/// Whether this would look like what we write for something that JSON has not.
fn is_like_ours(entries: &[(&str, &Node)]) -> bool {
    let [(key, entry)] = entries else { return matches!(entries, [("#", _), ("value", _)]) };
    match *key {
        "#" | "weak" => {
            matches!(entry.content, Content::Unsigned(_) | Content::Integer(_) | Content::Nothing)
        }
        "bytes" | "float" | "refused" => matches!(entry.content, Content::Text(_)),
        "entries" => matches!(entry.content, Content::Items(_)),
        _ => false,
    }
}

/// What cannot be an object's keys, or must not.
fn pairs<'a, K>(
    entries: impl Iterator<Item = (K, &'a Node)>,
    write_key: impl Fn(K, &mut String),
    out: &mut String,
) {
    single("entries", out, |out| {
        list('[', entries, ']', out, |(key, entry), out| {
            out.push('[');
            write_key(key, out);
            out.push(',');
            value(entry, out);
            out.push(']');
        });
    });
}

fn single(key: &str, out: &mut String, body: impl FnOnce(&mut String)) {
    out.push('{');
    text(key, out);
    out.push(':');
    body(out);
    out.push('}');
}

fn list<T>(
    open: char,
    items: impl Iterator<Item = T>,
    close: char,
    out: &mut String,
    each: impl Fn(T, &mut String),
) {
    out.push(open);
    for (place, item) in items.enumerate() {
        if place > 0 {
            out.push(',');
        }
        each(item, out);
    }
    out.push(close);
}

fn text(written: &str, out: &mut String) {
    out.push('"');
    for symbol in written.chars() {
        match symbol {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            control if control < ' ' => {
                let _ = write!(out, "\\u{:04x}", control as u32);
            }
            other => out.push(other),
        }
    }
    out.push('"');
}
