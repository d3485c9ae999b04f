//! What a closure must be to travel as a function and its captures.

use proc_macro2::TokenStream;
use quote::ToTokens as _;
use syn::{Expr, ExprClosure, Pat, Token, Type};

use super::captures::Captures;
use super::parse::{Capture, Written};
use crate::complaints::Complaints;

/// How many captures the runtime has tuples for.
const MOST: usize = 12;

/// A closure, and the variables that travel with it.
pub(crate) struct Task {
    pub(crate) captures: Vec<Capture>,
    pub(crate) closure: ExprClosure,
}

impl Task {
    pub(crate) fn check(written: Written, complaints: &mut Complaints) -> Option<Self> {
        let mut closure = match written.body {
            Expr::Closure(closure) => closure,
            Expr::Path(function) => {
                complaints.about(function, "a function travels as it is; use it without `task!`");
                return None;
            }
            other => {
                complaints.about(other, "a task is a closure; write `task!(|item: Item| …)`");
                return None;
            }
        };
        if let Some(asyncness) = &closure.asyncness {
            complaints.about(asyncness, "a task runs to its end in a worker of its own; remove `async`");
        }
        for input in &closure.inputs {
            argument(input, complaints);
        }
        let found = Captures::of(&closure);
        for this in &found.selves {
            complaints.about(
                this,
                "`self` does not travel with a task; list what you need of it: `task!([n = self.n] |…| …)`",
            );
        }
        let captures = match written.listed {
            Some(listed) => {
                distinct(&listed, complaints);
                listed
            }
            None => found.variables.into_iter().map(Capture::of).collect(),
        };
        if let Some(surplus) = captures.get(MOST) {
            complaints
                .about(&surplus.name, format!("a task has room for {MOST} captures; put some in a struct"));
        }
        // What it uses moves in: the worker's copy belongs to the closure.
        closure.capture = Some(<Token![move]>::default());
        Some(Self { captures, closure })
    }
}

impl Capture {
    fn of(name: syn::Ident) -> Self {
        let path = syn::ExprPath { attrs: Vec::new(), qself: None, path: name.clone().into() };
        Self { name, value: Expr::Path(path) }
    }
}

/// The type of an item must be known where it is decoded, and the item belongs to who decoded it.
fn argument(input: &Pat, complaints: &mut Complaints) {
    match input {
        Pat::Type(typed) => {
            if let Type::Reference(reference) = &*typed.ty {
                let advice = match spelled(reference.elem.to_token_stream()).as_str() {
                    "str" => "`String`".to_owned(),
                    other if other.starts_with('[') => format!("`Vec<{}>`", other.trim_matches(['[', ']'])),
                    other => format!("`{other}`"),
                };
                complaints.about(
                    reference,
                    format!("an argument arrives from another process and has nothing to borrow from; take {advice}"),
                );
            }
        }
        other => {
            let name = spelled(other.to_token_stream());
            complaints.about(other, format!("say what arrives here: `|{name}: Item|`"));
        }
    }
}

fn distinct(listed: &[Capture], complaints: &mut Complaints) {
    for (place, capture) in listed.iter().enumerate() {
        if listed[..place].iter().any(|other| other.name == capture.name) {
            complaints
                .about(&capture.name, format!("`{}` is listed twice; remove one of them", capture.name));
        }
    }
}

fn spelled(tokens: TokenStream) -> String {
    tokens.to_string().replace(' ', "")
}
