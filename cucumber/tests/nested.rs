//! Live resources anywhere in a value: each is found, by decoding and by reconnecting alike, and gets the secret for its field.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

mod support;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::{Arc, Mutex, RwLock};
use std::time::Duration;

use cucumber::{BoxError, Credentials, Live, Provider, Reconnect, Scope, Secret, cucumber, reconnect_all};
use serde::de::DeserializeOwned;
use support::Unknown;

/// A connection that remembers its secret.
struct Link(String);

impl Reconnect for Link {
    type Recipe = ();

    fn needs_secret(_: &()) -> bool {
        true
    }

    fn connect(_: &(), secret: Option<&Secret>, _: Duration) -> Result<Self, BoxError> {
        Ok(Link(secret.ok_or("no secret")?.expose().to_owned()))
    }
}

fn link() -> Live<Link> {
    Live::new(())
}

#[cucumber]
struct Shop {
    orders: Arc<Mutex<Live<Link>>>,
    again: Arc<Mutex<Live<Link>>>,
    archive: Rc<RefCell<Vec<Live<Link>>>>,
    pair: (String, Live<Link>),
    office: Office,
    by_name: BTreeMap<String, Live<Link>>,
    by_number: BTreeMap<u32, Live<Link>>,
    choices: [Choice; 3],
    place: (),
}

#[cucumber]
struct Office {
    desk: Mutex<Option<Box<Live<Link>>>>,
    shelf: RwLock<Live<Link>>,
    unnamed: Rest,
}

#[cucumber]
struct Rest(Live<Link>, u8, Result<Live<Link>, String>);

#[cucumber]
enum Choice {
    Nothing,
    One(Live<Link>),
    Named { backup: Live<Link>, note: String },
}

fn shop() -> Shop {
    let orders = Arc::new(Mutex::new(link()));
    Shop {
        again: orders.clone(),
        orders,
        archive: Rc::new(RefCell::new(vec![link(), link()])),
        pair: ("first".into(), link()),
        office: Office {
            desk: Mutex::new(Some(Box::new(link()))),
            shelf: RwLock::new(link()),
            unnamed: Rest(link(), 7, Ok(link())),
        },
        by_name: ["north", "a\"b\\", "line\nbreak"].map(|name| (name.to_owned(), link())).into(),
        by_number: BTreeMap::from([(7, link())]),
        choices: [
            Choice::Nothing,
            Choice::One(link()),
            Choice::Named { backup: link(), note: String::new() },
        ],
        place: (),
    }
}

/// Every name's secret is the name.
fn credentials() -> Credentials {
    let mut credentials = Credentials::new();
    for name in [
        "*",
        "orders",
        "archive",
        "desk",
        "shelf",
        "north",
        "a\"b\\",
        "line\nbreak",
        "7",
        "backup",
        "unnamed",
    ] {
        credentials.insert::<Link>(name, Provider::literal(name));
    }
    credentials
}

/// The secrets in the order of the fields.
fn secrets(shop: &Shop) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut see = |live: &Live<Link>| found.push(live.0.clone());
    see(&shop.orders.lock().unwrap());
    see(&shop.again.lock().unwrap());
    shop.archive.borrow().iter().for_each(&mut see);
    see(&shop.pair.1);
    see(shop.office.desk.lock().unwrap().as_ref().unwrap());
    see(&shop.office.shelf.read().unwrap());
    see(&shop.office.unnamed.0);
    see(shop.office.unnamed.2.as_ref().unwrap());
    shop.by_name.values().chain(shop.by_number.values()).for_each(&mut see);
    for choice in &shop.choices {
        match choice {
            Choice::Nothing => {}
            Choice::One(live) | Choice::Named { backup: live, .. } => see(live),
        }
    }
    found
}

const SECRETS: [&str; 15] = [
    "orders",
    "orders",
    "archive",
    "archive",
    "*",
    "desk",
    "shelf",
    "unnamed",
    "unnamed",
    "a\"b\\",
    "line\nbreak",
    "north",
    "*",
    "*",
    "backup",
];

fn decoded<T: DeserializeOwned>(bytes: &[u8]) -> T {
    cucumber::decode_with(bytes, Scope::new().with_credentials(credentials())).unwrap()
}

#[test]
fn a_decoded_one_has_the_secret_of_its_field_wherever_it_stands() {
    assert_eq!(secrets(&decoded(&cucumber::to_bytes(&Unknown(&shop())).unwrap())), SECRETS);
    cucumber::know::<Shop>();
    assert_eq!(secrets(&decoded(&cucumber::to_bytes(&shop()).unwrap())), SECRETS);
}

#[test]
fn reconnecting_finds_each_and_agrees_with_decoding() {
    let mut shop = shop();
    let report = reconnect_all(&mut shop, &credentials());
    assert!(report.is_ok(), "{report:?}");
    let paths = [
        "orders",
        "archive[0]",
        "archive[1]",
        "pair[1]",
        "office.desk",
        "office.shelf",
        "office.unnamed[0]",
        "office.unnamed[2]",
        r#"by_name["a\"b\\"]"#,
        r#"by_name["line\nbreak"]"#,
        r#"by_name["north"]"#,
        "by_number[7]",
        "choices[1][0]",
        "choices[2].backup",
    ];
    assert_eq!(report.reconnected, paths);
    assert_eq!(secrets(&shop), SECRETS);
}

#[cucumber]
struct Node {
    link: Live<Link>,
    nodes: Vec<Arc<Mutex<Node>>>,
}

#[test]
fn each_in_a_tangle_is_met_once() {
    let node = || Arc::new(Mutex::new(Node { link: link(), nodes: Vec::new() }));
    let mut all: Vec<_> = (0..40).map(|_| node()).collect();
    for one in &all {
        one.lock().unwrap().nodes.clone_from(&all);
    }
    let held = all[3].clone();
    let busy = held.lock().unwrap();
    let report = reconnect_all(&mut all[0], &credentials());
    // All but the one that is in use.
    assert_eq!((report.reconnected.len(), report.failures.len()), (39, 0));
    assert!(!busy.link.is_connected());
    drop(busy);
    assert_eq!(reconnect_all(&mut all, &credentials()).reconnected.len(), 1);
    assert!(held.lock().unwrap().link.is_connected());
    all.iter().for_each(|node| node.lock().unwrap().nodes.clear());
}
