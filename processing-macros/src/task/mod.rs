//! `task!`: a closure that travels with what it captures.

mod captures;
mod check;
mod expand;
mod format;
mod parse;
#[cfg(test)]
mod tests;

use proc_macro2::TokenStream;
use quote::quote;

use crate::complaints::Complaints;

/// Expands the macro, or reports everything that is wrong with it.
pub(crate) fn expression(input: TokenStream) -> TokenStream {
    let mut complaints = Complaints::default();
    let written = complaints.catch(syn::parse2::<parse::Written>(input));
    let task = written.and_then(|written| check::Task::check(written, &mut complaints));
    match complaints.into_tokens() {
        errors if errors.is_empty() => task.map(|task| expand::expand(&task)).unwrap_or_default(),
        // Whatever type is wanted here, the user should not be told about it as well.
        errors => quote! {{ #errors loop {} }},
    }
}
