//! What serde leaves out needs nothing of its surroundings either.
#![forbid(unsafe_code)]
#![no_implicit_prelude]
#![deny(warnings, missing_docs, missing_debug_implementations, unreachable_pub, unused_qualifications)]

use ::core::option::Option;
use ::processing::{cucumber, skprocess};
use ::std::cell::RefCell;
use ::std::fs::File;
use ::std::rc::Rc;
use ::std::rc::Weak;
use ::std::sync::{Arc, Mutex};
use ::std::time::Instant;
use ::std::vec::Vec;

/// A node.
#[cucumber]
#[derive(::std::fmt::Debug)]
pub struct Node<T>
where
    T: ::core::marker::Copy,
{
    value: T,
    next: RefCell<Option<Rc<Node<T>>>>,
    parent: RefCell<Weak<Self>>,
    since: Instant,
    #[cfg(any())]
    absent: Mutex<Unknown>,
    r#type: Option<File>,
    function: fn(u8) -> u8,
}

/// Several things.
#[cucumber]
#[derive(::std::fmt::Debug)]
pub enum Several {
    /// Nothing.
    Nothing,
    /// One.
    One(Instant, Option<Instant>),
    /// More.
    More {
        /// All of them.
        all: Vec<Arc<Mutex<Several>>>,
    },
}

/// A worker.
#[skprocess]
#[derive(::std::fmt::Debug)]
pub struct Worker {
    log: Option<File>,
    total: Arc<Mutex<u64>>,
}

#[skprocess]
impl Worker {
    fn run(&mut self) {}
}

fn main() {
    #[cucumber]
    struct Local(Mutex<u8>);

    let _ = Local(Mutex::new(1)).0;
}
