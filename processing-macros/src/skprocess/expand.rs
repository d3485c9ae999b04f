//! The struct as written, and beside it what the runtime wants to know of it.

use proc_macro2::TokenStream;
use quote::{ToTokens as _, quote};
use syn::ext::IdentExt as _;
use syn::{Attribute, Member, parse_quote};

use super::check::{Process, cfgs};

/// Everything a process type comes to.
pub(crate) fn expand(process: &Process) -> TokenStream {
    let written = with_derives(process);
    let alias = process.config.runtime.alias();
    let spec = spec(process);
    let single_field = single_field(process);
    let value = value(process);
    let remnant = process.credentials.as_ref().and_then(|credentials| credentials.remnant.as_ref());
    quote! {
        #written
        const _: () = {
            #alias
            #spec
            #single_field
        };
        #value
        #remnant
    }
}

/// The struct with serde's derives, as far as the user did not write them.
fn with_derives(process: &Process) -> TokenStream {
    let mut item = process.item.clone();
    if process.serde.anything() {
        let runtime = process.config.runtime.path();
        let serialize = process.serde.serialize.then(|| quote!(#runtime::serde::Serialize,));
        let deserialize = process.serde.deserialize.then(|| quote!(#runtime::serde::Deserialize,));
        // `derive` itself is a name of the prelude, which the user's module may have done without.
        let mut added: Vec<Attribute> =
            parse_quote!(#[#runtime::core::prelude::v1::derive(#serialize #deserialize)]);
        if !process.serde.located {
            let location = process.config.runtime.serde();
            added.push(parse_quote!(#[serde(crate = #location)]));
        }
        // Other attribute macros may still change the fields, so the derives come after them; `#[serde(…)]` is no
        // macro and has to come after its derive.
        let helper = item.attrs.iter().position(|attr| attr.path().is_ident("serde"));
        let place = helper.unwrap_or(item.attrs.len());
        item.attrs.splice(place..place, added);
    }
    item.into_token_stream()
}

fn spec(process: &Process) -> TokenStream {
    let name = &process.item.ident;
    let config = process.config.tokens();
    let credentials = process.credentials.as_ref().map(|credentials| credentials.tokens());
    let visit = visit_live(process);

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
            #visit
        }
    }
}

/// Shows each live field to the visitor. Which fields are live is known to the type checker only: method
/// lookup takes `VisitLive` where the field has it and finds `VisitNothing`, one reference further, elsewhere.
fn visit_live(process: &Process) -> Option<TokenStream> {
    if process.item.fields.is_empty() {
        return None;
    }
    let visits = process.item.fields.members().zip(&process.item.fields).map(|(member, field)| {
        let cfgs = cfgs(&field.attrs);
        let name = match &member {
            Member::Named(name) => name.unraw().to_string(),
            Member::Unnamed(index) => index.index.to_string(),
        };
        quote! { #(#cfgs)* __rt::Field(&mut self.#member).visit(#name, visitor); }
    });
    Some(quote! {
        fn visit_live(&mut self, visitor: &mut dyn __rt::LiveVisitor) {
            use __rt::visiting::*;
            #(#visits)*
        }
    })
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
