//! Shared values that nobody wrote in good faith.

use std::rc::{Rc, Weak};

use serde::{Deserialize, Serialize};
use serde_with::{As, Same};

use crate::cross::Shared;

#[derive(Serialize, Deserialize)]
struct Pair {
    #[serde(with = "As::<Shared<Same>>")]
    strong: Rc<u32>,
    #[serde(with = "As::<Shared<Same>>")]
    weak: Weak<u32>,
    #[serde(with = "As::<Shared<Same>>")]
    text: Rc<String>,
}

fn frame() -> Vec<u8> {
    let strong = Rc::new(5);
    let pair = Pair { weak: Rc::downgrade(&strong), strong, text: Rc::new("hello".into()) };
    crate::to_bytes(&pair).unwrap()
}

fn read(frame: &[u8]) -> crate::Result<Pair> {
    crate::from_bytes(frame)
}

#[test]
fn every_flipped_bit_and_every_cut_is_survived() {
    for _ in 0..2 {
        let frame = frame();
        assert!(read(&frame).is_ok_and(|pair| *pair.strong == 5 && *pair.text == "hello"));
        for place in 0..frame.len() {
            for bit in 0..8 {
                let mut damaged = frame.clone();
                damaged[place] ^= 1 << bit;
                let _ = read(&damaged);
            }
            assert!(read(&frame[..place]).is_err());
        }
        crate::know::<Pair>();
    }
}

/// A frame in MessagePack around a value and its shared ones, in as many words as there are.
fn forged(value: &[u8], shared: &[u8]) -> Vec<u8> {
    let mut frame = b"cuc\x01\x02\x02\x00\x00".to_vec();
    let length = (value.len() + shared.len() + 8) as u64;
    frame.extend_from_slice(&length.to_le_bytes());
    frame.extend_from_slice(value);
    frame.extend_from_slice(shared);
    frame.extend_from_slice(&(shared.len() as u64).to_le_bytes());
    frame
}

#[derive(Debug, Deserialize)]
struct One(#[serde(with = "As::<Shared<Same>>")] Rc<u32>);

fn one(value: &[u8], shared: &[u8]) -> crate::Result<One> {
    crate::from_bytes(&forged(value, shared))
}

fn part(codec: u8, length: u64, content: &[u8]) -> Vec<u8> {
    let mut part = vec![codec, 0];
    part.extend_from_slice(&length.to_le_bytes());
    part.extend_from_slice(content);
    part
}

fn parts(count: u32, parts: &[Vec<u8>]) -> Vec<u8> {
    [count.to_le_bytes().to_vec(), parts.concat()].concat()
}

#[test]
fn forged_tables_of_shared_values_are_errors() {
    let good = parts(1, &[part(2, 1, &[7])]);
    assert_eq!(*one(&[1], &good).unwrap().0, 7);
    // Numbers that refer to nothing.
    assert!(one(&[0], &good).unwrap_err().is_malformed());
    assert!(one(&[2], &good).unwrap_err().is_malformed());
    assert!(one(&[0xce, 0xff, 0xff, 0xff, 0xff], &good).unwrap_err().is_malformed());
    // A part that is not there.
    assert!(one(&[1], &parts(1, &[part(0, 0, &[])])).unwrap_err().is_malformed());
    // More of them than there are bytes, and longer ones.
    assert!(one(&[1], &parts(u32::MAX, &[part(2, 1, &[7])])).unwrap_err().is_truncated());
    assert!(one(&[1], &parts(1, &[part(2, u64::MAX, &[7])])).unwrap_err().is_truncated());
    assert!(one(&[1], &parts(1, &[part(2, 2, &[7])])).unwrap_err().is_truncated());
    // Bytes that belong to nobody, and codecs that nobody speaks.
    assert!(one(&[1], &parts(1, &[part(2, 1, &[7]), vec![0]])).unwrap_err().is_malformed());
    assert!(one(&[1], &parts(1, &[part(3, 1, &[7])])).unwrap_err().is_malformed());
    // A reference where no shared values came.
    let mut bare = b"cuc\x01\x02\x00\x00\x00".to_vec();
    bare.extend_from_slice(&1u64.to_le_bytes());
    bare.push(1);
    assert!(crate::from_bytes::<One>(&bare).unwrap_err().is_malformed());
}

#[test]
fn a_forged_circle_ends() {
    #[derive(Debug, Deserialize)]
    struct Link(#[expect(dead_code, reason = "it never arrives")] Option<Box<Held>>);
    #[derive(Debug, Deserialize)]
    struct Held(
        #[expect(dead_code, reason = "it never arrives")]
        #[serde(with = "As::<Shared<Same>>")]
        Rc<Link>,
    );
    // The first holds the second, and the second the first.
    let shared = parts(2, &[part(2, 1, &[2]), part(2, 1, &[1])]);
    let error = crate::from_bytes::<Held>(&forged(&[1], &shared)).unwrap_err();
    assert!(error.is_unsupported(), "{error:?}");
}

#[test]
fn one_number_of_two_types_is_an_error() {
    #[derive(Debug, Deserialize)]
    struct Two(
        #[expect(dead_code, reason = "it never arrives")]
        #[serde(with = "As::<Shared<Same>>")]
        Rc<u32>,
        #[expect(dead_code, reason = "it never arrives")]
        #[serde(with = "As::<Shared<Same>>")]
        Rc<u64>,
    );
    let shared = parts(1, &[part(2, 1, &[7])]);
    let error = crate::from_bytes::<Two>(&forged(&[0x92, 1, 1], &shared)).unwrap_err();
    assert!(error.is_malformed() && error.to_string().contains("another type"), "{error}");
}
