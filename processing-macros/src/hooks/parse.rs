//! Sorts an impl's functions: hooks, the constructor, and what is only the user's.

use proc_macro2::Span;
use syn::{
    Attribute, FnArg, GenericParam, ImplItem, ItemImpl, Path, PathArguments, Receiver, ReceiverKind,
    ReturnType,
};
use syn::{Signature, Type, WherePredicate};

use crate::phase::Phase;
use crate::skprocess::{cfgs, is_named};

/// A function of the impl whose name is a hook's.
pub(crate) struct Hook {
    pub(crate) phase: Phase,
    pub(crate) sig: Signature,
    /// The conditions under which the hook exists.
    pub(crate) cfgs: Vec<Attribute>,
    pub(crate) returns: Returns,
}

/// What a hook's signature says about its return value.
pub(crate) enum Returns {
    /// Nothing, or `()`.
    Unit,
    /// A type whose last segment is called `Result`; the first argument is the value, if it is spelled out.
    Fallible { ty: Box<Type>, value: Option<Box<Type>> },
    /// Anything else.
    Other(Box<Type>),
}

/// `fn new(…) -> Self`: makes a process of an item.
pub(crate) struct Constructor {
    pub(crate) cfgs: Vec<Attribute>,
    pub(crate) arguments: Vec<Type>,
    /// The function's own type parameters.
    pub(crate) params: Vec<GenericParam>,
    pub(crate) predicates: Vec<WherePredicate>,
}

/// How a function takes `self`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum SelfBy {
    Reference,
    Value,
    Nothing,
}

impl Hook {
    pub(crate) fn parse(phase: Phase, sig: &Signature, attrs: &[Attribute]) -> Self {
        let cfgs = cfgs(attrs).cloned().collect();
        Self { phase, sig: sig.clone(), cfgs, returns: Returns::parse(&sig.output) }
    }

    /// The name as the user wrote it, with its place.
    pub(crate) fn name(&self) -> &syn::Ident {
        &self.sig.ident
    }

    pub(crate) fn asyncness(&self) -> Option<Span> {
        self.sig.asyncness.map(|token| token.span)
    }
}

impl Returns {
    fn parse(output: &ReturnType) -> Self {
        let ReturnType::Type(_, ty) = output else { return Self::Unit };
        match plain(ty) {
            Type::Tuple(tuple) if tuple.elems.is_empty() => Self::Unit,
            Type::Path(path) if path.qself.is_none() && is_named(&path.path, "Result") => {
                Self::Fallible { ty: ty.clone(), value: first_argument(&path.path).map(Box::new) }
            }
            _ => Self::Other(ty.clone()),
        }
    }

    /// The type as it is written, if there is one.
    pub(crate) fn ty(&self) -> Option<&Type> {
        match self {
            Self::Unit => None,
            Self::Fallible { ty, .. } | Self::Other(ty) => Some(ty),
        }
    }
}

impl Constructor {
    /// Nothing, when the function only happens to be called `new`.
    pub(crate) fn parse(sig: &Signature, attrs: &[Attribute], self_ty: &Type) -> Option<Self> {
        let is_plain = sig.asyncness.is_none() && matches!(sig.safety, syn::Safety::Default);
        let makes_self = matches!(&sig.output, ReturnType::Type(_, ty) if is_self(ty, self_ty));
        if sig.ident != "new" || !is_plain || !makes_self || self_by(sig) != SelfBy::Nothing {
            return None;
        }
        let mut params: Vec<GenericParam> = sig.generics.params.iter().cloned().collect();
        let mut arguments = Vec::new();
        for argument in &sig.inputs {
            let FnArg::Typed(argument) = argument else { return None };
            arguments.push(match plain(&argument.ty) {
                // `impl Trait` is a type parameter without a name; here it needs one.
                Type::ImplTrait(anonymous) => {
                    let name = quote::format_ident!("__Argument{}", arguments.len());
                    let bounds = &anonymous.bounds;
                    params.push(syn::parse_quote!(#name: #bounds));
                    syn::parse_quote!(#name)
                }
                ty => ty.clone(),
            });
        }
        let predicates =
            sig.generics.where_clause.iter().flat_map(|clause| clause.predicates.iter().cloned()).collect();
        Some(Self { cfgs: cfgs(attrs).cloned().collect(), arguments, params, predicates })
    }
}

/// The functions of an impl with their attributes, in order.
pub(crate) fn functions(item: &ItemImpl) -> impl Iterator<Item = (&Signature, &[Attribute])> {
    item.items.iter().filter_map(|item| match item {
        ImplItem::Fn(function) => Some((&function.sig, &function.attrs[..])),
        _ => None,
    })
}

pub(crate) fn self_by(sig: &Signature) -> SelfBy {
    match sig.receiver() {
        None => SelfBy::Nothing,
        Some(Receiver { kind: ReceiverKind::Reference(..), .. }) => SelfBy::Reference,
        Some(Receiver { kind: ReceiverKind::Typed(_, ty), .. }) => match plain(ty) {
            Type::Reference(reference) if is_keyword_self(&reference.elem) => SelfBy::Reference,
            _ => SelfBy::Value,
        },
        Some(_) => SelfBy::Value,
    }
}

/// `Self`, or the type's name spelled as in the impl's head.
fn is_self(ty: &Type, self_ty: &Type) -> bool {
    is_keyword_self(ty) || plain(ty) == plain(self_ty)
}

fn is_keyword_self(ty: &Type) -> bool {
    matches!(plain(ty), Type::Path(path) if path.path.is_ident("Self"))
}

/// The type without parentheses, and without the invisible group in which a `macro_rules!` passes it on.
pub(crate) fn plain(ty: &Type) -> &Type {
    match ty {
        Type::Group(group) => plain(&group.elem),
        Type::Paren(paren) => plain(&paren.elem),
        other => other,
    }
}

fn first_argument(path: &Path) -> Option<Type> {
    let PathArguments::AngleBracketed(arguments) = &path.segments.last()?.arguments else { return None };
    arguments.args.iter().find_map(|argument| match argument {
        syn::GenericArgument::Type(ty) => Some(ty.clone()),
        _ => None,
    })
}
