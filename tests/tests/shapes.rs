//! What a process may look like: helpers, generics, structs in functions, processes in processes, copies of state.
#![allow(clippy::unwrap_used, reason = "a hook of a test is a part of the test")]

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::marker::PhantomData;

use processing::prelude::*;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tests::watchdog;

/// Has helpers of every kind, in the block of the hooks and outside.
#[skprocess(runs = 1)]
struct Helped {
    text: String,
}

const SUFFIX: &str = "!";

fn shout(text: &str) -> String {
    text.to_uppercase() + SUFFIX
}

impl Helped {
    fn _private(&self) -> String {
        shout(&self.text)
    }
}

trait Doubled {
    fn doubled(&self) -> String;
}

impl Doubled for Helped {
    fn doubled(&self) -> String {
        self._private().repeat(2)
    }
}

#[skprocess]
impl Helped {
    const TIMES: usize = 2;

    fn run(&mut self) {
        self.text = self.doubled();
        self.text = Self::again(&self.text);
    }
    fn result(&mut self) -> String {
        std::mem::take(&mut self.text)
    }
    fn again(text: &str) -> String {
        text.repeat(Self::TIMES)
    }
}

#[test]
fn helpers_are_there() {
    let _watchdog = watchdog();
    assert_eq!(Helped { text: "hey".into() }.run().unwrap(), "HEY!HEY!HEY!HEY!");
}

/// Does something for any type.
trait Fold: Default + Clone + Debug + Serialize + DeserializeOwned + 'static {
    fn fold(self, other: Self) -> Self;
}

impl Fold for u64 {
    fn fold(self, other: u64) -> u64 {
        self + other
    }
}

impl Fold for String {
    fn fold(self, other: String) -> String {
        self + &other
    }
}

#[skprocess(runs = 1)]
#[serde(bound = "T: Fold")]
struct Folding<T: Fold, const TIMES: usize> {
    items: Vec<T>,
    total: T,
    what: PhantomData<T>,
}

#[skprocess]
impl<T: Fold, const TIMES: usize> Folding<T, TIMES> {
    fn run(&mut self) {
        for _ in 0..TIMES {
            self.total = self.items.iter().cloned().fold(self.total.clone(), T::fold);
        }
    }
    fn result(&mut self) -> T {
        self.total.clone()
    }
}

#[test]
fn a_process_may_be_generic() {
    let _watchdog = watchdog();
    let numbers = Folding::<u64, 2> { items: vec![1, 2, 3], total: 0, what: PhantomData };
    assert_eq!(numbers.run().unwrap(), 12);
    let words =
        Folding::<String, 3> { items: vec!["a".into(), "b".into()], total: "".into(), what: PhantomData };
    assert_eq!(words.run().unwrap(), "ababab");
}

#[test]
fn a_process_may_be_defined_inside_a_function() {
    fn local(by: u64) -> u64 {
        #[skprocess(runs = 3)]
        struct Local {
            by: u64,
            total: u64,
        }

        #[skprocess]
        impl Local {
            fn run(&mut self) {
                self.total += self.by;
            }
            fn result(&mut self) -> u64 {
                self.total
            }
        }

        Local { by, total: 0 }.run().unwrap()
    }
    let _watchdog = watchdog();
    assert_eq!(local(5), 15);
}

/// A tuple struct.
#[skprocess(runs = 1)]
struct Pair(u8, Option<String>);

#[skprocess]
impl Pair {
    fn run(&mut self) {
        self.1 = Some(self.0.to_string());
    }
    fn result(&mut self) -> Option<String> {
        self.1.take()
    }
}

#[test]
fn a_process_may_be_a_tuple() {
    let _watchdog = watchdog();
    assert_eq!(Pair(7, None).run().unwrap().as_deref(), Some("7"));
}

/// Starts another one of its kind, and so on, and adds up what they return.
#[skprocess(runs = 1)]
struct Nested {
    depth: u32,
    pids: Vec<u32>,
}

#[skprocess]
impl Nested {
    fn run(&mut self) -> Result<(), ProcessError> {
        self.pids.push(std::process::id());
        if self.depth > 0 {
            let inner = Nested { depth: self.depth - 1, pids: self.pids.clone() };
            self.pids = inner.run()?;
        }
        Ok(())
    }
    fn result(&mut self) -> Vec<u32> {
        self.pids.clone()
    }
}

