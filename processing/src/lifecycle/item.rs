//! A process type as a value, and how an item becomes an instance of it.

use std::fmt;
use std::marker::PhantomData;

/// A process type as a value: what `pool.map(Worker, items)` maps with.
///
/// `#[skprocess]` on a struct with named fields and no parameters adds a constant of this type that has the struct's
/// own name; [`process`] names the others.
pub struct ProcessType<W>(PhantomData<fn() -> W>);

/// The process type `W` as a value, for those that have no constant of their own: generic, tuple and unit structs.
#[must_use]
pub const fn process<W>() -> ProcessType<W> {
    ProcessType::NEW
}

impl<W> ProcessType<W> {
    /// The value.
    pub const NEW: Self = ProcessType(PhantomData);
}

impl<W> Clone for ProcessType<W> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<W> Copy for ProcessType<W> {}

impl<W> fmt::Debug for ProcessType<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ProcessType<{}>", std::any::type_name::<W>())
    }
}

/// Makes an instance of an item: by `fn new` in the `#[skprocess] impl`, or by its only field.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be made of `{I}`",
    label = "no `fn new` that takes it",
    note = "write `fn new(item: …) -> Self` in the `#[skprocess] impl`; with several arguments it takes tuples, by `star`"
)]
pub trait FromItem<I> {
    /// The instance.
    fn from_item(item: I) -> Self;
}

/// A struct of one field, which is made from it, or of none, which is made from `()`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be made of `{F}`",
    label = "it is not a struct of one such field, and has no `fn new`",
    note = "write `fn new(item: …) -> Self` in the `#[skprocess] impl`"
)]
pub trait SingleField<F> {
    /// The instance.
    fn from_field(field: F) -> Self;
}
