//! Fields at the corners of what `#[cucumber]` recognises: what it adapts has to fit serde's other attributes, generics and macros.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

mod support;

use std::cell::{OnceCell, RefCell};
use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom, Write};
use std::iter::{Rev, StepBy};
use std::ops::{Range, RangeInclusive};
use std::process::Command;
use std::rc::{Rc, Weak};
use std::sync::{Arc, Mutex, OnceLock, RwLock};
use std::time::{Duration, Instant};

use cucumber::cucumber;
use serde::Serialize;
use serde::de::DeserializeOwned;
use support::Unknown;

/// A path of this test's own.
#[cfg(target_os = "linux")]
fn scratch(name: &str) -> std::path::PathBuf {
    std::env::temp_dir().join(format!("cucumber-{name}-{}", std::process::id()))
}

fn there_and_back<T: Serialize + DeserializeOwned>(value: &T) -> T {
    let by_name: T = cucumber::from_bytes(&cucumber::to_bytes(&Unknown(value)).unwrap()).unwrap();
    let bytes = cucumber::to_bytes(&by_name).unwrap();
    cucumber::from_bytes(&bytes).unwrap()
}

#[cucumber]
struct Ranges {
    floats: RangeInclusive<f64>,
    spans: RangeInclusive<Duration>,
    texts: RangeInclusive<String>,
    numbers: RangeInclusive<u8>,
    backwards: Rev<Range<usize>>,
    steps: StepBy<RangeInclusive<isize>>,
}

#[test]
fn ranges_cross_whether_they_are_iterators_or_not() {
    let ranges = Ranges {
        floats: 0.5..=1.5,
        spans: Duration::ZERO..=Duration::MAX,
        texts: "a".to_owned()..="b".to_owned(),
        numbers: RangeInclusive::new(3, 2),
        backwards: (0..usize::MAX).rev(),
        steps: (-7..=7).step_by(7),
    };
    let mut back = there_and_back(&ranges);
    assert_eq!((&back.floats, &back.spans, &back.texts), (&ranges.floats, &ranges.spans, &ranges.texts));
    assert!(back.numbers.is_empty());
    assert_eq!((back.backwards.next(), back.backwards.len()), (Some(usize::MAX - 1), usize::MAX - 1));
    assert_eq!(back.steps.collect::<Vec<_>>(), [-7, 0, 7]);
}

#[cucumber]
struct Uncounted(StepBy<RangeInclusive<u64>>);

#[test]
fn a_range_of_more_numbers_than_can_be_counted_is_refused() {
    let error = cucumber::to_bytes(&Uncounted((0..=u64::MAX).step_by(1))).unwrap_err();
    assert!(error.to_string().contains("more numbers than can be counted"), "{error}");
    let back = there_and_back(&Uncounted((1..=u64::MAX).step_by(1))).0;
    assert_eq!(back.size_hint(), (1..=u64::MAX).size_hint());
}

#[cucumber]
struct Stepping(StepBy<Range<u64>>);

#[test]
fn forged_steps_are_an_error() {
    #[derive(Serialize)]
    struct Forged((u64, u64, u64));
    let bytes = cucumber::to_bytes(&Forged((1 << 63, u64::MAX, (1 << 63) + 1))).unwrap();
    assert!(cucumber::from_bytes::<Stepping>(&bytes).is_err());
    #[derive(Serialize)]
    struct Steps {
        first: u64,
        step: u64,
        count: u64,
    }
    let steps = Steps { first: 1 << 63, step: u64::MAX, count: (1 << 63) + 1 };
    assert!(cucumber::from_bytes::<Stepping>(&cucumber::to_bytes(&Some(steps)).unwrap()).is_err());
}

#[cucumber]
struct Run(Command);

#[cfg(unix)]
#[test]
fn a_command_without_an_environment_gets_none() {
    for folder in [None, Some("/")] {
        let mut command = Command::new("env");
        command.env_clear().env("ONLY", "1");
        if let Some(folder) = folder {
            command.current_dir(folder);
        }
        let output = there_and_back(&Run(command)).0.output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout), "ONLY=1\n");
    }
    let mut kept = Command::new("env");
    kept.env("ONE_MORE", "1").arg("-u").arg("PATH");
    let output = there_and_back(&Run(kept)).0.output().unwrap();
    assert!(output.stdout.len() > "ONE_MORE=1\n".len());
}

#[cucumber]
struct Sparse {
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<Instant>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    lock: Option<Mutex<u8>>,
}

