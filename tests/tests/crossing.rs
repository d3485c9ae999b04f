//! What serde leaves out goes to another process and comes back.
#![allow(clippy::unwrap_used, reason = "a hook of a test is a part of the test")]

use std::cell::RefCell;
use std::collections::HashMap;
use std::fs::File;
use std::io::{Read, Seek, Write};
use std::net::{TcpListener, TcpStream};
use std::rc::{Rc, Weak};
use std::sync::{Arc, Mutex, RwLock};
use std::time::{Duration, Instant};

use processing::prelude::*;
use processing::{Pipe, Pool, Share, Shareable, Task, cucumber};
use tests::{Marks, TempDir, watchdog};

const PATIENCE: Duration = Duration::from_secs(30);

/// A file with this content, open for reading and writing, at its third byte.
fn file(folder: &TempDir, name: &str, content: &str) -> File {
    let path = folder.path().join(name);
    std::fs::write(&path, content).unwrap();
    let mut file = File::options().read(true).write(true).open(path).unwrap();
    file.seek(std::io::SeekFrom::Start(2)).unwrap();
    file
}

#[skprocess(runs = 1)]
struct Handles {
    log: File,
    streams: HashMap<String, Option<TcpStream>>,
    pipe: std::io::PipeWriter,
    read: String,
}

#[skprocess]
impl Handles {
    fn run(&mut self) -> anyhow::Result<()> {
        self.log.read_to_string(&mut self.read)?;
        self.log.write_all(b"+worker")?;
        for stream in self.streams.values_mut().flatten() {
            stream.write_all(b"hello")?;
        }
        self.pipe.write_all(b"piped")?;
        Ok(())
    }
    fn result(&mut self) -> anyhow::Result<Taken> {
        Ok(Taken { read: std::mem::take(&mut self.read), log: self.log.try_clone()? })
    }
}

#[cucumber]
struct Taken {
    read: String,
    log: File,
}

#[test]
fn a_process_works_on_open_handles_and_gives_them_back() {
    let _watchdog = watchdog();
    let folder = TempDir::new();
    let log = file(&folder, "log", "0123456789");
    // Only what is open is needed, not what it is called.
    std::fs::remove_file(folder.path().join("log")).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (mut peer, _) = listener.accept().unwrap();
    let (mut reader, pipe) = std::io::pipe().unwrap();
    let streams = HashMap::from([("one".to_owned(), Some(stream)), ("none".to_owned(), None)]);
    let mut taken = Handles { log, streams, pipe, read: String::new() }.run().unwrap();
    assert_eq!(taken.read, "23456789");
    // The worker and its copies are gone, so both ends here see the end.
    let (mut heard, mut piped) = (String::new(), String::new());
    peer.read_to_string(&mut heard).unwrap();
    reader.read_to_string(&mut piped).unwrap();
    assert_eq!((heard.as_str(), piped.as_str()), ("hello", "piped"));
    // What came back is at the place where the worker left it.
    assert_eq!(taken.log.stream_position().unwrap(), 17);
    taken.log.rewind().unwrap();
    let mut all = String::new();
    taken.log.read_to_string(&mut all).unwrap();
    assert_eq!(all, "0123456789+worker");
}

#[skprocess(runs = 3, lives = 2)]
struct Mortal {
    log: File,
    counts: Arc<Mutex<Vec<u32>>>,
    same: Arc<Mutex<Vec<u32>>>,
    marks: Marks,
}

#[skprocess]
impl Mortal {
    fn run(&mut self) {
        if self.current_run() == 1 && self.marks.is_first("death") {
            std::process::abort();
        }
        let run = self.current_run() as u32;
        self.counts.lock().unwrap().push(run);
        self.log.write_all(run.to_string().as_bytes()).unwrap();
    }
    fn result(&mut self) -> (bool, Vec<u32>) {
        (Arc::ptr_eq(&self.counts, &self.same), self.same.lock().unwrap().clone())
    }
}

