//! `#[autoreconnect]`: which credentials a process's connections come back with.
//!
//! `#[skprocess]` does the work. Above it, this attribute only moves below; without it, it says so.

mod check;
mod expand;
mod parse;
#[cfg(test)]
mod tests;

use proc_macro2::TokenStream;
use quote::{ToTokens as _, quote};
use syn::{Item, parse_quote};

pub(crate) use self::check::Credentials;
use crate::complaints::Complaints;
use crate::skprocess::is_named;

/// Hands the arguments to the `#[skprocess]` on the same struct.
pub(crate) fn attribute(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let mut complaints = Complaints::default();
    let expansion = handed_over(arguments, item, &mut complaints);
    let errors = complaints.into_tokens();
    quote! { #expansion #errors }
}

fn handed_over(arguments: TokenStream, item: TokenStream, complaints: &mut Complaints) -> TokenStream {
    let Ok(Item::Struct(mut written)) = syn::parse2::<Item>(item.clone()) else {
        let advice = "`#[autoreconnect]` belongs on the struct, beside its `#[skprocess]`";
        complaints.add(syn::Error::new(proc_macro2::Span::call_site(), advice));
        return item;
    };
    match written.attrs.iter().position(|attr| is_named(attr.path(), "skprocess")) {
        Some(place) => written.attrs.insert(place + 1, parse_quote!(#[autoreconnect(#arguments)])),
        None => complaints.about(
            &written.ident,
            "only a process reconnects by itself; write `#[skprocess]` on this struct too",
        ),
    }
    written.into_token_stream()
}
