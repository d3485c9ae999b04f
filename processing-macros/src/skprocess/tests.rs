use proc_macro2::TokenStream;
use quote::quote;

use super::*;

fn complaints(arguments: TokenStream, item: TokenStream) -> Vec<String> {
    let mut complaints = Complaints::default();
    expansion(arguments, item, &mut complaints);
    complaints.messages()
}

/// The one complaint about these arguments.
fn about(arguments: TokenStream) -> String {
    let found = complaints(
        arguments,
        quote!(
            struct Worker {}
        ),
    );
    assert_eq!(found.len(), 1, "{found:#?}");
    found.concat()
}

/// The expansion of a struct nobody complains about, without white space.
fn expanded(arguments: TokenStream, item: TokenStream) -> String {
    let mut complaints = Complaints::default();
    let expansion = expansion(arguments, item, &mut complaints);
    assert_eq!(complaints.messages(), Vec::<String>::new());
    dense(&expansion)
}

fn dense(tokens: &TokenStream) -> String {
    tokens.to_string().split_whitespace().collect()
}

fn config(arguments: TokenStream) -> String {
    let expansion = expanded(
        arguments,
        quote!(
            struct Worker {}
        ),
    );
    let (_, config) = expansion.split_once("constCONFIG:__rt::Config=").unwrap();
    config[..config.find("#[automatically_derived]").unwrap()].trim_end_matches([';', '}']).to_owned()
}

#[test]
fn every_argument_becomes_a_setter() {
    assert_eq!(config(quote!()), "__rt::Config::DEFAULT");
    let all = config(quote! {
        runs = 10, join_in = "0s", lives = 3, checkpoint = every(10),
        timeouts(prerun = "100ms", run = "30s", postrun = "1m", onfinish = "1h", result = "2s", error = "7us"),
        restart(5, within = "60s", backoff = "100ms"),
    });
    for setter in [
        "config.runs(10);",
        "config.join_in(__rt::Duration::from_secs(0));",
        "config.lives(3);",
        "config.checkpoint(__rt::Checkpoint::Every(10));",
        "config.timeout(__rt::Phase::Prerun,__rt::Duration::from_millis(100));",
        "config.timeout(__rt::Phase::Run,__rt::Duration::from_secs(30));",
        "config.timeout(__rt::Phase::Postrun,__rt::Duration::from_secs(60));",
        "config.timeout(__rt::Phase::OnFinish,__rt::Duration::from_secs(3600));",
        "config.timeout(__rt::Phase::Result,__rt::Duration::from_secs(2));",
        "config.timeout(__rt::Phase::Error,__rt::Duration::from_nanos(7000));",
        "config.restart(5,__rt::Duration::from_secs(60),__rt::Duration::from_millis(100));",
    ] {
        assert!(all.contains(setter), "{setter} is not in {all}");
    }
    assert!(config(quote!(checkpoint = off)).contains("config.checkpoint(__rt::Checkpoint::Off);"));
}

#[test]
fn constants_are_left_to_the_compiler() {
    let constants = config(quote!(lives = LIVES, timeouts(run = limits::RUN), checkpoint = every(2 * N)));
    assert!(constants.contains("config.lives(LIVES);"), "{constants}");
    assert!(constants.contains("config.timeout(__rt::Phase::Run,limits::RUN);"), "{constants}");
    assert!(constants.contains("Every(2*N)"), "{constants}");
}

