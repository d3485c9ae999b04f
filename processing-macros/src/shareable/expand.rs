//! The handle of a type, and how values of the type get into a share and out of it.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::Ident;
use syn::ext::IdentExt as _;
use syn::spanned::Spanned as _;

use super::check::{Body, Part, Shape, Shared, Variant};
use super::parse::Kept;

/// Everything the derive comes to.
pub(super) fn expand(shared: &Shared<'_>) -> TokenStream {
    let declaration = declaration(shared);
    let alias = shared.settings.runtime.alias();
    let shareable = shareable(shared);
    let handle = match &shared.body {
        Body::Struct { parts, shape } => struct_handle(shared, parts, *shape),
        Body::Enum(_) => enum_handle(shared),
    };
    quote! {
        #declaration
        const _: () = {
            #alias
            #shareable
            #handle
        };
    }
}

/// The local variables of the expansion, out of the user's reach.
fn local(name: &str) -> Ident {
    Ident::new(name, Span::mixed_site())
}

/// The handle type itself, which stands beside the type so that it has a name.
fn declaration(shared: &Shared<'_>) -> TokenStream {
    let (name, handle, vis, runtime) =
        (shared.name, &shared.settings.handle, shared.vis, shared.settings.runtime.path());
    let (impl_generics, type_generics, where_clause) = shared.generics.split_for_impl();
    let docs = format!("Stands for a shared [`{name}`].");
    let silence = quote! { #[allow(dead_code, reason = "fields may be shared without being read")] };
    let plain = quote! { #runtime::core::marker::PhantomData<fn() -> #name #type_generics> };
    let place = format_ident!("__place");
    let of = format_ident!("__plain");
    match &shared.body {
        Body::Enum(_) => quote! {
            #[doc = #docs]
            #silence
            #vis struct #handle #impl_generics #where_clause {
                #place: #runtime::Place,
                #of: #plain,
            }
        },
        Body::Struct { parts, shape } => {
            let fields = parts.iter().filter(|part| part.kept != Kept::Skipped).map(|part| {
                let (vis, ty, member) = (&part.field.vis, part.ty(), &part.field.ident);
                let docs = part.field.attrs.iter().filter(|attribute| attribute.path().is_ident("doc"));
                let colon = member.as_ref().map(|_| quote!(:));
                let handle = match part.kept {
                    Kept::Value => quote!(#runtime::share::ValueHandle<#ty>),
                    _ => quote_spanned!(ty.span()=> <#ty as #runtime::Shareable>::Handle),
                };
                let docs = if part.field.attrs.iter().any(|attribute| attribute.path().is_ident("doc")) {
                    quote!(#(#docs)*)
                } else {
                    quote!(#[doc = "The shared field of this name."])
                };
                quote! { #docs #vis #member #colon #handle }
            });
            match shape {
                Shape::Tuple => quote! {
                    #[doc = #docs]
                    #silence
                    #vis struct #handle #impl_generics (#(#fields,)* #runtime::Place, #plain) #where_clause;
                },
                _ => quote! {
                    #[doc = #docs]
                    #silence
                    #vis struct #handle #impl_generics #where_clause {
                        #(#fields,)*
                        #place: #runtime::Place,
                        #of: #plain,
                    }
                },
            }
        }
    }
}

fn shareable(shared: &Shared<'_>) -> TokenStream {
    let (name, handle) = (shared.name, &shared.settings.handle);
    let (impl_generics, type_generics, where_clause) = shared.generics.split_for_impl();
    let (view, writer, at, place) = (local("view"), local("writer"), local("at"), local("place"));
    let (words, make, load, store, free) = match &shared.body {
        Body::Struct { parts, shape } => {
            let words = parts.iter().map(Part::words);
            let pattern = pattern(parts);
            let (load, store, free) = (load(parts), store(parts), free(parts));
            (
                quote!(0 #(+ #words)*),
                struct_value(handle, parts, *shape),
                quote! { #load __rt::core::result::Result::Ok(Self { #pattern }) },
                quote! { let Self { #pattern } = self; #store __rt::core::result::Result::Ok(()) },
                quote! { #free __rt::core::result::Result::Ok(()) },
            )
        }
        Body::Enum(variants) => {
            let words = variants.iter().map(|variant| {
                let words = variant.parts.iter().map(Part::words);
                quote!(0 #(+ #words)*)
            });
            (
                quote!(1 + __rt::share::most(&[#(#words),*])),
                quote!(#handle { __place: #place, __plain: __rt::core::marker::PhantomData }),
                enum_load(variants),
                enum_store(variants),
                enum_free(variants),
            )
        }
    };
    quote! {
        #[automatically_derived]
        #[allow(unused_variables, reason = "a type may have nothing to share")]
        impl #impl_generics __rt::Shareable for #name #type_generics #where_clause {
            type Handle = #handle #type_generics;

            const WORDS: u64 = #words;

            fn handle(#place: __rt::Place) -> Self::Handle {
                #make
            }

            fn load(#view: &__rt::share::View<'_>, #at: u64) -> __rt::core::result::Result<Self, __rt::ShareError> {
                #load
            }

            fn store(&self, #writer: &mut __rt::share::Writer<'_>, #at: u64) -> __rt::core::result::Result<(), __rt::ShareError> {
                #store
            }

            fn free(#writer: &mut __rt::share::Writer<'_>, #at: u64) -> __rt::core::result::Result<(), __rt::ShareError> {
                #free
            }
        }
    }
}

/// The fields of a struct or variant, each bound to its local: fits a pattern and an expression.
fn pattern(parts: &[Part<'_>]) -> TokenStream {
    let fields = parts.iter().map(|part| {
        let (member, local) = (&part.member, &part.local);
        quote!(#member: #local)
    });
    quote!(#(#fields),*)
}

/// The value of a struct's handle.
fn struct_value(handle: &Ident, parts: &[Part<'_>], shape: Shape) -> TokenStream {
    let (place, at) = (local("place"), local("at"));
    let shared: Vec<&Part<'_>> = parts.iter().filter(|part| part.kept != Kept::Skipped).collect();
    let made = shared.iter().map(|part| {
        let (name, ty, words) = (&part.local, part.ty(), part.words());
        let make = match part.kept {
            Kept::Value => quote!(__rt::share::value_handle::<#ty>),
            _ => quote!(<#ty as __rt::Shareable>::handle),
        };
        quote! {
            let #name = #make(__rt::Place::further(&#place, #at));
            let #at = #at + #words;
        }
    });
    let locals = shared.iter().map(|part| &part.local);
    let value = if shape == Shape::Tuple {
        quote!(#handle(#(#locals,)* #place, __rt::core::marker::PhantomData))
    } else {
        let members = shared.iter().map(|part| &part.member);
        quote!(#handle { #(#members: #locals,)* __place: #place, __plain: __rt::core::marker::PhantomData })
    };
    quote! { let #at = 0u64; #(#made)* #value }
}

/// Binds each field's local to what is stored, one after the other.
fn load(parts: &[Part<'_>]) -> TokenStream {
    let (view, at) = (local("view"), local("at"));
    let loads = parts.iter().map(|part| {
        let (name, ty, words) = (&part.local, part.ty(), part.words());
        let load = match part.kept {
            Kept::Own => quote!(<#ty as __rt::Shareable>::load(#view, #at)?),
            Kept::Value => quote!(__rt::share::load_value::<#ty>(#view, #at)?),
            Kept::Skipped => quote!(<#ty as __rt::core::default::Default>::default()),
        };
        quote! { let #name = #load; let #at = #at + 8 * #words; }
    });
    quote!(#(#loads)*)
}

/// Stores what each field's local refers to.
fn store(parts: &[Part<'_>]) -> TokenStream {
    let (writer, at) = (local("writer"), local("at"));
    let stores = parts.iter().map(|part| {
        let (name, ty, words) = (&part.local, part.ty(), part.words());
        let store = match part.kept {
            Kept::Own => quote!(<#ty as __rt::Shareable>::store(#name, #writer, #at)?;),
            Kept::Value => quote!(__rt::share::store_value::<#ty>(#name, #writer, #at)?;),
            Kept::Skipped => quote!(let _ = #name;),
        };
        quote! { #store let #at = #at + 8 * #words; }
    });
    quote!(#(#stores)*)
}

fn free(parts: &[Part<'_>]) -> TokenStream {
    let (writer, at) = (local("writer"), local("at"));
    let frees = parts.iter().map(|part| {
        let (ty, words) = (part.ty(), part.words());
        let free = match part.kept {
            Kept::Own => quote!(<#ty as __rt::Shareable>::free(#writer, #at)?;),
            Kept::Value => quote!(__rt::share::free_value(#writer, #at)?;),
            Kept::Skipped => quote!(),
        };
        quote! { #free let #at = #at + 8 * #words; }
    });
    quote!(#(#frees)*)
}

fn enum_load(variants: &[Variant<'_>]) -> TokenStream {
    let (view, at, count) = (local("view"), local("at"), variants.len() as u64);
    let arms = (0u64..).zip(variants).map(|(number, variant)| {
        let (name, pattern, load) = (variant.name, pattern(&variant.parts), load(&variant.parts));
        quote! {
            #number => {
                let #at = #at + 8;
                #load
                __rt::core::result::Result::Ok(Self::#name { #pattern })
            }
        }
    });
    quote! {
        match __rt::share::load_variant(#view, #at, #count)? {
            #(#arms)*
            _ => __rt::core::result::Result::Err(__rt::share::no_such_variant()),
        }
    }
}

fn enum_store(variants: &[Variant<'_>]) -> TokenStream {
    let (writer, at, count) = (local("writer"), local("at"), variants.len() as u64);
    let numbers = (0u64..).zip(variants).map(|(number, variant)| {
        let name = variant.name;
        quote!(Self::#name { .. } => #number,)
    });
    let arms = variants.iter().map(|variant| {
        let (name, pattern, store) = (variant.name, pattern(&variant.parts), store(&variant.parts));
        quote! {
            Self::#name { #pattern } => {
                let #at = #at + 8;
                #store
            }
        }
    });
    let number = local("number");
    quote! {
        let #number: u64 = match self { #(#numbers)* };
        if __rt::share::load_variant(#writer, #at, #count)? != #number {
            <Self as __rt::Shareable>::free(#writer, #at)?;
        }
        __rt::share::store_variant(#writer, #at, #number)?;
        match self { #(#arms)* }
        __rt::core::result::Result::Ok(())
    }
}

fn enum_free(variants: &[Variant<'_>]) -> TokenStream {
    let (writer, at, count) = (local("writer"), local("at"), variants.len() as u64);
    let arms = (0u64..).zip(variants).map(|(number, variant)| {
        let free = free(&variant.parts);
        quote! {
            #number => {
                let #at = #at + 8;
                #free
            }
        }
    });
    quote! {
        match __rt::share::load_variant(#writer, #at, #count)? {
            #(#arms)*
            _ => return __rt::core::result::Result::Err(__rt::share::no_such_variant()),
        }
        __rt::share::store_variant(#writer, #at, 0)
    }
}

/// What the handle of a struct can do.
fn struct_handle(shared: &Shared<'_>, parts: &[Part<'_>], shape: Shape) -> TokenStream {
    let (name, handle) = (shared.name, &shared.settings.handle);
    let (impl_generics, type_generics, where_clause) = shared.generics.split_for_impl();
    let kept: Vec<&Part<'_>> = parts.iter().filter(|part| part.kept != Kept::Skipped).collect();
    let members = (0u32..).zip(&kept).map(|(index, part)| match &part.field.ident {
        Some(name) => quote!(#name),
        None => {
            let index = syn::Index { index, span: Span::call_site() };
            quote!(#index)
        }
    });
    let labels = kept
        .iter()
        .map(|part| part.field.ident.as_ref().map(|name| name.unraw().to_string()).unwrap_or_default());
    let formatter = local("formatter");
    let title = name.to_string();
    let builder = if shape == Shape::Tuple { quote!(debug_tuple) } else { quote!(debug_struct) };
    let fields = members.zip(labels).map(|(member, label)| {
        let label = (shape != Shape::Tuple).then(|| quote!(#label,));
        quote! {{
            #[allow(unused_imports, reason = "one of the two is found")]
            use __rt::share::{ByDebug as _, ByName as _};
            #formatter.field(#label (&&__rt::share::Shown(&self.#member)).shown());
        }}
    });
    let place = if shape == Shape::Tuple {
        let index = syn::Index { index: kept.len() as u32, span: Span::call_site() };
        quote!(#index)
    } else {
        quote!(__place)
    };
    let handle_impl = handle_impl(shared, &place);
    quote! {
        #handle_impl

        #[automatically_derived]
        impl #impl_generics __rt::core::fmt::Debug for #handle #type_generics #where_clause {
            fn fmt(&self, #formatter: &mut __rt::core::fmt::Formatter<'_>) -> __rt::core::fmt::Result {
                let mut #formatter = #formatter.#builder(#title);
                #(#fields)*
                #formatter.finish()
            }
        }
    }
}

/// What the handle of an enum can do.
fn enum_handle(shared: &Shared<'_>) -> TokenStream {
    let (name, handle) = (shared.name, &shared.settings.handle);
    let (impl_generics, type_generics, where_clause) = shared.generics.split_for_impl();
    let handle_impl = handle_impl(shared, &quote!(__place));
    let mut comparing = shared.generics.clone();
    let other = local("Other");
    comparing.params.push(syn::parse_quote!(#other));
    comparing
        .make_where_clause()
        .predicates
        .push(syn::parse_quote!(#name #type_generics: __rt::core::cmp::PartialEq<#other>));
    let (comparing_generics, _, comparing_where) = comparing.split_for_impl();
    let vis = shared.vis;
    let set = quote! { __rt::ShareHandle::assign(self, value) };
    quote! {
        #handle_impl

        #[allow(dead_code, reason = "not every method of a handle is used")]
        impl #impl_generics #handle #type_generics #where_clause {
            /// The value.
            #[must_use]
            #[track_caller]
            #vis fn get(&self) -> #name #type_generics {
                __rt::ShareHandle::snapshot(self)
            }

            /// Assigns `value`.
            #[track_caller]
            #vis fn set(&self, value: #name #type_generics) {
                #set
            }

            /// Assigns `value` and returns what was there.
            #[track_caller]
            #vis fn replace(&self, value: #name #type_generics) -> #name #type_generics {
                __rt::ShareHandle::update(self, |before| __rt::core::mem::replace(before, value))
            }
        }

        #[automatically_derived]
        impl #comparing_generics __rt::core::cmp::PartialEq<#other> for #handle #type_generics #comparing_where {
            fn eq(&self, other: &#other) -> bool {
                __rt::core::cmp::PartialEq::eq(&__rt::ShareHandle::snapshot(self), other)
            }
        }

        #[automatically_derived]
        impl #impl_generics __rt::core::fmt::Debug for #handle #type_generics #where_clause {
            fn fmt(&self, formatter: &mut __rt::core::fmt::Formatter<'_>) -> __rt::core::fmt::Result {
                #[allow(unused_imports, reason = "one of the two is found")]
                use __rt::share::{ByDebug as _, ByName as _};
                let value = __rt::ShareHandle::snapshot(self);
                __rt::core::fmt::Debug::fmt((&&__rt::share::Shown(&value)).shown(), formatter)
            }
        }
    }
}

fn handle_impl(shared: &Shared<'_>, place: &TokenStream) -> TokenStream {
    let (name, handle) = (shared.name, &shared.settings.handle);
    let (impl_generics, type_generics, where_clause) = shared.generics.split_for_impl();
    quote! {
        #[automatically_derived]
        impl #impl_generics __rt::ShareHandle for #handle #type_generics #where_clause {
            type Plain = #name #type_generics;

            fn place(&self) -> &__rt::Place {
                &self.#place
            }
        }
    }
}
