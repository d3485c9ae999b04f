//! `#[skprocess]`: on a struct it makes a process type, on an impl it finds the hooks.

mod check;
mod config;
mod duration;
mod expand;
mod parse;
#[cfg(test)]
mod tests;
mod value;

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::Item;

pub(crate) use self::check::{cfgs, is_named};
pub(crate) use self::config::krate;
pub(crate) use self::parse::{Setting, settings};
use crate::complaints::Complaints;
use crate::hooks;

/// Expands the attribute on whatever it stands. The item itself always comes out again, so that one mistake is
/// not followed by complaints about everything that uses the type.
pub(crate) fn attribute(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let mut complaints = Complaints::default();
    let expansion = expansion(arguments, item, &mut complaints);
    let errors = complaints.into_tokens();
    quote! { #expansion #errors }
}

fn expansion(arguments: TokenStream, item: TokenStream, complaints: &mut Complaints) -> TokenStream {
    let parsed = match syn::parse2::<Item>(item.clone()) {
        Ok(parsed) => parsed,
        Err(error) => {
            complaints.add(error);
            return item;
        }
    };
    let settings = settings(arguments, complaints);
    match parsed {
        Item::Struct(written) => match check::Process::check(written, &settings, complaints) {
            Ok(process) => expand::expand(&process),
            Err(written) => written.into_token_stream(),
        },
        Item::Impl(written) => hooks::expansion(&settings, written, complaints),
        other => {
            misplaced(&other, complaints);
            item
        }
    }
}

/// Says what to do for an item that can be no process.
fn misplaced(item: &Item, complaints: &mut Complaints) {
    let mut about = |tokens: &dyn ToTokens, advice: &str| {
        complaints.about(
            tokens.to_token_stream(),
            format!("`#[skprocess]` belongs on a struct and on the impl with its hooks; {advice}"),
        );
    };
    match item {
        Item::Enum(item) => {
            about(&item.enum_token, "make the enum a field: `struct Worker { state: State }`")
        }
        Item::Union(item) => about(&item.union_token, "a union cannot be sent to another process"),
        Item::Fn(item) => {
            about(&item.sig.fn_token, "a function needs no attribute: `processing::map(function, items)`");
        }
        Item::Trait(item) => about(&item.trait_token, "put it on each type that implements the trait"),
        Item::Mod(item) => about(&item.mod_token, "put it on the items in the module"),
        other => about(other, "write `struct Worker { … }`"),
    }
}
