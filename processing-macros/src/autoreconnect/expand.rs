//! The credentials as the runtime wants them, built only when a connection is about to be made.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::Ident;
use syn::spanned::Spanned as _;

use super::check::{Credential, Credentials, Provider};

impl Credentials {
    /// The `credentials` method of a process type.
    pub(crate) fn tokens(&self) -> TokenStream {
        // Functions and paths that a user wrote are evaluated here, and must not see this local.
        let credentials = Ident::new("credentials", Span::mixed_site());
        let inserts = self.known.iter().map(|Credential { ty, name, provider }| {
            let provider = provider.tokens();
            let insert = Ident::new("insert", ty.span());
            quote! { #credentials.#insert::<#ty>(#name, #provider); }
        });
        quote! {
            fn credentials() -> __rt::Credentials {
                let mut #credentials = __rt::Credentials::new();
                #(#inserts)*
                #credentials
            }
        }
    }
}

impl Provider {
    fn tokens(&self) -> TokenStream {
        match self {
            Self::Env(name) => quote_spanned! {name.span()=> __rt::Provider::env(#name) },
            Self::File(path) => quote_spanned! {path.span()=> __rt::Provider::file(#path) },
            Self::Function(path) => quote_spanned! {path.span()=> __rt::Provider::function(#path) },
            Self::Literal(secret) => quote_spanned! {secret.span()=> __rt::Provider::literal(#secret) },
        }
    }
}
