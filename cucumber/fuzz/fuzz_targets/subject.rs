//! What is fuzzed: a frame of unknown origin, read as this and that.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::rc::{Rc, Weak};

use cucumber::cucumber;
use serde::{Deserialize, Serialize};

/// Every kind of part that a value may have.
#[derive(Serialize, Deserialize)]
pub(crate) enum Value {
    Unit,
    Numbers(u8, i16, u32, i64, u128, f32, f64),
    Text(String, char),
    Bytes(Vec<u8>),
    Many(Vec<Value>),
    Table { rows: HashMap<u32, Vec<u8>>, inner: Option<Box<Value>> },
    Pairs(BTreeMap<String, (bool, Option<i8>)>),
}

/// What is read by names only.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Loose {
    Number(i64),
    Text(String),
    Named {
        kind: String,
        #[serde(flatten)]
        rest: BTreeMap<String, Loose>,
    },
    Many(Vec<Loose>),
}

/// Shared values, in circles.
#[cucumber]
pub(crate) struct Node {
    pub(crate) value: u32,
    pub(crate) parent: RefCell<Weak<Node>>,
    pub(crate) fixed: Weak<Node>,
    pub(crate) children: RefCell<Vec<Rc<Node>>>,
    pub(crate) others: Vec<Rc<RefCell<Option<Rc<Node>>>>>,
    pub(crate) again: Option<Rc<Node>>,
    pub(crate) bare: Rc<u8>,
}

/// Reads the bytes in every way there is. Whatever they are, this returns, soon and in little memory.
pub(crate) fn decode(bytes: &[u8]) {
    let _ = cucumber::from_bytes::<Value>(bytes);
    let _ = cucumber::from_bytes::<Loose>(bytes);
    let _ = cucumber::from_bytes::<(Vec<u64>, String)>(bytes);
    let _ = cucumber::message_type(bytes);
    if let Ok(tree) = cucumber::inspect_bytes(bytes) {
        let _ = (tree.to_string(), tree.to_json(), tree.largest(3));
    }
    if let Ok(node) = cucumber::from_bytes::<Node>(bytes) {
        let _ = cucumber::inspect(&node).to_json();
        dissolve(&node);
    }
}

/// Circles of strong references hold themselves for ever, which is no leak of ours.
fn dissolve(node: &Node) {
    let mut left: Vec<Rc<Node>> = node.children.take();
    let mut cells = node.others.clone();
    loop {
        left.extend(std::mem::take(&mut cells).into_iter().filter_map(|cell| cell.take()));
        let Some(next) = left.pop() else { break };
        left.extend(next.children.take());
        cells.extend(next.others.iter().cloned());
    }
}
