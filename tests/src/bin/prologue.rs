//! Has something done first in every worker, and prints what came of it.
#![expect(clippy::print_stdout, reason = "it is what this program is for")]

use std::sync::atomic::{AtomicU32, Ordering};

use processing::prelude::*;

static TIMES: AtomicU32 = AtomicU32::new(0);

fn set_up() {
    TIMES.fetch_add(1, Ordering::Relaxed);
}

fn set_up_worse() {
    panic!("no way to begin");
}

fn set_up_worst() {
    std::process::abort();
}

/// Counts, when its state is read in the worker, what has been done there before.
#[derive(Debug)]
struct Counter(u32);

impl serde::Serialize for Counter {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u32(self.0)
    }
}

impl<'de> serde::Deserialize<'de> for Counter {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <u32 as serde::Deserialize>::deserialize(deserializer)?;
        Ok(Counter(TIMES.load(Ordering::Relaxed)))
    }
}

/// Says how often it was done here, before its state was read, and in the workers below.
#[skprocess(runs = 1)]
struct Counting {
    at_first: Counter,
    depth: u32,
    below: Vec<(u32, u32)>,
}

#[skprocess]
impl Counting {
    fn run(&mut self) -> Result<(), ProcessError> {
        if self.depth > 0 {
            self.below = Counting { at_first: Counter(0), depth: self.depth - 1, below: vec![] }.run()?;
        }
        Ok(())
    }
    fn result(&mut self) -> Vec<(u32, u32)> {
        let mut all = vec![(self.at_first.0, TIMES.load(Ordering::Relaxed))];
        all.append(&mut self.below);
        all
    }
}

fn main() {
    let count = || match (Counting { at_first: Counter(0), depth: 2, below: vec![] }).run() {
        Ok(counts) => println!("{counts:?}"),
        Err(error) => println!("{}", tests::chain(&error).join("; ")),
    };
    count();
    processing::on_worker_start(set_up);
    count();
    processing::on_worker_start(set_up_worse);
    count();
    processing::on_worker_start(set_up_worst);
    count();
    let started = "a closure";
    processing::on_worker_start(|| assert!(std::hint::black_box("a closure").len() > 1));
    println!("{started}");
    count();
}
