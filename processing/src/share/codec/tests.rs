use std::collections::BTreeMap;
use std::fmt::Debug;

use serde::{Deserialize, Serialize};

use super::*;

fn comes_back<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: T) -> usize {
    let encoded = encode(&value).unwrap();
    assert_eq!(decode::<T>(&encoded).unwrap(), value);
    encoded.len()
}

#[test]
fn numbers_and_texts_are_short() {
    for value in [0, 1, -1, 127, i64::MIN, i64::MAX] {
        assert!(comes_back(value) <= 9);
        comes_back(value as u64);
        comes_back(value as i8);
        comes_back(value as u16);
        comes_back(value as f64);
        comes_back(value as f32);
        comes_back(i128::from(value) << 32);
    }
    assert_eq!(comes_back(5_u64), 2);
    assert_eq!(comes_back(-5_i32), 2);
    assert_eq!(comes_back("fourteen bytes".to_owned()), 15);
    comes_back("é".repeat(1000));
    comes_back('ß');
    assert_eq!(comes_back(true), 1);
    assert_eq!(comes_back(()), 1);
}

#[test]
fn anything_else_comes_back_too() {
    #[derive(Serialize, Deserialize, PartialEq, Debug)]
    struct Inner {
        name: String,
        list: Vec<Option<u8>>,
    }
    #[derive(Serialize, Deserialize, PartialEq, Debug)]
    #[serde(tag = "kind")]
    enum Outer {
        Unit,
        Map { map: BTreeMap<String, Inner> },
    }
    #[derive(Serialize, Deserialize, PartialEq, Debug)]
    struct Newtype(String);
    comes_back(Outer::Unit);
    let inner = Inner { name: "n".into(), list: vec![None, Some(1)] };
    comes_back(Outer::Map { map: BTreeMap::from([("key".into(), inner)]) });
    comes_back(Newtype("text".into()));
    comes_back(Some(5));
    comes_back((1, "two".to_owned(), 3.0));
}

#[test]
fn nonsense_is_an_error() {
    for bytes in
        [&[][..], &[99], &[UNSIGNED, 1, 2, 3, 4, 5, 6, 7, 8, 9], &[TEXT, 0xff], &[GENERAL], &[GENERAL, 0xc1]]
    {
        assert!(decode::<String>(bytes).is_err());
        assert!(decode::<u8>(bytes).is_err());
    }
    assert!(decode::<u8>(&encode(&300_u64).unwrap()).is_err());
}
