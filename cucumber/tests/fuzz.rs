//! The fuzz target's subject on its corpus, changed at random by a seed: the same run each time.
//!
//! `BLESS=1 cargo test -p cucumber --test fuzz` writes the corpus anew; `cargo +nightly fuzz run decode` goes on from it.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

#[path = "../fuzz/fuzz_targets/subject.rs"]
mod subject;
mod support;

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::rc::{Rc, Weak};

use subject::{Loose, Node, Value};
use support::Unknown;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/decode")
}

fn node(value: u32, children: Vec<Rc<Node>>) -> Node {
    let (parent, fixed, bare) = (RefCell::default(), Weak::new(), Rc::new(7));
    Node { value, parent, fixed, children: RefCell::new(children), others: Vec::new(), again: None, bare }
}

fn graph() -> Node {
    let leaf = Rc::new(node(1, Vec::new()));
    let parent = Rc::new_cyclic(|this| Node { fixed: this.clone(), ..node(2, vec![leaf.clone()]) });
    leaf.parent.replace(Rc::downgrade(&parent));
    let ring = Rc::new(RefCell::new(None));
    let end = Rc::new(Node { others: vec![ring.clone()], ..node(3, Vec::new()) });
    *ring.borrow_mut() = Some(end.clone());
    Node { others: vec![ring], again: Some(parent), ..node(4, vec![leaf, end]) }
}

/// A frame of each kind.
fn samples() -> Vec<(&'static str, Vec<u8>)> {
    let table = Value::Table {
        rows: HashMap::from([(70_000, vec![1, 2, 3])]),
        inner: Some(Box::new(Value::Text("héllo".into(), '漢'))),
    };
    let pairs =
        Value::Pairs(BTreeMap::from([("a".to_owned(), (true, Some(-1))), ("b".to_owned(), (false, None))]));
    let numbers = Value::Numbers(255, -300, 1 << 30, i64::MIN, u128::MAX, f32::NAN, 0.1);
    let value = Value::Many(vec![Value::Unit, numbers, Value::Bytes(vec![0; 5]), table, pairs]);
    let rest =
        BTreeMap::from([("x".to_owned(), Loose::Number(-5)), ("y".to_owned(), Loose::Text("z".into()))]);
    let loose = Loose::Many(vec![Loose::Named { kind: "k".into(), rest }, Loose::Many(Vec::new())]);
    let named = cucumber::to_bytes(&Unknown(&value)).unwrap();
    let graph_named = cucumber::to_bytes(&Unknown(&graph())).unwrap();
    cucumber::know::<Value>();
    cucumber::know::<Node>();
    vec![
        ("value_named", named),
        ("value_plain", cucumber::to_bytes(&value).unwrap()),
        ("message", cucumber::encode_message(&value).unwrap().bytes),
        ("loose", cucumber::to_bytes(&loose).unwrap()),
        ("graph_named", graph_named),
        ("graph_plain", cucumber::to_bytes(&graph()).unwrap()),
    ]
}

#[test]
fn the_corpus_is_still_read() {
    for (name, bytes) in samples() {
        let path = folder().join(name);
        if std::env::var_os("BLESS").is_some() {
            std::fs::write(&path, &bytes).unwrap();
        }
        let kept = std::fs::read(&path).unwrap_or_default();
        // One made by another build holds other type names, and is as good to start from; but it has to be read.
        assert!(
            cucumber::inspect_bytes(&kept).is_ok(),
            "{name} is no frame any more; write it anew with BLESS=1"
        );
    }
}

/// Numbers that look random and are the same each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 20) as usize % limit.max(1)
    }

    /// Changes a frame as a fuzzer does, and sets its length right in most cases, so that more than the header is seen.
    fn mutate(&mut self, bytes: &mut Vec<u8>, other: &[u8]) {
        for _ in 0..=self.below(4) {
            let place = self.below(bytes.len());
            match self.below(6) {
                0 if !bytes.is_empty() => bytes[place] ^= 1 << self.below(8),
                1 if !bytes.is_empty() => bytes[place] = [0, 1, 0x7f, 0x80, 0xc0, 0xff][self.below(6)],
                2 => bytes.insert(place, self.below(256) as u8),
                3 => drop(bytes.drain(place..(place + self.below(8)).min(bytes.len()))),
                4 => {
                    let from = self.below(other.len());
                    let piece = &other[from..(from + self.below(16)).min(other.len())];
                    bytes.splice(place..place, piece.iter().copied());
                }
                _ => bytes.truncate(place.max(17)),
            }
        }
        if self.below(8) > 0 && bytes.len() >= 16 {
            let length = (bytes.len() - 16) as u64;
            bytes[8..16].copy_from_slice(&length.to_le_bytes());
        }
    }
}

#[test]
fn ten_thousand_changed_frames_are_survived() {
    let corpus: Vec<Vec<u8>> = samples().into_iter().map(|(_, bytes)| bytes).collect();
    corpus.iter().for_each(|bytes| subject::decode(bytes));
    let mut dice = Dice(0x5eed_5eed);
    for _ in 0..10_000 {
        let mut bytes = corpus[dice.below(corpus.len())].clone();
        let other = &corpus[dice.below(corpus.len())];
        dice.mutate(&mut bytes, other);
        subject::decode(&bytes);
    }
}
