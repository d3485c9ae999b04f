//! One opaque error with predicates, and the path of the field that failed.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;

mod advice;
mod path;

pub(crate) use path::{Segment, render};

/// Any error at all, as the functions that users supply may return it.
pub type BoxError = Box<dyn StdError + Send + Sync + 'static>;

/// The result of everything in this crate that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a value could not be encoded, decoded or brought back to life.
///
/// It prints one layer, beginning with the path of the field that failed and ending with what to write instead; the
/// cause is in [`source`](StdError::source). What kind of failure it was is asked with the `is_…` methods.
///
/// ```
/// let error = cucumber::from_bytes::<u32>(b"not a frame").unwrap_err();
/// assert!(error.is_malformed());
/// ```
pub struct Error {
    inner: Box<Inner>,
}

struct Inner {
    kind: Kind,
    /// Innermost first: each level appends itself while the error travels outwards.
    path: Vec<Segment>,
    root: Option<Cow<'static, str>>,
    source: Option<BoxError>,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// What a `Serialize` or `Deserialize` implementation had to say.
    Message(String),
    WrongType {
        expected: String,
        found: String,
    },
    Version(u8),
    Truncated,
    Malformed(String),
    TooDeep,
    Handle(String),
    Unsupported(String),
    /// This value does not survive postcard; never leaves the crate.
    Doubtful,
    Credential(String),
    Connect(String),
    Function(String),
}

impl Error {
    #[cold]
    #[inline(never)]
    pub(crate) fn new(kind: Kind) -> Self {
        Self { inner: Box::new(Inner { kind, path: Vec::new(), root: None, source: None }) }
    }

    #[cold]
    #[inline(never)]
    pub(crate) fn malformed(what: impl Into<String>) -> Self {
        Self::new(Kind::Malformed(what.into()))
    }

    /// An error by way of serde, which carries nothing but text.
    fn from_text(text: String) -> Self {
        crate::scope::unstash(&text).unwrap_or_else(|| Self::new(Kind::Message(text)))
    }

    pub(crate) fn handle(what: impl Into<String>) -> Self {
        Self::new(Kind::Handle(what.into()))
    }

    pub(crate) fn unsupported(what: impl Into<String>) -> Self {
        Self::new(Kind::Unsupported(what.into()))
    }

    pub(crate) fn function(what: impl Into<String>) -> Self {
        Self::new(Kind::Function(what.into()))
    }

    #[cold]
    #[inline(never)]
    pub(crate) fn truncated() -> Self {
        Self::new(Kind::Truncated)
    }

    pub(crate) fn caused_by(mut self, source: impl Into<BoxError>) -> Self {
        self.inner.source = Some(source.into());
        self
    }

    #[cold]
    #[inline(never)]
    pub(crate) fn within(mut self, segment: Segment) -> Self {
        self.inner.path.push(segment);
        self
    }

    pub(crate) fn is_doubtful(&self) -> bool {
        self.inner.kind == Kind::Doubtful
    }

    /// A refusal by the side table reaches us as plain text, by way of `serde::ser::Error::custom`.
    pub(crate) fn reclassify(mut self, kind: impl FnOnce(String) -> Kind) -> Self {
        if let Kind::Message(text) = &mut self.inner.kind {
            self.inner.kind = kind(std::mem::take(text));
        }
        self
    }

    /// Names the value that was being encoded or decoded, so that paths begin with it: `worker.jobs[3].socket`.
    ///
    /// ```
    /// let error = cucumber::from_bytes::<u32>(b"").unwrap_err().with_root("reply");
    /// assert!(error.to_string().starts_with("reply: "));
    /// ```
    #[must_use]
    pub fn with_root(mut self, root: impl Into<Cow<'static, str>>) -> Self {
        self.inner.root = Some(root.into());
        self
    }

    /// The path of the field that failed, such as `jobs[3].socket`; empty when the value itself did.
    #[must_use]
    pub fn path(&self) -> String {
        path::render(None, &self.inner.path)
    }

    /// The same error for someone who has shown the path already.
    #[must_use]
    pub fn without_path(mut self) -> Self {
        self.inner.path.clear();
        self.inner.root = None;
        self
    }

    /// The message holds a value of another type; whoever asks for that type can still read it.
    #[must_use]
    pub fn is_wrong_type(&self) -> bool {
        matches!(self.inner.kind, Kind::WrongType { .. })
    }

