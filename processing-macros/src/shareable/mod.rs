//! `#[derive(Shareable)]` makes a type's handle; `#[shareable]` on an impl gives the handle the type's own methods.

mod check;
mod expand;
mod methods;
mod parse;
#[cfg(test)]
mod tests;

use proc_macro2::TokenStream;
use quote::{ToTokens as _, quote};
use syn::{DeriveInput, Item};

use crate::complaints::Complaints;

/// Expands the derive.
pub(crate) fn derive(item: TokenStream) -> TokenStream {
    let mut complaints = Complaints::default();
    let item = complaints.catch(syn::parse2::<DeriveInput>(item));
    let shared = item.as_ref().and_then(|item| check::Shared::check(item, &mut complaints));
    let expansion = shared.map(|shared| expand::expand(&shared));
    let errors = complaints.into_tokens();
    quote! { #expansion #errors }
}

/// Expands the attribute, which belongs on an impl.
pub(crate) fn attribute(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let mut complaints = Complaints::default();
    let expansion = match syn::parse2::<Item>(item.clone()) {
        Ok(Item::Impl(mut written)) => {
            let methods = methods::expand(arguments, &mut written, &mut complaints);
            quote! { #written #methods }
        }
        Ok(Item::Struct(written)) => {
            complaints.about(written.struct_token, MISPLACED);
            item
        }
        Ok(Item::Enum(written)) => {
            complaints.about(written.enum_token, MISPLACED);
            item
        }
        Ok(other) => {
            complaints.about(
                other.to_token_stream(),
                "`#[shareable]` belongs on an impl with a type's own methods",
            );
            item
        }
        Err(error) => {
            complaints.add(error);
            item
        }
    };
    let errors = complaints.into_tokens();
    quote! { #expansion #errors }
}

const MISPLACED: &str = "put `#[derive(Shareable)]` on the type, before any `#[shareable(…)]`";
