//! Handles ride beside the bytes.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

mod support;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use cucumber::{Scope, scope};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use support::Unknown;

/// Stands for a descriptor: it counts how many of it are open.
#[derive(Debug)]
struct File {
    name: String,
    open: Arc<AtomicUsize>,
}

impl File {
    fn new(name: &str, open: &Arc<AtomicUsize>) -> Self {
        open.fetch_add(1, Ordering::Relaxed);
        Self { name: name.into(), open: open.clone() }
    }
}

impl Drop for File {
    fn drop(&mut self) {
        self.open.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Serialize for File {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        scope::serialize(Box::new(File::new(&self.name, &self.open)), serializer)
    }
}

impl<'de> Deserialize<'de> for File {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        scope::deserialize(deserializer)
    }
}

#[derive(Serialize, Deserialize, Debug)]
struct Worker {
    id: u32,
    files: BTreeMap<String, Vec<File>>,
    log: Option<File>,
    after: String,
}

fn worker(open: &Arc<AtomicUsize>) -> Worker {
    let files = BTreeMap::from([("in".to_owned(), vec![File::new("a", open), File::new("b", open)])]);
    Worker { id: 1, files, log: Some(File::new("log", open)), after: "end".into() }
}

#[test]
fn handles_arrive_in_their_fields() {
    let open = Arc::default();
    cucumber::know::<Worker>();
    let original = worker(&open);
    let named = cucumber::encode(&Unknown(&original)).unwrap();
    let plain = cucumber::encode(&original).unwrap();
    assert_eq!(support::codec(&plain.bytes), support::Codec::Postcard);
    drop(original);
    for encoded in [named, plain] {
        assert_eq!(encoded.attachments.len(), 3);
        let back: Worker = cucumber::decode(&encoded.bytes, encoded.attachments).unwrap();
        let names: Vec<&str> = back.files["in"].iter().map(|file| file.name.as_str()).collect();
        assert_eq!(names, ["a", "b"]);
        assert_eq!((back.log.unwrap().name.as_str(), back.after.as_str()), ("log", "end"));
    }
    assert_eq!(open.load(Ordering::Relaxed), 0, "a handle is left open");
}

#[test]
fn plain_bytes_refuse_a_handle_and_name_the_field() {
    let open = Arc::default();
    for _ in 0..2 {
        let error = cucumber::to_bytes(&worker(&open)).unwrap_err().with_root("worker");
        assert!(error.is_handle());
        assert!(error.to_string().starts_with(r#"worker.files["in"][0]: a handle cannot"#), "{error}");
        assert!(error.to_string().contains("use `cucumber::encode`"), "{error}");
        cucumber::know::<Worker>();
    }
    assert_eq!(open.load(Ordering::Relaxed), 0);
}

#[test]
fn missing_and_surplus_handles_are_errors() {
    let open = Arc::default();
    let encoded = cucumber::encode(&worker(&open)).unwrap();
    let error = cucumber::decode::<Worker>(&encoded.bytes, Vec::new()).unwrap_err();
    assert!(error.is_handle() && error.to_string().contains("3 handles and 0"), "{error}");
    let mut attachments = encoded.attachments;
    attachments.push(Box::new(()));
    assert!(cucumber::decode::<Worker>(&encoded.bytes, attachments).unwrap_err().is_handle());
    assert_eq!(open.load(Ordering::Relaxed), 0);
}

#[test]
fn a_handle_of_another_kind_names_the_field() {
    let open = Arc::default();
    let encoded = cucumber::encode(&worker(&open)).unwrap();
    let others: Vec<cucumber::Attachment> = vec![Box::new(1u8), Box::new(2u8), Box::new(3u8)];
    let error = cucumber::decode::<Worker>(&encoded.bytes, others).unwrap_err();
    assert!(error.is_handle(), "{error:?}");
    assert_eq!(error.path(), r#"files["in"][0]"#);
}

#[test]
fn outside_an_encoding_a_handle_says_so() {
    let open = Arc::default();
    let file = File::new("a", &open);
    let error = serde_json::to_string(&file).unwrap_err();
    assert!(error.to_string().contains("can only be serialised by `cucumber::encode`"), "{error}");
    let error = serde_json::from_str::<File>("0").unwrap_err();
    assert!(error.to_string().contains("can only be deserialised by `cucumber::decode`"), "{error}");
    assert!(scope::attach(Box::new(())).is_err());
    assert!(scope::detach::<u8>(0).is_err());
}

#[test]
fn the_wrong_type_takes_no_handle() {
    let open = Arc::default();
    let message = cucumber::encode_message(&worker(&open)).unwrap();
    let mut scope = Scope::new().with_attachments(message.attachments);
    assert!(cucumber::decode_message::<String>(&message.bytes, &mut scope).unwrap_err().is_wrong_type());
    let back: Worker = cucumber::decode_message(&message.bytes, &mut scope).unwrap();
    assert_eq!(back.id, 1);
    assert!(scope.into_attachments().is_empty());
}

#[test]
fn encodings_within_encodings_keep_their_handles_apart() {
    /// Encodes something of its own while it is encoded.
    struct Nested(File);
    impl Serialize for Nested {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let inner = cucumber::encode(&self.0).map_err(serde::ser::Error::custom)?;
            assert_eq!(inner.attachments.len(), 1);
            (inner.bytes.len(), &self.0).serialize(serializer)
        }
    }
    let open = Arc::default();
    let encoded = cucumber::encode(&Nested(File::new("a", &open))).unwrap();
    assert_eq!(encoded.attachments.len(), 1);
    let (_, file): (usize, File) = cucumber::decode(&encoded.bytes, encoded.attachments).unwrap();
    assert_eq!(file.name, "a");
}

#[test]
fn a_panic_while_encoding_leaves_no_table_behind() {
    struct Panics;
    impl Serialize for Panics {
        fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            std::panic::resume_unwind(Box::new(()))
        }
    }
    assert!(std::panic::catch_unwind(|| cucumber::encode(&Panics)).is_err());
    assert!(scope::attach(Box::new(())).is_err(), "the table is still there");
}

#[test]
fn a_doubtful_value_attaches_its_handles_once() {
    #[derive(Serialize, Deserialize)]
    struct Sparse {
        file: File,
        #[serde(skip_serializing_if = "Option::is_none", default)]
        note: Option<u8>,
    }
    cucumber::know::<Sparse>();
    let open = Arc::default();
    let encoded = cucumber::encode(&Sparse { file: File::new("a", &open), note: None }).unwrap();
    assert_eq!(encoded.attachments.len(), 1);
    let back: Sparse = cucumber::decode(&encoded.bytes, encoded.attachments).unwrap();
    assert_eq!(back.file.name, "a");
    drop(back);
    assert_eq!(open.load(Ordering::Relaxed), 0);
}
