//! The grammar: `|x: T| …`, or `[factor, n = self.n] |x: T| …`.

use proc_macro2::Span;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Expr, Ident, Token, bracketed, token};

/// What stands between the parentheses of `task!`.
pub(crate) struct Written {
    /// The list of captures, if there is one.
    pub(crate) listed: Option<Vec<Capture>>,
    pub(crate) body: Expr,
}

/// A variable of the closure, and what is in it.
pub(crate) struct Capture {
    pub(crate) name: Ident,
    pub(crate) value: Expr,
}

impl Parse for Written {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let mut list = None;
        let listed = if input.peek(token::Bracket) {
            let content;
            list = Some(bracketed!(content in input).span.join());
            Some(Punctuated::<Capture, Token![,]>::parse_terminated(&content)?.into_iter().collect())
        } else {
            None
        };
        if input.is_empty() {
            let place = list.unwrap_or_else(Span::call_site);
            return Err(syn::Error::new(place, "a closure is missing; write `task!(|item: Item| …)`"));
        }
        let body = input.parse()?;
        input.parse::<Option<Token![,]>>()?;
        Ok(Self { listed, body })
    }
}

impl Parse for Capture {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        const FORM: &str = "name what the closure uses: `[factor, n = self.n]`";
        if input.peek(Token![self]) {
            return Err(input.error("give what you need of `self` a name: `[n = self.n]`"));
        }
        if !input.peek(Ident) {
            return Err(input.error(FORM));
        }
        let name: Ident = input.parse()?;
        let value = if input.peek(Token![=]) {
            input.parse::<Token![=]>()?;
            input.parse()?
        } else if input.is_empty() || input.peek(Token![,]) {
            Expr::Path(syn::ExprPath { attrs: Vec::new(), qself: None, path: name.clone().into() })
        } else {
            return Err(input.error(FORM));
        };
        Ok(Self { name, value })
    }
}
