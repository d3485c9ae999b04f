//! Where in a type's values live resources may be: each field is shown to whoever looks for them.
//!
//! Which fields hold any is known to the type checker only: method lookup takes `ViaReconnectable` where the field's type has
//! it, and finds `ViaNothing`, one reference further, elsewhere.

use proc_macro2::TokenStream;
use quote::{ToTokens as _, format_ident, quote};
use syn::ext::IdentExt as _;
use syn::{Attribute, Field, Fields, Generics, Ident, Item, Member};

use crate::skprocess::cfgs;

/// The implementation of `Reconnectable`, to stand beside the item and inside of its runtime's block.
pub(super) fn of_item(item: &Item) -> Option<TokenStream> {
    match item {
        Item::Struct(item) if !is_packed(&item.attrs) => {
            Some(of_struct(&item.ident, &item.generics, &item.fields))
        }
        Item::Enum(item) => {
            let arms = item.variants.iter().map(|variant| {
                let (cfgs, name) = (cfgs(&variant.attrs), &variant.ident);
                let bindings = (0..variant.fields.len()).map(|number| format_ident!("__field_{number}"));
                let bindings: Vec<Ident> = bindings.collect();
                let patterns = members(&variant.fields).zip(&bindings).map(|((member, field), binding)| {
                    let cfgs = self::cfgs(&field.attrs);
                    quote!(#(#cfgs)* #member: #binding,)
                });
                let visits = members(&variant.fields)
                    .zip(&bindings)
                    .map(|((member, field), binding)| visit(&member, field, &quote!(#binding)));
                quote! {
                    #(#cfgs)*
                    Self::#name { #(#patterns)* } => { #(#visits)* }
                }
            });
            let body = quote! {
                match self {
                    #(#arms)*
                    #[allow(unreachable_patterns, reason = "an enum without variants has this one only")]
                    _ => {}
                }
            };
            Some(implemented(&item.ident, &item.generics, &body))
        }
        _ => None,
    }
}

/// The same for a struct.
pub(crate) fn of_struct(name: &Ident, generics: &Generics, fields: &Fields) -> TokenStream {
    let visits = members(fields).map(|(member, field)| visit(&member, field, &quote!(&mut self.#member)));
    implemented(name, generics, &quote!(#(#visits)*))
}

fn implemented(name: &Ident, generics: &Generics, body: &TokenStream) -> TokenStream {
    let (impl_generics, type_generics, where_clause) = generics.split_for_impl();
    quote! {
        #[automatically_derived]
        #[allow(unused_variables, deprecated, reason = "there may be no fields, and old ones are looked at as well")]
        impl #impl_generics __rt::live::Reconnectable for #name #type_generics #where_clause {
            fn visit_live(
                &mut self,
                path: &__rt::live::Path<'_>,
                visitor: &mut dyn __rt::core::ops::FnMut(&__rt::live::Path<'_>, &mut dyn __rt::live::AnyLive),
            ) {
                #[allow(unused_imports, reason = "one of them is taken")]
                use __rt::live::{ViaNothing as _, ViaReconnectable as _};
                #body
            }
        }
    }
}

/// Credentials are named after fields; one without a name is an element of what it stands in.
fn visit(member: &Member, field: &Field, place: &TokenStream) -> TokenStream {
    let cfgs = cfgs(&field.attrs);
    let step = match member {
        Member::Named(name) => {
            let name = name.unraw().to_string();
            quote!(field(#name))
        }
        Member::Unnamed(index) => {
            let index = index.index as usize;
            quote!(index(#index))
        }
    };
    quote! { #(#cfgs)* __rt::live::Field(#place).visit_live(&path.#step, visitor); }
}

fn members(fields: &Fields) -> impl Iterator<Item = (Member, &Field)> {
    fields.members().zip(fields)
}

/// Fields of such a struct may not be borrowed.
fn is_packed(attrs: &[Attribute]) -> bool {
    let reprs = attrs.iter().filter(|attr| attr.path().is_ident("repr"));
    reprs.map(|attr| attr.meta.to_token_stream().to_string()).any(|repr| repr.contains("packed"))
}
