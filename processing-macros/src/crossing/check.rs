//! What the attribute may stand on, and what it takes.

use proc_macro2::TokenStream;
use quote::ToTokens as _;
use syn::Item;

use crate::complaints::Complaints;
use crate::runtime::Runtime;
use crate::skprocess::{krate, settings};
use crate::words::unknown;

/// The one argument there is: `crate = "…"`.
pub(super) fn arguments(arguments: TokenStream, runtime: Runtime, complaints: &mut Complaints) -> Runtime {
    let mut chosen = runtime;
    for setting in settings(arguments, complaints) {
        if setting.key == "crate" {
            if let Some(elsewhere) = krate(&setting, complaints) {
                chosen = elsewhere;
            }
        } else {
            complaints.about(&setting.key, unknown("argument", &setting.key.to_string(), &["crate"]));
        }
    }
    chosen
}

/// Why an item can have no fields that cross.
pub(super) fn misplaced(item: &Item) -> Option<syn::Error> {
    let advice = match item {
        Item::Struct(_) | Item::Enum(_) => return None,
        Item::Union(_) => "which field of a union is alive nobody knows; make it an `enum`",
        Item::Impl(_) => "put it on the type itself",
        Item::Fn(_) => "a function crosses as it is: `cucumber::Func`, or `task!` if it captures something",
        _ => "only values cross",
    };
    let text = format!("`#[cucumber]` belongs on a struct or an enum; {advice}");
    Some(syn::Error::new_spanned(item.to_token_stream(), text))
}
