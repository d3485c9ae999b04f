//! How long to turn a value into bytes and back?
//!
//! `cargo bench --bench codec`, with `-- --quick` for a tenth of the rounds.

use std::collections::HashMap;

use benches::{Contest, timed_each};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Order {
    id: u64,
    customer: String,
    email: Option<String>,
    weight: f64,
    paid: bool,
    articles: Vec<u32>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Upload {
    id: u64,
    name: String,
    content: Vec<u8>,
}

/// Cannot be decoded, so nothing can be known of how its reader will read it.
#[derive(Serialize)]
#[serde(transparent)]
struct OnlySent<'a, T>(&'a T);

fn main() {
    let stock: HashMap<String, u64> = (0..1000).map(|n| (format!("article {n}"), n * 7919)).collect();
    let orders: Vec<Order> = (0..1000).map(order).collect();
    let content: Vec<u8> =
        (0..1 << 20).map(|n: u32| n.wrapping_mul(2_654_435_761).to_le_bytes()[3]).collect();
    let upload = Upload { id: 1, name: "photo.raw".into(), content: content.clone() };

    compare("a map of 1 000 entries", &stock, 10);
    compare("1 000 structs", &orders, 10);
    compare("a `Vec<u8>` of 1 MiB", &content, 1);
    compare("a struct with a `Vec<u8>` of 1 MiB", &upload, 1);
}

fn order(n: u64) -> Order {
    Order {
        id: n,
        customer: format!("customer {}", n * 31 % 400),
        email: n.is_multiple_of(3).then(|| format!("customer{n}@example.org")),
        weight: n as f64 / 4.0, // exact, since JSON without its slow feature rounds
        paid: n.is_multiple_of(2),
        articles: (0..n as u32 % 8).collect(),
    }
}

/// One way of encoding a `T`.
struct Codec<T> {
    name: &'static str,
    encode: fn(&T) -> Vec<u8>,
    decode: fn(&[u8]) -> T,
}

fn codecs<T: Serialize + DeserializeOwned>() -> [Codec<T>; 6] {
    const BINCODE: bincode::config::Configuration = bincode::config::standard();
    [
        Codec {
            name: "cucumber",
            encode: |value| cucumber::to_bytes(value).expect("it encodes"),
            decode: |bytes| cucumber::from_bytes(bytes).expect("it decodes"),
        },
        Codec {
            name: "cucumber, only sent",
            encode: |value| cucumber::to_bytes(&OnlySent(value)).expect("it encodes"),
            decode: |bytes| cucumber::from_bytes(bytes).expect("it decodes"),
        },
        Codec {
            name: "postcard",
            encode: |value| postcard::to_stdvec(value).expect("it encodes"),
            decode: |bytes| postcard::from_bytes(bytes).expect("it decodes"),
        },
        Codec {
            name: "bincode 2",
            encode: |value| bincode::serde::encode_to_vec(value, BINCODE).expect("it encodes"),
            decode: |bytes| bincode::serde::decode_from_slice(bytes, BINCODE).expect("it decodes").0,
        },
        Codec {
            name: "rmp-serde, named",
            encode: |value| rmp_serde::to_vec_named(value).expect("it encodes"),
            decode: |bytes| rmp_serde::from_slice(bytes).expect("it decodes"),
        },
        Codec {
            name: "serde_json",
            encode: |value| serde_json::to_vec(value).expect("it encodes"),
            decode: |bytes| serde_json::from_slice(bytes).expect("it decodes"),
        },
    ]
}

/// Encoding and decoding are two questions; `batch` is how many of one make up a sample.
fn compare<T: Serialize + DeserializeOwned + PartialEq>(what: &str, value: &T, batch: u32) {
    // As after the first message of this type has been received; see `OnlySent` for before that.
    cucumber::know::<T>();
    let encoded: Vec<_> = codecs().into_iter().map(|codec| ((codec.encode)(value), codec)).collect();
    let mut encoding = Contest::new(format!("encode {what}")).rounds(100);
    let mut decoding = Contest::new(format!("decode {what}")).rounds(100);
    for (bytes, codec) in &encoded {
        assert!(&(codec.decode)(bytes) == value, "{} changes the value", codec.name);
        let name = format!("{}, {} bytes", codec.name, bytes.len());
        let encode = move || timed_each(batch, || (codec.encode)(value));
        let decode = move || timed_each(batch, || (codec.decode)(bytes));
        if codec.name.starts_with("cucumber") {
            encoding.enter(name, encode);
            decoding.enter(codec.name, decode);
        } else {
            encoding.peer(name, encode);
            decoding.peer(codec.name, decode);
        }
    }
    print!("{}{}", encoding.run(), decoding.run());
}
