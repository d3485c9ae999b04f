//! Where in a value a live resource is.

use std::fmt;

use crate::error::{Error, Segment};

/// The way from a value to something inside it.
#[derive(Clone, Copy)]
pub struct Path<'a> {
    step: Step<'a>,
}

#[derive(Clone, Copy)]
enum Step<'a> {
    Root,
    Field(&'a Path<'a>, &'a str),
    Index(&'a Path<'a>, usize),
    Key(&'a Path<'a>, &'a str),
    /// A key that is no text, as it shows itself.
    Other(&'a Path<'a>, &'a str),
}

impl<'a> Path<'a> {
    /// The value itself.
    pub const ROOT: Self = Self { step: Step::Root };

    /// A field of what is here.
    #[must_use]
    pub fn field(&'a self, name: &'a str) -> Self {
        Self { step: Step::Field(self, name) }
    }

    /// An element of what is here.
    #[must_use]
    pub fn index(&'a self, index: usize) -> Self {
        Self { step: Step::Index(self, index) }
    }

    /// What is under a key of what is here.
    #[must_use]
    pub fn key(&'a self, key: &'a str) -> Self {
        Self { step: Step::Key(self, key) }
    }

    /// What is under a key of what is here that is no text.
    pub(super) fn other(&'a self, shown: &'a str) -> Self {
        Self { step: Step::Other(self, shown) }
    }

    /// The nearest field, or key that is a text, by which credentials are looked up.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        match self.step {
            Step::Root => None,
            Step::Field(_, name) | Step::Key(_, name) => Some(name),
            Step::Index(outer, _) | Step::Other(outer, _) => outer.name(),
        }
    }

    pub(super) fn locate(&self, error: Error) -> Error {
        match self.step {
            Step::Root => error,
            Step::Field(outer, name) => outer.locate(error.within(Segment::Name(name.to_owned()))),
            Step::Index(outer, index) => outer.locate(error.within(Segment::Index(index))),
            Step::Key(outer, key) => outer.locate(error.within(Segment::Key(format!("{key:?}")))),
            Step::Other(outer, shown) => outer.locate(error.within(Segment::Key(shown.to_owned()))),
        }
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.step {
            Step::Root => Ok(()),
            Step::Field(Path { step: Step::Root }, name) => f.write_str(name),
            Step::Field(outer, name) => write!(f, "{outer}.{name}"),
            Step::Index(outer, index) => write!(f, "{outer}[{index}]"),
            Step::Key(outer, key) => write!(f, "{outer}[{key:?}]"),
            Step::Other(outer, shown) => write!(f, "{outer}[{shown}]"),
        }
    }
}

impl fmt::Debug for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Path({self})")
    }
}
