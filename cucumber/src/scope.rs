//! The side table of one encoding: what cannot be bytes rides beside them.
//!
//! A type that stands for something of the operating system puts it into the table while it is serialised, and writes
//! the number it gets; deserialising, it reads the number and takes the thing out again. The table never looks inside.
//!
//! ```
//! use cucumber::{Attachment, scope};
//! use serde::{Deserialize, Deserializer, Serialize, Serializer};
//!
//! #[derive(Debug, PartialEq, Clone)]
//! struct Ticket(String);
//!
//! impl Serialize for Ticket {
//!     fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
//!         scope::serialize(Box::new(self.clone()), serializer)
//!     }
//! }
//!
//! impl<'de> Deserialize<'de> for Ticket {
//!     fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
//!         scope::deserialize(deserializer)
//!     }
//! }
//!
//! let encoded = cucumber::encode(&Ticket("B 12".into()))?;
//! let ticket: Ticket = cucumber::decode(&encoded.bytes, encoded.attachments)?;
//! assert_eq!(ticket, Ticket("B 12".into()));
//! # Ok::<(), cucumber::Error>(())
//! ```

use std::any::Any;
use std::cell::RefCell;
use std::fmt;

use crate::credentials::Credentials;
use crate::error::{Error, Kind, Result};
use crate::graph::{Incoming, Outgoing};
use crate::stack::Stack;

mod number;

pub(crate) use number::OPEN;
pub use number::{deserialize, serialize};

/// Something that rides beside the bytes. Only the type that attached it knows what it is.
pub type Attachment = Box<dyn Any + Send>;

/// What a decoding may use besides the bytes: the attachments that came with them, and credentials for live resources.
///
/// ```
/// let frame = cucumber::to_bytes("hello")?;
/// let scope = cucumber::Scope::new().with_credentials(cucumber::Credentials::new());
/// let text: String = cucumber::decode_with(&frame, scope)?;
/// # Ok::<(), cucumber::Error>(())
/// ```
#[derive(Default)]
pub struct Scope {
    pub(crate) attachments: Vec<Attachment>,
    pub(crate) credentials: Option<Credentials>,
    pub(crate) functions: bool,
}

impl Scope {
    /// Nothing beside the bytes.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The attachments of the encoding, in their order.
    #[must_use]
    pub fn with_attachments(mut self, attachments: Vec<Attachment>) -> Self {
        self.attachments = attachments;
        self
    }

    /// Where the live resources in the value find their secrets.
    #[must_use]
    pub fn with_credentials(mut self, credentials: Credentials) -> Self {
        self.credentials = Some(credentials);
        self
    }

    /// Accepts references to functions ([`Func`](crate::Func)), as proven by the token of
    /// [`set_image`](crate::func::set_image): for bytes from a process that runs this very program, and from no one else.
    #[must_use]
    pub fn with_functions(mut self, _: crate::func::Trust) -> Self {
        self.functions = true;
        self
    }

    /// What no decoding has claimed: all of it, after an attempt with the wrong type.
    #[must_use]
    pub fn into_attachments(self) -> Vec<Attachment> {
        self.attachments
    }
}

impl fmt::Debug for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scope")
            .field("attachments", &self.attachments.len())
            .field("credentials", &self.credentials)
            .finish()
    }
}

/// The table that is in use on this thread.
pub(crate) struct Table {
    mode: Mode,
    /// Whether what is encoded may be decoded any number of times.
    for_many: bool,
    /// What kind of thing went wrong in a `Serialize` or `Deserialize`; serde passes on nothing but its text.
    failure: Option<Failure>,
    /// The same for an error from another part of the encoding, which has a path already.
    stashed: Option<(String, Error)>,
    /// Where the stack stood when it all began.
    stack: Stack,
    /// The shared values of an encoding, as soon as there is one.
    pub(crate) outgoing: Option<Box<Outgoing>>,
    /// Those that came with the bytes.
    pub(crate) incoming: Option<Box<Incoming>>,
}

/// What kind of value refused to cross.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    Handle,
    Function,
}

enum Mode {
    /// Bytes alone are wanted.
    Refusing,
    Encoding(Vec<Attachment>),
    Decoding {
        attachments: Vec<Option<Attachment>>,
        credentials: Option<Credentials>,
        place: Option<String>,
        functions: bool,
    },
    /// A type is being traced; it must touch nothing.
    Masked,
}

thread_local! {
    // Encodings nest: a `Serialize` implementation may encode something on its own account.
    static TABLES: RefCell<Vec<Table>> = const { RefCell::new(Vec::new()) };
}

