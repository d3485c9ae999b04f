//! How long to turn a value into bytes and back?
//!
//! `cargo bench --bench codec`, with `-- --quick` for a tenth of the rounds.

use std::collections::HashMap;
use std::fmt::Debug;
use std::hint::black_box;

use benches::{Contest, timed_each};
use rkyv::api::high::{HighDeserializer, HighSerializer, HighValidator};
use rkyv::bytecheck::CheckBytes;
use rkyv::rancor::Error;
use rkyv::ser::allocator::ArenaHandle;
use rkyv::util::AlignedVec;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

mod bytes;
mod small;
mod values;

use values::{Event, Order, Point, Upload};

fn main() {
    let orders: Vec<Order> = (0..1000).map(Order::number).collect();
    let words: Vec<String> = (0..1000u32).map(|n| format!("word number {}", n * 7919 % 1000)).collect();
    let stock: HashMap<String, u64> = (0..1000).map(|n| (format!("article {n}"), n * 7919)).collect();
    let points: Vec<Point> = (0..1000).map(Point::number).collect();
    let pairs: Vec<(u32, u32)> = (0..1000).map(|n| (n, n * 3)).collect();
    let numbers: Vec<i64> = (0..1000).map(|n| n * n * (n % 7 - 3)).collect();
    let events: Vec<Event> = (0..1000).map(Event::number).collect();
    let floats: Vec<f64> = (0..1000).map(|n| f64::from(n) / 4.0).collect(); // exact, since JSON without its slow feature rounds
    let upload = Upload { id: 1, name: "photo.raw".into(), content: bytes::content() };

    // One value in a frame, then many in one: the difference is what a frame costs.
    compare("a small struct", &Point { id: 300, x: -5, y: 70_000, on: true }, 1000);
    compare("1 000 small structs", &points, 10);
    compare("1 000 structs", &orders, 10);
    compare("1 000 strings", &words, 10);
    compare("a map of 1 000 entries", &stock, 10);
    compare("1 000 enums", &events, 10);
    compare("1 000 pairs", &pairs, 100);
    compare("1 000 numbers", &numbers, 100);
    compare("1 000 floats", &floats, 100);
    compare("a struct with a `Vec<u8>` of 1 MiB", &upload, 1);
    small::compare_all();
    bytes::compare_all();
    values::compare_shared();
}

/// Cannot be decoded, so nothing can be known of how its reader will read it.
#[derive(Serialize)]
#[serde(transparent)]
struct OnlySent<'a, T>(&'a T);

/// Bytes, wherever their codec wants them to lie.
enum Bytes {
    Plain(Vec<u8>),
    Aligned(AlignedVec),
}

impl Bytes {
    fn as_slice(&self) -> &[u8] {
        match self {
            Self::Plain(bytes) => bytes,
            Self::Aligned(bytes) => bytes,
        }
    }
}

/// One way of encoding a `T`.
struct Codec<T> {
    name: &'static str,
    encode: fn(&T) -> Bytes,
    decode: fn(&[u8]) -> T,
}

/// What all of these codecs can carry.
trait Carried:
    Serialize
    + DeserializeOwned
    + PartialEq
    + rkyv::Archive<
        Archived: for<'a> CheckBytes<HighValidator<'a, Error>>
                      + rkyv::Deserialize<Self, HighDeserializer<Error>>,
    > + for<'a> rkyv::Serialize<HighSerializer<AlignedVec, ArenaHandle<'a>, Error>>
{
}

impl<T> Carried for T where
    T: Serialize
        + DeserializeOwned
        + PartialEq
        + rkyv::Archive<
            Archived: for<'a> CheckBytes<HighValidator<'a, Error>>
                          + rkyv::Deserialize<T, HighDeserializer<Error>>,
        > + for<'a> rkyv::Serialize<HighSerializer<AlignedVec, ArenaHandle<'a>, Error>>
{
}