#[test]
fn wrong_values_say_what_to_write() {
    for (arguments, message) in [
        (quote!(lives = 0), "`lives` is at least 1; `lives = 1` is a process that never retries"),
        (quote!(lives = 5_000_000_000), "`lives` is at most 4294967295"),
        (quote!(runs = -1), "`runs` cannot be negative"),
        (quote!(runs = "10"), "`runs` is a number; write it without quotes, like `3`"),
        (quote!(runs = 99999999999999999999), "`runs` is at most 18446744073709551615"),
        (quote!(lives), "write `lives = 3`"),
        (quote!(lives(3)), "write `lives = 3`"),
        (quote!(join_in = 5), "a duration needs a unit; write `join_in = \"5s\"` or `\"5ms\"`"),
        (quote!(join_in = true), "`join_in` is a duration; write `join_in = \"30s\"`"),
        (quote!(timeouts(run = 30)), "a duration needs a unit; write `run = \"30s\"` or `\"30ms\"`"),
        (
            quote!(timeouts(run = "0s")),
            "`run` must be longer than zero; leave it out for a hook without a limit",
        ),
        (quote!(timeouts(pre_run = "1s")), "unknown hook `pre_run`; did you mean `prerun`?"),
        (quote!(timeouts(run = "1s", run = "2s")), "the limit of `run` is set twice; remove one of them"),
        (quote!(timeouts("1s")), "a limit belongs to a hook; write `run = \"30s\"`"),
        (quote!(timeouts = "1s"), "a limit belongs to a hook; write `timeouts(run = \"30s\")`"),
        (quote!(checkpoint = every(0)), "`every` is at least 1; `every(1)` keeps each iteration"),
        (quote!(checkpoint = often), "write `checkpoint = off` or `checkpoint = every(10)`"),
        (quote!(checkpoint = each(3)), "write `checkpoint = off` or `checkpoint = every(10)`"),
        (quote!(checkpoint(off)), "write `checkpoint = off` or `checkpoint = every(10)`"),
        (quote!(restart(5)), "write `restart(5, within = \"60s\", backoff = \"100ms\")`"),
        (quote!(restart = 5), "write `restart(5, within = \"60s\", backoff = \"100ms\")`"),
        (quote!(restart(5, withing = "1s")), "unknown argument `withing`; did you mean `within`?"),
        (
            quote!(restart(0, within = "1s")),
            "`restart` is at least 1; leave `restart` out for a process without this limit",
        ),
        (quote!(lives = 1, lives = 2), "`lives` is set twice; remove one of them"),
        (quote!(live = 3), "unknown argument `live`; did you mean `lives`?"),
        (quote!(postrun = "3s"), "`postrun` is no argument of its own; write `timeouts(postrun = \"30s\")`"),
        (
            quote!(timeout(run = "3s")),
            "unknown argument; a hook's limit is written `timeouts(run = \"30s\")`",
        ),
        (
            quote!(crate = processing),
            "the path of a crate goes in quotes: `crate = \"::my_crate::processing\"`",
        ),
        (
            quote!(serde = mine),
            "write `serde = manual` if you implement `Serialize` and `Deserialize` yourself, else leave it out",
        ),
        (quote!(lives: 3), "write `lives = …`"),
    ] {
        assert_eq!(about(arguments), message);
    }
}

#[test]
fn all_mistakes_are_reported_at_once() {
    let found = complaints(
        quote!(live = 3, runs = "x", timeouts(pre_run = "1s", run = 30), lives = 0),
        quote!(
            struct Worker<'a>(&'a str);
        ),
    );
    assert_eq!(found.len(), 6, "{found:#?}");
}

#[test]
fn a_mistake_does_not_make_the_type_disappear() {
    let mut complaints = Complaints::default();
    let expansion = dense(&expansion(
        quote!(lives = 0, runs = 2),
        quote!(
            struct Worker {}
        ),
        &mut complaints,
    ));
    assert!(expansion.contains("ProcessSpecforWorker"), "{expansion}");
    assert!(expansion.contains("config.runs(2);") && !expansion.contains("config.lives"), "{expansion}");
}

#[test]
fn other_items_are_told_where_the_attribute_belongs() {
    let advice = |item| complaints(quote!(), item).concat();
    assert!(
        advice(quote!(
            enum E {
                A,
            }
        ))
        .contains("make the enum a field")
    );
    assert!(
        advice(quote!(
            fn f() {}
        ))
        .contains("`processing::map(function, items)`")
    );
    assert!(advice(quote!(union U { a: u8 })).contains("a union cannot be sent"));
    assert!(
        advice(quote!(
            trait T {}
        ))
        .contains("each type that implements the trait")
    );
    assert!(
        advice(quote!(
            mod m {}
        ))
        .contains("on the items in the module")
    );
    assert!(
        advice(quote!(
            const X: u8 = 1;
        ))
        .contains("write `struct Worker { … }`")
    );
    assert!(
        advice(quote!(
            struct S<'a> {
                name: &'a str,
            }
        ))
        .contains("a process cannot borrow")
    );
}

