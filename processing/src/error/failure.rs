//! What a hook said when it failed: a value that survives the way to another process.

use std::any::Any;
use std::backtrace::{Backtrace, BacktraceStatus};
use std::error::Error;
use std::fmt;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// An error or a panic of a hook, as it arrives in the parent.
///
/// `Display` is the message; the causes are in [`source`](Error::source).
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Failure {
    message: String,
    cause: Option<Box<Cause>>,
    location: Option<Location>,
    backtrace: Option<String>,
    panic: bool,
    /// The error itself, framed with its type's name, where serde can carry it.
    data: Option<Vec<u8>>,
}

/// One more line of why.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Cause {
    message: String,
    cause: Option<Box<Cause>>,
}

/// A place in the source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Location {
    /// The file, as the compiler was told of it.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
    /// The column, from 1.
    pub column: u32,
}

impl Failure {
    /// Any error, with its causes.
    #[must_use]
    pub fn from_error(error: Box<dyn Error + Send + Sync>) -> Self {
        Failure {
            message: error.to_string(),
            cause: Cause::chain(error.source()),
            location: None,
            backtrace: printed_backtrace(&*error).or_else(own_backtrace),
            panic: false,
            data: None,
        }
    }

    /// An error that serde can carry: it can be had back by [`downcast`](Failure::downcast).
    #[must_use]
    pub fn from_data<E: Serialize + Into<Box<dyn Error + Send + Sync>>>(error: E) -> Self {
        // One that cannot be encoded after all is still told in words.
        let data = cucumber::encode_message(&error).ok().filter(|encoded| encoded.attachments.is_empty());
        Failure { data: data.map(|encoded| encoded.bytes), ..Failure::from_error(error.into()) }
    }

    pub(crate) fn from_panic(payload: &(dyn Any + Send), report: Option<PanicReport>) -> Self {
        let report = report.unwrap_or_else(|| PanicReport {
            message: panic_message(payload),
            location: None,
            backtrace: None,
        });
        Failure::from(report)
    }

    pub(crate) fn with_cause(message: impl Into<String>, cause: &(dyn Error + 'static)) -> Self {
        Failure { cause: Cause::chain(Some(cause)), ..Failure::text(message) }
    }

    pub(crate) fn text(message: impl Into<String>) -> Self {
        Failure {
            message: message.into(),
            cause: None,
            location: None,
            backtrace: None,
            panic: false,
            data: None,
        }
    }

    /// As much of it as fits into a small message.
    pub(crate) fn brief(&self) -> Self {
        const ROOM: usize = 4096;
        let mut message = self.message.clone();
        if message.len() > ROOM {
            message.truncate(message.floor_char_boundary(ROOM));
            message.push('…');
        }
        Failure { location: self.location.clone(), panic: self.panic, ..Failure::text(message) }
    }

    pub(crate) fn at(mut self, location: Option<Location>) -> Self {
        self.location = self.location.or(location);
        self
    }

    /// What it said.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Where the panic was, or which hook returned the error.
    #[must_use]
    pub fn location(&self) -> Option<&Location> {
        self.location.as_ref()
    }

    /// The backtrace, where `RUST_BACKTRACE` asks for one.
    #[must_use]
    pub fn backtrace(&self) -> Option<&str> {
        self.backtrace.as_deref()
    }

    /// Whether it was a panic, not a returned error.
    #[must_use]
    pub fn is_panic(&self) -> bool {
        self.panic
    }

    /// The error itself, if it is an `E` and serde could carry it.
    #[must_use]
    pub fn downcast<E: DeserializeOwned>(&self) -> Option<E> {
        cucumber::decode_message(self.data.as_deref()?, &mut cucumber::Scope::new()).ok()
    }

    pub(crate) fn first_cause(&self) -> Option<&(dyn Error + 'static)> {
        self.cause.as_deref().map(|cause| cause as _)
    }
}

/// What our panic hook saw; written to the status page first, so that it survives an abort.
#[derive(Clone, Debug)]
pub(crate) struct PanicReport {
    pub(crate) message: String,
    pub(crate) location: Option<Location>,
    pub(crate) backtrace: Option<String>,
}

impl From<PanicReport> for Failure {
    fn from(report: PanicReport) -> Self {
        Failure {
            location: report.location,
            backtrace: report.backtrace,
            panic: true,
            ..Failure::text(report.message)
        }
    }
}

/// The text of a panic's payload, whatever its type.
pub(crate) fn panic_message(payload: &(dyn Any + Send)) -> String {
    if let Some(text) = payload.downcast_ref::<&'static str>() {
        (*text).to_owned()
    } else if let Some(text) = payload.downcast_ref::<String>() {
        text.clone()
    } else if let Some(error) = payload.downcast_ref::<Box<dyn Error + Send + Sync>>() {
        error.to_string()
    } else if let Some(error) = payload.downcast_ref::<cucumber::Error>() {
        error.to_string()
    } else {
        "a value that is not text; panic with a message to see it here".to_owned()
    }
}

/// `anyhow` and its kin print the backtrace they took where the error was made: better than one taken here.
fn printed_backtrace(error: &(dyn Error + Send + Sync)) -> Option<String> {
    let printed = format!("{error:?}");
    let (_, backtrace) = printed.split_once("\nStack backtrace:\n")?;
    Some(backtrace.to_owned())
}

pub(crate) fn own_backtrace() -> Option<String> {
    let backtrace = Backtrace::capture();
    (backtrace.status() == BacktraceStatus::Captured).then(|| backtrace.to_string())
}

impl Cause {
    fn chain(error: Option<&(dyn Error + 'static)>) -> Option<Box<Cause>> {
        // An error that is its own source would make this endless.
        const DEEPEST: usize = 64;
        let chain = std::iter::successors(error, |&error| error.source());
        let messages: Vec<String> = chain.take(DEEPEST).map(ToString::to_string).collect();
        messages.into_iter().rev().fold(None, |cause, message| Some(Box::new(Cause { message, cause })))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match (&self.location, self.panic) {
            (Some(location), true) => write!(f, " (at {location})"),
            _ => Ok(()),
        }
    }
}

impl Error for Failure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.first_cause()
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for Cause {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.cause.as_deref().map(|cause| cause as _)
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

impl From<&std::panic::Location<'_>> for Location {
    fn from(location: &std::panic::Location<'_>) -> Self {
        Location { file: location.file().to_owned(), line: location.line(), column: location.column() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_keep_their_order() {
        let inner = std::io::Error::other("disk on fire");
        let failure = Failure::with_cause("cannot save", &inner);
        assert_eq!(failure.source().unwrap().to_string(), "disk on fire");
    }

    #[test]
    fn any_payload_has_a_text() {
        assert_eq!(panic_message(&"static"), "static");
        assert_eq!(panic_message(&String::from("owned")), "owned");
        assert!(panic_message(&42_u8).contains("not text"));
    }

    #[test]
    fn serialisable_errors_come_back_typed() {
        let failure = Failure::from_data(String::from("typed"));
        assert_eq!(failure.downcast::<String>().as_deref(), Some("typed"));
        assert_eq!(failure.downcast::<u32>(), None);
    }
}
