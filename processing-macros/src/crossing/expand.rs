//! The item as written, with serde's derives and a `with` on each field that needs one.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens as _, format_ident, quote, quote_spanned};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned as _;
use syn::{
    Attribute, Field, Fields, GenericParam, Generics, Ident, Item, ItemStruct, LitStr, Member, Meta, Path,
    Token, Type, parse_quote,
};

use super::live;
use super::recognise::{Node, Recogniser, is_cell, mentioned, spelled_out};
use crate::runtime::Runtime;
use crate::skprocess::{cfgs, is_named};

/// Which of serde's derives are still to be added.
pub(crate) struct Derives {
    pub(crate) serialize: bool,
    pub(crate) deserialize: bool,
    /// The user says where serde is.
    pub(crate) located: bool,
}

impl Derives {
    /// Those that the user did not write.
    pub(crate) fn wanted(attrs: &[Attribute]) -> Self {
        let mut wanted = Self { serialize: true, deserialize: true, located: false };
        for attr in attrs {
            if is_named(attr.path(), "derive") {
                let Ok(derives) = attr.parse_args_with(Punctuated::<Path, Token![,]>::parse_terminated)
                else {
                    continue;
                };
                for derive in &derives {
                    wanted.serialize &= !is_named(derive, "Serialize");
                    wanted.deserialize &= !is_named(derive, "Deserialize");
                }
            } else if attr.path().is_ident("serde") {
                wanted.located |= arguments(attr).iter().any(|meta| meta.path().is_ident("crate"));
            }
        }
        wanted
    }
}

/// What is in `#[serde(…)]`.
fn arguments(attr: &Attribute) -> Punctuated<Meta, Token![,]> {
    let Meta::List(list) = &attr.meta else { return Punctuated::new() };
    list.parse_args_with(Punctuated::parse_terminated).unwrap_or_default()
}

