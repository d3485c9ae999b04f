//! The attributes of `processing`, which re-exports them: depend on that crate, not on this one.
#![forbid(unsafe_code)]

mod autoreconnect;
mod complaints;
mod crossing;
mod hooks;
mod phase;
mod runtime;
mod shareable;
mod skprocess;
#[cfg(test)]
mod snapshot;
mod task;
mod words;

use proc_macro::TokenStream;

#[doc = include_str!("../docs/skprocess.md")]
#[proc_macro_attribute]
pub fn skprocess(arguments: TokenStream, item: TokenStream) -> TokenStream {
    skprocess::attribute(arguments.into(), item.into()).into()
}

#[doc = include_str!("../docs/autoreconnect.md")]
#[proc_macro_attribute]
pub fn autoreconnect(arguments: TokenStream, item: TokenStream) -> TokenStream {
    autoreconnect::attribute(arguments.into(), item.into()).into()
}

#[doc = include_str!("../docs/cucumber.md")]
#[proc_macro_attribute]
pub fn cucumber(arguments: TokenStream, item: TokenStream) -> TokenStream {
    crossing::attribute(arguments.into(), item.into(), Default::default()).into()
}

/// The same, for those who depend on `cucumber` alone, which re-exports it.
#[proc_macro_attribute]
pub fn cucumber_alone(arguments: TokenStream, item: TokenStream) -> TokenStream {
    crossing::attribute(arguments.into(), item.into(), runtime::Runtime::cucumber()).into()
}

#[doc = include_str!("../docs/task.md")]
#[proc_macro]
pub fn task(input: TokenStream) -> TokenStream {
    task::expression(input.into()).into()
}

#[doc = include_str!("../docs/derive_shareable.md")]
#[proc_macro_derive(Shareable, attributes(shareable))]
pub fn derive_shareable(item: TokenStream) -> TokenStream {
    shareable::derive(item.into()).into()
}

#[doc = include_str!("../docs/shareable.md")]
#[proc_macro_attribute]
pub fn shareable(arguments: TokenStream, item: TokenStream) -> TokenStream {
    shareable::attribute(arguments.into(), item.into()).into()
}
