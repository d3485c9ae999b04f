//! Regular expressions as fields.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

use cucumber::cucumber;
use regex::Regex;

#[cucumber]
struct Filter {
    wanted: Regex,
    raw: Option<regex::bytes::Regex>,
    more: Vec<Regex>,
}

#[test]
fn a_pattern_crosses_and_finds_what_it_found() {
    let filter = Filter {
        wanted: Regex::new(r"(?i)^ord(er|nung)-(?<number>\d+)$").unwrap(),
        raw: Some(regex::bytes::Regex::new(r"(?-u)\xff+").unwrap()),
        more: vec![Regex::new("").unwrap(), Regex::new("ß").unwrap()],
    };
    let named: Filter = cucumber::from_bytes(&cucumber::to_bytes(&filter).unwrap()).unwrap();
    cucumber::know::<Filter>();
    let plain: Filter = cucumber::from_bytes(&cucumber::to_bytes(&filter).unwrap()).unwrap();
    for back in [named, plain] {
        assert_eq!(&back.wanted.captures("ORDNUNG-17").unwrap()["number"], "17");
        assert!(!back.wanted.is_match("order-"));
        assert_eq!(back.raw.unwrap().find(b"a\xff\xff").unwrap().range(), 1..3);
        assert_eq!(back.more.iter().map(Regex::as_str).collect::<Vec<_>>(), ["", "ß"]);
    }
}

#[test]
fn what_is_no_pattern_is_an_error_that_names_the_field() {
    #[derive(serde::Serialize)]
    struct Filter<'a> {
        wanted: &'a str,
        raw: Option<&'a str>,
        more: Vec<&'a str>,
    }
    let forged = cucumber::to_bytes(&Filter { wanted: "a", raw: None, more: vec!["b", "(c"] }).unwrap();
    let error = cucumber::from_bytes::<self::Filter>(&forged).err().unwrap();
    assert!(error.is_refused() && error.path() == "more[1]", "{error}");
    assert!(error.to_string().contains("unclosed group"), "{error}");
}