#[test]
fn handles_and_identity_outlive_a_worker() {
    let _watchdog = watchdog();
    let folder = TempDir::new();
    let log = file(&folder, "log", "..");
    let counts = Arc::new(Mutex::new(Vec::new()));
    let marks = folder.marks();
    let mortal = Mortal { log, same: counts.clone(), counts, marks };
    assert_eq!(mortal.run().unwrap(), (true, vec![0, 1, 2]));
    assert_eq!(std::fs::read_to_string(folder.path().join("log")).unwrap(), "..012");
}

/// Knows its parent and its children.
#[cucumber]
struct Node {
    name: String,
    parent: RefCell<Weak<Node>>,
    children: RefCell<Vec<Rc<Node>>>,
}

fn node(name: &str, children: Vec<Rc<Node>>) -> Rc<Node> {
    let node =
        Rc::new(Node { name: name.into(), parent: RefCell::default(), children: RefCell::new(children) });
    for child in node.children.borrow().iter() {
        *child.parent.borrow_mut() = Rc::downgrade(&node);
    }
    node
}

#[cucumber]
struct Tree {
    /// Found before the root is.
    cursor: Rc<Node>,
    root: Rc<Node>,
}

/// The names from the cursor up to the root, and whether that is the root.
fn way_up(tree: Tree) -> (Vec<String>, bool) {
    let mut way = vec![tree.cursor.name.clone()];
    let mut here = tree.cursor.clone();
    loop {
        let parent = here.parent.borrow().upgrade();
        let Some(parent) = parent else { break };
        way.push(parent.name.clone());
        here = parent;
    }
    let is_root = Rc::ptr_eq(&here, &tree.root);
    (way, is_root)
}

#[test]
fn graphs_keep_their_shape_in_pools_and_messages() {
    let _watchdog = watchdog();
    let tree = |_| {
        let leaf = node("leaf", Vec::new());
        Tree { cursor: leaf.clone(), root: node("root", vec![node("branch", vec![leaf])]) }
    };
    let pool = Pool::new(2).unwrap();
    let ways = pool.map(way_up, (0..4).map(tree)).unwrap();
    let expected = (vec!["leaf".to_owned(), "branch".into(), "root".into()], true);
    assert_eq!(ways, vec![expected; 4]);

    #[skprocess(runs = 1)]
    struct Listener {}
    #[skprocess]
    impl Listener {
        fn run(&mut self) -> anyhow::Result<()> {
            let mut tree = self.listen::<Tree>(PATIENCE)?.unwrap();
            tree.cursor = tree.root.children.borrow()[0].clone();
            self.tell(&tree)?;
            Ok(())
        }
    }
    let worker = Listener {}.start().unwrap();
    worker.tell(&tree(0)).unwrap();
    let back: Tree = worker.listen(PATIENCE).unwrap().unwrap();
    assert_eq!(way_up(back), (vec!["branch".to_owned(), "root".into()], true));
    worker.wait().unwrap();
}

#[test]
fn a_held_lock_and_a_poisoned_one_are_errors_that_name_the_field() {
    let _watchdog = watchdog();
    #[skprocess(runs = 1)]
    struct Locked {
        totals: Vec<Arc<RwLock<u64>>>,
    }
    #[skprocess]
    impl Locked {
        fn run(&mut self) {}
        fn result(&mut self) -> u64 {
            self.totals.iter().map(|total| *total.read().unwrap()).sum()
        }
    }
    let total = Arc::new(RwLock::new(5));
    let held = total.write().unwrap();
    let error = Locked { totals: vec![total.clone()] }.start().err().unwrap();
    let chain = tests::chain(&error).join(": ");
    assert!(chain.contains("totals[0]: this lock is held"), "{chain}");
    drop(held);
    assert_eq!(Locked { totals: vec![total.clone(), total] }.run().unwrap(), 10);
}

