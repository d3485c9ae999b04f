//! Finding the live resources among a struct's fields, in generated code.
#![allow(
    missing_docs,
    clippy::missing_errors_doc,
    clippy::must_use_candidate,
    reason = "called by generated code only"
)]

use cucumber::Reconnectable;

/// Whoever wants to see the live resources of a process.
pub trait LiveVisitor {
    /// A field that may hold some.
    fn visit(&mut self, name: &'static str, field: &mut dyn Reconnectable);
}

/// A field of a process, about to be shown to a visitor if it is live.
#[derive(Debug)]
pub struct Field<'f, F>(pub &'f mut F);

/// The method for fields that can reconnect. Lookup finds it first, because it takes the receiver as it is.
pub trait VisitLive {
    fn visit(self, name: &'static str, visitor: &mut dyn LiveVisitor);
}

impl<F: Reconnectable> VisitLive for Field<'_, F> {
    fn visit(self, name: &'static str, visitor: &mut dyn LiveVisitor) {
        visitor.visit(name, self.0);
    }
}

/// The method for all others, one reference further away.
pub trait VisitNothing {
    fn visit(self, name: &'static str, visitor: &mut dyn LiveVisitor);
}

impl<F> VisitNothing for &Field<'_, F> {
    fn visit(self, _name: &'static str, _visitor: &mut dyn LiveVisitor) {}
}

/// Imported whole, and without names, by generated code.
pub mod traits {
    pub use super::{VisitLive as _, VisitNothing as _};
}
