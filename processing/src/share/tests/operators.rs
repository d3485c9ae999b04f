//! Every operator on every kind of handle does what it does on the plain value.

use std::fmt::{Debug, Display};
use std::time::Duration;

use super::super::cell::Scalar;
use super::*;

/// What every number, letter and flag can do.
fn is_kept<T: Scalar + PartialOrd + Debug + Display>(values: &[T]) {
    let share = Share::new(values[0]).unwrap();
    for &value in values {
        let before = share.get();
        assert_eq!(share.replace(value), before);
        assert_eq!(share.get(), value);
        assert!(share.replace_if(value, before) && (before == value || !share.replace_if(value, before)));
        share.set(value);
        let other = Share::new(value).unwrap();
        assert!(*share == *other && *share <= *other);
        for plain in values {
            assert_eq!((*share == *plain, *share != *plain), (value == *plain, value != *plain));
            assert_eq!((*share < *plain, *share <= *plain), (value < *plain, value <= *plain));
            assert_eq!((*share > *plain, *share >= *plain), (value > *plain, value >= *plain));
        }
        assert_eq!(
            (share.to_string(), format!("{:?}", *share), format!("{:>9}", *share)),
            (value.to_string(), format!("{value:?}"), format!("{value:>9}"))
        );
        assert_eq!(share.snapshot(), value);
    }
}

/// Applies each operator to a share and to a plain value.
macro_rules! alike {
    ($start:expr, $($operator:tt $other:expr),*) => {
        let mut plain = $start;
        let mut share = Share::new(plain.clone()).unwrap();
        $(
            plain $operator $other;
            *share $operator $other;
            assert_eq!(*share, plain, "{} {}", stringify!($operator), stringify!($other));
        )*
    };
}

macro_rules! integers {
    ($($type:ident)*) => {$(
        #[test]
        fn $type() {
            is_kept::<std::primitive::$type>(&[0, 1, 7, 100, $type::MIN, $type::MAX, $type::MAX / 3]);
            alike!(5 as $type, += 20, -= 4, *= 3, /= 2, %= 19, <<= 2, >>= 1, |= 65, &= 0x5d, ^= 0x33);
            alike!($type::MAX, -= 1, /= 2, %= 100, += 1, ^= $type::MAX, |= 1, &= $type::MAX);
            let share = Share::new(40 as $type).unwrap();
            assert_eq!((share.add(2), share.sub(12), share.get()), (42, 30, 30));
            // What the plain type refuses changes nothing.
            let mut full = Share::new($type::MAX).unwrap();
            if cfg!(debug_assertions) {
                assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| *full += 1)).is_err());
            }
            assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| *full /= 0)).is_err());
            assert_eq!(*full, $type::MAX);
        }
    )*};
}

integers! { i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize }

macro_rules! floats {
    ($($type:ident)*) => {$(
        #[test]
        fn $type() {
            is_kept::<std::primitive::$type>(&[0.0, -0.5, 1e9, $type::MIN_POSITIVE, $type::MAX, $type::INFINITY, $type::NEG_INFINITY]);
            alike!(5.5 as $type, += 2.25, -= 0.5, *= 3.0, /= 4.0, %= 2.0);
            let share = Share::new($type::NAN).unwrap();
            assert!(share.get().is_nan() && *share != share.get() && share.partial_cmp(&1.0).is_none());
            let zero = Share::new(-0.0 as $type).unwrap();
            assert!(zero.get().is_sign_negative() && *zero == 0.0);
            assert_eq!((zero.add(1.5), zero.sub(1.0)), (1.5, 0.5));
        }
    )*};
}

floats! { f32 f64 }

#[test]
fn flags_and_letters() {
    is_kept(&[false, true]);
    alike!(true, &= true, ^= true, |= false, |= true, &= false);
    is_kept(&['a', 'ß', '\0', char::MAX, '語']);
}

#[test]
fn texts() {
    alike!("to".to_owned(), += "gether", += "", += " with a text that fits no slot");
    let share = Share::new("bee".to_owned()).unwrap();
    let owned = "bee".to_owned();
    assert!(*share == "bee" && *share == *"bee" && *share == owned && *share != "ant");
    assert!(*share > "ant" && *share < *"cat" && *share <= owned);
    assert!(
        *share == *Share::new("bee".to_owned()).unwrap() && *share < *Share::new("c".to_owned()).unwrap()
    );
    assert_eq!(
        (share.to_string(), format!("{:?} {:>5}", *share, *share)),
        ("bee".into(), "\"bee\"   bee".into())
    );
    assert_eq!(share.replace("ant"), "bee");
    share.push('s');
    assert_eq!((share.get(), share.len(), share.snapshot()), ("ants".into(), 4, "ants".into()));
}

