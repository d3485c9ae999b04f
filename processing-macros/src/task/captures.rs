//! Finds what a closure uses of its surroundings.
//!
//! Types are not known here, so this reads names: a lower-case name that stands for a value, is not called like a
//! function and is not declared inside, is a variable from outside. What that gets wrong, a list of captures puts
//! right.

use std::collections::HashSet;

use syn::parse::{ParseStream, Parser as _};
use syn::punctuated::Punctuated;
use syn::visit::{self, Visit};
use syn::{
    AngleBracketedGenericArguments, Arm, Attribute, Block, Expr, ExprCall, ExprClosure, ExprConst,
    ExprForLoop, ExprIf, ExprLit, ExprPath, ExprRepeat, ExprWhile, Ident, Item, Lit, LitStr, Local, Macro,
    Pat, PatIdent, Stmt, Token, Type,
};

use super::format;

/// What was found in a closure.
#[derive(Default)]
pub(crate) struct Captures {
    /// Each variable from outside, where it is used first.
    pub(crate) variables: Vec<Ident>,
    /// Each use of `self`.
    pub(crate) selves: Vec<Ident>,
    /// What is declared at this place, by block.
    scopes: Vec<HashSet<String>>,
}

impl Captures {
    /// Everything that this closure uses and does not declare.
    pub(crate) fn of(closure: &ExprClosure) -> Self {
        let mut captures = Self::default();
        captures.visit_expr_closure(closure);
        captures
    }

    fn scoped(&mut self, inside: impl FnOnce(&mut Self)) {
        self.scopes.push(HashSet::new());
        inside(self);
        self.scopes.pop();
    }

    fn declare(&mut self, name: &Ident) {
        if let Some(scope) = self.scopes.last_mut() {
            scope.insert(name.to_string());
        }
    }

    /// Declares the variables of a pattern.
    fn bind(&mut self, pat: &Pat) {
        let mut names = Names(Vec::new());
        names.visit_pat(pat);
        for name in &names.0 {
            self.declare(name);
        }
    }

    fn used(&mut self, name: &Ident) {
        let spelled = name.to_string();
        if spelled == "self" {
            self.selves.push(name.clone());
        } else if is_variable(&spelled)
            && !self.scopes.iter().any(|scope| scope.contains(&spelled))
            && !self.variables.contains(name)
        {
            self.variables.push(name.clone());
        }
    }

    /// Reads a macro's tokens as the expressions that they are for most macros.
    fn arguments(&mut self, written: &Macro) {
        let Some(name) = written.path.segments.last().map(|last| last.ident.to_string()) else { return };
        let tokens = written.tokens.clone();
        if name == "matches" {
            if let Ok((value, pat, guard)) = matched.parse2(tokens) {
                self.visit_expr(&value);
                self.scoped(|inside| {
                    inside.bind(&pat);
                    guard.iter().for_each(|guard| inside.visit_expr(guard));
                });
            }
        } else if let Ok(arguments) =
            Punctuated::<Argument, Token![,]>::parse_terminated.parse2(tokens.clone())
        {
            let named: Vec<String> =
                arguments.iter().filter_map(|one| Some(one.name.as_ref()?.to_string())).collect();
            for Argument { value, .. } in &arguments {
                match value {
                    Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) if format::is_formatting(&name) => {
                        self.formatted(text, &named);
                    }
                    value => self.visit_expr(value),
                }
            }
        } else if let Ok((value, count)) = repeated.parse2(tokens) {
            self.visit_expr(&value);
            self.visit_expr(&count);
        }
        // Anything else is a language of its own, in which a word may mean anything.
    }

    fn formatted(&mut self, text: &LitStr, named: &[String]) {
        for name in format::names(&text.value()) {
            if !named.contains(&name) {
                self.used(&Ident::new(&name, text.span()));
            }
        }
    }
}

impl<'ast> Visit<'ast> for Captures {
    fn visit_expr_path(&mut self, path: &'ast ExprPath) {
        if let (None, Some(name)) = (&path.qself, path.path.get_ident()) {
            self.used(name);
        }
    }

    fn visit_expr_call(&mut self, call: &'ast ExprCall) {
        // `f(x)` calls a function; a variable can hold none that travels.
        if !matches!(&*call.func, Expr::Path(path) if path.path.get_ident().is_some()) {
            self.visit_expr(&call.func);
        }
        call.args.iter().for_each(|argument| self.visit_expr(argument));
    }

    fn visit_expr_closure(&mut self, closure: &'ast ExprClosure) {
        self.scoped(|inside| {
            closure.inputs.iter().for_each(|input| inside.bind(input));
            inside.visit_expr(&closure.body);
        });
    }

