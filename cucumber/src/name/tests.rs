use super::*;
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

#[test]
fn types_that_are_written_alike_have_one_name() {
    assert_eq!(type_name::<str>(), type_name::<String>());
    assert_eq!(type_name::<&&str>(), "String");
    assert_eq!(type_name::<Box<str>>(), "String");
    assert_eq!(type_name::<Cow<'static, str>>(), "String");
    assert_eq!(type_name::<[u8]>(), type_name::<Vec<u8>>());
    assert_eq!(type_name::<&mut [&str]>(), "Vec<String>");
    assert_eq!(type_name::<(&str, Box<[i32]>)>(), type_name::<(String, Vec<i32>)>());
    assert_eq!(type_name::<Option<&Box<u8>>>(), "Option<u8>");
}

#[test]
fn different_types_keep_different_names() {
    assert_eq!(type_name::<[u8; 4]>(), "[u8; 4]");
    assert_eq!(type_name::<()>(), "()");
    assert_eq!(type_name::<(u8,)>(), "(u8,)");
    assert_ne!(type_name::<(u8,)>(), type_name::<u8>());
    assert_ne!(type_name::<Vec<u8>>(), type_name::<[u8; 1]>());
    assert_eq!(type_name::<Result<Vec<&str>, ()>>(), "Result<Vec<String>, ()>");
    assert_eq!(
        type_name::<HashMap<&str, BTreeMap<u8, &[i8]>>>(),
        type_name::<HashMap<String, BTreeMap<u8, Vec<i8>>>>()
    );
}

struct Local<T>(T);

#[test]
fn a_program_s_own_types_keep_their_paths() {
    assert_eq!(type_name::<Local<&str>>(), "cucumber::name::tests::Local<String>");
    assert_eq!(
        type_name::<Local<Local<u8>>>(),
        "cucumber::name::tests::Local<cucumber::name::tests::Local<u8>>"
    );
    struct Inner;
    assert!(type_name::<Inner>().ends_with("::Inner"), "{}", type_name::<Inner>());
}

#[test]
fn odd_names_lose_nothing_but_their_references() {
    assert_eq!(
        normalise("dyn core::fmt::Debug + core::marker::Send"),
        "dyn core::fmt::Debug + core::marker::Send"
    );
    assert_eq!(normalise("a::<impl b::C for d::E<u8>>::f::G"), "a::<impl b::C for d::E<u8>>::f::G");
    assert_eq!(normalise("a::main::{{closure}}::B"), "a::main::{{closure}}::B");
    assert_eq!(normalise("&'static str"), "String");
    // Nonsense neither hangs nor panics.
    for text in
        ["", "<", ">", "((", "[", "[u8", "a<b", "a<b,", "&", ",", "fn(u8) -> u8", "a<fn(&str) -> u8, b>"]
    {
        let _ = normalise(text);
    }
}
