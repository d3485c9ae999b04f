//! The impl as written, and beside it the trait through which the runtime calls its hooks.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned as _;
use syn::{FnArg, Generics, Ident, parse_quote};

use super::check::Hooks;
use super::parse::{Constructor, Hook, Returns};
use crate::phase::Phase;

/// Everything an impl with hooks comes to.
pub(crate) fn expand(process: &Hooks) -> TokenStream {
    let written = &process.item;
    let alias = process.runtime.alias();
    let skprocess = skprocess(process);
    let from_item = from_item(process);
    let settles = process.hooks.iter().any(|hook| !hook.is_infallible());
    let settling = settles.then(|| quote! { use __rt::settling::*; });
    quote! {
        #written
        const _: () = {
            #alias
            #settling
            #skprocess
            #from_item
        };
    }
}

fn skprocess(process: &Hooks) -> TokenStream {
    let ty = &process.item.self_ty;
    let mut generics = process.item.generics.clone();
    if !generics.params.is_empty() {
        // A concrete type's missing `#[skprocess]` is reported by the trait itself.
        generics.make_where_clause().predicates.push(parse_quote!(Self: __rt::ProcessSpec));
    }
    let (impl_generics, _, where_clause) = generics.split_for_impl();
    let output = output(process);
    let methods = process.hooks.iter().map(method);
    let phases = process.hooks.iter().map(|hook| {
        let cfgs = &hook.cfgs;
        let variant = hook.phase.variant();
        quote! { #(#cfgs)* __rt::Phase::#variant }
    });
    let places = process.hooks.iter().map(|hook| {
        let cfgs = &hook.cfgs;
        let variant = hook.phase.variant();
        // These macros report the place of their own tokens, if nothing says that those come from an expansion.
        let place = quote_spanned! {hook.name().span()=>
            __rt::core::file!(), __rt::core::line!(), __rt::core::column!()
        };
        quote! { #(#cfgs)* (__rt::Phase::#variant, #place) }
    });
    quote! {
        #[automatically_derived]
        impl #impl_generics __rt::Skprocess for #ty #where_clause {
            #output
            #(#methods)*
            fn __hooks() -> &'static [__rt::Phase] {
                &[#(#phases),*]
            }
            fn __source(phase: __rt::Phase) -> __rt::core::option::Option<__rt::Location> {
                __rt::source(phase, &[#(#places),*])
            }
        }
    }
}

/// What the process's `result()` returns.
fn output(process: &Hooks) -> TokenStream {
    let hooks: Vec<&Hook> = process.hooks.iter().filter(|hook| hook.phase == Phase::Result).collect();
    let written = hooks.iter().map(|hook| {
        let cfgs = &hook.cfgs;
        let ty = match &hook.returns {
            Returns::Unit => quote!(()),
            Returns::Fallible { value: Some(value), .. } => quote!(#value),
            Returns::Fallible { ty, value: None } => quote!(<#ty as __rt::Fallible>::Value),
            Returns::Other(ty) => quote!(#ty),
        };
        quote! { #(#cfgs)* type Output = #ty; }
    });
    // Without any of the hooks that may be there, the process has no value.
    let conditions = hooks.iter().map(|hook| {
        let conditions =
            hook.cfgs.iter().filter_map(|cfg| cfg.meta.require_list().ok()).map(|list| &list.tokens);
        quote!(all(#(#conditions),*))
    });
    let absent = match &hooks[..] {
        [] => quote! { type Output = (); },
        _ if hooks.iter().any(|hook| hook.cfgs.is_empty()) => TokenStream::new(),
        _ => quote! { #[cfg(not(any(#(#conditions),*)))] type Output = (); },
    };
    quote! { #(#written)* #absent }
}

impl Hook {
    /// Nothing of this hook's return value has to be told apart from an error.
    fn is_infallible(&self) -> bool {
        matches!(
            (self.phase, &self.returns),
            (_, Returns::Unit) | (Phase::Result, Returns::Other(_)) | (Phase::Error, _)
        )
    }
}

/// The method that calls one hook and says what became of it.
fn method(hook: &Hook) -> TokenStream {
    let cfgs = &hook.cfgs;
    let method = hook.phase.method();
    let (argument, value) = match hook.phase {
        Phase::Error => (
            quote!(, error: __rt::ProcessError),
            quote!(__rt::core::result::Result<Self::Output, __rt::ProcessError>),
        ),
        Phase::Result => (quote!(), quote!(Self::Output)),
        _ => (quote!(), quote!(())),
    };
    let settled = settled(hook, &call(hook), &value);
    let outcome = match hook.asyncness() {
        Some(place) => quote_spanned! {here(place)=> __rt::async_hook(async move { #settled }) },
        None => quote! { __rt::Outcome::Done({ #settled }) },
    };
    quote! {
        #(#cfgs)*
        fn #method(&mut self #argument) -> __rt::Outcome<'_, #value> { #outcome }
    }
}

/// The call itself. What can be wrong about its types is reported where the user wrote them.
fn call(hook: &Hook) -> TokenStream {
    let name = hook.name();
    let arguments = hook.sig.inputs.iter().skip(1).map(|argument| {
        let place = match argument {
            FnArg::Typed(argument) => argument.ty.span(),
            FnArg::Receiver(receiver) => receiver.span(),
        };
        Ident::new("error", here(place))
    });
    let place = here(hook.returns.ty().map_or_else(|| name.span(), |ty| ty.span()));
    let call = quote_spanned! {place=> Self::#name(self #(, #arguments)*) };
    if hook.asyncness().is_some() {
        quote_spanned! {place=> #call.await }
    } else {
        call
    }
}

/// The call as a `Result<value, Failure>`.
fn settled(hook: &Hook, call: &TokenStream, value: &TokenStream) -> TokenStream {
    match &hook.returns {
        Returns::Unit => quote! { #call; __rt::core::result::Result::Ok(()) },
        returns if hook.is_infallible() => {
            let returned = Ident::new("returned", here(returns.ty().span()));
            quote! {
                let #returned: #value = #call;
                __rt::core::result::Result::Ok(#returned)
            }
        }
        returns => {
            // A type that is no hook's return type is reported at the argument that has it.
            let returned = Ident::new("returned", here(returns.ty().span()));
            let settle = if hook.phase == Phase::Result { "settle_value" } else { "settle" };
            let settle = Ident::new(settle, Span::call_site());
            quote! {
                let #returned = #call;
                (&&&&__rt::Returned(&#returned)).settling().#settle(#returned)
            }
        }
    }
}

/// The place of something the user wrote, for tokens that only we know: a variable that a macro of the user's
/// declares must not be found by them.
fn here(place: Span) -> Span {
    place.resolved_at(Span::call_site())
}

/// How an item of a `Pool` becomes a process: by `new`, or by being its only field.
fn from_item(process: &Hooks) -> TokenStream {
    match &process.constructor {
        None => from_single_field(process),
        Some(constructor) if constructor.cfgs.is_empty() => from_new(process, constructor),
        Some(constructor) => {
            let cfgs = &constructor.cfgs;
            let conditions =
                cfgs.iter().filter_map(|cfg| cfg.meta.require_list().ok()).map(|list| &list.tokens);
            let (new, field) = (from_new(process, constructor), from_single_field(process));
            quote! { #(#cfgs)* #new #[cfg(not(all(#(#conditions),*)))] #field }
        }
    }
}

fn from_new(process: &Hooks, constructor: &Constructor) -> TokenStream {
    let ty = &process.item.self_ty;
    let mut generics: Generics = process.item.generics.clone();
    generics.params.extend(constructor.params.iter().cloned());
    if !constructor.predicates.is_empty() {
        generics.make_where_clause().predicates.extend(constructor.predicates.iter().cloned());
    }
    let (impl_generics, _, where_clause) = generics.split_for_impl();
    let types = &constructor.arguments;
    let names: Vec<_> =
        (0..types.len()).map(|n| format_ident!("item{n}", span = Span::mixed_site())).collect();
    let (item, pattern) = match (&types[..], &names[..]) {
        ([ty], [name]) => (quote!(#ty), quote!(#name)),
        _ => (quote!((#(#types),*)), quote!((#(#names),*))),
    };
    quote! {
        #[automatically_derived]
        impl #impl_generics __rt::FromItem<#item> for #ty #where_clause {
            fn from_item(#pattern: #item) -> Self {
                Self::new(#(#names),*)
            }
        }
    }
}

fn from_single_field(process: &Hooks) -> TokenStream {
    let ty = &process.item.self_ty;
    let mut generics: Generics = process.item.generics.clone();
    generics.params.push(parse_quote!(__Item));
    generics.make_where_clause().predicates.push(parse_quote!(Self: __rt::SingleField<__Item>));
    let (impl_generics, _, where_clause) = generics.split_for_impl();
    quote! {
        #[automatically_derived]
        impl #impl_generics __rt::FromItem<__Item> for #ty #where_clause {
            fn from_item(item: __Item) -> Self {
                <Self as __rt::SingleField<__Item>>::from_field(item)
            }
        }
    }
}
