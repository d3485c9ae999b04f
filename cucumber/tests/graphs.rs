//! `Rc`, `Arc` and `Weak` keep their identity, and cycles their shape.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;
use std::rc::{Rc, Weak};
use std::sync::{Arc, Mutex, RwLock};

use cucumber::cucumber;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// There and back, in both codecs.
fn round<T: Serialize + DeserializeOwned>(value: &T) -> T {
    let named = cucumber::to_bytes(value).unwrap();
    let _: T = cucumber::from_bytes(&named).unwrap();
    let plain = cucumber::to_bytes(value).unwrap();
    assert_eq!(cucumber::to_bytes(value).unwrap(), plain, "the same value has other bytes");
    cucumber::from_bytes(&plain).unwrap()
}

#[test]
fn what_is_shared_is_one_value_on_the_other_side() {
    #[cucumber]
    struct Fleet {
        first: Arc<Mutex<u32>>,
        all: Vec<Arc<Mutex<u32>>>,
        named: BTreeMap<String, (u8, Arc<Mutex<u32>>)>,
        boxed: Box<Option<Arc<Mutex<u32>>>>,
        name: Arc<str>,
        nothing: std::sync::Weak<Mutex<u32>>,
        watched: std::sync::Weak<Mutex<u32>>,
        gone: std::sync::Weak<String>,
    }
    let (one, two) = (Arc::new(Mutex::new(1)), Arc::new(Mutex::new(2)));
    let fleet = Fleet {
        first: one.clone(),
        all: vec![two.clone(), one.clone(), two.clone()],
        named: BTreeMap::from([("a".to_owned(), (1, two.clone()))]),
        boxed: Box::new(Some(one.clone())),
        name: "fleet".into(),
        nothing: std::sync::Weak::new(),
        watched: Arc::downgrade(&two),
        gone: Arc::downgrade(&Arc::new("x".repeat(3))),
    };
    let back = round(&fleet);
    assert!(Arc::ptr_eq(&back.first, &back.all[1]));
    assert!(Arc::ptr_eq(&back.all[0], &back.all[2]));
    assert!(Arc::ptr_eq(&back.all[0], &back.named["a"].1));
    assert!(Arc::ptr_eq(&back.first, back.boxed.as_ref().as_ref().unwrap()));
    assert!(Arc::ptr_eq(&back.watched.upgrade().unwrap(), &back.all[0]));
    *back.first.lock().unwrap() = 10;
    assert_eq!((*back.all[1].lock().unwrap(), *back.all[0].lock().unwrap()), (10, 2));
    assert_eq!(&*back.name, "fleet");
    assert!(back.nothing.upgrade().is_none() && back.gone.upgrade().is_none());
    assert_eq!((Arc::strong_count(&back.first), Arc::strong_count(&back.all[0])), (3, 3));
}

#[test]
fn a_weak_reference_alone_arrives_dead() {
    #[cucumber]
    struct Watcher {
        watched: Weak<String>,
    }
    let string = Rc::new("held by nobody who travels".to_owned());
    let watcher = Watcher { watched: Rc::downgrade(&string) };
    let bytes = cucumber::to_bytes(&watcher).unwrap();
    assert!(!bytes.windows(7).any(|window| window == b"travels"), "it travels all the same");
    assert!(round(&watcher).watched.upgrade().is_none());
    assert_eq!(Rc::strong_count(&string), 1);
}

/// The tree of the Rust book.
#[cucumber]
struct Branch {
    value: u32,
    parent: RefCell<Weak<Branch>>,
    children: RefCell<Vec<Rc<Branch>>>,
}

fn branch(value: u32, children: Vec<Rc<Branch>>) -> Rc<Branch> {
    let branch = Rc::new(Branch { value, parent: RefCell::default(), children: RefCell::new(children) });
    for child in branch.children.borrow().iter() {
        *child.parent.borrow_mut() = Rc::downgrade(&branch);
    }
    branch
}

fn assert_tree(branch: &Rc<Branch>) -> u32 {
    let mut sum = branch.value;
    for child in branch.children.borrow().iter() {
        assert!(Rc::ptr_eq(&child.parent.borrow().upgrade().unwrap(), branch));
        sum += assert_tree(child);
    }
    sum
}