/// Puts something beside the bytes of the encoding in progress; the number finds it again.
///
/// # Errors
///
/// When nothing is being encoded, and when the encoding wants bytes alone ([`to_bytes`](crate::to_bytes)).
pub fn attach(attachment: Attachment) -> Result<u32> {
    with_top(|mut table| {
        let attached = match table.as_mut().map(|table| &mut table.mode) {
            Some(Mode::Encoding(attachments)) => match u32::try_from(attachments.len()) {
                Ok(number) => {
                    attachments.push(attachment);
                    Ok(number)
                }
                Err(_) => Err("an encoding holds at most 4294967295 handles"),
            },
            Some(Mode::Refusing) => Err(
                "a handle cannot be kept in plain bytes; send the value through a channel, or use `cucumber::encode`",
            ),
            _ => Err("a handle can only be serialised by `cucumber::encode` and what is built on it"),
        };
        attached.map_err(|text| noted(table, text.to_owned()))
    })
}

/// Takes out what was attached under this number.
///
/// # Errors
///
/// When nothing is being decoded, when nothing was attached under the number or it is taken already, and when it is
/// something else than a `T`; in that case it stays where it is.
pub fn detach<T: Any>(number: u32) -> Result<T> {
    with_top(|mut table| {
        let found =
            match table.as_mut().map(|table| &mut table.mode) {
                Some(Mode::Decoding { attachments, .. }) => take(attachments, number),
                _ => Err("a handle can only be deserialised by `cucumber::decode` and what is built on it"
                    .to_owned()),
            };
        found.map_err(|text| noted(table, text))
    })
}

fn take<T: Any>(attachments: &mut [Option<Attachment>], number: u32) -> Result<T, String> {
    let slot = usize::try_from(number).ok().and_then(|number| attachments.get_mut(number));
    let slot = slot.ok_or_else(|| format!("no handle came with these bytes as number {number}"))?;
    match slot.take().map(Box::<dyn Any + Send>::downcast::<T>) {
        Some(Ok(found)) => Ok(*found),
        Some(Err(other)) => {
            *slot = Some(other);
            Err(format!("handle {number} is something else than a `{}`", std::any::type_name::<T>()))
        }
        None => Err(format!("handle {number} was taken already; one handle cannot be two values")),
    }
}

/// Leaves something in the place of what was taken out.
pub(crate) fn put_back(number: u32, attachment: Attachment) {
    with_top(|table| {
        if let Some(Mode::Decoding { attachments, .. }) = table.map(|table| &mut table.mode)
            && let Some(slot) = attachments.get_mut(number as usize)
        {
            *slot = Some(attachment);
        }
    });
}

fn noted(table: Option<&mut Table>, text: String) -> Error {
    if let Some(table) = table {
        table.failure = Some(Failure::Handle);
    }
    Error::handle(text)
}

/// Remembers what kind of value is about to refuse, for the error that will arrive as plain text.
pub(crate) fn note(failure: Failure) {
    with_top(|table| {
        if let Some(table) = table {
            table.failure = Some(failure);
        }
    });
}

/// The credential for a live resource that is being decoded, and the name of the field it is in.
pub(crate) fn credentials() -> Option<(Credentials, Option<String>)> {
    with_top(|table| match table.map(|table| &table.mode) {
        Some(Mode::Decoding { credentials: Some(credentials), place, .. }) => {
            Some((credentials.clone(), place.clone()))
        }
        _ => None,
    })
}

/// What becomes of a handle that is serialised now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Handling {
    /// It rides beside the bytes, open.
    Attached,
    /// The bytes may outlive the process: what can be opened again is written as how to do that.
    Described,
    /// A type is being traced: nothing may be touched.
    Masked,
}

/// What becomes of handles on this thread now.
pub(crate) fn handling() -> Handling {
    with_top(|table| match table.map(|table| &table.mode) {
        Some(Mode::Encoding(_)) => Handling::Attached,
        Some(Mode::Masked) => Handling::Masked,
        _ => Handling::Described,
    })
}

/// How much is attached so far.
pub(crate) fn attached() -> usize {
    with_top(|table| match table.map(|table| &table.mode) {
        Some(Mode::Encoding(attachments)) => attachments.len(),
        _ => 0,
    })
}

/// Drops what was attached since there was so much.
pub(crate) fn detach_from(len: usize) {
    let dropped = with_top(|table| match table.map(|table| &mut table.mode) {
        Some(Mode::Encoding(attachments)) => attachments.split_off(len.min(attachments.len())),
        _ => Vec::new(),
    });
    // Only now: whatever it is, it may do something when it is dropped.
    drop(dropped);
}

/// Whether what is being encoded may be decoded any number of times, in any number of processes, as what a
/// [`Task`](crate::Task) captures is. What has one owner refuses then.
#[must_use]
pub fn is_for_many() -> bool {
    with_top(|table| table.is_some_and(|table| table.for_many))
}

