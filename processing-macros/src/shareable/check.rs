//! What there is to know of a type before its handle is written.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens as _, format_ident, quote};
use syn::ext::IdentExt as _;
use syn::{
    Data, DeriveInput, Field, Fields, GenericParam, Generics, Ident, Index, Member, Type, Visibility,
    parse_quote,
};

use super::parse::{Kept, TypeSettings, kept};
use crate::complaints::Complaints;

/// A type to be shared.
pub(super) struct Shared<'a> {
    pub(super) name: &'a Ident,
    pub(super) vis: &'a Visibility,
    pub(super) generics: Generics,
    pub(super) settings: TypeSettings,
    pub(super) body: Body<'a>,
}

pub(super) enum Body<'a> {
    Struct { parts: Vec<Part<'a>>, shape: Shape },
    Enum(Vec<Variant<'a>>),
}

/// How the fields are written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Named,
    Tuple,
    Unit,
}

pub(super) struct Variant<'a> {
    pub(super) name: &'a Ident,
    pub(super) parts: Vec<Part<'a>>,
}

/// A field.
pub(super) struct Part<'a> {
    pub(super) field: &'a Field,
    pub(super) member: Member,
    /// A local variable's name for it.
    pub(super) local: Ident,
    pub(super) kept: Kept,
}

impl<'a> Shared<'a> {
    pub(super) fn check(item: &'a DeriveInput, complaints: &mut Complaints) -> Option<Shared<'a>> {
        let mut settings = TypeSettings::of(&item.ident.unraw());
        settings.handle.set_span(item.ident.span());
        settings.read_all(&item.attrs, complaints);
        for parameter in &item.generics.params {
            if let GenericParam::Lifetime(lifetime) = parameter {
                complaints.about(lifetime, "what is shared cannot borrow; own the data instead");
                return None;
            }
        }
        let body = match &item.data {
            Data::Struct(data) => {
                Body::Struct { parts: parts(&data.fields, complaints), shape: shape(&data.fields) }
            }
            Data::Enum(data) => {
                if data.variants.is_empty() {
                    complaints.about(&item.ident, "an enum without variants has no value to share");
                    return None;
                }
                let variant = |variant: &'a syn::Variant, complaints: &mut Complaints| Variant {
                    name: &variant.ident,
                    parts: parts(&variant.fields, complaints),
                };
                Body::Enum(data.variants.iter().map(|written| variant(written, complaints)).collect())
            }
            Data::Union(data) => {
                complaints.about(data.union_token, "a union cannot be shared; make it an enum");
                return None;
            }
        };
        let mut shared =
            Shared { name: &item.ident, vis: &item.vis, generics: item.generics.clone(), settings, body };
        shared.bound();
        Some(shared)
    }

    /// All fields, of all variants.
    fn all_parts(&self) -> Vec<&Part<'a>> {
        match &self.body {
            Body::Struct { parts, .. } => parts.iter().collect(),
            Body::Enum(variants) => variants.iter().flat_map(|variant| &variant.parts).collect(),
        }
    }

    /// What the parameters have to fulfil so that the fields can be shared.
    fn bound(&mut self) {
        let parameters: Vec<Ident> =
            self.generics.type_params().map(|parameter| parameter.ident.clone()).collect();
        if parameters.is_empty() {
            return;
        }
        let runtime = self.settings.runtime.path().clone();
        let mut predicates: Vec<syn::WherePredicate> =
            parameters.iter().map(|parameter| parse_quote!(#parameter: 'static)).collect();
        for part in self.all_parts() {
            let ty = &part.field.ty;
            if !mentions(&ty.to_token_stream(), &parameters) {
                continue;
            }
            predicates.push(match part.kept {
                Kept::Own => parse_quote!(#ty: #runtime::Shareable),
                Kept::Value => parse_quote!(#ty: #runtime::share::Element),
                Kept::Skipped => parse_quote!(#ty: #runtime::core::default::Default),
            });
        }
        self.generics.make_where_clause().predicates.extend(predicates);
    }
}

fn shape(fields: &Fields) -> Shape {
    match fields {
        Fields::Named(_) => Shape::Named,
        Fields::Unnamed(_) => Shape::Tuple,
        Fields::Unit => Shape::Unit,
    }
}

fn parts<'a>(fields: &'a Fields, complaints: &mut Complaints) -> Vec<Part<'a>> {
    let part = |(index, field): (usize, &'a Field)| Part {
        field,
        member: match &field.ident {
            Some(name) => Member::Named(name.clone()),
            None => Member::Unnamed(Index::from(index)),
        },
        local: format_ident!("__part{index}", span = Span::mixed_site()),
        kept: kept(&field.attrs, complaints),
    };
    fields.iter().enumerate().map(part).collect()
}

/// Whether one of these names stands somewhere in the tokens.
fn mentions(tokens: &TokenStream, names: &[Ident]) -> bool {
    tokens.clone().into_iter().any(|token| match token {
        proc_macro2::TokenTree::Ident(name) => names.contains(&name),
        proc_macro2::TokenTree::Group(group) => mentions(&group.stream(), names),
        _ => false,
    })
}

impl Part<'_> {
    pub(super) fn ty(&self) -> &Type {
        &self.field.ty
    }

    /// How many words the field takes.
    pub(super) fn words(&self) -> TokenStream {
        let ty = self.ty();
        match self.kept {
            Kept::Own => quote!(<#ty as __rt::Shareable>::WORDS),
            Kept::Value => quote!(__rt::share::VALUE_WORDS),
            Kept::Skipped => quote!(0),
        }
    }
}
