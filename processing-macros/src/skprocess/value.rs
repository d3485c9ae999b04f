//! What may stand behind an argument's `=`: a literal, checked here, or any other constant expression, left to
//! the compiler.

use proc_macro2::{Literal, TokenStream};
use quote::{ToTokens as _, quote};
use syn::{Expr, ExprLit, ExprUnary, Lit, UnOp};

use super::duration::Nanos;

/// A number an argument asks for, and how small it may be.
pub(crate) struct Number {
    pub(crate) name: &'static str,
    pub(crate) least: u64,
    pub(crate) most: u64,
    /// What to write instead of a number that is too small.
    pub(crate) advice: &'static str,
}

impl Number {
    pub(crate) fn read(&self, written: &Expr) -> syn::Result<TokenStream> {
        let name = self.name;
        let wrong = |message: String| Err(syn::Error::new_spanned(written, message));
        match plain(written) {
            Expr::Lit(ExprLit { lit: Lit::Int(int), .. }) => {
                let Ok(value) = int.base10_parse::<u64>() else {
                    return wrong(format!("`{name}` is at most {}", self.most));
                };
                if value < self.least {
                    return wrong(format!("`{name}` is at least {}; {}", self.least, self.advice));
                }
                if value > self.most {
                    return wrong(format!("`{name}` is at most {}", self.most));
                }
                let mut number = Literal::u64_unsuffixed(value);
                number.set_span(int.span());
                Ok(number.into_token_stream())
            }
            Expr::Lit(_) => wrong(format!("`{name}` is a number; write it without quotes, like `3`")),
            Expr::Unary(ExprUnary { op: UnOp::Neg(_), .. }) => wrong(format!("`{name}` cannot be negative")),
            other => Ok(quote!(#other)),
        }
    }
}

/// A duration an argument asks for.
pub(crate) struct Length {
    pub(crate) name: String,
    /// What to write instead of a zero, where zero makes no sense.
    pub(crate) zero: Option<&'static str>,
}

impl Length {
    pub(crate) fn read(&self, written: &Expr) -> syn::Result<TokenStream> {
        let name = &self.name;
        let wrong = |message: String| Err(syn::Error::new_spanned(written, message));
        match plain(written) {
            Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => {
                let nanos = Nanos::read(text)?;
                match self.zero {
                    Some(advice) if nanos.is_zero() => {
                        wrong(format!("`{name}` must be longer than zero; {advice}"))
                    }
                    _ => Ok(nanos.tokens()),
                }
            }
            Expr::Lit(ExprLit { lit: lit @ (Lit::Int(_) | Lit::Float(_)), .. }) => {
                let number = lit.to_token_stream();
                wrong(format!("a duration needs a unit; write `{name} = \"{number}s\"` or `\"{number}ms\"`"))
            }
            Expr::Lit(_) => wrong(format!("`{name}` is a duration; write `{name} = \"30s\"`")),
            Expr::Unary(ExprUnary { op: UnOp::Neg(_), .. }) => wrong(format!("`{name}` cannot be negative")),
            other => Ok(quote!(#other)),
        }
    }
}

/// The expression without the invisible group a `macro_rules!` variable comes in, and without parentheses.
pub(crate) fn plain(written: &Expr) -> &Expr {
    match written {
        Expr::Group(group) => plain(&group.expr),
        Expr::Paren(paren) => plain(&paren.expr),
        other => other,
    }
}
