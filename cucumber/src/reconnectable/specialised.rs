//! For generated code: visits a field if its type holds live resources, and passes over it if not.
//!
//! `Field(&mut self.field).visit_live(…)`, with both traits in scope, takes the method that needs no reference to `Field`: the
//! one for [`Reconnectable`] types, where it applies. Only where it does not is the other one tried.

use super::{AnyLive, Path, Reconnectable};

/// A field that may or may not hold live resources.
#[derive(Debug)]
pub struct Field<'a, T: ?Sized>(pub &'a mut T);

/// Holds live resources.
pub trait ViaReconnectable {
    /// Shows them to `visitor`.
    fn visit_live(self, path: &Path<'_>, visitor: &mut dyn FnMut(&Path<'_>, &mut dyn AnyLive));
}

impl<T: Reconnectable + ?Sized> ViaReconnectable for Field<'_, T> {
    fn visit_live(self, path: &Path<'_>, visitor: &mut dyn FnMut(&Path<'_>, &mut dyn AnyLive)) {
        self.0.visit_live(path, visitor);
    }
}

/// Holds none.
pub trait ViaNothing {
    /// Does nothing.
    fn visit_live(&self, path: &Path<'_>, visitor: &mut dyn FnMut(&Path<'_>, &mut dyn AnyLive));
}

impl<T: ?Sized> ViaNothing for Field<'_, T> {
    fn visit_live(&self, _: &Path<'_>, _: &mut dyn FnMut(&Path<'_>, &mut dyn AnyLive)) {}
}
