//! What a hook returned, made into what the engine wants, in generated code.
#![allow(
    missing_docs,
    clippy::missing_errors_doc,
    clippy::must_use_candidate,
    reason = "called by generated code only"
)]

use std::error::Error;
use std::fmt;

use serde::Serialize;

use super::Outcome;
use crate::Phase;
use crate::error::{Failure, Location};

type Sent = Box<dyn Error + Send + Sync>;

/// What a hook returned, before it is known which of the traits below is for it.
///
/// `(&&&&Returned(&value)).settling().settle(value)` takes the first that fits: each stands one reference closer
/// to the receiver than the next.
#[derive(Debug)]
pub struct Returned<'r, R>(pub &'r R);

/// An error that travels as itself: the parent can have it back, typed.
#[derive(Clone, Copy, Debug)]
pub struct ByData;
/// An error that travels as the text of its chain.
#[derive(Clone, Copy, Debug)]
pub struct ByText;
/// An error that cannot leave its thread, and travels as text too.
#[derive(Clone, Copy, Debug)]
pub struct ByLocalText;
/// No `Result` with an error: a `()`, or a mistake.
#[derive(Clone, Copy, Debug)]
pub struct ByUnit;

pub trait SettleData {
    fn settling(&self) -> ByData {
        ByData
    }
}
impl<T, E> SettleData for &&&Returned<'_, Result<T, E>> where E: Serialize + Into<Sent> {}

pub trait SettleText {
    fn settling(&self) -> ByText {
        ByText
    }
}
impl<T, E: Into<Sent>> SettleText for &&Returned<'_, Result<T, E>> {}

pub trait SettleLocalText {
    fn settling(&self) -> ByLocalText {
        ByLocalText
    }
}
impl<T, E: Into<Box<dyn Error>>> SettleLocalText for &Returned<'_, Result<T, E>> {}

pub trait SettleUnit {
    fn settling(&self) -> ByUnit {
        ByUnit
    }
}
impl<R> SettleUnit for Returned<'_, R> {}

/// Imported whole, and without names, by generated code.
pub mod settling {
    pub use super::{SettleData as _, SettleLocalText as _, SettleText as _, SettleUnit as _};
}

impl ByData {
    pub fn settle<T: NoValue, E: Serialize + Into<Sent>>(
        self,
        returned: Result<T, E>,
    ) -> Result<(), Failure> {
        self.settle_value(returned).map(drop)
    }

    pub fn settle_value<T, E: Serialize + Into<Sent>>(self, returned: Result<T, E>) -> Result<T, Failure> {
        returned.map_err(Failure::from_data)
    }
}

impl ByText {
    pub fn settle<T: NoValue, E: Into<Sent>>(self, returned: Result<T, E>) -> Result<(), Failure> {
        self.settle_value(returned).map(drop)
    }

    pub fn settle_value<T, E: Into<Sent>>(self, returned: Result<T, E>) -> Result<T, Failure> {
        returned.map_err(|error| Failure::from_error(error.into()))
    }
}

impl ByLocalText {
    pub fn settle<T: NoValue, E: Into<Box<dyn Error>>>(self, returned: Result<T, E>) -> Result<(), Failure> {
        self.settle_value(returned).map(drop)
    }

    pub fn settle_value<T, E: Into<Box<dyn Error>>>(self, returned: Result<T, E>) -> Result<T, Failure> {
        returned.map_err(|error| Failure::from_error(Box::new(Told::by(&*error.into()))))
    }
}

impl ByUnit {
    pub fn settle<R: HookReturn>(self, _returned: R) -> Result<(), Failure> {
        Ok(())
    }

    pub fn settle_value<R: HookReturn>(self, returned: R) -> Result<R::Value, Failure> {
        Ok(returned.value())
    }
}

/// What is no `Result` with an error; the message is what a user sees who returns something else from a hook.
#[diagnostic::on_unimplemented(
    message = "a hook cannot return `{Self}`",
    label = "neither `()` nor a `Result` with an error that can be sent",
    note = "return nothing or a `Result<(), E>`; the hook `result` returns any `T` or a `Result<T, E>`",
    note = "`E` may be your own error, `anyhow::Error`, `Box<dyn Error>`, a `String`: all that `Box<dyn Error>` can be made from"
)]
pub trait HookReturn {
    type Value;
    fn value(self) -> Self::Value;
}

impl HookReturn for () {
    type Value = ();
    fn value(self) {}
}

/// What the `Ok` of a hook holds.
#[diagnostic::on_unimplemented(
    message = "this hook has no value to return, but its `Result` holds `{Self}`",
    label = "nobody would receive this `{Self}`",
    note = "return `Result<(), E>` and keep the value in a field; the hook `result` returns it"
)]
pub trait NoValue {}

impl NoValue for () {}

/// The `T` of a `Result<T, E>` behind an alias without arguments.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is called `Result` but is none",
    note = "a type of this name is read as `Result<T, E>`; give it another one"
)]
pub trait Fallible {
    type Value;
}

impl<T, E> Fallible for Result<T, E> {
    type Value = T;
}

/// The texts of an error that cannot be sent.
#[derive(Debug)]
struct Told {
    text: String,
    cause: Option<Box<Told>>,
}

impl Told {
    fn by(error: &dyn Error) -> Self {
        Self { text: error.to_string(), cause: error.source().map(|cause| Box::new(Self::by(cause))) }
    }
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Error for Told {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.cause.as_deref().map(|cause| cause as _)
    }
}

/// The outcome of an `async fn` hook.
#[cfg(feature = "async")]
pub fn async_hook<'h, T, F>(hook: F) -> Outcome<'h, T>
where
    F: Future<Output = Result<T, Failure>> + 'h,
{
    Outcome::Future(Box::pin(hook))
}

/// Only words the mistake of an `async fn` hook without the feature.
#[cfg(not(feature = "async"))]
pub fn async_hook<'h, T, F>(_hook: F) -> Outcome<'h, T>
where
    F: Future<Output = Result<T, Failure>> + AsyncHooks + 'h,
{
    unreachable!("nothing implements `AsyncHooks`")
}

#[cfg(not(feature = "async"))]
#[diagnostic::on_unimplemented(
    message = "`async fn` hooks need the feature `async` of `processing`",
    label = "an `async fn` hook",
    note = "write `processing = {{ version = \"…\", features = [\"async\"] }}` in Cargo.toml"
)]
pub trait AsyncHooks {}

/// The place of one phase's hook: file, line, column.
#[must_use]
pub fn source(phase: Phase, hooks: &[(Phase, &str, u32, u32)]) -> Option<Location> {
    let (_, file, line, column) = hooks.iter().find(|(hook, ..)| *hook == phase)?;
    Some(Location { file: (*file).to_owned(), line: *line, column: *column })
}
