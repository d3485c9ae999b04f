//! A tuple of captures, and a closure without any that makes the real one from them.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};

use super::check::Task;
use super::parse::Capture;
use crate::runtime::Runtime;

/// The expression that `task!` stands for.
pub(crate) fn expand(task: &Task) -> TokenStream {
    let alias = Runtime::default().alias();
    let closure = &task.closure;
    // `move`: a variable that is missing from the captures must end up in the factory, where it is found.
    if task.captures.is_empty() {
        return quote! {{ #alias __rt::task((), move |()| #closure) }};
    }
    let names = task.captures.iter().map(|capture| &capture.name);
    let values = task.captures.iter().map(|Capture { name, value }| {
        // A value that cannot travel is reported where it is named.
        let place = name.span().resolved_at(Span::call_site());
        quote_spanned! {place=> (&&&__rt::Captive(&#value)).capture() }
    });
    quote! {{
        #alias
        use __rt::capturing::*;
        __rt::task((#(#values,)*), move |(#(#names,)*)| #closure)
    }}
}