/// Implementations register themselves, before `main` in the worker as well.
#[typetag::serde]
trait Step: std::fmt::Debug {
    fn apply(&self, value: i64) -> i64;
}

#[derive(Debug, serde::Serialize, serde::Deserialize)]
struct Add(i64);

#[typetag::serde]
impl Step for Add {
    fn apply(&self, value: i64) -> i64 {
        value + self.0
    }
}

#[derive(Debug, serde::Serialize, serde::Deserialize)]
struct Times {
    factor: i64,
}

#[typetag::serde]
impl Step for Times {
    fn apply(&self, value: i64) -> i64 {
        value * self.factor
    }
}

#[cucumber]
#[derive(Clone, Copy)]
struct Operation(fn(i64, i64) -> i64);

#[skprocess(runs = 1)]
struct Plan {
    steps: Vec<Box<dyn Step>>,
    shared: Rc<Mutex<Box<dyn Step>>>,
    function: fn(i64) -> i64,
    functions: Vec<Option<Operation>>,
    task: Task<fn(i64) -> i64>,
    since: Instant,
}

fn negated(value: i64) -> i64 {
    -value
}

#[skprocess]
impl Plan {
    fn run(&mut self) {}
    fn result(&mut self) -> anyhow::Result<(i64, i64, i64, Duration)> {
        let stepped = self.steps.iter().fold(1, |value, step| step.apply(value));
        let stepped = self.shared.lock().unwrap().apply(stepped);
        let called = self.functions.iter().flatten().fold(stepped, |value, function| (function.0)(value, 2));
        let task = self.task.closure()?;
        Ok(((self.function)(stepped), called, task(stepped), self.since.elapsed()))
    }
}

#[test]
fn trait_objects_function_pointers_and_tasks_are_fields() {
    let _watchdog = watchdog();
    let offset = 100;
    let since = Instant::now().checked_sub(Duration::from_secs(60)).unwrap();
    let plan = Plan {
        steps: vec![Box::new(Add(2)), Box::new(Times { factor: 7 })],
        shared: Rc::new(Mutex::new(Box::new(Add(1)))),
        function: negated,
        functions: vec![None, Some(Operation(i64::wrapping_mul)), Some(Operation(|one, two| one + two))],
        task: task!(|value: i64| value + offset),
        since,
    };
    let (function, functions, task, elapsed) = plan.run().unwrap();
    assert_eq!((function, functions, task), (-22, 46, 122));
    // The two clocks are read one after the other, so that a moment may be lost between them.
    assert!(elapsed > Duration::from_secs(59), "{elapsed:?}");
}

#[derive(Shareable, Default)]
struct Tally {
    sum: u64,
}

#[test]
fn a_task_may_capture_what_is_shared() {
    let _watchdog = watchdog();
    let tally = Share::new(Tally::default()).unwrap();
    let add = task!(|number: u64| tally.transaction(|tally| tally.sum += number));
    let pool = Pool::new(2).unwrap();
    pool.map(add.clone(), 1..=100).unwrap();
    assert_eq!(tally.sum, 5050);
    // Here, in a thread of a pool without workers, and in a pool inside of a pool it is the same one.
    add.closure().unwrap()(1);
    Pool::inline().map(add.clone(), [2]).unwrap();
    let nested = task!(|number: u64| Pool::new(1).unwrap().map(add.clone(), [number]).map(|_| ()).unwrap());
    pool.map(nested, [3, 4]).unwrap();
    assert_eq!(tally.sum, 5060);
}

#[test]
fn a_task_may_not_capture_what_belongs_to_one_process() {
    let _watchdog = watchdog();
    let (_anchor, point) = Pipe::pair::<u8, u8>().unwrap();
    let task = task!(|number: u8| point.send(&number).unwrap());
    let error = Pool::new(1).unwrap().map(task, [1]).unwrap_err();
    assert!(tests::chain(&error).iter().any(|text| text.contains("belongs to one process")), "{error:?}");
}
