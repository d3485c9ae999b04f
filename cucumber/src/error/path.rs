//! The way from a value to the field of it that failed.

use std::fmt::Write as _;

/// One step of the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Segment {
    /// A struct's field.
    Field(&'static str),
    /// The same, under a name that was read.
    Name(String),
    /// An element of a sequence or tuple.
    Index(usize),
    /// A map's entry, by its key.
    Key(String),
    /// A map's entry whose key has no short text, by its place.
    Entry(usize),
    /// An enum's variant.
    Variant(&'static str),
}

/// Writes `segments`, which are innermost first, as `root.jobs[3].socket`.
pub(crate) fn render(root: Option<&str>, segments: &[Segment]) -> String {
    let mut out = root.unwrap_or_default().to_owned();
    for segment in segments.iter().rev() {
        // Writing to a string cannot fail.
        let _ = match segment {
            Segment::Field(name) | Segment::Variant(name) => dotted(&mut out, name),
            Segment::Name(name) => dotted(&mut out, name),
            Segment::Index(index) => write!(out, "[{index}]"),
            Segment::Key(key) => write!(out, "[{key}]"),
            Segment::Entry(place) => write!(out, "[entry {place}]"),
        };
    }
    out
}

fn dotted(out: &mut String, name: &str) -> std::fmt::Result {
    if !out.is_empty() {
        out.push('.');
    }
    out.write_str(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_reads_from_the_root() {
        let innermost_first = [
            Segment::Field("socket"),
            Segment::Variant("Open"),
            Segment::Key("\"a b\"".into()),
            Segment::Index(3),
            Segment::Field("jobs"),
        ];
        assert_eq!(render(Some("worker"), &innermost_first), "worker.jobs[3][\"a b\"].Open.socket");
        assert_eq!(render(None, &innermost_first), "jobs[3][\"a b\"].Open.socket");
        assert_eq!(render(None, &[]), "");
    }
}
