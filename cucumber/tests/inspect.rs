//! A value as a tree, as JSON, and by its bytes alone.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

mod support;

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::rc::{Rc, Weak};
use std::sync::{Arc, Mutex};

use cucumber::{cucumber, inspect, inspect_bytes};
use serde::{Deserialize, Serialize};
use support::Unknown;

#[derive(Serialize, Deserialize, Debug, PartialEq, Clone)]
enum Shape {
    Point,
    Circle(f64),
    Corner(i32, i32),
    Rectangle { width: u32, height: u32 },
}

#[derive(Serialize, Deserialize, Debug, PartialEq, Clone)]
struct Drawing {
    name: String,
    shapes: Vec<Shape>,
    raw: Vec<u8>,
    tags: BTreeMap<String, Option<i64>>,
    by_number: BTreeMap<u8, char>,
    pair: (bool, i128),
    nothing: (),
}

fn drawing() -> Drawing {
    Drawing {
        name: "a \"house\"\n".into(),
        shapes: vec![
            Shape::Point,
            Shape::Circle(0.5),
            Shape::Corner(-1, 300),
            Shape::Rectangle { width: 1, height: 70_000 },
        ],
        raw: vec![0, 10, 255],
        tags: BTreeMap::from([("a".to_owned(), Some(-5)), ("b".to_owned(), None)]),
        by_number: BTreeMap::from([(7, 'ü')]),
        pair: (true, i128::MIN),
        nothing: (),
    }
}

const DRAWN: &str = r#"Drawing  (68 B)
├─ name: String = "a \"house\"\n"  (11 B)
├─ shapes: Vec<Shape>, 4 items  (20 B)
│  ├─ [0]: Shape = Point  (1 B)
│  ├─ [1]: Shape = Circle …  (9 B)
│  │  └─ Circle: f64 = 0.5  (8 B)
│  ├─ [2]: Shape = Corner  (4 B)
│  │  ├─ [0]: i32 = -1  (1 B)
│  │  └─ [1]: i32 = 300  (2 B)
│  └─ [3]: Shape = Rectangle  (5 B)
│     ├─ width: u32 = 1  (1 B)
│     └─ height: u32 = 70000  (3 B)
├─ raw: Vec<u8> = 00 0a ff  (4 B)
├─ tags: BTreeMap<String, Option<i64>>, 2 entries  (8 B)
│  ├─ ["a"]: Option<i64> = -5  (2 B)
│  └─ ["b"]: Option<i64> = none  (1 B)
├─ by_number: BTreeMap<u8, char>, 1 entry  (5 B)
│  └─ [7]: char = "ü"  (3 B)
├─ pair: (bool, i128), 2 items  (20 B)
│  ├─ [0]: bool = true  (1 B)
│  └─ [1]: i128 = -170141183460469231731687303715884105728  (19 B)
└─ nothing: () = none"#;

#[test]
fn a_tree_has_names_types_values_and_sizes() {
    let text = inspect(&drawing()).to_string();
    assert_eq!(text, DRAWN, "\n{text}");
}

#[test]
fn sizes_are_those_of_the_bytes() {
    cucumber::know::<Drawing>();
    let bytes = cucumber::to_bytes(&drawing()).unwrap();
    assert_eq!(support::codec(&bytes), support::Codec::Postcard);
    assert_eq!(inspect(&drawing()).size(), bytes.len() - 16);
}