pub(super) fn expand(item: Item, runtime: &Runtime) -> TokenStream {
    let reconnectable = live::of_item(&item).map(|implementation| {
        let alias = runtime.alias();
        quote! { const _: () = { #alias #implementation }; }
    });
    let crossing = match item {
        Item::Struct(mut item) => {
            let helpers = adapt(&mut item, runtime);
            let wanted = Derives::wanted(&item.attrs);
            with_derives(&mut item.attrs, &wanted, runtime);
            quote! { #item #helpers }
        }
        Item::Enum(mut item) => {
            let mut crossing = Crossing::new(&item.ident, &item.generics, runtime);
            // serde looks for the content of such a variant without asking the field how it is read, so the variant says it.
            let is_adjacent = has_argument(&item.attrs, "content");
            for variant in &mut item.variants {
                let (name, cfgs) = (&variant.ident, cfgs(&variant.attrs).cloned().collect());
                let is_newtype =
                    matches!(&variant.fields, Fields::Unnamed(fields) if fields.unnamed.len() == 1);
                let on = (is_adjacent && is_newtype).then_some(&mut variant.attrs);
                let cells = crossing.fields(&mut variant.fields, on);
                crossing.bearers.push(Bearer { path: quote!(Self::#name), cfgs, cells });
            }
            let fields: Vec<Field> =
                item.variants.iter().flat_map(|variant| variant.fields.clone()).collect();
            crossing.bound(&mut item.attrs, &fields);
            let helpers = crossing.helpers();
            let wanted = Derives::wanted(&item.attrs);
            with_derives(&mut item.attrs, &wanted, runtime);
            quote! { #item #helpers }
        }
        other => other.into_token_stream(),
    };
    quote! { #crossing #reconnectable }
}

/// Adds serde's derives, as far as the user did not write them.
pub(crate) fn with_derives(attrs: &mut Vec<Attribute>, wanted: &Derives, runtime: &Runtime) {
    if !wanted.serialize && !wanted.deserialize {
        return;
    }
    let path = runtime.path();
    let serialize = wanted.serialize.then(|| quote!(#path::serde::Serialize,));
    let deserialize = wanted.deserialize.then(|| quote!(#path::serde::Deserialize,));
    // `derive` itself is a name of the prelude, which the user's module may have done without.
    let mut added: Vec<Attribute> =
        parse_quote!(#[#path::core::prelude::v1::derive(#serialize #deserialize)]);
    if !wanted.located {
        let location = runtime.serde();
        added.push(parse_quote!(#[serde(crate = #location)]));
    }
    // Other attribute macros may still change the fields, so the derives come after them; `#[serde(…)]` is no
    // macro and has to come after its derive.
    let helper = attrs.iter().position(|attr| attr.path().is_ident("serde"));
    let place = helper.unwrap_or(attrs.len());
    attrs.splice(place..place, added);
}

/// Puts on each field of a struct what it needs to cross; what comes back goes beside the struct.
pub(crate) fn adapt(item: &mut ItemStruct, runtime: &Runtime) -> Option<TokenStream> {
    let mut crossing = Crossing::new(&item.ident, &item.generics, runtime);
    let cells = crossing.fields(&mut item.fields, None);
    crossing.bearers.push(Bearer { path: quote!(Self), cfgs: Vec::new(), cells });
    crossing.bound(&mut item.attrs, &item.fields.iter().cloned().collect::<Vec<_>>());
    crossing.helpers()
}

/// One item's fields on their way.
struct Crossing<'c> {
    name: Ident,
    generics: Generics,
    runtime: &'c Runtime,
    helper: Ident,
    nodes: Vec<Node>,
    bearers: Vec<Bearer>,
    /// The parameters in fields that have an adapter.
    adapted: Vec<Ident>,
}

/// A struct, or a variant, and those of its fields that can be set right when the rest of a graph is there.
struct Bearer {
    path: TokenStream,
    cfgs: Vec<Attribute>,
    cells: Vec<(Member, Field)>,
}

impl<'c> Crossing<'c> {
    fn new(name: &Ident, generics: &Generics, runtime: &'c Runtime) -> Self {
        let helper = format_ident!("__CrossingOf{}", name);
        let (name, generics) = (name.clone(), generics.clone());
        Self { name, generics, runtime, helper, nodes: Vec::new(), bearers: Vec::new(), adapted: Vec::new() }
    }

    /// The item's type, as it is written from outside.
    fn this(&self) -> TokenStream {
        let name = &self.name;
        let (_, arguments, _) = self.generics.split_for_impl();
        quote!(#name #arguments)
    }

    /// Puts adapters on the fields, or on what is around the only one; which of them are cells.
    fn fields(
        &mut self,
        fields: &mut Fields,
        mut around: Option<&mut Vec<Attribute>>,
    ) -> Vec<(Member, Field)> {
        let mut cells = Vec::new();
        let members: Vec<Member> = fields.members().collect();
        for (member, field) in members.into_iter().zip(fields.iter_mut()) {
            if is_settled(field) {
                continue;
            }
            let this = self.this();
            let ty = spelled_out(&field.ty, &this);
            let kept = mentioned(&ty, &self.generics);
            // The owner is named beside the field's type alone, whose parameters have to do.
            let has_all = kept.params.len() == self.generics.params.len();
            let owner = (has_all && is_cell(&ty)).then(|| this.clone());
            let is_owned = owner.is_some();
            let nodes = std::mem::take(&mut self.nodes);
            let mut recogniser = Recogniser { helper: &self.helper, generics: &self.generics, nodes };
            let before = recogniser.nodes.len();
            let adapter = recogniser.field(&ty, owner);
            self.nodes = recogniser.nodes;
            for node in &mut self.nodes[before..] {
                node.cfgs = cfgs(&field.attrs).cloned().collect();
            }
            let Some(adapter) = adapter else { continue };
            if is_owned {
                cells.push((member, field.clone()));
            }
            let path = self.runtime.path();
            let is_missing =
                is_option(&field.ty) && field.ident.is_some() && !has_argument(&field.attrs, "default");
            let place = around.as_deref_mut().unwrap_or(&mut field.attrs);
            if is_missing {
                // As serde has it for an option that nobody says anything of.
                place.push(parse_quote!(#[serde(default)]));
            }
            let with: TokenStream = quote!(#path::cross::As::<#adapter>);
            let with = LitStr::new(&with.to_string(), field.ty.span());
            place.push(parse_quote!(#[serde(with = #with)]));
            self.adapted.extend(kept.type_params().map(|param| param.ident.clone()));
        }
        cells
    }

    /// serde asks nothing of the parameters in a field with a `with`, so it is told what to ask of all of them.
    fn bound(&self, attrs: &mut Vec<Attribute>, fields: &[Field]) {
        let serde = attrs.iter().filter(|attr| attr.path().is_ident("serde"));
        let is_told = serde.flat_map(arguments).any(|meta| meta.path().is_ident("bound"));
        if is_told || self.adapted.is_empty() {
            return;
        }
        let path = self.runtime.path();
        let (mut writing, mut reading) = (Vec::new(), Vec::new());
        for param in self.generics.type_params().map(|param| &param.ident) {
            if self.adapted.contains(param) {
                writing.push(quote!(#param: #path::serde::Serialize + 'static));
                reading.push(quote!(#param: #path::serde::de::DeserializeOwned + 'static));
            } else if fields.iter().any(|field| is_written(field, param)) {
                writing.push(quote!(#param: #path::serde::Serialize));
                reading.push(quote!(#param: #path::serde::Deserialize<'de>));
            }
        }
        let literal =
            |bounds: Vec<TokenStream>| LitStr::new(&quote!(#(#bounds),*).to_string(), self.name.span());
        let (writing, reading) = (literal(writing), literal(reading));
        attrs.push(parse_quote!(#[serde(bound(serialize = #writing, deserialize = #reading))]));
    }

    /// What goes beside the item: one adapter for each type that needs one.
    fn helpers(&self) -> Option<TokenStream> {
        if self.nodes.is_empty() {
            return None;
        }
        let alias = self.runtime.alias();
        let helper = &self.helper;
        let nodes = self.nodes.iter().enumerate().map(|(number, node)| self.adapter(number, node));
        let graph = self.graph();
        Some(quote! {
            #[doc(hidden)]
            #[allow(dead_code, reason = "it stands for adapters, and is never made")]
            enum #helper<const NODE: usize> {}
            const _: () = {
                #alias
                #(#nodes)*
                #graph
            };
        })
    }

    fn adapter(&self, number: usize, node: &Node) -> TokenStream {
        let (helper, ty, offer, choices) = (&self.helper, &node.ty, &node.offer, &node.choices);
        let mut writing = mentioned(ty, &self.generics);
        let mut reading = writing.clone();
        let params: Vec<Ident> = writing.type_params().map(|param| param.ident.clone()).collect();
        for param in &params {
            writing
                .make_where_clause()
                .predicates
                .push(parse_quote!(#param: __rt::serde::Serialize + 'static));
            let bound = parse_quote!(#param: __rt::serde::de::DeserializeOwned + 'static);
            reading.make_where_clause().predicates.push(bound);
        }
        reading.params.insert(0, GenericParam::Lifetime(parse_quote!('__de)));
        let (writing, _, writing_where) = writing.split_for_impl();
        let (reading, _, reading_where) = reading.split_for_impl();
        // A complaint belongs to the type as the user wrote it; the names are ours, also where a macro wrote the type.
        let span = Span::call_site().located_at(ty.span());
        let serialize = quote_spanned! {span=>
            (&&&__rt::cross::Via::<#offer, #ty>::NEW).serialize(value, serializer)
        };
        let deserialize = quote_spanned! {span=>
            (&&&__rt::cross::Via::<#offer, #ty>::NEW).deserialize(deserializer)
        };
        let cfgs = &node.cfgs;
        quote! {
            #(#cfgs)*
            #[automatically_derived]
            impl #writing __rt::cross::SerializeAs<#ty> for #helper<#number> #writing_where {
                fn serialize_as<__S: __rt::serde::Serializer>(
                    value: &#ty,
                    serializer: __S,
                ) -> __rt::core::result::Result<__S::Ok, __S::Error> {
                    #[allow(unused_imports, reason = "one of several choices is taken")]
                    use __rt::cross::#choices::*;
                    #serialize
                }
            }
            #(#cfgs)*
            #[automatically_derived]
            impl #reading __rt::cross::DeserializeAs<'__de, #ty> for #helper<#number> #reading_where {
                fn deserialize_as<__D: __rt::serde::Deserializer<'__de>>(
                    deserializer: __D,
                ) -> __rt::core::result::Result<#ty, __D::Error> {
                    #[allow(unused_imports, reason = "one of several choices is taken")]
                    use __rt::cross::#choices::*;
                    #deserialize
                }
            }
        }
    }

    /// How the cells are counted and set right.
    fn graph(&self) -> Option<TokenStream> {
        let bearers: Vec<&Bearer> = self.bearers.iter().filter(|bearer| !bearer.cells.is_empty()).collect();
        if bearers.is_empty() {
            return None;
        }
        let mut generics = self.generics.clone();
        let this = self.this();
        generics.make_where_clause().predicates.push(parse_quote!(#this: 'static));
        let (generics, _, where_clause) = generics.split_for_impl();
        let counts = bearers.iter().map(|bearer| bearer.count());
        let refills = bearers.iter().map(|bearer| bearer.refill());
        Some(quote! {
            #[automatically_derived]
            #[allow(irrefutable_let_patterns, reason = "a struct is written as an enum of one variant")]
            impl #generics __rt::cross::Graph for #this #where_clause {
                fn cells(&self) -> usize {
                    let mut cells = 0;
                    #(#counts)*
                    cells
                }

                fn refill(&self, mut new: Self) {
                    use __rt::cross::choosing::*;
                    #(#refills)*
                }
            }
        })
    }
}

impl Bearer {
    /// Counts the cells, if the value is this variant.
    fn count(&self) -> TokenStream {
        let Self { path, cfgs, cells } = self;
        let cells = cells.iter().map(|(_, field)| {
            let cfgs = self::cfgs(&field.attrs);
            quote! { #(#cfgs)* { cells += 1; } }
        });
        quote! {
            #(#cfgs)*
            if let #path { .. } = self {
                #(#cells)*
            }
        }
    }

    /// Stores what is new into the cells, if both values are this variant.
    fn refill(&self) -> TokenStream {
        let Self { path, cfgs, cells } = self;
        let pattern = |prefix: &str| {
            let fields = cells.iter().enumerate().map(|(number, (member, field))| {
                let (name, cfgs) = (format_ident!("{prefix}{number}"), self::cfgs(&field.attrs));
                quote!(#(#cfgs)* #member: #name,)
            });
            quote!(#path { #(#fields)* .. })
        };
        let (old, new) = (pattern("__old"), pattern("__new"));
        let stores = cells.iter().enumerate().map(|(number, (_, field))| {
            let (old, new) = (format_ident!("__old{number}"), format_ident!("__new{number}"));
            let cfgs = self::cfgs(&field.attrs);
            quote! { #(#cfgs)* { (&&__rt::cross::Place(#old)).refill(#new); } }
        });
        quote! {
            #(#cfgs)*
            if let (#old, #new) = (self, &mut new) {
                #(#stores)*
            }
        }
    }
}

/// Whether `#[serde(…)]` says this.
fn has_argument(attrs: &[Attribute], word: &str) -> bool {
    let serde = attrs.iter().filter(|attr| attr.path().is_ident("serde"));
    serde.flat_map(arguments).any(|meta| meta.path().is_ident(word))
}

/// Whether it is an `Option`, by its name, which is how serde tells them, too.
fn is_option(ty: &Type) -> bool {
    matches!(ty, Type::Path(path) if path.path.segments.last().is_some_and(|last| last.ident == "Option"))
}

/// Whether serde would ask for the parameter because of this field.
fn is_written(field: &Field, param: &Ident) -> bool {
    let ty = &field.ty;
    let words = quote!(#ty).to_string();
    let is_phantom = words.contains("PhantomData");
    !is_phantom && words.split(|end: char| !end.is_alphanumeric() && end != '_').any(|word| param == word)
}

/// Whether the user says how the field is written, or that it is not.
fn is_settled(field: &Field) -> bool {
    const WORDS: &[&str] = &[
        "with",
        "serialize_with",
        "deserialize_with",
        "skip",
        "skip_serializing",
        "skip_deserializing",
        "flatten",
        "getter",
        "borrow",
    ];
    WORDS.iter().any(|word| has_argument(&field.attrs, word))
}
