//! `#[cucumber]`: puts on each field what it needs to cross. `#[skprocess]` does the same to its struct.

mod check;
mod expand;
mod live;
mod recognise;

use proc_macro2::TokenStream;
use quote::quote;
use syn::Item;

pub(crate) use self::expand::{Derives, adapt, with_derives};
pub(crate) use self::live::of_struct as reconnectable;
use crate::complaints::Complaints;
use crate::runtime::Runtime;

/// Expands the attribute, for a user of `runtime`'s crate.
pub(crate) fn attribute(arguments: TokenStream, item: TokenStream, runtime: Runtime) -> TokenStream {
    let mut complaints = Complaints::default();
    let expansion = expansion(arguments, item, runtime, &mut complaints);
    let errors = complaints.into_tokens();
    quote! { #expansion #errors }
}

fn expansion(
    arguments: TokenStream,
    item: TokenStream,
    runtime: Runtime,
    complaints: &mut Complaints,
) -> TokenStream {
    let parsed = match syn::parse2::<Item>(item.clone()) {
        Ok(parsed) => parsed,
        Err(error) => {
            complaints.add(error);
            return item;
        }
    };
    let runtime = check::arguments(arguments, runtime, complaints);
    if let Some(advice) = check::misplaced(&parsed) {
        complaints.add(advice);
        return item;
    }
    expand::expand(parsed, &runtime)
}