/// Where the stack stood when the encoding or decoding in progress began.
pub(crate) fn stack() -> Stack {
    with_top(|table| table.map(|table| table.stack)).unwrap_or_else(Stack::here)
}

/// Turns an error of another part of the encoding into text that serde carries, which [`unstash`] turns back.
pub(crate) fn stash(error: Error) -> String {
    let text = error.to_string();
    with_top(|table| {
        if let Some(table) = table {
            table.stashed = Some((text.clone(), error));
        }
    });
    text
}

/// The error that this text stands for, if it is the one that was stashed last.
pub(crate) fn unstash(text: &str) -> Option<Error> {
    with_top(|table| {
        let stashed = &mut table?.stashed;
        stashed.take_if(|(known, _)| known == text).map(|(_, error)| error)
    })
}

/// Whether the bytes being decoded may name functions.
pub(crate) fn trusts_functions() -> bool {
    with_top(|table| matches!(table.map(|table| &table.mode), Some(Mode::Decoding { functions: true, .. })))
}

/// Notes the field that is being decoded, for the live resource in it.
pub(crate) fn set_place(name: Option<&str>) {
    with_top(|table| {
        if let Some(Mode::Decoding { credentials: Some(_), place, .. }) = table.map(|table| &mut table.mode) {
            *place = name.map(str::to_owned);
        }
    });
}

pub(crate) fn with_top<R>(body: impl FnOnce(Option<&mut Table>) -> R) -> R {
    let mut body = Some(body);
    let done = TABLES.try_with(|tables| {
        let mut tables = tables.borrow_mut();
        body.take().map(|body| body(tables.last_mut()))
    });
    match (done, body) {
        (Ok(Some(done)), _) => done,
        // The thread is ending and its tables are gone.
        (_, Some(body)) => body(None),
        (_, None) => unreachable!("the body ran and returned nothing"),
    }
}

impl Table {
    fn new(mode: Mode) -> Self {
        Self {
            mode,
            for_many: false,
            failure: None,
            stashed: None,
            stack: Stack::here(),
            outgoing: None,
            incoming: None,
        }
    }

    /// Whether something is being encoded.
    pub(crate) fn is_writing(&self) -> bool {
        matches!(self.mode, Mode::Encoding(_) | Mode::Refusing)
    }
}

/// A table in use; leaving the block, also by a panic, ends it.
pub(crate) struct Guard(());

impl Guard {
    pub(crate) fn refusing() -> Self {
        Self::push(Mode::Refusing)
    }

    pub(crate) fn encoding() -> Self {
        Self::push(Mode::Encoding(Vec::new()))
    }

    pub(crate) fn encoding_for_many() -> Self {
        let guard = Self::encoding();
        with_top(|table| table.map(|table| table.for_many = true));
        guard
    }

    pub(crate) fn masked() -> Self {
        Self::push(Mode::Masked)
    }

    pub(crate) fn decoding(scope: Scope, incoming: Option<Box<Incoming>>) -> Self {
        let guard = Self::push(Mode::Decoding {
            attachments: scope.attachments.into_iter().map(Some).collect(),
            credentials: scope.credentials,
            place: None,
            functions: scope.functions,
        });
        if incoming.is_some() {
            with_top(|table| table.map(|table| table.incoming = incoming));
        }
        guard
    }

    fn push(mode: Mode) -> Self {
        // A thread that is ending encodes without a table, and handles find none.
        let _ = TABLES.try_with(|tables| tables.borrow_mut().push(Table::new(mode)));
        Self(())
    }

    /// The shared values that the encoding came across.
    #[expect(clippy::unused_self, reason = "the guard is the right to speak of the table")]
    pub(crate) fn take_shared(&self) -> Option<Box<Outgoing>> {
        with_top(|table| table?.outgoing.take())
    }

    /// What was attached since the beginning, or since this was asked last.
    #[expect(clippy::unused_self, reason = "the guard is the right to speak of the table")]
    pub(crate) fn take_attachments(&self) -> Vec<Attachment> {
        with_top(|table| match table.map(|table| &mut table.mode) {
            Some(Mode::Encoding(attachments)) => std::mem::take(attachments),
            _ => Vec::new(),
        })
    }

    /// Gives an error that came as plain text its kind.
    #[expect(clippy::unused_self, reason = "the guard is the right to speak of the table")]
    pub(crate) fn classify(&self, error: Error) -> Error {
        match with_top(|table| table.and_then(|table| table.failure)) {
            Some(Failure::Handle) => error.reclassify(Kind::Handle),
            Some(Failure::Function) => error.reclassify(Kind::Function),
            None => error,
        }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        // Ended outside the borrow: what is left in the table may do something when it is dropped.
        let ended = TABLES.try_with(|tables| tables.borrow_mut().pop());
        drop(ended);
    }
}
