//! `#[autoreconnect]`: which credentials a process's connections come back with.
//!
//! `#[skprocess]` does the work: it takes this attribute off the struct when it finds it. Above `#[skprocess]`, this
//! attribute moves below it, under a name of its own; without, it says so.

mod check;
mod expand;
mod parse;
#[cfg(test)]
mod tests;

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens as _, quote};
use syn::{Attribute, Ident, Item, parse_quote};

pub(crate) use self::check::Credentials;
use crate::complaints::Complaints;
use crate::skprocess::is_named;

/// What the attribute is called once it has moved.
const MOVED: &str = "__autoreconnect";
/// The argument of the attribute that [`remnant`] leaves behind.
const TAKEN: &str = "__taken";

/// Whether this is our attribute, as written or as moved.
fn is_ours(attr: &Attribute) -> bool {
    is_named(attr.path(), "autoreconnect") || attr.path().is_ident(MOVED)
}

/// Something that still mentions an attribute taken off a struct: otherwise the compiler would say that nobody uses
/// its import. It expands to nothing.
fn remnant(attr: &Attribute) -> Option<TokenStream> {
    let path = attr.path();
    let taken = Ident::new(TAKEN, Span::call_site());
    (!path.is_ident(MOVED)).then(|| quote! { #[#path(#taken)] const _: () = (); })
}

/// Hands the arguments to the `#[skprocess]` on the same struct.
pub(crate) fn attribute(arguments: TokenStream, item: TokenStream) -> TokenStream {
    if arguments.to_string() == TAKEN {
        return TokenStream::new();
    }
    let mut complaints = Complaints::default();
    let expansion = handed_over(arguments, item, &mut complaints);
    let errors = complaints.into_tokens();
    quote! { #expansion #errors }
}

fn handed_over(arguments: TokenStream, item: TokenStream, complaints: &mut Complaints) -> TokenStream {
    let Ok(Item::Struct(mut written)) = syn::parse2::<Item>(item.clone()) else {
        let advice = "`#[autoreconnect]` belongs on the struct, beside its `#[skprocess]`";
        complaints.add(syn::Error::new(Span::call_site(), advice));
        return item;
    };
    match written.attrs.iter().position(|attr| is_named(attr.path(), "skprocess")) {
        Some(place) => {
            let moved = Ident::new(MOVED, Span::call_site());
            written.attrs.insert(place + 1, parse_quote!(#[#moved(#arguments)]));
        }
        None => complaints.about(
            &written.ident,
            "only a process reconnects by itself; write `#[skprocess]` on this struct too",
        ),
    }
    written.into_token_stream()
}
