//! What the code that `#[derive(Shareable)]` writes calls, beside the trait itself.

use std::fmt;

use super::error::ShareError;
use super::place::Place;
pub use super::shareable::Element;
use super::value;
pub use super::value::ValueHandle;
use crate::shm::fault::Fault;
pub use crate::shm::view::View;
pub use crate::shm::writer::Writer;

/// How many words a field kept as one value takes.
pub const VALUE_WORDS: u64 = 2;

/// A field kept as one value.
///
/// # Errors
///
/// When it cannot be decoded.
pub fn load_value<T: Element>(view: &View<'_>, at: u64) -> Result<T, ShareError> {
    value::load(view, at)
}

/// Writes a field kept as one value.
///
/// # Errors
///
/// When it cannot be encoded.
pub fn store_value<T: Element>(value: &T, writer: &mut Writer<'_>, at: u64) -> Result<(), ShareError> {
    value::store(value, writer, at)
}

/// Frees a field kept as one value.
///
/// # Errors
///
/// When the memory is corrupt.
pub fn free_value(writer: &mut Writer<'_>, at: u64) -> Result<(), ShareError> {
    Ok(writer.clear_slot(at)?)
}

/// Which variant of an enum is stored, counted from 0.
///
/// # Errors
///
/// When there is none with such a number.
pub fn load_variant(view: &View<'_>, at: u64, variants: u64) -> Result<u64, ShareError> {
    let variant = view.load(at)?;
    view.check()?;
    if variant < variants { Ok(variant) } else { Err(Fault::Corrupt("variant of an enum").into()) }
}

/// Says which variant of an enum is stored.
///
/// # Errors
///
/// When the memory is corrupt.
pub fn store_variant(writer: &mut Writer<'_>, at: u64, variant: u64) -> Result<(), ShareError> {
    Ok(writer.set(at, variant)?)
}

/// A variant that was checked before is out of range.
#[must_use]
pub fn no_such_variant() -> ShareError {
    Fault::Corrupt("variant of an enum").into()
}

/// The greatest of the variants' sizes.
#[must_use]
pub const fn most(words: &[u64]) -> u64 {
    let (mut most, mut index) = (0, 0);
    while index < words.len() {
        if words[index] > most {
            most = words[index];
        }
        index += 1;
    }
    most
}

/// The handle of a field kept as one value.
#[must_use]
pub fn value_handle<T: Element>(place: Place) -> ValueHandle<T> {
    <super::Plain<T> as super::Shareable>::handle(place)
}

/// A field to be shown: with `Debug` where it has that, else as dots. Method lookup finds the better of the two.
#[derive(Debug)]
pub struct Shown<'a, T: ?Sized>(pub &'a T);

/// Finds `Debug`.
pub trait ByDebug {
    /// What shows the field.
    fn shown(&self) -> &dyn fmt::Debug;
}

/// Needs nothing.
pub trait ByName {
    /// What shows the field.
    fn shown(&self) -> &dyn fmt::Debug;
}

impl<T: fmt::Debug> ByDebug for &Shown<'_, T> {
    fn shown(&self) -> &dyn fmt::Debug {
        self.0
    }
}

impl<T: ?Sized> ByName for Shown<'_, T> {
    fn shown(&self) -> &dyn fmt::Debug {
        &Dots
    }
}

struct Dots;

impl fmt::Debug for Dots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}
