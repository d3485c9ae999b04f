//! What goes in comes out, to the bit, through both codecs.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

mod support;

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap, HashSet, LinkedList, VecDeque};
use std::ffi::CString;
use std::net::{IpAddr, SocketAddr};
use std::num::{NonZeroU8, Wrapping};
use std::ops::{Bound, Range, RangeInclusive};
use std::path::PathBuf;
use std::sync::{Mutex, RwLock};
use std::time::{Duration, SystemTime};

use proptest::prelude::*;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use support::{Codec, all_take, round_trip, round_trip_as};

#[test]
fn numbers_at_their_limits() {
    all_take(Codec::Postcard, &[i128::MIN, -1, 0, 1, i64::MAX.into(), i128::MAX]);
    all_take(Codec::Postcard, &[0, 1, u64::MAX.into(), u128::MAX]);
    all_take(Codec::Postcard, &[i64::MIN, -129, -1, 0, 127, 128, i64::MAX]);
    all_take(Codec::Postcard, &[u64::MAX, 0]);
    all_take(Codec::Postcard, &[i8::MIN, i8::MAX]);
    all_take(Codec::Postcard, &['a', '\0', 'ß', '\u{10ffff}']);
    all_take(Codec::Postcard, &[true, false]);
}

#[test]
fn floats_keep_their_bits() {
    let bits = [
        f64::NAN.to_bits(),
        (-0.0f64).to_bits(),
        f64::INFINITY.to_bits(),
        0x7ff8_dead_beef_0001,
        1,
        0xfff8 << 48,
    ];
    for value in bits.map(f64::from_bits) {
        let same = |one: &f64, other: &f64| one.to_bits() == other.to_bits();
        assert_eq!(round_trip_as(&value, same), Codec::Postcard);
        round_trip_as(&vec![value], |one, other| same(&one[0], &other[0]));
    }
    for bits in [f32::NAN.to_bits(), (-0.0f32).to_bits(), 0x7fc0_1234, 1] {
        round_trip_as(&f32::from_bits(bits), |one, other| one.to_bits() == other.to_bits());
    }
}

#[test]
fn options_around_nothing() {
    all_take(Codec::Postcard, &[None, Some(None), Some(Some(None)), Some(Some(Some(1u8)))]);
    all_take(Codec::Postcard, &[None, Some(()), Some(())]);
    all_take(Codec::Postcard, &[vec![Some(None), None, Some(Some(()))]]);
    all_take(Codec::Postcard, &[Ok(None), Ok(Some(())), Err(Some(None::<u8>))]);
    #[derive(Serialize, Deserialize, Debug, PartialEq)]
    struct Unit;
    all_take(Codec::Postcard, &[None, Some(Unit)]);
    // The same where names are written, below an untagged enum.
    #[derive(Serialize, Deserialize, Debug, PartialEq)]
    #[serde(untagged)]
    enum Either {
        Left { left: Option<Option<Option<u8>>> },
        Right(u8),
    }
    for left in [None, Some(None), Some(Some(None)), Some(Some(Some(3)))] {
        all_take(Codec::MessagePack, &[Either::Left { left }]);
    }
    all_take(Codec::MessagePack, &[Either::Right(1)]);
}

#[test]
fn nothings_are_counted() {
    // No reader could tell these from a forged count, so they are written where each takes a byte.
    all_take(Codec::MessagePack, &[vec![(); 1000], vec![()]]);
    all_take(Codec::Postcard, &[Vec::<()>::new()]);
    all_take(Codec::Postcard, &[[(); 5]]);
}

