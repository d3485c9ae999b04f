//! The grammar: `postgres::Client = { "*": env("PGPASSWORD"), "analytics": file("/run/secret") }, …`

use proc_macro2::Span;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Expr, LitStr, Token, Type, braced, token};

/// One type and the credentials of its fields.
pub(crate) struct Entry {
    pub(crate) ty: Type,
    pub(crate) braces: Span,
    pub(crate) credentials: Vec<Named>,
}

/// One credential: which field it is for, and where it comes from.
pub(crate) struct Named {
    pub(crate) name: LitStr,
    pub(crate) provider: Expr,
}

/// The whole argument list.
pub(crate) struct Entries(pub(crate) Vec<Entry>);

impl Parse for Entries {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        Ok(Self(Punctuated::<Entry, Token![,]>::parse_terminated(input)?.into_iter().collect()))
    }
}

impl Parse for Entry {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        const FORM: &str =
            "write the type and its credentials: `postgres::Client = { \"*\": env(\"PGPASSWORD\") }`";
        let ty = input.parse()?;
        if !input.peek(Token![=]) {
            return Err(input.error(FORM));
        }
        input.parse::<Token![=]>()?;
        if !input.peek(token::Brace) {
            return Err(input.error("put credentials in braces, by field: `{ \"*\": env(\"PGPASSWORD\") }`"));
        }
        let content;
        let braces = braced!(content in input).span.join();
        let credentials = Punctuated::<Named, Token![,]>::parse_terminated(&content)?;
        Ok(Self { ty, braces, credentials: credentials.into_iter().collect() })
    }
}

impl Parse for Named {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        if !input.peek(LitStr) {
            return Err(
                input.error("put the field's name in quotes, or write `\"*\"` for every field of this type")
            );
        }
        let name = input.parse()?;
        input.parse::<Token![:]>()?;
        Ok(Self { name, provider: input.parse()? })
    }
}
