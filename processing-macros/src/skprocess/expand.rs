//! The struct as written, and beside it what the runtime wants to know of it.

use proc_macro2::TokenStream;
use quote::{ToTokens as _, quote};
use syn::parse_quote;

use super::check::Process;
use crate::crossing::Derives;

/// Everything a process type comes to.
pub(crate) fn expand(process: &Process) -> TokenStream {
    let written = crossing(process);
    let alias = process.config.runtime.alias();
    let spec = spec(process);
    let item = &process.item;
    let reconnectable = crate::crossing::reconnectable(&item.ident, &item.generics, &item.fields);
    let single_field = single_field(process);
    let value = value(process);
    let remnant = process.credentials.as_ref().and_then(|credentials| credentials.remnant.as_ref());
    quote! {
        #written
        const _: () = {
            #alias
            #spec
            #reconnectable
            #single_field
        };
        #value
        #remnant
    }
}

/// The struct with what it needs to cross, unless the user sees to that.
fn crossing(process: &Process) -> TokenStream {
    let mut item = process.item.clone();
    if process.config.manual_serde {
        return item.into_token_stream();
    }
    let runtime = &process.config.runtime;
    let helpers = crate::crossing::adapt(&mut item, runtime);
    let wanted = Derives::wanted(&item.attrs);
    crate::crossing::with_derives(&mut item.attrs, &wanted, runtime);
    quote! { #item #helpers }
}

fn spec(process: &Process) -> TokenStream {
    let name = &process.item.ident;
    let config = process.config.tokens();
    let credentials = process.credentials.as_ref().map(|credentials| credentials.tokens());

    let mut generics = process.item.generics.clone();
    if !generics.params.is_empty() {
        // What a concrete type has to fulfil is said by the trait; here it depends on the parameters.
        generics.make_where_clause().predicates.push(parse_quote! {
            Self: __rt::serde::Serialize + __rt::serde::de::DeserializeOwned + 'static
        });
    }
    let (impl_generics, _, where_clause) = generics.split_for_impl();
    let (_, type_generics, _) = process.item.generics.split_for_impl();
    quote! {
        #[automatically_derived]
        impl #impl_generics __rt::ProcessSpec for #name #type_generics #where_clause {
            const CONFIG: __rt::Config = #config;
            #credentials
        }
    }
}

/// A struct of one field is made from that field, a struct without any from nothing.
fn single_field(process: &Process) -> Option<TokenStream> {
    let field = process.single_field()?;
    let name = &process.item.ident;
    let (impl_generics, type_generics, where_clause) = process.item.generics.split_for_impl();
    let (ty, argument, value) = match field {
        Some(field) => {
            let ty = &field.ty;
            let member = process.item.fields.members().next();
            (quote!(#ty), quote!(field), quote!(#member: field))
        }
        None => (quote!(()), quote!(()), TokenStream::new()),
    };
    Some(quote! {
        #[automatically_derived]
        impl #impl_generics __rt::SingleField<#ty> for #name #type_generics #where_clause {
            fn from_field(#argument: #ty) -> Self {
                Self { #value }
            }
        }
    })
}

/// The constant that lets the type's name stand where a value is wanted.
fn value(process: &Process) -> Option<TokenStream> {
    if !process.is_also_a_value() {
        return None;
    }
    let runtime = process.config.runtime.path();
    let vis = &process.item.vis;
    let name = &process.item.ident;
    let doc = format!(" The process type as a value: `pool.map({name}, items)`.");
    Some(quote! {
        #[doc = #doc]
        #[allow(non_upper_case_globals, dead_code, reason = "a process type is also a value")]
        #vis const #name: #runtime::ProcessType<#name> = #runtime::ProcessType::NEW;
    })
}
