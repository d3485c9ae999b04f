//! A plain `Vec<u8>`, wherever it stands, beside the same with `serde_bytes` in postcard, which copies a run of bytes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use crate::{Held, decoded, encoded, versus};

pub(crate) fn content() -> Vec<u8> {
    (0..1 << 20).map(|n: u32| n.wrapping_mul(2_654_435_761).to_le_bytes()[3]).collect()
}

/// Written with names, because of a field that may be skipped.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Sparse<T> {
    #[serde(skip_serializing_if = "Option::is_none", default)]
    note: Option<u8>,
    content: T,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Choice<T> {
    None,
    Some { content: T },
}

pub(crate) fn posted<T: Serialize>(value: &T) -> Vec<u8> {
    postcard::to_stdvec(value).expect("it encodes")
}

pub(crate) fn read<T: serde::de::DeserializeOwned>(bytes: &[u8]) -> T {
    postcard::from_bytes(bytes).expect("it decodes")
}

fn packed<T: Serialize>(value: &T) -> Vec<u8> {
    rmp_serde::to_vec_named(value).expect("it encodes")
}

fn unpacked<T: serde::de::DeserializeOwned>(bytes: &[u8]) -> T {
    rmp_serde::from_slice(bytes).expect("it decodes")
}

macro_rules! stands {
    ($what:literal, |$content:ident| $value:expr, $encode:expr, $decode:expr) => {{
        let plain = {
            let $content = content();
            $value
        };
        let run = {
            let $content = ByteBuf::from(content());
            $value
        };
        fn known<T: serde::de::DeserializeOwned>(_: &T) {
            cucumber::know::<T>();
        }
        known(&plain);
        versus(
            concat!("a `Vec<u8>` of 1 MiB ", $what),
            ("cucumber, `Vec<u8>`", &plain, encoded, decoded),
            ("`ByteBuf`, as one run", &run, $encode, $decode),
            1,
        );
    }};
}

pub(crate) fn compare_all() {
    stands!("alone", |content| content, posted, read);
    stands!(
        "in a struct and in its vector",
        |content| Held { before: 1, after: vec![content.clone()], value: content },
        posted,
        read
    );
    stands!("in an option in a tuple", |content| (1u8, Some(content)), posted, read);
    stands!("as a map's value", |content| BTreeMap::from([("key".to_owned(), content)]), posted, read);
    stands!("in a variant", |content| [Choice::Some { content }, Choice::None], posted, read);
    stands!("beside a field that is skipped", |content| Sparse { note: None, content }, packed, unpacked);
}
