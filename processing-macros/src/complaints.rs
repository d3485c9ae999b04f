//! Everything that is wrong with an input, reported at once.

use std::fmt::Display;

use proc_macro2::TokenStream;
use quote::ToTokens;

/// Gathers errors while checking goes on, so that a user sees all of them in one build.
#[derive(Default)]
pub(crate) struct Complaints {
    found: Option<syn::Error>,
}

impl Complaints {
    /// Notes that `tokens` are wrong. Hand over the smallest piece the user has to change.
    pub(crate) fn about(&mut self, tokens: impl ToTokens, message: impl Display) {
        self.add(syn::Error::new_spanned(tokens, message));
    }

    /// Notes an error that knows its place already.
    pub(crate) fn add(&mut self, error: syn::Error) {
        match &mut self.found {
            Some(found) => found.combine(error),
            none => *none = Some(error),
        }
    }

    /// Keeps what went well and notes what did not.
    pub(crate) fn catch<T>(&mut self, result: syn::Result<T>) -> Option<T> {
        result.map_err(|error| self.add(error)).ok()
    }

    /// One `compile_error!` for each complaint, or nothing.
    pub(crate) fn into_tokens(self) -> TokenStream {
        self.found.map(|found| found.to_compile_error()).unwrap_or_default()
    }

    /// The messages alone, in the order they were found.
    #[cfg(test)]
    pub(crate) fn messages(self) -> Vec<String> {
        self.found.map(|found| found.into_iter().map(|one| one.to_string()).collect()).unwrap_or_default()
    }
}
