use proc_macro2::TokenStream;
use quote::quote;
use syn::{ExprClosure, parse_quote};

use super::captures::Captures;
use super::*;

/// The variables that are found in a closure.
fn found(closure: ExprClosure) -> Vec<String> {
    Captures::of(&closure).variables.iter().map(ToString::to_string).collect()
}

fn complaints(input: TokenStream) -> Vec<String> {
    let mut complaints = Complaints::default();
    let written = complaints.catch(syn::parse2::<parse::Written>(input));
    written.and_then(|written| check::Task::check(written, &mut complaints));
    complaints.messages()
}

#[test]
fn what_is_used_and_not_declared_is_captured() {
    assert_eq!(found(parse_quote!(|x: i64| x * factor + offset * factor)), ["factor", "offset"]);
    assert_eq!(found(parse_quote!(|x: T| x.field.method(other.field)[index])), ["other", "index"]);
    assert_eq!(found(parse_quote!(|x: T| Point { x, y, z: depth, ..rest })), ["y", "depth", "rest"]);
    assert_eq!(
        found(parse_quote!(|x: T| (start..end, &mut_ref, !flag, -number, value as u8, *pointer))),
        ["start", "end", "mut_ref", "flag", "number", "value", "pointer"]
    );
    assert_eq!(
        found(parse_quote!(|x: T| {
            total += x;
            return answer;
        })),
        ["total", "answer"]
    );
    assert_eq!(found(parse_quote!(|x: T| (callback)(x))), ["callback"]);
    assert_eq!(found(parse_quote!(|x: T| [value; LENGTH])), ["value"]);
}

#[test]
fn what_is_no_variable_is_not() {
    assert!(found(parse_quote!(|x: T| double(x) + module::function + Self::CONST + LIMIT + None)).is_empty());
    assert!(found(parse_quote!(|x: T| x.collect::<Vec<[u8; { n }]>>() as [u8; size])).is_empty());
    assert!(found(parse_quote!(|x: T| [0; length])).is_empty());
    assert!(
        found(parse_quote!(|x: T| 'outer: loop {
            break 'outer x;
        }))
        .is_empty()
    );
    assert!(found(parse_quote!(|x: T| unknown! { any thing at all })).is_empty());
    assert!(
        found(parse_quote!(|x: T| {
            fn helper() {
                inside
            }
            helper
        }))
        .is_empty()
    );
}

#[test]
fn every_kind_of_declaration_counts() {
    assert!(
        found(parse_quote!(|(a, Wrapper { b, c: d, .. }): T, [e, f @ ..]: U| a + b + d + e + f)).is_empty()
    );
    assert!(
        found(parse_quote!(|x: T| {
            let y = x;
            let Some(z) = y else { return y };
            z
        }))
        .is_empty()
    );
    assert!(found(parse_quote!(|x: T| x.map(|y| y + x))).is_empty());
    assert!(
        found(parse_quote!(|x: T| for (i, item) in x {
            i + item;
        }))
        .is_empty()
    );
    assert!(
        found(parse_quote!(|x: T| match x {
            Some(y) | Other(y) if y > 1 => y,
            n @ 1..=9 => n,
            y => y,
        }))
        .is_empty()
    );
    assert!(
        found(parse_quote!(|x: T| if let Some(y) = x
            && y > 1
        {
            y
        }))
        .is_empty()
    );
    assert!(
        found(parse_quote!(|x: T| while let Some(ref mut y) = x.next() {
            y
        }))
        .is_empty()
    );
    assert!(
        found(parse_quote!(|x: T| {
            const small: u8 = 1;
            static other: u8 = 1;
            small + other
        }))
        .is_empty()
    );
}

