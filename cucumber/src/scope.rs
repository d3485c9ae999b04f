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
use std::fmt;

use crate::credentials::Credentials;
use crate::error::{Error, Result};

mod number;
mod table;

pub(crate) use number::OPEN;
pub use number::{deserialize, serialize};
pub(crate) use table::{Failure, Guard, classify, is_writing, stack, trusts_functions, with_table, with_top};

use table::{Mode, mode};

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

    /// Whether it offers more than to accept functions.
    #[inline]
    pub(crate) fn has_things(&self) -> bool {
        !self.attachments.is_empty() || self.credentials.is_some()
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

/// Puts something beside the bytes of the encoding in progress; the number finds it again.
///
/// # Errors
///
/// When nothing is being encoded, and when the encoding wants bytes alone ([`to_bytes`](crate::to_bytes)).
pub fn attach(attachment: Attachment) -> Result<u32> {
    let refusal = match mode() {
        Mode::Encoding => "an encoding holds at most 4294967295 handles, and none when its thread is ending",
        Mode::Refusing => {
            "a handle cannot be kept in plain bytes; send the value through a channel, or use `cucumber::encode`"
        }
        _ => "a handle can only be serialised by `cucumber::encode` and what is built on it",
    };
    let attached = with_table(|table| {
        let attached = &mut table.filter(|_| mode() == Mode::Encoding)?.attached;
        let number = u32::try_from(attached.len()).ok()?;
        attached.push(attachment);
        Some(number)
    });
    attached.ok_or_else(|| noted(refusal.to_owned()))
}

/// Takes out what was attached under this number.
///
/// # Errors
///
/// When nothing is being decoded, when nothing was attached under the number or it is taken already, and when it is
/// something else than a `T`; in that case it stays where it is.
pub fn detach<T: Any>(number: u32) -> Result<T> {
    let found = match mode() {
        Mode::Decoding => with_top(|table| take(table.map_or(&mut [], |table| &mut table.came), number)),
        _ => {
            Err("a handle can only be deserialised by `cucumber::decode` and what is built on it".to_owned())
        }
    };
    found.map_err(noted)
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
        if let Some(slot) = table.and_then(|table| table.came.get_mut(number as usize)) {
            *slot = Some(attachment);
        }
    });
}

fn noted(text: String) -> Error {
    note(Failure::Handle);
    Error::handle(text)
}

/// Remembers what kind of value is about to refuse, for the error that will arrive as plain text.
pub(crate) fn note(failure: Failure) {
    with_table(|table| {
        if let Some(table) = table {
            table.failure = Some(failure);
        }
    });
}

/// The credential for a live resource that is being decoded, and the name of the field it is in.
pub(crate) fn credentials() -> Option<(Credentials, Option<String>)> {
    with_top(|table| {
        let table = table?;
        Some((table.credentials.clone()?, table.place.clone()))
    })
}

/// Notes the field that is being decoded, for the live resource in it. Without one, it is that of the part which is being read.
pub(crate) fn set_place(name: Option<&str>) {
    with_top(|table| {
        if let Some(table) = table.filter(|table| table.credentials.is_some()) {
            table.place = name.map(str::to_owned).or_else(|| table.outer_place.clone());
        }
    });
}

/// The field that was noted last.
pub(crate) fn place() -> Option<String> {
    with_top(|table| table?.place.clone())
}

/// Reads a part that stands in this field, wherever its bytes are.
pub(crate) fn within<R>(place: Option<String>, read: impl FnOnce() -> R) -> R {
    let swap =
        |place| with_top(|table| table.and_then(|table| std::mem::replace(&mut table.outer_place, place)));
    let before = swap(place);
    let outcome = read();
    swap(before);
    outcome
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
    match mode() {
        Mode::Encoding => Handling::Attached,
        Mode::Masked => Handling::Masked,
        _ => Handling::Described,
    }
}

/// How much is attached so far.
#[inline]
pub(crate) fn attached() -> usize {
    with_top(|table| table.map_or(0, |table| table.attached.len()))
}

/// Drops what was attached since there was so much.
pub(crate) fn detach_from(len: usize) {
    let dropped = with_top(|table| {
        let attached = &mut table?.attached;
        Some(attached.split_off(len.min(attached.len())))
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

/// Turns an error of another part of the encoding into text that serde carries, which [`unstash`] turns back.
pub(crate) fn stash(error: Error) -> String {
    let text = error.to_string();
    with_table(|table| {
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
