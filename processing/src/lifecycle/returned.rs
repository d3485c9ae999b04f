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
    pub fn settle<T: HookValue<V>, V, E>(self, returned: Result<T, E>) -> Result<V, Failure>
    where
        E: Serialize + Into<Sent>,
    {
        returned.map(T::value).map_err(Failure::from_data)
    }
}

impl ByText {
    pub fn settle<T: HookValue<V>, V, E: Into<Sent>>(self, returned: Result<T, E>) -> Result<V, Failure> {
        returned.map(T::value).map_err(|error| Failure::from_error(error.into()))
    }
}

impl ByLocalText {
    pub fn settle<T: HookValue<V>, V, E: Into<Box<dyn Error>>>(
        self,
        returned: Result<T, E>,
    ) -> Result<V, Failure> {
        returned.map(T::value).map_err(|error| Failure::from_error(Box::new(Told::by(&*error.into()))))
    }
}

impl ByUnit {
    pub fn settle<R: HookReturn<V>, V>(self, returned: R) -> Result<V, Failure> {
        Ok(returned.value())
    }
}

/// The last resort of [`settling`]; its message is what a user sees who returns something else.
#[diagnostic::on_unimplemented(
    message = "a hook cannot return `{Self}`",
    label = "not `()` and not a `Result` whose error can be sent",
    note = "return nothing or `Result<(), E>`; the `result` hook returns any `T` or `Result<T, E>`",
    note = "`E` is anything with `std::error::Error`: your own error, `anyhow::Error`, `Box<dyn Error>`, or a `String`"
)]
pub trait HookReturn<V> {
    fn value(self) -> V;
}

impl HookReturn<()> for () {
    fn value(self) {}
}

/// What the `Ok` of a hook has to be. Each type is its own value, so this only words the mistake.
#[diagnostic::on_unimplemented(
    message = "this hook returns nothing, but its `Result` holds `{Self}`",
    label = "the value has nowhere to go",
    note = "keep it in a field, and return it from the hook `result`"
)]
pub trait HookValue<V> {
    fn value(self) -> V;
}

impl<T> HookValue<T> for T {
    fn value(self) -> T {
        self
    }
}

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