/// A handle compares, and shows, as the values do that it stands for.
macro_rules! compares {
    ($small:expr, $great:expr) => {
        let (small, great) = ($small, $great);
        let share = Share::new(small.clone()).unwrap();
        let (same, other) = (Share::new(small.clone()).unwrap(), Share::new(great.clone()).unwrap());
        assert!(*share == small && *share != great && *share == *same && *share != *other);
        assert!(*share < great && *share <= small && *share < *other && *share >= *same && *other > small);
        assert_eq!(format!("{:?}", *share), format!("{small:?}"));
        share.assign(great.clone());
        assert!(*share == *other && share.snapshot() == great);
    };
}

#[test]
fn collections() {
    compares!(Some(1_u8), Some(2));
    compares!(None::<String>, Some(String::new()));
    compares!(vec![1_u16, 2], vec![1, 3]);
    compares!(vec!["a".to_owned()], vec!["a".to_owned(), "b".to_owned()]);
    compares!(VecDeque::from([1, 2]), VecDeque::from([2]));
    compares!(BTreeMap::from([(1, "a".to_owned())]), BTreeMap::from([(1, "b".to_owned())]));
    compares!(BTreeSet::from(['a']), BTreeSet::from(['a', 'b']));
    let list = Share::new(vec![1, 2]).unwrap();
    let slice = &[1, 2][..];
    assert!(*list == [1, 2] && *list == slice && *list == *slice && *list != [1]);
    let map = Share::new(HashMap::from([(1, 2)])).unwrap();
    assert!(*map == HashMap::from([(1, 2)]) && *map == *map.clone() && *map != HashMap::new());
    assert_eq!(format!("{:?}", *map), "{1: 2}");
    let set = Share::new(HashSet::from([1])).unwrap();
    assert!(*set == HashSet::from([1]) && *set == *set.clone() && *set != HashSet::new());
    assert_eq!(format!("{:?}", *set), "{1}");
}

#[test]
fn values_of_any_serde_type() {
    alike!(Duration::from_secs(5), += Duration::from_secs(2), -= Duration::from_secs(1), *= 6, /= 4);
    let mut wrapped = Share::new(Plain(0b1100_u8)).unwrap();
    *wrapped |= 1;
    *wrapped &= 0b0111;
    *wrapped ^= 0b1_0000;
    *wrapped <<= 1;
    *wrapped >>= 2;
    *wrapped %= 7;
    assert!(*wrapped == 3 && *wrapped > 2 && *wrapped == *wrapped.clone());
    assert_eq!((wrapped.to_string(), format!("{:?}", *wrapped)), ("3".into(), "3".into()));
    assert_eq!((wrapped.replace(9), wrapped.change(|value| *value), wrapped.get()), (3, 9, 9));
}

#[test]
fn tuples_of_everything() {
    let whole = (
        (-1_i8, 2_u8, 'x', true, 0.5_f32, i128::MIN, u128::MAX, "text".to_owned()),
        (Some(1_u16), vec![1_i16], VecDeque::from([2_i64]), HashMap::from([(1_u32, "a".to_owned())])),
        (BTreeMap::from([(1_usize, 2_isize)]), HashSet::from([3_u64]), BTreeSet::from([4_i32])),
        ([1_u8, 2], (5_f64,), Plain((1_u8, "any".to_owned()))),
    );
    let mut share = Share::new(whole.clone()).unwrap();
    assert_eq!(share.snapshot(), whole);
    share.0.0 -= 1;
    share.0.7 += "s";
    share.1.1.push(7);
    share.3.0[1] *= 4;
    share.3.1.0 /= 2.0;
    let mut changed = whole.clone();
    (changed.0.0, changed.0.7, changed.3.0[1], changed.3.1.0) = (-2, "texts".into(), 8, 2.5);
    changed.1.1.push(7);
    assert_eq!(share.snapshot(), changed);
    share.clear();
    assert_eq!(share.snapshot(), whole);
}