    /// The frame was written by another version of this format.
    #[must_use]
    pub fn is_version(&self) -> bool {
        matches!(self.inner.kind, Kind::Version(_))
    }

    /// The bytes end too early.
    #[must_use]
    pub fn is_truncated(&self) -> bool {
        self.inner.kind == Kind::Truncated
    }

    /// The bytes are no frame, or their content is damaged.
    #[must_use]
    pub fn is_malformed(&self) -> bool {
        matches!(self.inner.kind, Kind::Malformed(_))
    }

    /// A handle (a descriptor, the end of a pipe) was in the wrong place: in bytes that carry none, or missing beside them.
    #[must_use]
    pub fn is_handle(&self) -> bool {
        matches!(self.inner.kind, Kind::Handle(_))
    }

    /// The value is nested more deeply than the stack allows.
    #[must_use]
    pub fn is_too_deep(&self) -> bool {
        self.inner.kind == Kind::TooDeep
    }

    /// Nothing is wrong with the value, but no frame can hold it.
    #[must_use]
    pub fn is_unsupported(&self) -> bool {
        matches!(self.inner.kind, Kind::Unsupported(_) | Kind::TooDeep)
    }

    /// A `Serialize` or `Deserialize` implementation refused the value.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        matches!(self.inner.kind, Kind::Message(_))
    }

    /// No credential was given, or the one given could not be read.
    #[must_use]
    pub fn is_credential(&self) -> bool {
        matches!(self.inner.kind, Kind::Credential(_))
    }

    /// A live resource could not be connected.
    #[must_use]
    pub fn is_connect(&self) -> bool {
        matches!(self.inner.kind, Kind::Connect(_))
    }

    /// A function reference does not belong to this program, or not to its code.
    #[must_use]
    pub fn is_function(&self) -> bool {
        matches!(self.inner.kind, Kind::Function(_))
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Message(text) => match advice::for_message(text) {
                Some(advice) => write!(f, "{text}; {advice}"),
                None => f.write_str(text),
            },
            Self::WrongType { expected, found } => {
                write!(f, "expected a message of type `{expected}`, found one of type `{found}`; it is still there for whoever asks for `{found}`")
            }
            Self::Version(found) => write!(
                f,
                "this frame has version {found} of the format, and version {} is spoken here; build both sides alike",
                crate::frame::VERSION
            ),
            Self::Truncated => f.write_str("the bytes end in the middle of a value"),
            Self::TooDeep => f.write_str(
                "the value is nested too deeply for the stack; keep its parts in a `Vec` and refer to them by index, \
                 or give the thread a bigger stack (`cucumber::set_stack_budget`)",
            ),
            Self::Malformed(text)
            | Self::Handle(text)
            | Self::Unsupported(text)
            | Self::Credential(text)
            | Self::Connect(text)
            | Self::Function(text) => f.write_str(text),
            Self::Doubtful => f.write_str("the value does not fit the traced shape"),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = path::render(self.inner.root.as_deref(), &self.inner.path);
        if path.is_empty() { self.inner.kind.fmt(f) } else { write!(f, "{path}: {}", self.inner.kind) }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("Error");
        out.field("kind", &self.inner.kind);
        out.field("path", &path::render(self.inner.root.as_deref(), &self.inner.path));
        if let Some(source) = &self.inner.source {
            out.field("source", source);
        }
        out.finish()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.inner.source.as_deref().map(|source| source as _)
    }
}

impl serde::ser::Error for Error {
    #[cold]
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::from_text(message.to_string())
    }
}

impl serde::de::Error for Error {
    #[cold]
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::from_text(message.to_string())
    }
}

impl From<postcard::Error> for Error {
    #[cold]
    #[inline(never)]
    fn from(error: postcard::Error) -> Self {
        match error {
            postcard::Error::DeserializeUnexpectedEnd => Self::truncated(),
            other => Self::malformed("the bytes are not what postcard writes").caused_by(other),
        }
    }
}

impl From<rmp_serde::encode::Error> for Error {
    #[cold]
    fn from(error: rmp_serde::encode::Error) -> Self {
        Self::unsupported("the value cannot be written as MessagePack").caused_by(error)
    }
}
