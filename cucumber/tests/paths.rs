//! An error names the field that failed and what to write instead.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

mod support;

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;

use serde::{Deserialize, Serialize, Serializer};
use support::Unknown;

/// Refuses to be written.
#[derive(Debug)]
struct Socket;

impl Serialize for Socket {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom("a socket stays where it is"))
    }
}

impl<'de> Deserialize<'de> for Socket {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        u8::deserialize(deserializer).map(|_| Socket)
    }
}

#[derive(Serialize, Deserialize, Debug)]
enum Job {
    Idle,
    Listen(Socket),
    Pair(u8, Socket),
    Serve { port: u16, socket: Option<Box<Socket>> },
}

#[derive(Serialize, Deserialize, Debug, Default)]
struct Worker {
    name: String,
    jobs: Vec<Job>,
    by_name: BTreeMap<String, Socket>,
    by_number: BTreeMap<i32, (u8, Socket)>,
    by_pair: BTreeMap<(u8, u8), Socket>,
}

/// The message with names and, where the shape is known, without.
fn refusals(worker: &Worker) -> [String; 2] {
    let named = cucumber::to_bytes(&Unknown(worker)).unwrap_err();
    cucumber::know::<Worker>();
    let plain = cucumber::to_bytes(worker).unwrap_err();
    [named, plain].map(|error| {
        assert!(error.is_refused());
        error.with_root("worker").to_string()
    })
}

#[track_caller]
fn refused_at(path: &str, worker: &Worker) {
    for message in refusals(worker) {
        assert_eq!(message, format!("worker.{path}: a socket stays where it is"));
    }
}