#[test]
fn a_tree_keeps_its_way_up() {
    #[cucumber]
    struct Forest {
        /// Before the root: the way to it is by a weak reference.
        cursor: Option<Rc<Branch>>,
        root: Rc<Branch>,
    }
    let leaf = branch(1, Vec::new());
    let root = branch(4, vec![branch(2, vec![leaf.clone()]), branch(3, Vec::new())]);
    for cursor in [None, Some(leaf.clone()), Some(root.clone())] {
        let is_leaf = cursor.as_ref().is_some_and(|cursor| Rc::ptr_eq(cursor, &leaf));
        let back = round(&Forest { cursor, root: root.clone() });
        assert_eq!(assert_tree(&back.root), 10);
        assert!(back.root.parent.borrow().upgrade().is_none());
        if is_leaf {
            let cursor = back.cursor.unwrap();
            assert!(Rc::ptr_eq(&cursor, &back.root.children.borrow()[0].children.borrow()[0]));
            let parent = cursor.parent.borrow().upgrade().unwrap();
            assert!(Rc::ptr_eq(&parent.parent.borrow().upgrade().unwrap(), &back.root));
        }
    }
}

/// A tree without cells, as `Rc::new_cyclic` makes them.
#[cucumber]
struct Fixed {
    value: u32,
    parent: Weak<Fixed>,
    children: Vec<Rc<Fixed>>,
}

fn fixed(depth: u32, parent: &Weak<Fixed>) -> Rc<Fixed> {
    Rc::new_cyclic(|this| Fixed {
        value: depth,
        parent: parent.clone(),
        children: (0..depth).map(|depth| fixed(depth, this)).collect(),
    })
}

fn assert_fixed(fixed: &Rc<Fixed>) -> usize {
    fixed.children.iter().for_each(|child| assert!(Rc::ptr_eq(&child.parent.upgrade().unwrap(), fixed)));
    1 + fixed.children.iter().map(assert_fixed).sum::<usize>()
}

#[test]
fn a_tree_without_cells_keeps_its_way_up() {
    let tree = fixed(6, &Weak::new());
    let count = assert_fixed(&tree);
    #[cucumber]
    struct Root(Rc<Fixed>);
    assert_eq!(assert_fixed(&round(&Root(tree.clone())).0), count);
}

#[cucumber]
struct Peer {
    name: String,
    peers: Vec<Arc<Mutex<Peer>>>,
    best: Option<Arc<Mutex<Peer>>>,
    watcher: std::sync::Weak<Mutex<Peer>>,
}

fn peer(name: &str) -> Arc<Mutex<Peer>> {
    Arc::new(Mutex::new(Peer {
        name: name.into(),
        peers: Vec::new(),
        best: None,
        watcher: std::sync::Weak::new(),
    }))
}

#[test]
fn a_cycle_through_locks_is_closed_again() {
    #[cucumber]
    struct Network {
        all: Vec<Arc<Mutex<Peer>>>,
    }
    let all: Vec<_> = ["a", "b", "c"].map(peer).into();
    for (place, one) in all.iter().enumerate() {
        let mut one = one.lock().unwrap();
        // Everybody knows everybody, itself included.
        one.peers = all.clone();
        one.best = Some(all[(place + 1) % 3].clone());
        one.watcher = Arc::downgrade(&all[(place + 2) % 3]);
    }
    let back = round(&Network { all: all.clone() });
    for (place, name) in ["a", "b", "c"].into_iter().enumerate() {
        let one = back.all[place].lock().unwrap();
        assert_eq!(one.name, name);
        assert_eq!(one.peers.len(), 3);
        assert!(one.peers.iter().zip(&back.all).all(|(one, other)| Arc::ptr_eq(one, other)));
        assert!(Arc::ptr_eq(one.best.as_ref().unwrap(), &back.all[(place + 1) % 3]));
        assert!(Arc::ptr_eq(&one.watcher.upgrade().unwrap(), &back.all[(place + 2) % 3]));
    }
    for one in all.iter().chain(&back.all) {
        let (peers, best) = {
            let mut one = one.lock().unwrap();
            (std::mem::take(&mut one.peers), one.best.take())
        };
        drop((peers, best));
    }
}