#[test]
fn processes_start_processes() {
    let _watchdog = watchdog();
    let mut pids = Nested { depth: 3, pids: vec![std::process::id()] }.run().unwrap();
    assert_eq!(pids.len(), 5);
    pids.sort_unstable();
    pids.dedup();
    assert_eq!(pids.len(), 5, "each in its own");
}

/// Talks with a process of its own, and hands on what that one says.
#[skprocess(runs = 1)]
struct Relay {
    fails: bool,
}

#[skprocess(runs = 1)]
struct Answering {
    fails: bool,
}

#[skprocess]
impl Answering {
    fn run(&mut self) -> anyhow::Result<()> {
        let question = self.listen::<String>(None)?;
        if self.fails {
            panic!("no answer to {question:?}");
        }
        self.tell(&format!("{} indeed", question.unwrap_or_default()))?;
        Ok(())
    }
}

#[skprocess]
impl Relay {
    fn run(&mut self) -> anyhow::Result<()> {
        let inner = Answering { fails: self.fails }.start()?;
        let question = self.listen::<String>(None)?.unwrap_or_default();
        inner.tell(&question)?;
        let answer = inner.listen::<String>(None)?.unwrap_or_default();
        self.tell(&answer)?;
        Ok(())
    }
}

#[test]
fn messages_pass_two_levels() {
    let _watchdog = watchdog();
    let relay = Relay { fails: false }.start().unwrap();
    relay.tell("good").unwrap();
    assert_eq!(relay.listen::<String>(None).unwrap().as_deref(), Some("good indeed"));
    relay.wait().unwrap();
}

#[test]
fn errors_pass_two_levels() {
    let _watchdog = watchdog();
    let relay = Relay { fails: true }.start().unwrap();
    relay.tell("bad").unwrap();
    let error = relay.result().unwrap_err();
    let chain = tests::chain(&error);
    assert!(chain.iter().any(|line| line.contains("no answer to Some(\"bad\")")), "{chain:?}");
}

/// Keeps what it was given.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Inventory {
    articles: BTreeMap<String, u32>,
    bytes: Vec<u8>,
    nothing: Option<Box<Inventory>>,
}

#[skprocess(runs = 1)]
#[derive(Clone, Debug, PartialEq)]
struct Keeper {
    inventory: Inventory,
}

#[skprocess]
impl Keeper {
    fn prerun(&mut self) {
        // Told only after the parent has changed its own copy.
        self.listen::<()>(None).unwrap();
    }
    fn run(&mut self) {
        self.inventory.articles.insert("added".into(), 1);
    }
    fn result(&mut self) -> Inventory {
        self.inventory.clone()
    }
}

#[test]
fn a_process_has_a_copy_of_its_own() {
    let _watchdog = watchdog();
    let inventory = Inventory {
        articles: BTreeMap::from([("nails".into(), 100)]),
        bytes: vec![0, 255],
        nothing: Some(Box::new(Inventory { articles: BTreeMap::new(), bytes: vec![], nothing: None })),
    };
    let mut mine = Keeper { inventory: inventory.clone() };
    let worker = mine.clone().start().unwrap();
    mine.inventory.articles.clear();
    worker.tell(&()).unwrap();
    let theirs = worker.result().unwrap();
    assert_eq!(mine.inventory.articles.len(), 0);
    assert_eq!(theirs.articles.len(), 2);
    assert_eq!(theirs.nothing, inventory.nothing);
    assert_eq!(theirs.bytes, inventory.bytes);
}

/// Looks at the process it is in.
#[cfg(target_os = "linux")]
#[skprocess(runs = 1)]
struct Looking;

#[cfg(target_os = "linux")]
#[skprocess]
impl Looking {
    fn run(&mut self) {}
    fn result(&mut self) -> (u32, u32, bool) {
        let parent = rustix::process::getppid().map_or(0, |pid| pid.as_raw_nonzero().get().unsigned_abs());
        (std::process::id(), parent, processing::Context::current().is_some())
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_worker_is_a_child_of_the_program_itself() {
    let _watchdog = watchdog();
    let worker = Looking.start().unwrap();
    let (pid, parent, is_worker) = worker.result().unwrap();
    assert_eq!(parent, std::process::id());
    assert_eq!(pid, worker.pid());
    assert!(is_worker);
    assert!(processing::Context::current().is_none());
    worker.wait().unwrap();
    assert!(!worker.is_alive());
    assert_eq!(worker.pid(), pid);
}