#[test]
fn the_path_of_a_refused_field() {
    let jobs = |job: Job| Worker { jobs: vec![Job::Idle, Job::Idle, job], ..Worker::default() };
    refused_at("jobs[2].Listen", &jobs(Job::Listen(Socket)));
    refused_at("jobs[2].Pair[1]", &jobs(Job::Pair(1, Socket)));
    refused_at("jobs[2].Serve.socket", &jobs(Job::Serve { port: 80, socket: Some(Box::new(Socket)) }));
    let by_name = BTreeMap::from([("a b".to_owned(), Socket)]);
    refused_at(r#"by_name["a b"]"#, &Worker { by_name, ..Worker::default() });
    let by_number = BTreeMap::from([(-3, (1, Socket))]);
    refused_at("by_number[-3][1]", &Worker { by_number, ..Worker::default() });
    let by_pair = BTreeMap::from([((1, 2), Socket)]);
    refused_at("by_pair[entry 0]", &Worker { by_pair, ..Worker::default() });
}

#[derive(Serialize, Deserialize, Debug)]
struct Written {
    id: u8,
    rows: Vec<HashMap<String, Option<Row<u32>>>>,
}

#[derive(Serialize, Deserialize, Debug)]
#[serde(rename = "Row")]
struct Row<T> {
    value: T,
}

/// Reads what `Written` wrote, and wants its rows small.
#[derive(Deserialize, Serialize, Debug)]
struct Read {
    id: u8,
    rows: Vec<HashMap<String, Option<Row<std::num::NonZeroU32>>>>,
}

#[test]
fn the_path_of_a_field_that_cannot_be_read() {
    let value =
        Written { id: 1, rows: vec![HashMap::new(), HashMap::from([("k".into(), Some(Row { value: 0 }))])] };
    let named = cucumber::to_bytes(&Unknown(&value)).unwrap();
    cucumber::know::<Written>();
    for bytes in [named, cucumber::to_bytes(&value).unwrap()] {
        let error = cucumber::from_bytes::<Read>(&bytes).unwrap_err();
        assert_eq!(error.path(), r#"rows[1]["k"].value"#);
        assert!(error.is_refused(), "{error:?}");
        assert!(error.to_string().contains("expected a nonzero u32"), "{error}");
    }
}

#[test]
fn the_path_of_a_variant_that_cannot_be_read() {
    #[derive(Serialize, Deserialize, Debug)]
    enum Out {
        A { many: Vec<i8> },
        B(i8, i8),
    }
    #[derive(Serialize, Deserialize, Debug)]
    enum In {
        A { many: Vec<std::num::NonZeroI8> },
        B(i8, std::num::NonZeroI8),
    }
    for (value, path) in [(Out::A { many: vec![1, 0] }, "A.many[1]"), (Out::B(1, 0), "B[1]")] {
        let named = cucumber::to_bytes(&Unknown(&value)).unwrap();
        cucumber::know::<Out>();
        for bytes in [named, cucumber::to_bytes(&value).unwrap()] {
            assert_eq!(cucumber::from_bytes::<In>(&bytes).unwrap_err().path(), path);
        }
    }
}

#[test]
fn a_missing_field_and_a_wrong_kind_say_where() {
    #[derive(Serialize)]
    struct Old {
        inner: BTreeMap<String, String>,
    }
    #[derive(Deserialize, Debug)]
    #[expect(dead_code, reason = "only read")]
    struct New {
        inner: Inner,
    }
    #[derive(Deserialize, Debug)]
    #[expect(dead_code, reason = "only read")]
    struct Inner {
        port: u16,
    }
    let empty = cucumber::to_bytes(&Old { inner: BTreeMap::new() }).unwrap();
    let error = cucumber::from_bytes::<New>(&empty).unwrap_err();
    assert_eq!(error.to_string(), "inner: missing field `port`");
    let wrong =
        cucumber::to_bytes(&Old { inner: BTreeMap::from([("port".into(), "eighty".into())]) }).unwrap();
    let error = cucumber::from_bytes::<New>(&wrong).unwrap_err();
    assert_eq!(error.to_string(), "inner.port: invalid type: string \"eighty\", expected u16");
}

#[test]
fn a_refusal_says_what_to_write_instead() {
    #[derive(Serialize)]
    struct Files {
        log: PathBuf,
    }
    let files = Files { log: support::odd_name(&[0xff]).into() };
    let error = cucumber::to_bytes(&files).unwrap_err();
    assert_eq!(error.path(), "log");
    assert!(error.to_string().contains("hold it as an `OsString`"), "{error}");

    let lock = std::sync::Arc::new(std::sync::Mutex::new(1));
    let poisoner = lock.clone();
    let _ = std::thread::spawn(move || {
        let _held = poisoner.lock();
        std::panic::resume_unwind(Box::new(()));
    })
    .join();
    assert!(cucumber::to_bytes(&*lock).unwrap_err().to_string().contains("clear the poison"));

    let cell = std::cell::RefCell::new(1);
    let _held = cell.borrow_mut();
    assert!(cucumber::to_bytes(&cell).unwrap_err().to_string().contains("end the `borrow_mut()`"));
}

#[test]
fn a_refusal_of_serde_s_own_says_what_to_write_instead() {
    let early = std::time::UNIX_EPOCH - std::time::Duration::from_secs(1);
    assert!(cucumber::to_bytes(&early).unwrap_err().to_string().contains("signed number of seconds"));

    #[derive(Serialize)]
    struct Flat {
        #[serde(flatten)]
        number: u8,
    }
    let error = cucumber::to_bytes(&Flat { number: 1 }).unwrap_err();
    assert!(error.to_string().contains("give the field a name of its own"), "{error}");

    #[derive(Serialize)]
    #[serde(tag = "kind")]
    enum Tagged {
        Number(u8),
    }
    let error = cucumber::to_bytes(&Tagged::Number(1)).unwrap_err();
    assert!(error.to_string().contains("give the variant named fields"), "{error}");

    #[derive(Deserialize, Debug)]
    #[serde(untagged)]
    #[expect(dead_code, reason = "only read")]
    enum Loose {
        Number(u8),
        Text(String),
    }
    let error = cucumber::from_bytes::<Loose>(&cucumber::to_bytes(&Some(true)).unwrap()).unwrap_err();
    assert!(error.to_string().contains("written by a type with other variants"), "{error}");
}

#[test]
fn a_sequence_that_miscounts_is_refused() {
    struct Liar;
    impl Serialize for Liar {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            use serde::ser::SerializeSeq;
            let mut seq = serializer.serialize_seq(Some(3))?;
            seq.serialize_element(&1u8)?;
            seq.end()
        }
    }
    let error = cucumber::to_bytes(&Liar).unwrap_err();
    assert_eq!(error.to_string(), "its `Serialize` announces 3 elements and writes 1");
}

#[test]
fn the_wrong_type_leaves_the_message_readable() {
    let message = cucumber::encode_message(&vec!["a"]).unwrap();
    let mut scope = cucumber::Scope::new();
    let error = cucumber::decode_message::<Vec<u32>>(&message.bytes, &mut scope).unwrap_err();
    assert!(error.is_wrong_type());
    let text = error.to_string();
    assert!(text.contains("`Vec<u32>`") && text.contains("`Vec<String>`"), "{text}");
    assert_eq!(cucumber::decode_message::<Vec<String>>(&message.bytes, &mut scope).unwrap(), ["a"]);
    // Plain bytes are not a message, whatever they hold.
    let plain = cucumber::to_bytes("a").unwrap();
    assert!(cucumber::decode_message::<String>(&plain, &mut scope).unwrap_err().is_malformed());
    // A message is a value as well.
    assert_eq!(cucumber::from_bytes::<Vec<String>>(&message.bytes).unwrap(), ["a"]);
}

#[test]
fn errors_are_small_and_can_go_anywhere() {
    fn anywhere<T: std::error::Error + Send + Sync + 'static>() {}
    anywhere::<cucumber::Error>();
    assert_eq!(size_of::<cucumber::Error>(), size_of::<usize>());
}