#[test]
fn a_cycle_through_cells_is_closed_again() {
    #[cucumber]
    struct Link {
        value: u32,
        next: RefCell<Option<Rc<Link>>>,
        once: OnceCell<Rc<Link>>,
        lock: RwLock<Vec<Rc<Link>>>,
    }
    #[cucumber]
    struct Ring(Rc<Link>);
    let link = |value| {
        let (next, once, lock) = (RefCell::new(None), OnceCell::new(), RwLock::new(Vec::new()));
        Rc::new(Link { value, next, once, lock })
    };
    let (one, two) = (link(1), link(2));
    *one.next.borrow_mut() = Some(two.clone());
    *two.next.borrow_mut() = Some(one.clone());
    two.once.set(one.clone()).ok().unwrap();
    one.lock.write().unwrap().extend([one.clone(), two.clone()]);
    let back = round(&Ring(one.clone())).0;
    let next = back.next.borrow().clone().unwrap();
    assert_eq!((back.value, next.value), (1, 2));
    assert!(Rc::ptr_eq(next.next.borrow().as_ref().unwrap(), &back));
    assert!(Rc::ptr_eq(next.once.get().unwrap(), &back));
    let lock = back.lock.read().unwrap();
    assert!(Rc::ptr_eq(&lock[0], &back) && Rc::ptr_eq(&lock[1], &next));
    drop(lock);
    for one in [one, back] {
        one.next.take();
        one.lock.write().unwrap().clear();
    }
}

#[test]
fn a_cycle_through_a_variant_is_closed_again() {
    #[cucumber]
    enum Stop {
        End(u32),
        Line { next: RefCell<Option<Rc<Stop>>>, number: u32 },
        Hub(RefCell<Vec<Rc<Stop>>>, OnceCell<Rc<Stop>>),
    }
    #[cucumber]
    struct Map(Rc<Stop>);
    let hub = Rc::new(Stop::Hub(RefCell::new(Vec::new()), OnceCell::new()));
    let line = Rc::new(Stop::Line { next: RefCell::new(Some(hub.clone())), number: 7 });
    let Stop::Hub(to, home) = &*hub else { unreachable!() };
    to.borrow_mut().extend([Rc::new(Stop::End(1)), line.clone(), hub.clone()]);
    home.set(line).ok().unwrap();
    let back = round(&Map(hub.clone())).0;
    let Stop::Hub(to, home) = &*back else { panic!("another variant came") };
    let stops = to.take();
    assert!(matches!(*stops[0], Stop::End(1)));
    assert!(Rc::ptr_eq(&stops[2], &back));
    assert!(Rc::ptr_eq(home.get().unwrap(), &stops[1]));
    let Stop::Line { next, number: 7 } = &*stops[1] else { panic!("another line came") };
    assert!(Rc::ptr_eq(&next.take().unwrap(), &back));
    let Stop::Hub(to, _) = &*hub else { unreachable!() };
    to.take();
}

#[test]
fn a_circle_is_refused_and_not_lost_where_its_owner_has_other_cells() {
    #[cucumber]
    struct Seat {
        owner: RefCell<Option<Rc<Table>>>,
    }
    #[cucumber]
    struct Table {
        seat: Seat,
        beside: RefCell<Option<Rc<Table>>>,
    }
    #[cucumber]
    struct Tree {
        left: Option<Box<Tree>>,
        root: RefCell<Option<Rc<Tree>>>,
    }
    #[cucumber]
    struct Root<T: 'static>(Rc<T>);
    let refused = |error: cucumber::Error| assert!(error.is_unsupported(), "{error:?}");

    let seat = Seat { owner: RefCell::new(None) };
    let table = Rc::new(Table { seat, beside: RefCell::new(None) });
    *table.seat.owner.borrow_mut() = Some(table.clone());
    let bytes = cucumber::to_bytes(&Root(table.clone())).unwrap();
    refused(cucumber::from_bytes::<Root<Table>>(&bytes).err().unwrap());
    table.seat.owner.take();
    // Where that cell lacks nothing, it is in nobody's way.
    *table.beside.borrow_mut() = Some(table.clone());
    let back = round(&Root(table.clone())).0;
    assert!(Rc::ptr_eq(&back.beside.take().unwrap(), &back));
    table.beside.take();

    // The struct of the same type further in is not the one that is held.
    let left = Tree { left: None, root: RefCell::new(None) };
    let tree = Rc::new(Tree { left: Some(Box::new(left)), root: RefCell::new(None) });
    *tree.left.as_ref().unwrap().root.borrow_mut() = Some(tree.clone());
    let bytes = cucumber::to_bytes(&Root(tree.clone())).unwrap();
    refused(cucumber::from_bytes::<Root<Tree>>(&bytes).err().unwrap());
    tree.left.as_ref().unwrap().root.take();
}