#[test]
fn serde_is_derived_as_far_as_the_user_did_not() {
    let both = expanded(
        quote!(),
        quote!(
            struct W;
        ),
    );
    assert!(both.starts_with(
        "#[::processing::__private::core::prelude::v1::derive(::processing::__private::serde::Serialize,\
         ::processing::__private::serde::Deserialize,)]#[serde(crate=\"::processing::__private::serde\")]structW;"
    ));
    let none = expanded(
        quote!(),
        quote! {
            #[derive(Debug, serde::Serialize)]
            #[doc = ""]
            #[derive(Deserialize)]
            struct W;
        },
    );
    assert!(
        none.starts_with("#[derive(Debug,serde::Serialize)]#[doc=\"\"]#[derive(Deserialize)]structW;"),
        "{none}"
    );
    let half = expanded(
        quote!(),
        quote!(
            #[derive(Serialize)]
            #[serde(rename_all = "camelCase")]
            struct W;
        ),
    );
    assert!(
        half.starts_with(
            "#[derive(Serialize)]#[::processing::__private::core::prelude::v1::derive(\
             ::processing::__private::serde::Deserialize,)]#[serde(crate=\"::processing::__private::serde\")]\
             #[serde(rename_all=\"camelCase\")]structW;"
        ),
        "{half}"
    );
    let located = expanded(
        quote!(),
        quote!(
            #[serde(default, crate = "mine")]
            struct W;
        ),
    );
    assert_eq!(located.matches("#[serde(").count(), 1, "{located}");
    assert!(
        !expanded(
            quote!(serde = manual),
            quote!(
                struct W;
            )
        )
        .contains("derive(")
    );
}

#[test]
fn only_plain_structs_with_named_fields_are_values() {
    let is_value = |item| expanded(quote!(), item).contains("::processing::__private::ProcessType");
    assert!(is_value(quote!(
        struct W {
            a: u8,
        }
    )));
    assert!(is_value(quote!(
        struct W {}
    )));
    assert!(!is_value(quote!(
        struct W;
    )));
    assert!(!is_value(quote!(
        struct W(u8);
    )));
    assert!(!is_value(quote!(
        struct W<T> {
            a: T,
        }
    )));
    assert!(
        expanded(
            quote!(),
            quote!(
                pub(super) struct W {
                    a: u8,
                }
            )
        )
        .contains("pub(super)constW:")
    );
}

#[test]
fn one_field_or_none_makes_the_whole() {
    let single = |item| {
        let expansion = expanded(quote!(), item);
        let (_, rest) = expansion.split_once("__rt::SingleField<")?;
        Some(rest[..rest.find('>').unwrap()].to_owned())
    };
    assert_eq!(
        single(quote!(
            struct W {
                share: State,
            }
        ))
        .as_deref(),
        Some("State")
    );
    assert_eq!(
        single(quote!(
            struct W(u8);
        ))
        .as_deref(),
        Some("u8")
    );
    assert_eq!(
        single(quote!(
            struct W;
        ))
        .as_deref(),
        Some("()")
    );
    assert_eq!(
        single(quote!(
            struct W(u8, u8);
        )),
        None
    );
    // Nobody knows yet whether there will be one field or two.
    assert_eq!(
        single(quote!(
            struct W {
                a: u8,
                #[cfg(unix)]
                b: u8,
            }
        )),
        None
    );
}

#[test]
fn a_field_behind_a_condition_is_visited_under_that_condition() {
    let expansion = expanded(
        quote!(),
        quote!(
            struct W {
                #[cfg(unix)]
                #[serde(skip)]
                r#type: u8,
                b: u8,
            }
        ),
    );
    assert!(
        expansion.contains(
            "#[cfg(unix)]__rt::live::Field(&mutself.r#type).visit_live(&path.field(\"type\"),visitor);"
        ),
        "{expansion}"
    );
    assert!(
        expansion.contains(";__rt::live::Field(&mutself.b).visit_live(&path.field(\"b\"),visitor);"),
        "{expansion}"
    );
}

#[test]
fn another_crate_can_hold_the_runtime() {
    let expansion = expanded(
        quote!(crate = "::shop::processing"),
        quote!(
            struct W {
                a: u8,
            }
        ),
    );
    assert!(
        !expansion.contains("::processing::__private::")
            || expansion.contains("::shop::processing::__private")
    );
    assert_eq!(
        expansion.matches("processing::__private").count(),
        expansion.matches("::shop::processing::__private").count()
    );
}
