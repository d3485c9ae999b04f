use proc_macro2::TokenStream;
use quote::quote;

use super::*;
use crate::skprocess;

/// What both attributes make of a struct, one after the other, as the compiler runs them.
fn dense(tokens: &TokenStream) -> String {
    tokens.to_string().split_whitespace().collect()
}

fn complaint(arguments: TokenStream) -> String {
    let expansion = dense(&skprocess::attribute(
        quote!(),
        quote!(
            #[autoreconnect(#arguments)]
            struct W {}
        ),
    ));
    assert_eq!(expansion.matches("compile_error!").count(), 1, "{expansion}");
    let (_, message) = expansion.split_once("compile_error!{\"").unwrap();
    message.trim_end_matches("\"}").replace("\\\"", "\"")
}

#[test]
fn every_provider_is_understood() {
    let expansion = dense(&skprocess::attribute(
        quote!(),
        quote! {
            #[autoreconnect(
                postgres::Client = { "*": env("PG"), "a": file("/run/secret"), "b": function(shop::secret) },
                redis::Client = { "c": shop::secret, "d": "hunter2", "e": || secret("x"), },
            )]
            struct W { a: u8 }
        },
    ));
    for insert in [
        "insert::<postgres::Client>(\"*\",__rt::Provider::env(\"PG\"));",
        "insert::<postgres::Client>(\"a\",__rt::Provider::file(\"/run/secret\"));",
        "insert::<postgres::Client>(\"b\",__rt::Provider::function(shop::secret));",
        "insert::<redis::Client>(\"c\",__rt::Provider::function(shop::secret));",
        "insert::<redis::Client>(\"d\",__rt::Provider::literal(\"hunter2\"));",
        "insert::<redis::Client>(\"e\",__rt::Provider::function(||secret(\"x\")));",
    ] {
        assert!(expansion.contains(insert), "{insert} is not in {expansion}");
    }
    assert!(!expansion.contains("compile_error"), "{expansion}");
}

#[test]
fn a_literal_secret_stands_in_one_place_only() {
    let expansion = dense(&skprocess::attribute(
        quote!(),
        quote!(
            #[autoreconnect(Client = { "*": "hunter2" })]
            #[derive(Debug)]
            struct W {
                a: Live<Client>,
            }
        ),
    ));
    assert_eq!(expansion.matches("hunter2").count(), 1, "{expansion}");
}

#[test]
fn either_order_comes_to_the_same() {
    let arguments = quote!(Client = { "*": env("PG") });
    let above = attribute(
        arguments.clone(),
        quote!(
            #[processing::skprocess(lives = 2)]
            #[derive(Debug)]
            struct W {}
        ),
    );
    assert_eq!(
        dense(&above),
        dense(&quote! {
            #[processing::skprocess(lives = 2)]
            #[__autoreconnect(#arguments)]
            #[derive(Debug)]
            struct W {}
        })
    );
    let moved = dense(&skprocess::attribute(
        quote!(),
        quote!(
            #[__autoreconnect(#arguments)]
            struct W {}
        ),
    ));
    let below = dense(&skprocess::attribute(
        quote!(),
        quote!(
            #[processing::autoreconnect(#arguments)]
            struct W {}
        ),
    ));
    assert_eq!(moved + "#[processing::autoreconnect(__taken)]const_:()=();", below);
}

#[test]
fn what_is_left_of_a_taken_attribute_vanishes() {
    assert!(
        attribute(
            quote!(__taken),
            quote!(
                const _: () = ();
            )
        )
        .is_empty()
    );
}

#[test]
fn a_process_is_needed() {
    let alone = dense(&attribute(
        quote!(Client = { "*": env("PG") }),
        quote!(
            struct W {}
        ),
    ));
    assert!(alone.contains("structW{}") && alone.contains("write`#[skprocess]`onthisstructtoo"), "{alone}");
    let elsewhere = dense(&attribute(
        quote!(),
        quote!(
            fn f() {}
        ),
    ));
    assert!(elsewhere.contains("belongsonthestruct"), "{elsewhere}");
}

#[test]
fn mistakes_say_what_to_write() {
    for (arguments, message) in [
        (quote!(), "say what to reconnect with"),
        (quote!(Client = {}), "no credential here"),
        (quote!(Client = env("PG")), "put credentials in braces"),
        (quote!(Client: { "*": env("PG") }), "write the type and its credentials"),
        (quote!(Client), "write the type and its credentials"),
        (quote!(Client = { db: env("PG") }), "put the field's name in quotes"),
        (quote!(Client = { "": env("PG") }), "this is no field's name"),
        (quote!(Client = { "a": env("A"), "a": env("B") }), "this name is listed twice"),
        (quote!(Client = { "a": env("A") }, Client = { "b": env("B") }), "this type is listed twice"),
        (quote!(Client = { "a": environ("A") }), "unknown provider `environ`; write `env(\"NAME\")`"),
        (quote!(Client = { "a": files("A") }), "unknown provider `files`; did you mean `file(…)`?"),
        (quote!(Client = { "a": shop::secret() }), "write `shop::secret` without parentheses"),
        (quote!(Client = { "a": env }), "`env` takes one argument; write `env(\"PGPASSWORD\")`"),
        (quote!(Client = { "a": file() }), "`file` takes one argument; write `file("),
        (quote!(Client = { "a": function(a, b) }), "`function` takes one argument"),
        (quote!(Client = { "a": 7 }), "this provides no secret"),
    ] {
        let found = complaint(arguments);
        let message: String = message.split_whitespace().collect();
        assert!(found.contains(&message), "{message} is not in {found}");
    }
}