#[test]
fn json_is_valid_and_says_everything() {
    let json: serde_json::Value = serde_json::from_str(&inspect(&drawing()).to_json()).unwrap();
    assert_eq!(json["name"], drawing().name);
    assert_eq!(json["shapes"][3]["Rectangle"]["height"], 70_000);
    assert_eq!(json["shapes"][0], "Point");
    assert_eq!(json["raw"]["bytes"], "000aff");
    assert_eq!(json["by_number"]["entries"][0], serde_json::json!([7, "ü"]));
    let floats = [f64::NAN, f64::INFINITY, -0.0, 1e300];
    assert_eq!(inspect(&floats).to_json(), r#"[{"float":"NaN"},{"float":"inf"},-0.0,1e300]"#);
    let odd: String = (0..0x250).filter_map(char::from_u32).collect();
    let json = inspect(&HashMap::from([(odd.clone(), odd.clone())])).to_json();
    let back: HashMap<String, String> = serde_json::from_str(&json).unwrap();
    assert_eq!(back[&odd], odd);
}

#[cucumber]
struct Node {
    name: Arc<Mutex<String>>,
    parent: RefCell<Weak<Node>>,
    children: RefCell<Vec<Rc<Node>>>,
    log: Option<std::fs::File>,
    function: fn(u8) -> u8,
}

const GRAPH: &str = r#"Rc<Node> #1  (57 B)
├─ name: Arc<Mutex<String>> #2 = "both"  (6 B)
├─ parent: RefCell<Weak<Node>> ⇢ nothing
├─ children: RefCell<Vec<Rc<Node>>>, 1 item  (22 B)
│  └─ [0]: Rc<Node> #3  (21 B)
│     ├─ name: Arc<Mutex<String>> → #2
│     ├─ parent: RefCell<Weak<Node>> ⇢ #1
│     ├─ children: RefCell<Vec<Rc<Node>>>, 0 items  (1 B)"#;

#[test]
fn what_is_shared_is_shown_once() {
    let name = Arc::new(Mutex::new("both".to_owned()));
    let node = |children| {
        let (name, parent, children) = (name.clone(), RefCell::default(), RefCell::new(children));
        Rc::new(Node { name, parent, children, log: None, function: |x| x })
    };
    let child = node(Vec::new());
    let root = node(vec![child.clone()]);
    *child.parent.borrow_mut() = Rc::downgrade(&root);
    #[cucumber]
    struct Root(Rc<Node>);
    let root = Root(root);
    let tree = inspect(&root);
    let text = tree.to_string();
    let lines = |text: &str| {
        text.lines().map(|line| line.split("  (").next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(lines(&text)[1..8], lines(GRAPH)[1..], "\n{text}");
    let json: serde_json::Value = serde_json::from_str(&tree.to_json()).unwrap();
    assert_eq!(json["value"]["children"][0]["value"]["name"]["#"], 2);
    assert_eq!(json["value"]["children"][0]["value"]["parent"]["weak"], 1);
    // Inspecting holds nothing and changes nothing.
    assert_eq!((Rc::strong_count(&root.0), Rc::weak_count(&root.0), Arc::strong_count(&name)), (1, 1, 3));
}

#[cucumber]
struct Many {
    numbers: Vec<Arc<u32>>,
    again: Vec<Arc<u32>>,
    first: std::sync::Weak<u32>,
    alone: Arc<Option<Arc<str>>>,
}

fn many(count: u32) -> Many {
    let numbers: Vec<Arc<u32>> = (0..count).map(Arc::new).collect();
    let first = numbers.first().map(Arc::downgrade).unwrap_or_default();
    Many { again: numbers.clone(), numbers, first, alone: Arc::new(Some("text".into())) }
}

#[test]
fn what_is_shared_counts_what_it_costs_to_be() {
    cucumber::know::<Many>();
    let value = many(1000);
    // All types are known, once one of them was read.
    let _: Many = cucumber::from_bytes(&cucumber::to_bytes(&value).unwrap()).unwrap();
    let bytes = cucumber::to_bytes(&value).unwrap();
    assert_eq!(support::codec(&bytes), support::Codec::Postcard);
    let tree = inspect(&value);
    assert_eq!(tree.size(), bytes.len() - 16);
    // A number, a reference to it, and the header of its part.
    let largest = tree.largest(2000);
    assert!(
        largest.contains(&("numbers[5]".to_owned(), 12)) && largest.contains(&("again[5]".to_owned(), 1))
    );
    let json: serde_json::Value = serde_json::from_str(&tree.to_json()).unwrap();
    assert_eq!(json["first"]["weak"], 1);
    assert_eq!(json["alone"]["value"][0]["value"], "text");

    let named = cucumber::to_bytes(&Unknown(&value)).unwrap();
    let tree = inspect_bytes(&named).unwrap();
    assert_eq!(tree.size(), named.len() - 16);
}

#[test]
fn ever_so_many_shared_values_are_no_more_work_each() {
    let (done, sizes) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let tree = inspect(&many(200_000));
        let written = (tree.to_json().len(), format!("{tree:#}").len());
        done.send((tree.size(), tree.largest(400_001).len(), written))
    });
    // Were each looked for among all others, this would take minutes.
    let (size, parts, written) =
        sizes.recv_timeout(support::servers::LONGEST).expect("it compares each with all");
    assert!(size > 200_000 * 10 && parts == 400_001, "{size} {parts}");
    assert!(written.0 > 200_000 * 10 && written.1 > 200_000 * 10, "{written:?}");
}

#[cfg(target_os = "linux")] // a file in plain bytes
#[test]
fn what_cannot_be_read_is_shown_as_such() {
    #[cucumber]
    struct Busy {
        free: Mutex<u8>,
        held: Mutex<u8>,
        log: std::fs::File,
        pipe: std::io::PipeReader,
    }
    let busy = Busy {
        free: Mutex::new(1),
        held: Mutex::new(2),
        log: std::fs::File::open("/dev/null").unwrap(),
        pipe: std::io::pipe().unwrap().0,
    };
    let _guard = busy.held.lock().unwrap();
    let text = inspect(&busy).to_string();
    assert!(text.contains("free: Mutex<u8> = 1"), "{text}");
    assert!(text.contains("held: Mutex<u8> ✗ this lock is held"), "{text}");
    assert!(text.contains(r#"pipe: PipeReader = "open""#), "{text}");
    let json: serde_json::Value = serde_json::from_str(&inspect(&busy).to_json()).unwrap();
    assert!(json["held"]["refused"].is_string());
    assert_eq!(json["log"]["read"], true);
    assert_eq!(json["log"]["path"], "/dev/null");
}

#[test]
fn long_parts_are_cut_unless_all_is_asked_for() {
    let value = (vec![5u32; 1000], "x".repeat(1000), vec![9u8; 1000]);
    let tree = inspect(&value);
    let (short, whole) = (tree.to_string(), format!("{tree:#}"));
    assert!(short.contains("… 992 more, 992 B") && short.len() < 1000, "{short}");
    assert!(!whole.contains('…') && whole.contains("[999]: u32 = 5") && whole.contains(&value.1));
    let largest = tree.largest(2);
    assert_eq!(largest[0], ("[1]".to_owned(), 1002));
    assert_eq!(largest[1], ("[2]".to_owned(), 1002));
}

#[test]
fn bytes_tell_what_they_hold() {
    let drawing = drawing();
    // With names.
    let tree = inspect_bytes(&cucumber::to_bytes(&Unknown(&drawing)).unwrap()).unwrap();
    let json: serde_json::Value = serde_json::from_str(&tree.to_json()).unwrap();
    assert_eq!(json["shapes"][3]["Rectangle"]["height"], 70_000);
    assert_eq!(json["raw"]["bytes"], "000aff");
    // Without, by the type's name.
    cucumber::know::<Drawing>();
    let message = cucumber::encode_message(&drawing).unwrap();
    assert_eq!(support::codec(&message.bytes), support::Codec::Postcard);
    let tree = inspect_bytes(&message.bytes).unwrap();
    assert!(tree.to_string().contains("Drawing"));
    let json: serde_json::Value = serde_json::from_str(&tree.to_json()).unwrap();
    assert_eq!(json["shapes"], serde_json::to_value(&drawing.shapes).unwrap());
    assert_eq!(json["tags"], serde_json::json!({"a": -5, "b": null}));
    // Without either: so many bytes.
    let bytes = cucumber::to_bytes(&drawing).unwrap();
    let tree = inspect_bytes(&bytes).unwrap();
    assert_eq!(tree.size(), bytes.len() - 16);
    assert!(tree.to_string().contains("written without names"));
    // What is shared is a part of its own.
    #[cucumber]
    struct Shared {
        one: Arc<BTreeMap<String, u8>>,
    }
    let one = Arc::new(BTreeMap::from([("key".to_owned(), 3)]));
    let tree = inspect_bytes(&cucumber::to_bytes(&Shared { one }).unwrap()).unwrap();
    assert_eq!(tree.to_json(), r##"{"value":{"one":1},"#1":{"key":3}}"##);
}

#[test]
fn each_part_of_a_frame_has_the_bytes_that_it_took() {
    #[derive(Serialize, Deserialize)]
    struct Parts {
        small: u8,
        big: Vec<u8>,
        text: String,
        shape: Shape,
        maybe: Option<Option<u8>>,
        floats: (f64, f32),
    }
    let parts = Parts {
        small: 1,
        big: vec![7; 1000],
        text: "x".repeat(50),
        shape: Shape::Circle(0.5),
        maybe: Some(None),
        floats: (1.0, 2.0),
    };
    let sizes = |bytes: &[u8]| inspect_bytes(bytes).unwrap().largest(9);
    let expect = |pairs: &[(&str, usize)]| {
        pairs.iter().map(|(path, size)| ((*path).to_owned(), *size)).collect::<Vec<_>>()
    };
    let named = sizes(&cucumber::to_bytes(&Unknown(&parts)).unwrap());
    let wanted = [
        (r#"["big"]"#, 1004),
        (r#"["text"]"#, 52),
        (r#"["shape"]["Circle"]"#, 9),
        (r#"["floats"][0]"#, 9),
        (r#"["floats"][1]"#, 5),
        (r#"["maybe"]"#, 3),
        (r#"["small"]"#, 1),
    ];
    assert_eq!(named, expect(&wanted));

    cucumber::know::<Parts>();
    let bytes = cucumber::encode_message(&parts).unwrap().bytes;
    assert_eq!(support::codec(&bytes), support::Codec::Postcard);
    let found = inspect_bytes(&bytes).unwrap().largest(2000);
    // As many as the value itself says; the run is shown by its elements here.
    for part in inspect(&parts).largest(9).into_iter().filter(|(path, _)| path != "big") {
        assert!(found.contains(&part), "{part:?} {found:?}");
    }
}

#[test]
fn names_of_ours_are_told_from_those_of_a_value() {
    #[derive(Serialize)]
    struct Hash {
        #[serde(rename = "#")]
        number: u32,
    }
    #[derive(Serialize)]
    struct Both {
        #[serde(rename = "#")]
        number: u32,
        value: u32,
    }
    #[derive(Serialize)]
    enum Kind {
        #[serde(rename = "weak")]
        Weak(u32),
    }
    assert_eq!(inspect(&Hash { number: 1 }).to_json(), r##"{"entries":[["#",1]]}"##);
    assert_eq!(inspect(&Both { number: 1, value: 2 }).to_json(), r##"{"entries":[["#",1],["value",2]]}"##);
    assert_eq!(inspect(&Kind::Weak(1)).to_json(), r#"{"entries":[["weak",1]]}"#);
    let json = |key: &'static str, value: &str| inspect(&BTreeMap::from([(key, value)])).to_json();
    assert_eq!(json("bytes", "0a"), r#"{"entries":[["bytes","0a"]]}"#);
    assert_eq!(json("#", "text"), r##"{"#":"text"}"##);
    assert_eq!(inspect(&BTreeMap::from([("entries", [1])])).to_json(), r#"{"entries":[["entries",[1]]]}"#);
    assert_eq!(inspect(&BTreeMap::from([("bytes", vec![1u8])])).to_json(), r#"{"bytes":{"bytes":"01"}}"#);
}

#[test]
fn damaged_bytes_are_errors_here_as_well() {
    cucumber::know::<Drawing>();
    let message = cucumber::encode_message(&drawing()).unwrap().bytes;
    for frame in [message, cucumber::to_bytes(&Unknown(&drawing())).unwrap()] {
        for place in 0..frame.len() {
            assert!(inspect_bytes(&frame[..place]).is_err());
            for bit in 0..8 {
                let mut damaged = frame.clone();
                damaged[place] ^= 1 << bit;
                let _ = inspect_bytes(&damaged).map(|tree| (tree.to_string(), tree.to_json()));
            }
        }
    }
}