fn codecs<T: Carried>() -> [Codec<T>; 8] {
    const BINCODE: bincode::config::Configuration = bincode::config::standard();
    [
        Codec {
            name: "cucumber",
            encode: |value| Bytes::Plain(cucumber::to_bytes(value).expect("it encodes")),
            decode: |bytes| cucumber::from_bytes(bytes).expect("it decodes"),
        },
        Codec {
            name: "cucumber, only sent",
            encode: |value| Bytes::Plain(cucumber::to_bytes(&OnlySent(value)).expect("it encodes")),
            decode: |bytes| cucumber::from_bytes(bytes).expect("it decodes"),
        },
        Codec {
            name: "postcard",
            encode: |value| Bytes::Plain(postcard::to_stdvec(value).expect("it encodes")),
            decode: |bytes| postcard::from_bytes(bytes).expect("it decodes"),
        },
        Codec {
            name: "bincode 2",
            encode: |value| Bytes::Plain(bincode::serde::encode_to_vec(value, BINCODE).expect("it encodes")),
            decode: |bytes| bincode::serde::decode_from_slice(bytes, BINCODE).expect("it decodes").0,
        },
        Codec {
            name: "bitcode, by serde",
            encode: |value| Bytes::Plain(bitcode::serialize(value).expect("it encodes")),
            decode: |bytes| bitcode::deserialize(bytes).expect("it decodes"),
        },
        Codec {
            name: "rkyv, checked and owned",
            encode: |value| Bytes::Aligned(rkyv::to_bytes::<Error>(value).expect("it encodes")),
            decode: |bytes| rkyv::from_bytes::<T, Error>(bytes).expect("it decodes"),
        },
        Codec {
            name: "rmp-serde, named",
            encode: |value| Bytes::Plain(rmp_serde::to_vec_named(value).expect("it encodes")),
            decode: |bytes| rmp_serde::from_slice(bytes).expect("it decodes"),
        },
        Codec {
            name: "serde_json",
            encode: |value| Bytes::Plain(serde_json::to_vec(value).expect("it encodes")),
            decode: |bytes| serde_json::from_slice(bytes).expect("it decodes"),
        },
    ]
}

/// Encoding and decoding are two questions; `batch` is how many of one make up a sample.
fn compare<T: Carried>(what: &str, value: &T, batch: u32) {
    // As after the first message of this type has been received; see `OnlySent` for before that.
    cucumber::know::<T>();
    let encoded: Vec<_> = codecs().into_iter().map(|codec| ((codec.encode)(value), codec)).collect();
    let mut encoding = Contest::new(format!("encode {what}")).rounds(100);
    let mut decoding = Contest::new(format!("decode {what}")).rounds(100);
    for (bytes, codec) in &encoded {
        assert!(&(codec.decode)(bytes.as_slice()) == value, "{} changes the value", codec.name);
        let name = format!("{}, {} bytes", codec.name, bytes.as_slice().len());
        let encode = move || timed_each(batch, || (codec.encode)(black_box(value)));
        let decode = move || timed_each(batch, || (codec.decode)(black_box(bytes.as_slice())));
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

/// A name, a value, and how it is written and read.
type Way<'a, T> = (&'a str, &'a T, fn(&T) -> Vec<u8>, fn(&[u8]) -> T);

/// Two types that hold the same, each in bytes of its own: the first one in ours, the other in a neighbour's way.
fn versus<A, B>(what: &str, ours: Way<'_, A>, other: Way<'_, B>, batch: u32)
where
    A: PartialEq + Debug,
    B: PartialEq + Debug,
{
    let (our_bytes, other_bytes) = (ours.2(ours.1), other.2(other.1));
    assert!(&ours.3(&our_bytes) == ours.1 && &other.3(&other_bytes) == other.1, "{what} is changed");
    let mut encoding = Contest::new(format!("encode {what}")).rounds(100);
    encoding.enter(ours.0, || timed_each(batch, || ours.2(black_box(ours.1))));
    encoding.floor(other.0, || timed_each(batch, || other.2(black_box(other.1))));
    let mut decoding = Contest::new(format!("decode {what}")).rounds(100);
    decoding.enter(ours.0, || timed_each(batch, || ours.3(black_box(&our_bytes))));
    decoding.floor(other.0, || timed_each(batch, || other.3(black_box(&other_bytes))));
    print!("{}{}", encoding.run(), decoding.run());
}

/// Ours, for [`versus`].
fn encoded<T: Serialize>(value: &T) -> Vec<u8> {
    cucumber::to_bytes(value).expect("it encodes")
}

fn decoded<T: DeserializeOwned>(bytes: &[u8]) -> T {
    cucumber::from_bytes(bytes).expect("it decodes")
}

/// Derived here only, so that both files name the same.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Held<T> {
    before: u32,
    value: T,
    after: Vec<T>,
}
