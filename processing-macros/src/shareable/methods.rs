//! A type's own methods, callable on its handle.

use proc_macro2::{Group, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote};
use syn::ext::IdentExt as _;
use syn::punctuated::Punctuated;
use syn::{
    Attribute, FnArg, Ident, ImplItem, ImplItemFn, ItemImpl, PatType, Path, ReceiverKind, ReturnType, Token,
    Type, parse_quote,
};

use super::parse::TypeSettings;
use crate::complaints::Complaints;

/// Writes the impl of the handle, and takes our attributes off the methods.
pub(super) fn expand(
    arguments: TokenStream,
    written: &mut ItemImpl,
    complaints: &mut Complaints,
) -> Option<TokenStream> {
    if let Some((path, _)) = &written.trait_ {
        complaints.about(
            path,
            "only a type's own methods can be called on its handle; put them into an impl without a trait",
        );
        return None;
    }
    let Type::Path(ty) = &*written.self_ty else {
        complaints.about(&written.self_ty, "name the type that has `#[derive(Shareable)]`");
        return None;
    };
    let path = ty.path.clone();
    let last = path.segments.last()?;
    let mut settings = TypeSettings::of(&last.ident.unraw());
    settings.handle.set_span(last.ident.span());
    settings.read_arguments(arguments, complaints);
    let mut handle = path.clone();
    if let Some(segment) = handle.segments.last_mut() {
        segment.ident = settings.handle.clone();
    }
    let mut methods = Vec::new();
    for item in &mut written.items {
        if let ImplItem::Fn(method) = item {
            let skipped = take_skip(&mut method.attrs, complaints);
            if !skipped {
                methods.extend(forward(method, &path, &settings, complaints));
            }
        }
    }
    let (impl_generics, _, where_clause) = written.generics.split_for_impl();
    Some(quote! {
        #[allow(dead_code, reason = "not every method is called on the handle")]
        impl #impl_generics #handle #where_clause {
            #(#methods)*
        }
    })
}

/// Removes `#[shareable(skip)]` and says whether it was there.
fn take_skip(attributes: &mut Vec<Attribute>, complaints: &mut Complaints) -> bool {
    let mut skipped = false;
    attributes.retain(|attribute| {
        if !attribute.path().is_ident("shareable") {
            return true;
        }
        complaints.catch(attribute.parse_nested_meta(|meta| {
            skipped = true;
            if meta.path.is_ident("skip") {
                Ok(())
            } else {
                Err(meta.error("a method can be left out: `#[shareable(skip)]`"))
            }
        }));
        false
    });
    skipped
}

/// The handle's method for one of the type's; nothing for a function without a receiver by reference.
fn forward(
    method: &ImplItemFn,
    path: &Path,
    settings: &TypeSettings,
    complaints: &mut Complaints,
) -> Option<TokenStream> {
    let signature = &method.sig;
    let receiver = signature.receiver()?;
    let exclusive = match &receiver.kind {
        ReceiverKind::Reference(_, _, mutability) => mutability.is_some(),
        _ => return None,
    };
    const LEFT_OUT: &str = "or leave the method out with `#[shareable(skip)]`";
    if let Some(asyncness) = &signature.asyncness {
        complaints.about(
            asyncness,
            format!("an operation on a share cannot be suspended; drop the `async`, {LEFT_OUT}"),
        );
        return None;
    }
    if let ReturnType::Type(_, output) = &signature.output
        && borrows(&output.to_token_stream())
    {
        complaints.about(
            output,
            format!("what a shared method returns cannot borrow from the state; return it owned, {LEFT_OUT}"),
        );
        return None;
    }
    let runtime = settings.runtime.path();
    let (name, vis) = (&signature.ident, &method.vis);
    let mut inputs = Punctuated::<FnArg, Token![,]>::new();
    let mut passed: Vec<Ident> = Vec::new();
    for (index, input) in signature.inputs.iter().enumerate().skip(1) {
        let FnArg::Typed(PatType { ty, .. }) = input else { continue };
        let argument = format_ident!("argument{index}");
        let ty = plain_self(ty.to_token_stream(), path);
        inputs.push(parse_quote!(#argument: #ty));
        passed.push(argument);
    }
    let output = plain_self(signature.output.to_token_stream(), path);
    let (generics, _, where_clause) = signature.generics.split_for_impl();
    let where_clause = plain_self(where_clause.to_token_stream(), path);
    let copied = method.attrs.iter().filter(|attribute| {
        ["doc", "cfg", "must_use", "deprecated"].iter().any(|kept| attribute.path().is_ident(kept))
    });
    let turbofish = path_expression(path);
    let call = if exclusive {
        quote! {
            #runtime::ShareHandle::update(self, |plain: &mut #path| #turbofish::#name(plain #(, #passed)*))
        }
    } else {
        quote! {
            let plain: #path = #runtime::ShareHandle::snapshot(self);
            #turbofish::#name(&plain #(, #passed)*)
        }
    };
    Some(quote! {
        #(#copied)*
        #[track_caller]
        #vis fn #name #generics (&self, #inputs) #output #where_clause {
            #call
        }
    })
}

/// The type as the beginning of a path: `<State<T>>`.
fn path_expression(path: &Path) -> TokenStream {
    quote!(<#path>)
}

/// Whether a type speaks of a borrow that is not `'static`.
fn borrows(tokens: &TokenStream) -> bool {
    let tokens: Vec<TokenTree> = tokens.clone().into_iter().collect();
    tokens.iter().enumerate().any(|(index, token)| match token {
        TokenTree::Group(group) => borrows(&group.stream()),
        TokenTree::Punct(mark) if mark.as_char() == '&' => {
            let lifetime =
                matches!(tokens.get(index + 1), Some(TokenTree::Punct(mark)) if mark.as_char() == '\'');
            !lifetime
        }
        TokenTree::Punct(mark) if mark.as_char() == '\'' => {
            !matches!(tokens.get(index + 1), Some(TokenTree::Ident(name)) if name == "static")
        }
        _ => false,
    })
}

/// `Self` is the plain type, also where the method stands on the handle.
fn plain_self(tokens: TokenStream, path: &Path) -> TokenStream {
    tokens
        .into_iter()
        .flat_map(|token| match token {
            TokenTree::Ident(name) if name == "Self" => path_expression(path),
            TokenTree::Group(group) => {
                let mut new = Group::new(group.delimiter(), plain_self(group.stream(), path));
                new.set_span(group.span());
                TokenTree::Group(new).into_token_stream()
            }
            other => other.into_token_stream(),
        })
        .collect()
}