#[test]
fn a_declaration_ends_with_its_block() {
    assert_eq!(
        found(parse_quote!(|x: T| {
            {
                let y = x;
            }
            y
        })),
        ["y"]
    );
    assert_eq!(
        found(parse_quote!(|x: T| {
            if let Some(y) = x {
            } else {
                y
            }
        })),
        ["y"]
    );
    assert_eq!(found(parse_quote!(|x: T| (x.map(|y| y), y))), ["y"]);
    assert_eq!(
        found(parse_quote!(|x: T| match x {
            y => y,
            _ if y => 1,
        })),
        ["y"]
    );
    // The right side still means the outer one.
    assert_eq!(
        found(parse_quote!(|x: T| {
            let factor = factor * 2;
            factor
        })),
        ["factor"]
    );
    assert_eq!(found(parse_quote!(|x: T| for item in item {})), ["item"]);
}

#[test]
fn macros_are_read_as_expressions() {
    assert_eq!(
        found(parse_quote!(|x: T| println!("{x} {a} {} {named:?} {{no}}", b, named = c))),
        ["a", "b", "c"]
    );
    assert_eq!(found(parse_quote!(|x: T| write!(out, "{x:>width$}"))), ["out", "width"]);
    assert_eq!(found(parse_quote!(|x: T| std::vec![x, a])), ["a"]);
    assert_eq!(found(parse_quote!(|x: T| vec![a; n])), ["a", "n"]);
    assert_eq!(found(parse_quote!(|x: T| matches!(x, Some(y) if y > limit))), ["limit"]);
    assert_eq!(
        found(parse_quote!(|x: T| {
            assert!(x > least, "{most}");
        })),
        ["least", "most"]
    );
    // No format string, whatever it looks like.
    assert!(found(parse_quote!(|x: T| regex!("{a}"))).is_empty());
}

#[test]
fn a_list_is_taken_at_its_word() {
    let expansion = expression(quote!([factor, n = self.n] |x: i64| x * n * factor * other)).to_string();
    let expansion: String = expansion.split_whitespace().collect();
    assert_eq!(
        expansion,
        "{use::processing::__privateas__rt;use__rt::capturing::*;__rt::task(\
         ((&&&__rt::Captive(&factor)).capture(),(&&&__rt::Captive(&self.n)).capture(),),\
         move|(factor,n,)|move|x:i64|x*n*factor*other)}"
    );
    let nothing = expression(quote!([] |x: i64| x)).to_string();
    let nothing: String = nothing.split_whitespace().collect();
    assert_eq!(nothing, "{use::processing::__privateas__rt;__rt::task((),move|()|move|x:i64|x)}");
}

#[test]
fn mistakes_say_what_to_write() {
    for (input, message) in [
        (quote!(|x| x), "say what arrives here: `|x: Item|`"),
        (
            quote!(|x: &str| x),
            "an argument arrives from another process and has nothing to borrow from; take `String`",
        ),
        (
            quote!(|x: &[u8]| x),
            "an argument arrives from another process and has nothing to borrow from; take `Vec<u8>`",
        ),
        (
            quote!(|x: &T| x),
            "an argument arrives from another process and has nothing to borrow from; take `T`",
        ),
        (
            quote!(|x: T| self.n + x),
            "`self` does not travel with a task; list what you need of it: `task!([n = self.n] |…| …)`",
        ),
        (quote!(async |x: T| x), "a task runs to its end in a worker of its own; remove `async`"),
        (quote!(double), "a function travels as it is; use it without `task!`"),
        (quote!(1 + 1), "a task is a closure; write `task!(|item: Item| …)`"),
        (quote!([a, a] |x: T| x), "`a` is listed twice; remove one of them"),
        (quote!([self] |x: T| x), "give what you need of `self` a name: `[n = self.n]`"),
        (quote!([a.b] |x: T| x), "name what the closure uses: `[factor, n = self.n]`"),
        (quote!([1] |x: T| x), "name what the closure uses: `[factor, n = self.n]`"),
        (
            quote!([a, b, c, d, e, f, g, h, i, j, k, l, m] |x: T| x),
            "a task has room for 12 captures; put some in a struct",
        ),
    ] {
        assert_eq!(complaints(input), [message]);
    }
    assert!(complaints(quote!()).concat().contains("write `task!(|item: Item| …)`"));
    assert_eq!(complaints(quote!(|x, y: &str| self.n)).len(), 3);
}
