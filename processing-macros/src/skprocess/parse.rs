//! The grammar of the attribute's arguments: `lives = 3, timeouts(run = "30s"), restart(5, within = "60s")`.
//!
//! Only the shape is read here; which words there are and what they take is [`super::check`]'s affair.

use proc_macro2::TokenStream;
use syn::ext::IdentExt as _;
use syn::parse::{Parse, ParseStream, Parser as _};
use syn::punctuated::Punctuated;
use syn::{Expr, Ident, Token, parenthesized, token};

use crate::complaints::Complaints;

/// One argument.
pub(crate) struct Setting {
    pub(crate) key: Ident,
    pub(crate) value: Value,
}

/// What follows an argument's name.
pub(crate) enum Value {
    /// `key`
    Nothing,
    /// `key = value`
    Is(Expr),
    /// `key(…)`
    List(Vec<Entry>),
}

/// One element of `key(…)`.
pub(crate) struct Entry {
    pub(crate) key: Option<Ident>,
    pub(crate) value: Expr,
}

impl Parse for Setting {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let key = input.call(Ident::parse_any)?;
        let value = if input.peek(Token![=]) {
            input.parse::<Token![=]>()?;
            Value::Is(input.parse()?)
        } else if input.peek(token::Paren) {
            let content;
            parenthesized!(content in input);
            let entries = Punctuated::<Entry, Token![,]>::parse_terminated(&content)?;
            Value::List(entries.into_iter().collect())
        } else if input.peek(Token![:]) {
            return Err(input.error(format!("write `{key} = …`")));
        } else {
            Value::Nothing
        };
        Ok(Self { key, value })
    }
}

impl Parse for Entry {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let named = input.peek(Ident::peek_any) && input.peek2(Token![=]) && !input.peek2(Token![==]);
        let key = if named {
            let key = input.call(Ident::parse_any)?;
            input.parse::<Token![=]>()?;
            Some(key)
        } else {
            None
        };
        Ok(Self { key, value: input.parse()? })
    }
}

/// Reads all arguments, or complains about the first token that fits no grammar.
pub(crate) fn settings(arguments: TokenStream, complaints: &mut Complaints) -> Vec<Setting> {
    let parsed = Punctuated::<Setting, Token![,]>::parse_terminated.parse2(arguments);
    complaints.catch(parsed).into_iter().flatten().collect()
}