#[cucumber]
#[serde(tag = "kind", content = "content")]
enum Adjacent {
    Moment(Instant),
    Lock(Mutex<u8>),
    Both { at: Instant, lock: Mutex<u8> },
    Pair(Instant, u8),
    Nothing,
}

#[test]
fn serdes_attributes_stay_what_they_are() {
    let back = there_and_back(&Sparse { at: None, lock: None });
    assert!(back.at.is_none() && back.lock.is_none());
    let back = there_and_back(&Sparse { at: Some(Instant::now()), lock: Some(Mutex::new(7)) });
    assert!(back.at.is_some() && *back.lock.unwrap().lock().unwrap() == 7);
    let now = Instant::now();
    assert!(matches!(there_and_back(&Adjacent::Moment(now)), Adjacent::Moment(_)));
    let Adjacent::Lock(lock) = there_and_back(&Adjacent::Lock(Mutex::new(7))) else { panic!("another") };
    assert_eq!(*lock.lock().unwrap(), 7);
    let both = Adjacent::Both { at: now, lock: Mutex::new(8) };
    assert!(matches!(there_and_back(&both), Adjacent::Both { .. }));
    assert!(matches!(there_and_back(&Adjacent::Pair(now, 1)), Adjacent::Pair(_, 1)));
    assert!(matches!(there_and_back(&Adjacent::Nothing), Adjacent::Nothing));
}

#[cucumber]
struct Bound<A, B: Into<A> + Copy>
where
    A: From<u8>,
{
    a: A,
    b: Mutex<B>,
}

macro_rules! written_by_a_macro {
    ($name:ident, $ty:ty) => {
        #[cucumber]
        struct $name {
            it: $ty,
        }
    };
}

written_by_a_macro!(Written, Mutex<Vec<u8>>);

#[cucumber]
struct Slices {
    locks: Box<[Mutex<u8>]>,
    files: Option<Box<[File]>>,
}

#[test]
fn generics_macros_and_slices_are_no_obstacle() {
    let back = there_and_back(&Bound::<u64, u8> { a: 1, b: Mutex::new(2) });
    assert_eq!((back.a, *back.b.lock().unwrap()), (1, 2));
    assert_eq!(*there_and_back(&Written { it: Mutex::new(vec![1]) }).it.lock().unwrap(), [1]);
    let slices = Slices { locks: [Mutex::new(1), Mutex::new(2)].into(), files: None };
    assert_eq!(*there_and_back(&slices).locks[1].lock().unwrap(), 2);
    let held = slices.locks[0].lock().unwrap();
    let error = cucumber::to_bytes(&slices).unwrap_err();
    assert!(error.to_string().contains("locks[0]"), "{error}");
    drop(held);
}

#[cucumber]
struct Reading(BufReader<File>);

#[cfg(target_os = "linux")]
#[test]
fn a_buffered_file_can_be_written_to_if_it_could() {
    let path = scratch("buffered");
    let mut file = File::options().read(true).write(true).create(true).truncate(true).open(&path).unwrap();
    file.write_all(b"0123456789").unwrap();
    file.seek(SeekFrom::Start(3)).unwrap();
    let encoded = cucumber::encode(&Reading(BufReader::new(file))).unwrap();
    let mut back: Reading = cucumber::decode(&encoded.bytes, encoded.attachments).unwrap();
    back.0.get_mut().write_all(b"XY").unwrap();
    let mut rest = String::new();
    back.0.read_to_string(&mut rest).unwrap();
    assert_eq!((rest.as_str(), std::fs::read_to_string(&path).unwrap().as_str()), ("56789", "012XY56789"));
    std::fs::remove_file(path).unwrap();
}

#[cucumber]
struct Opened(File);

#[cfg(target_os = "linux")]
#[test]
fn a_named_pipe_has_no_recipe() {
    let path = scratch("fifo");
    let made = Command::new("mkfifo").arg(&path).status().unwrap();
    assert!(made.success());
    let pipe = Opened(File::options().read(true).write(true).open(&path).unwrap());
    let error = cucumber::to_bytes(&pipe).unwrap_err();
    assert!(error.to_string().contains("named pipe"), "{error}");
    // It may have become one since.
    std::fs::remove_file(&path).unwrap();
    std::fs::write(&path, "").unwrap();
    let bytes = cucumber::to_bytes(&Opened(File::open(&path).unwrap())).unwrap();
    std::fs::remove_file(&path).unwrap();
    assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    assert!(cucumber::from_bytes::<Opened>(&bytes).is_err());
    std::fs::remove_file(path).unwrap();
}

