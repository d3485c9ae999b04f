//! `#[skprocess]` on an impl: which of its functions are hooks, and how the runtime calls them.

mod check;
mod expand;
mod parse;
#[cfg(test)]
mod tests;

use proc_macro2::TokenStream;
use quote::ToTokens as _;
use syn::ItemImpl;

use crate::complaints::Complaints;
use crate::skprocess::Setting;

/// Everything the impl comes to, or only itself when it cannot hold hooks.
pub(crate) fn expansion(settings: &[Setting], item: ItemImpl, complaints: &mut Complaints) -> TokenStream {
    match check::Hooks::check(settings, item, complaints) {
        Ok(hooks) => expand::expand(&hooks),
        Err(item) => item.into_token_stream(),
    }
}