#[test]
fn the_standard_library_s_collections() {
    let words = || ["b", "a", "c"].map(str::to_owned);
    all_take(Codec::Postcard, &[VecDeque::from(words()), VecDeque::new()]);
    all_take(Codec::Postcard, &[LinkedList::from(words())]);
    all_take(Codec::Postcard, &[BTreeSet::from(words())]);
    all_take(Codec::Postcard, &[HashSet::from(words())]);
    all_take(Codec::Postcard, &[BTreeSet::from([0u8, 200, 3]), BTreeSet::new()]);
    all_take(Codec::Postcard, &[VecDeque::from([0u8, 200, 3])]);
    all_take(Codec::Postcard, &[words()]);
    all_take(Codec::Postcard, &[[0u8, 128, 255]]);
    all_take(Codec::Postcard, &[Box::<[u8]>::from([1, 2, 3])]);
    all_take(Codec::Postcard, &[Box::<str>::from("text")]);
    all_take(Codec::Postcard, &[Cow::<'static, [u8]>::Owned(vec![1, 200])]);
    all_take(Codec::Postcard, &[Some(Reverse(3u8)), None]);
    all_take(Codec::Postcard, &[Wrapping(3u8)]);
    round_trip_as(&BinaryHeap::from([1, 5, 2]), |one, other| {
        one.clone().into_sorted_vec() == other.clone().into_sorted_vec()
    });
}

#[test]
fn maps_with_any_keys() {
    all_take(
        Codec::Postcard,
        &[HashMap::from([(1u8, "a".to_owned()), (200, "b".to_owned())]), HashMap::new()],
    );
    all_take(Codec::Postcard, &[BTreeMap::from([((1, 'x'), vec![1u8]), ((2, 'y'), vec![])])]);
    all_take(Codec::Postcard, &[BTreeMap::from([(Some(1u8), ()), (None, ())])]);
    all_take(Codec::Postcard, &[BTreeMap::from([(vec![1u8, 2], 1), (vec![], 2)])]);
    #[derive(Serialize, Deserialize, Debug, PartialEq, Eq, PartialOrd, Ord)]
    enum Key {
        Unit,
        Pair(u8, String),
        Named { a: u8 },
    }
    all_take(
        Codec::Postcard,
        &[BTreeMap::from([(Key::Unit, 1), (Key::Pair(1, "a".into()), 2), (Key::Named { a: 3 }, 4)])],
    );
}

#[test]
fn the_standard_library_s_other_types() {
    all_take(Codec::Postcard, &[Duration::new(5, 999_999_999), Duration::MAX]);
    all_take(Codec::Postcard, &[SystemTime::UNIX_EPOCH, SystemTime::now()]);
    all_take(Codec::Postcard, &[Range { start: 1, end: 5 }]);
    all_take(Codec::Postcard, &[RangeInclusive::new(-1i8, 5)]);
    all_take(Codec::Postcard, &[Bound::Included(3), Bound::Excluded(4), Bound::Unbounded]);
    all_take(Codec::Postcard, &["127.0.0.1".parse::<IpAddr>().unwrap(), "::1".parse().unwrap()]);
    all_take(Codec::Postcard, &["[::1]:80".parse::<SocketAddr>().unwrap()]);
    all_take(Codec::Postcard, &[NonZeroU8::new(200).unwrap()]);
    all_take(Codec::Postcard, &[(NonZeroU8::MIN, "after".to_owned())]);
    all_take(Codec::Postcard, &[PathBuf::from("/tmp/ä")]);
    all_take(Codec::Postcard, &[support::odd_name(&[b'a', 0xff, 0xfe])]);
    all_take(Codec::Postcard, &[CString::new("c").unwrap()]);
    all_take(Codec::Postcard, &[Cell::new(3)]);
    all_take(Codec::Postcard, &[RefCell::new(vec![1])]);
    assert_eq!(
        round_trip_as(&Mutex::new(7), |one, other| *one.lock().unwrap() == *other.lock().unwrap()),
        Codec::Postcard
    );
    round_trip_as(&RwLock::new(7), |one, other| *one.read().unwrap() == *other.read().unwrap());
    all_take(Codec::Postcard, &[Ok::<u8, String>(1), Err("no".into())]);
    all_take(Codec::Postcard, &[((), (1u8,), (1u8, 'b', [0i16; 3]))]);
}

#[test]
fn bytes_of_every_length() {
    for length in [0usize, 1, 2, 4, 8, 15, 16, 17, 127, 128, 255, 256, 65_535, 65_536, 1 << 20] {
        let bytes: Vec<u8> = (0..length).map(|index| (index * 31) as u8).collect();
        assert_eq!(round_trip(&bytes), Codec::Postcard);
        round_trip(&Some(serde_bytes::ByteBuf::from(bytes)));
    }
}

#[test]
fn values_that_are_borrowed_arrive_owned() {
    let bytes = cucumber::to_bytes(&("a", &[1u8, 2][..], Some(&3))).unwrap();
    let back: (String, Vec<u8>, Option<i32>) = cucumber::from_bytes(&bytes).unwrap();
    assert_eq!(back, ("a".to_owned(), vec![1, 2], Some(3)));
    // Also in postcard, once the owned type is known.
    let again = cucumber::to_bytes(&("a", &[1u8, 2][..], Some(&3))).unwrap();
    assert_eq!(support::codec(&again), Codec::Postcard);
    assert_eq!(cucumber::from_bytes::<(String, Vec<u8>, Option<i32>)>(&again).unwrap(), back);
}

#[test]
fn postcard_s_bytes_are_postcard_s() {
    let value = (1u8, -300i32, "text".to_owned(), vec![1u8, 2, 3], Some([1.5f32]), 'x');
    cucumber::know::<(u8, i32, String, Vec<u8>, Option<[f32; 1]>, char)>();
    let frame = cucumber::to_bytes(&value).unwrap();
    assert_eq!(&frame[16..], postcard::to_stdvec(&value).unwrap());
}

#[test]
fn message_pack_s_bytes_are_rmp_serde_s() {
    #[derive(Serialize)]
    struct Plain {
        a: u8,
        b: Vec<String>,
        c: BTreeMap<u8, f64>,
        d: Option<i64>,
    }
    let value = Plain { a: 1, b: vec!["x".into()], c: BTreeMap::from([(1, 0.5)]), d: Some(-7) };
    let frame = cucumber::to_bytes(&value).unwrap();
    assert_eq!(&frame[16..], rmp_serde::to_vec_named(&value).unwrap());
}

#[derive(Serialize, Deserialize, Debug, PartialEq, Clone)]
enum Tree {
    Nothing,
    Leaf(i64),
    Text { text: String, raw: Vec<u8> },
    Pair(Box<Tree>, Option<Box<Tree>>),
    Many(Vec<Tree>),
    Named(BTreeMap<String, Tree>),
    Sparse(Sparse),
    Free(Free),
}

#[derive(Serialize, Deserialize, Debug, PartialEq, Clone)]
struct Sparse {
    #[serde(skip_serializing_if = "Option::is_none", default)]
    first: Option<u32>,
    second: Option<Option<i8>>,
    #[serde(skip_serializing_if = "String::is_empty", default)]
    third: String,
}

#[derive(Serialize, Deserialize, Debug, PartialEq, Clone)]
#[serde(untagged)]
enum Free {
    Word(String),
    Whole(i64),
    Bytes(Vec<u8>),
    Fields { a: Option<u8>, b: bool },
}

fn sparse() -> impl Strategy<Value = Sparse> {
    (any::<Option<u32>>(), any::<Option<Option<i8>>>(), ".{0,3}").prop_map(|(first, second, third)| Sparse {
        first,
        second,
        third,
    })
}

fn free() -> impl Strategy<Value = Free> {
    prop_oneof![
        any::<String>().prop_map(Free::Word),
        any::<i64>().prop_map(Free::Whole),
        any::<Vec<u8>>().prop_map(Free::Bytes),
        (any::<Option<u8>>(), any::<bool>()).prop_map(|(a, b)| Free::Fields { a, b }),
    ]
}

fn tree() -> impl Strategy<Value = Tree> {
    let leaf = prop_oneof![
        Just(Tree::Nothing),
        any::<i64>().prop_map(Tree::Leaf),
        (any::<String>(), any::<Vec<u8>>()).prop_map(|(text, raw)| Tree::Text { text, raw }),
        sparse().prop_map(Tree::Sparse),
        free().prop_map(Tree::Free),
    ];
    leaf.prop_recursive(4, 32, 4, |inner| {
        prop_oneof![
            (inner.clone(), proptest::option::of(inner.clone()))
                .prop_map(|(one, other)| Tree::Pair(Box::new(one), other.map(Box::new))),
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Tree::Many),
            proptest::collection::btree_map(any::<String>(), inner, 0..4).prop_map(Tree::Named),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    #[test]
    fn any_tree_crosses(tree in tree()) {
        round_trip(&tree);
    }

    #[test]
    fn any_row_crosses(row in any::<(u8, i16, u32, i64, u128, i128, char, bool, String, Option<Vec<u8>>)>()) {
        prop_assert_eq!(round_trip(&row), Codec::Postcard);
    }

    #[test]
    fn any_float_keeps_its_bits(bits in any::<u64>()) {
        round_trip_as(&f64::from_bits(bits), |one, other| one.to_bits() == other.to_bits());
    }
}

#[test]
fn points_in_space_are_written_as_postcard_writes_them() {
    fn alike<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(
        width: usize,
        many: usize,
        number: fn(f32) -> T,
    ) {
        let points: Vec<T> = (0..3u8).map(|n| number(n.into())).collect();
        cucumber::know::<Vec<T>>();
        let bytes = cucumber::to_bytes(&points).unwrap();
        assert_eq!(bytes[16..], postcard::to_stdvec(&points).unwrap());
        assert_eq!(cucumber::from_bytes::<Vec<T>>(&bytes).unwrap(), points);
        // Cut short in any place, and the error names the float.
        for end in 17..bytes.len() {
            let mut cut = bytes[..end].to_vec();
            cut[8..16].copy_from_slice(&(end as u64 - 16).to_le_bytes());
            let error = cucumber::from_bytes::<Vec<T>>(&cut).unwrap_err();
            assert!(error.is_truncated(), "{error}");
            if end > 20 {
                let floats = (end - 17) / width;
                assert_eq!(error.path(), format!("[{}][{}]", floats / many, floats % many));
            }
        }
        all_take(Codec::Postcard, &[points, vec![]]);
    }

    alike(4, 2, |n| [n, -n]);
    alike(4, 3, |n| [n, 1.5, f32::INFINITY]);
    alike(4, 4, |n| [n, 1.5, -0.0, 1e-30]);
    alike(8, 2, |n| [f64::from(n), -2.5]);
    alike(8, 3, |n| [f64::from(n), 0.1, f64::MIN]);
    alike(8, 4, |n| [f64::from(n), 0.1, f64::MAX, 7.0]);
    alike(4, 2, |n| (n, -n));
    alike(4, 3, |n| (n, 1.5f32, f32::INFINITY));
    alike(4, 4, |n| (n, 1.5f32, -0.0f32, 1e-30f32));
    alike(8, 2, |n| (f64::from(n), -2.5));
    alike(8, 3, |n| (f64::from(n), 0.1, f64::MIN));
    alike(8, 4, |n| (f64::from(n), 0.1, f64::MAX, 7.0));
}