#[cucumber]
struct Graph {
    nodes: RwLock<Vec<Arc<Node>>>,
}

#[cucumber]
struct Node {
    graph: OnceLock<std::sync::Weak<Graph>>,
    id: u8,
}

#[cucumber]
struct NodeFirst {
    pick: Option<Arc<Node>>,
    graph: Arc<Graph>,
}

#[test]
fn a_cell_that_is_set_once_waits_for_its_owner() {
    let graph = Arc::new(Graph { nodes: RwLock::default() });
    for id in 0..3 {
        let node = Node { graph: OnceLock::new(), id };
        node.graph.set(Arc::downgrade(&graph)).unwrap();
        graph.nodes.write().unwrap().push(Arc::new(node));
    }
    let pick = graph.nodes.read().unwrap().get(1).cloned();
    let back = there_and_back(&NodeFirst { pick, graph });
    for node in back.graph.nodes.read().unwrap().iter() {
        let owner = node.graph.get().and_then(std::sync::Weak::upgrade);
        assert!(owner.is_some_and(|owner| Arc::ptr_eq(&owner, &back.graph)), "{}", node.id);
    }
    let pick = back.pick.unwrap();
    assert!(Arc::ptr_eq(&pick, &back.graph.nodes.read().unwrap()[1]) && pick.id == 1);
}

#[cucumber]
struct Registry {
    parents: RefCell<Vec<Rc<Parent>>>,
}

#[cucumber]
struct Parent {
    kids: Vec<Rc<Kid>>,
    owner: Rc<Registry>,
}

#[cucumber]
struct Kid {
    up: Weak<Parent>,
}

#[cucumber]
struct Holder(Rc<Registry>);

#[test]
fn what_is_read_twice_is_known_to_its_parts_as_it_is_in_the_end() {
    let registry = Rc::new(Registry { parents: RefCell::default() });
    let parent = Rc::new_cyclic(|parent: &Weak<Parent>| Parent {
        kids: (0..3).map(|_| Rc::new(Kid { up: parent.clone() })).collect(),
        owner: registry.clone(),
    });
    registry.parents.borrow_mut().push(parent);
    let back = there_and_back(&Holder(registry.clone())).0;
    let parent = back.parents.borrow()[0].clone();
    assert!(Rc::ptr_eq(&parent.owner, &back) && parent.kids.len() == 3);
    for kid in &parent.kids {
        assert!(kid.up.upgrade().is_some_and(|up| Rc::ptr_eq(&up, &parent)));
    }
    registry.parents.take();
    back.parents.take();
}

/// A circle through a cell that the struct does not show.
#[cucumber]
struct Outer {
    next: RefCell<Link>,
    once: OnceCell<Weak<Outer>>,
}

#[cucumber]
enum Link {
    Nobody,
    Node(Rc<Outer>),
}

#[cucumber]
struct Outers(Vec<Rc<Outer>>);

#[test]
fn a_circle_that_cannot_be_closed_is_never_an_empty_container() {
    let outer = Rc::new(Outer { next: RefCell::new(Link::Nobody), once: OnceCell::new() });
    *outer.next.borrow_mut() = Link::Node(outer.clone());
    let bytes = cucumber::to_bytes(&Outers(vec![outer.clone()])).unwrap();
    match cucumber::from_bytes::<Outers>(&bytes) {
        Ok(back) => assert_eq!(back.0.len(), 1),
        Err(error) => assert!(error.to_string().contains("held by itself"), "{error}"),
    }
    outer.next.replace(Link::Nobody);
}

#[test]
fn what_a_parameter_calls_its_own_is_left_to_serde() {
    trait Task {
        type Output;
        type Error;
    }
    struct Count;
    impl Task for Count {
        type Output = u64;
        type Error = Option<String>;
    }
    #[cucumber]
    struct Done<T: Task> {
        output: T::Output,
        error: T::Error,
        since: Option<Instant>,
    }
    let done = Done::<Count> { output: 7, error: Some("late".into()), since: None };
    let back: Done<Count> = cucumber::from_bytes(&cucumber::to_bytes(&done).unwrap()).unwrap();
    assert_eq!((back.output, back.error.as_deref()), (7, Some("late")));
    assert!(back.since.is_none());
}