#[test]
fn a_circle_that_no_cell_can_close_is_refused() {
    // Its cell is not in the struct that is shared, but in one further in.
    #[cucumber]
    struct Inner {
        owner: RefCell<Option<Rc<Outer>>>,
    }
    #[cucumber]
    struct Outer {
        inner: Inner,
    }
    #[cucumber]
    struct Root {
        outer: Rc<Outer>,
    }
    let outer = Rc::new(Outer { inner: Inner { owner: RefCell::new(None) } });
    *outer.inner.owner.borrow_mut() = Some(outer.clone());
    let bytes = cucumber::to_bytes(&Root { outer: outer.clone() }).unwrap();
    let error = cucumber::from_bytes::<Root>(&bytes).err().unwrap();
    assert!(error.is_unsupported(), "{error:?}");
    assert_eq!(error.path(), "outer");
    outer.inner.owner.take();
}

#[test]
fn an_error_inside_of_a_shared_value_names_the_whole_way() {
    let tree = branch(1, vec![branch(2, Vec::new())]);
    #[cucumber]
    struct Root {
        trees: Vec<Rc<Branch>>,
    }
    let root = Root { trees: vec![tree.clone()] };
    let children = tree.children.borrow();
    let held = children[0].children.borrow_mut();
    for _ in 0..2 {
        let error = cucumber::to_bytes(&root).unwrap_err().with_root("worker");
        assert!(
            error.to_string().starts_with("worker.trees[0].children[0].children: this cell is borrowed"),
            "{error}"
        );
        cucumber::know::<Root>();
    }
    drop(held);
}

#[cfg(unix)] // `/dev/zero`
#[test]
fn a_handle_inside_of_a_graph_crosses() {
    #[cucumber]
    struct Node {
        log: std::fs::File,
        next: RefCell<Option<Rc<Node>>>,
    }
    #[cucumber]
    struct Root(Rc<Node>);
    let open = || std::fs::File::open("/dev/zero").unwrap();
    let one = Rc::new(Node { log: open(), next: RefCell::new(None) });
    *one.next.borrow_mut() = Some(Rc::new(Node { log: open(), next: RefCell::new(Some(one.clone())) }));
    let encoded = cucumber::encode(&Root(one.clone())).unwrap();
    assert_eq!(encoded.attachments.len(), 2);
    let back: Root = cucumber::decode(&encoded.bytes, encoded.attachments).unwrap();
    let next = back.0.next.take().unwrap();
    let mut byte = [1];
    std::io::Read::read_exact(&mut &next.log, &mut byte).unwrap();
    std::io::Read::read_exact(&mut &back.0.log, &mut byte).unwrap();
    assert!(Rc::ptr_eq(&next.next.take().unwrap(), &back.0));
    one.next.take();
}

#[test]
fn a_graph_crosses_as_a_message_and_through_tagged_types() {
    #[cucumber]
    #[serde(tag = "kind")]
    enum Event {
        Quiet,
        Shared { one: Arc<u32>, two: Arc<u32> },
    }
    let one = Arc::new(5);
    let events = vec![Event::Quiet, Event::Shared { one: one.clone(), two: one }];
    let message = cucumber::encode_message(&events).unwrap();
    let mut scope = cucumber::Scope::new();
    let back: Vec<Event> = cucumber::decode_message(&message.bytes, &mut scope).unwrap();
    assert!(matches!(&back[1], Event::Shared { one, two } if Arc::ptr_eq(one, two)));
}

#[test]
fn a_long_list_is_an_error_or_arrives_and_never_overflows() {
    #[cucumber]
    struct Link(Option<Arc<Link>>);
    let list = |len: usize| (0..len).fold(Link(None), |rest, _| Link(Some(Arc::new(rest))));
    let back = round(&list(100));
    assert_eq!(std::iter::successors(Some(&back), |link| link.0.as_deref()).count(), 101);
    let long = list(100_000);
    let error = cucumber::to_bytes(&long).unwrap_err();
    assert!(error.is_too_deep(), "{error:?}");
    // Dropping it in one go would overflow the stack.
    let mut rest = long.0;
    while let Some(link) = rest {
        rest = Arc::into_inner(link).and_then(|link| link.0);
    }
}

#[test]
fn identity_ends_with_the_encoding_and_needs_one() {
    #[cucumber]
    struct Root(Arc<u32>);
    let root = Root(Arc::new(1));
    let (one, two) = (round(&root), round(&root));
    assert!(!Arc::ptr_eq(&one.0, &two.0));
    let error = serde_json::to_string(&root).unwrap_err();
    assert!(error.to_string().contains("only within an encoding"), "{error}");
}