    fn visit_block(&mut self, block: &'ast Block) {
        self.scoped(|inside| {
            // Items are known in the whole block, also above the place where they stand.
            for statement in &block.stmts {
                match statement {
                    Stmt::Item(Item::Fn(item)) => inside.declare(&item.sig.ident),
                    Stmt::Item(Item::Const(item)) => inside.declare(&item.ident),
                    Stmt::Item(Item::Static(item)) => inside.declare(&item.ident),
                    _ => {}
                }
            }
            visit::visit_block(inside, block);
        });
    }

    fn visit_local(&mut self, local: &'ast Local) {
        if let Some(init) = &local.init {
            self.visit_local_init(init);
        }
        self.bind(&local.pat);
    }

    fn visit_expr_let(&mut self, condition: &'ast syn::ExprLet) {
        self.visit_expr(&condition.expr);
        self.bind(&condition.pat);
    }

    fn visit_expr_if(&mut self, branch: &'ast ExprIf) {
        self.scoped(|inside| {
            inside.visit_expr(&branch.cond);
            inside.visit_block(&branch.then_branch);
        });
        if let Some((_, other)) = &branch.else_branch {
            self.visit_expr(other);
        }
    }

    fn visit_expr_while(&mut self, repeated: &'ast ExprWhile) {
        self.scoped(|inside| {
            inside.visit_expr(&repeated.cond);
            inside.visit_block(&repeated.body);
        });
    }

    fn visit_expr_for_loop(&mut self, repeated: &'ast ExprForLoop) {
        self.visit_expr(&repeated.expr);
        self.scoped(|inside| {
            inside.bind(&repeated.pat);
            inside.visit_block(&repeated.body);
        });
    }

    fn visit_arm(&mut self, arm: &'ast Arm) {
        self.scoped(|inside| {
            inside.bind(&arm.pat);
            // Of a pattern, only the guard is made of variables.
            inside.visit_pat(&arm.pat);
            inside.visit_expr(&arm.body);
        });
    }

    fn visit_pat(&mut self, pat: &'ast Pat) {
        if let Pat::Guard(guarded) = pat {
            self.visit_expr(&guarded.guard);
        }
    }

    fn visit_expr_repeat(&mut self, repeated: &'ast ExprRepeat) {
        self.visit_expr(&repeated.expr); // the length is a constant
    }

    fn visit_macro(&mut self, written: &'ast Macro) {
        self.arguments(written);
    }

    // None of these can see a local variable.
    fn visit_item(&mut self, _: &'ast Item) {}
    fn visit_type(&mut self, _: &'ast Type) {}
    fn visit_expr_const(&mut self, _: &'ast ExprConst) {}
    fn visit_angle_bracketed_generic_arguments(&mut self, _: &'ast AngleBracketedGenericArguments) {}
    fn visit_attribute(&mut self, _: &'ast Attribute) {}
}

/// The variables that a pattern declares.
struct Names(Vec<Ident>);

impl<'ast> Visit<'ast> for Names {
    fn visit_pat_ident(&mut self, pat: &'ast PatIdent) {
        // `None` is no variable, though only its spelling says so.
        if pat.subpat.is_some() || is_variable(&pat.ident.to_string()) {
            self.0.push(pat.ident.clone());
        }
        visit::visit_pat_ident(self, pat);
    }

    fn visit_expr(&mut self, _: &'ast Expr) {}
    fn visit_type(&mut self, _: &'ast Type) {}
}

/// One argument of a macro: `value` or `name = value`.
struct Argument {
    name: Option<Ident>,
    value: Expr,
}

impl syn::parse::Parse for Argument {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let named = input.peek(Ident) && input.peek2(Token![=]) && !input.peek2(Token![==]);
        let name = if named {
            let name = input.parse()?;
            input.parse::<Token![=]>()?;
            Some(name)
        } else {
            None
        };
        Ok(Self { name, value: input.parse()? })
    }
}

/// The inside of `matches!`.
fn matched(input: ParseStream<'_>) -> syn::Result<(Expr, Pat, Option<Expr>)> {
    let value = input.parse()?;
    input.parse::<Token![,]>()?;
    let pat = Pat::parse_multi_with_leading_vert(input)?;
    let guard = if input.peek(Token![if]) {
        input.parse::<Token![if]>()?;
        Some(input.parse()?)
    } else {
        None
    };
    input.parse::<Option<Token![,]>>()?;
    Ok((value, pat, guard))
}

/// The inside of `vec![value; count]`.
fn repeated(input: ParseStream<'_>) -> syn::Result<(Expr, Expr)> {
    let value = input.parse()?;
    input.parse::<Token![;]>()?;
    Ok((value, input.parse()?))
}

/// Variables begin with a small letter; constants, variants and types with a capital one.
fn is_variable(name: &str) -> bool {
    name.trim_start_matches("r#").chars().find(|c| c.is_alphabetic()).is_some_and(char::is_lowercase)
}
