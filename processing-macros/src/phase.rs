//! The six hooks, by the name a user writes and by the name the runtime has for their phase.

use proc_macro2::Span;
use quote::format_ident;
use syn::Ident;

/// One hook of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    Prerun,
    Run,
    Postrun,
    OnFinish,
    Result,
    Error,
}

impl Phase {
    pub(crate) const ALL: [Self; 6] =
        [Self::Prerun, Self::Run, Self::Postrun, Self::OnFinish, Self::Result, Self::Error];
    /// The names of [`Phase::ALL`], in the same order.
    pub(crate) const NAMES: [&'static str; 6] = ["prerun", "run", "postrun", "onfinish", "result", "error"];

    /// What a user writes, as a hook and as a timeout.
    pub(crate) fn name(self) -> &'static str {
        Self::NAMES[self as usize]
    }

    /// The phase whose hook has exactly this name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|phase| phase.name() == name)
    }

    /// The variant of the runtime's `Phase`.
    pub(crate) fn variant(self) -> Ident {
        let name = match self {
            Self::Prerun => "Prerun",
            Self::Run => "Run",
            Self::Postrun => "Postrun",
            Self::OnFinish => "OnFinish",
            Self::Result => "Result",
            Self::Error => "Error",
        };
        Ident::new(name, Span::call_site())
    }

    /// The method of the runtime's `Skprocess` that calls the hook.
    pub(crate) fn method(self) -> Ident {
        format_ident!("__{}", self.name())
    }
}
