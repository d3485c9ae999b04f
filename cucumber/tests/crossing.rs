//! What serde leaves out crosses all the same.
#![cfg(target_os = "linux")] // files in plain bytes, sockets with paths: `open.rs` has what crosses anywhere
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

use std::collections::{BTreeMap, HashMap};
use std::io::{Read, Seek, SeekFrom, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Condvar, Mutex, OnceLock, RwLock};
use std::time::{Duration, Instant, SystemTime};

use cucumber::cucumber;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// There and back, in both codecs, with all handles.
fn round<T: Serialize + DeserializeOwned>(value: &T) -> T {
    let named = cucumber::encode(value).unwrap();
    let _: T = cucumber::decode(&named.bytes, named.attachments).unwrap();
    cucumber::know::<T>();
    let encoded = cucumber::encode(value).unwrap();
    cucumber::decode(&encoded.bytes, encoded.attachments).unwrap()
}

/// There and back by bytes alone.
fn revived<T: Serialize + DeserializeOwned>(value: &T) -> T {
    cucumber::from_bytes(&cucumber::to_bytes(value).unwrap()).unwrap()
}

fn temporary(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("cucumber-{name}-{}", std::process::id()))
}

/// Removes its file at the end.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str, content: &str) -> Self {
        let path = temporary(name);
        std::fs::write(&path, content).unwrap();
        Self(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

#[cucumber]
struct Files {
    one: std::fs::File,
    many: Vec<Option<std::fs::File>>,
    named: HashMap<String, (u8, std::fs::File)>,
}

#[test]
fn a_file_crosses_open_and_at_its_position() {
    let scratch = Scratch::new("open", "0123456789");
    let open = || {
        let mut file = std::fs::File::options().read(true).write(true).open(&scratch.0).unwrap();
        file.seek(SeekFrom::Start(4)).unwrap();
        file
    };
    let files = Files {
        one: open(),
        many: vec![None, Some(open())],
        named: HashMap::from([("log".to_owned(), (7, open()))]),
    };
    let encoded = cucumber::encode(&files).unwrap();
    assert_eq!(encoded.attachments.len(), 3);
    let mut back = round(&files);
    let mut text = String::new();
    back.one.read_to_string(&mut text).unwrap();
    assert_eq!(text, "456789");
    assert!(back.many[0].is_none());
    assert_eq!(back.many[1].as_mut().unwrap().stream_position().unwrap(), 4);
    back.named.get_mut("log").unwrap().1.write_all(b"x").unwrap();
    assert_eq!(std::fs::read_to_string(&scratch.0).unwrap(), "0123x56789");
}

#[test]
fn a_file_becomes_a_recipe_that_truncates_nothing() {
    let scratch = Scratch::new("recipe", "");
    // Opened as whoever wants it empty.
    let mut file = std::fs::File::create(&scratch.0).unwrap();
    file.write_all(b"0123456789").unwrap();
    file.seek(SeekFrom::Start(3)).unwrap();
    let mut appending = std::fs::File::options().append(true).open(&scratch.0).unwrap();
    let files = Files {
        one: file.try_clone().unwrap(),
        many: vec![Some(appending.try_clone().unwrap())],
        named: HashMap::new(),
    };
    let bytes = cucumber::to_bytes(&files).unwrap();
    assert_eq!(file.stream_position().unwrap(), 3, "writing it down has moved it");
    let mut back: Files = cucumber::from_bytes(&bytes).unwrap();
    back.one.write_all(b"x").unwrap();
    back.many[0].as_mut().unwrap().write_all(b"end").unwrap();
    appending.write_all(b"!").unwrap();
    assert_eq!(std::fs::read_to_string(&scratch.0).unwrap(), "012x456789end!");
    let mut text = String::new();
    assert!(back.one.read_to_string(&mut text).is_err(), "it was open for writing only");
}

#[test]
fn a_file_that_is_gone_says_so_and_where() {
    let scratch = Scratch::new("gone", "content");
    let files = Files {
        one: std::fs::File::open("/dev/null").unwrap(),
        many: vec![Some(std::fs::File::open(&scratch.0).unwrap())],
        named: HashMap::new(),
    };
    let bytes = cucumber::to_bytes(&files).unwrap();
    std::fs::remove_file(&scratch.0).unwrap();
    let error = cucumber::to_bytes(&files).unwrap_err().with_root("worker");
    assert!(error.to_string().starts_with("worker.many[0]: this file has no path any more"), "{error}");
    let error = cucumber::from_bytes::<Files>(&bytes).err().unwrap().with_root("worker");
    assert!(error.to_string().starts_with("worker.many[0]: cannot open"), "{error}");
    // Open it crosses even so.
    let mut text = String::new();
    round(&files).many[0].as_mut().unwrap().read_to_string(&mut text).unwrap();
    assert_eq!(text, "content");
}

#[cucumber]
struct Sockets {
    listener: TcpListener,
    streams: BTreeMap<u8, Box<TcpStream>>,
    datagrams: UdpSocket,
}

#[test]
fn sockets_cross_connected() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (mut peer, _) = listener.accept().unwrap();
    let sockets = Sockets {
        listener,
        streams: BTreeMap::from([(1, Box::new(stream))]),
        datagrams: UdpSocket::bind("127.0.0.1:0").unwrap(),
    };
    let mut back = round(&sockets);
    let address = sockets.listener.local_addr().unwrap();
    drop(sockets);
    back.streams.get_mut(&1).unwrap().write_all(b"hello").unwrap();
    let mut received = [0; 5];
    peer.read_exact(&mut received).unwrap();
    assert_eq!(&received, b"hello");
    let _again = TcpStream::connect(address).unwrap();
    back.listener.accept().unwrap();
    assert!(back.datagrams.local_addr().unwrap().ip().is_loopback());
}

#[test]
fn sockets_in_plain_bytes_are_connected_anew() {
    #[cucumber]
    struct Client {
        stream: Option<TcpStream>,
    }
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(7))).unwrap();
    stream.set_nodelay(true).unwrap();
    listener.accept().unwrap();
    let bytes = cucumber::to_bytes(&Client { stream: Some(stream) }).unwrap();
    let back: Client = cucumber::from_bytes(&bytes).unwrap();
    let (_, from) = listener.accept().unwrap();
    let stream = back.stream.unwrap();
    assert_eq!(from, stream.local_addr().unwrap());
    assert_eq!(
        (stream.read_timeout().unwrap(), stream.nodelay().unwrap()),
        (Some(Duration::from_secs(7)), true)
    );
    drop(listener);
    let error = cucumber::from_bytes::<Client>(&bytes).err().unwrap();
    assert_eq!(error.path(), "stream");
}

#[test]
fn handles_without_a_name_cross_open_only() {
    #[cucumber]
    struct Ends {
        fd: OwnedFd,
        pipe: (std::io::PipeReader, std::io::PipeWriter),
        socket: UnixStream,
    }
    let (socket, mut other) = UnixStream::pair().unwrap();
    let fd = std::fs::File::open("/dev/null").unwrap().into();
    let ends = Ends { fd, pipe: std::io::pipe().unwrap(), socket };
    let mut back = round(&ends);
    back.pipe.1.write_all(b"ab").unwrap();
    let mut two = [0; 2];
    back.pipe.0.read_exact(&mut two).unwrap();
    assert_eq!(&two, b"ab");
    back.socket.write_all(b"cd").unwrap();
    other.read_exact(&mut two).unwrap();
    assert_eq!(&two, b"cd");
    let error = cucumber::to_bytes(&ends).unwrap_err();
    assert!(error.is_handle(), "{error:?}");
    assert_eq!(error.path(), "fd");
}

#[cucumber]
struct Locks {
    mutex: Mutex<Vec<u32>>,
    lock: RwLock<Option<Instant>>,
    once: OnceLock<String>,
    empty: OnceLock<String>,
    pair: (Mutex<bool>, Condvar),
    counter: std::sync::atomic::AtomicU64,
}

fn locks() -> Locks {
    Locks {
        mutex: Mutex::new(vec![1, 2]),
        lock: RwLock::new(Some(Instant::now())),
        once: OnceLock::from("done".to_owned()),
        empty: OnceLock::new(),
        pair: (Mutex::new(true), Condvar::new()),
        counter: 7.into(),
    }
}

#[test]
fn what_is_in_a_lock_crosses() {
    let locks = locks();
    let back = round(&locks);
    assert_eq!(*back.mutex.lock().unwrap(), [1, 2]);
    assert!(back.lock.read().unwrap().is_some());
    assert_eq!((back.once.get().map(String::as_str), back.empty.get()), (Some("done"), None));
    assert!(*back.pair.0.lock().unwrap());
    assert_eq!(back.counter.into_inner(), 7);
}

#[test]
fn a_held_or_poisoned_lock_is_an_error() {
    let locks = locks();
    let guard = locks.mutex.lock().unwrap();
    let error = cucumber::to_bytes(&locks).unwrap_err().with_root("worker");
    assert!(error.to_string().starts_with("worker.mutex: this lock is held"), "{error}");
    drop(guard);
    let guard = locks.lock.write().unwrap();
    assert_eq!(cucumber::to_bytes(&locks).unwrap_err().path(), "lock");
    drop(guard);
    let poisoned = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let _guard = locks.pair.0.lock().unwrap();
        std::panic::resume_unwind(Box::new(()))
    }));
    assert!(poisoned.is_err());
    let error = cucumber::to_bytes(&locks).unwrap_err();
    assert_eq!(error.path(), "pair[0]");
    assert!(error.to_string().contains("poisoned"), "{error}");
    locks.pair.0.clear_poison();
    assert!(cucumber::to_bytes(&locks).is_ok());
}

#[cucumber]
struct Moments {
    past: Instant,
    future: Instant,
    early: SystemTime,
    late: SystemTime,
}

#[test]
fn moments_keep_their_place() {
    let now = Instant::now();
    let moments = Moments {
        past: now.checked_sub(Duration::from_millis(5)).unwrap(),
        future: now + Duration::from_secs(3600),
        early: SystemTime::UNIX_EPOCH - Duration::from_nanos(1),
        late: SystemTime::now(),
    };
    let back = revived(&moments);
    assert_eq!((back.early, back.late), (moments.early, moments.late));
    for (before, after) in [(moments.past, back.past), (moments.future, back.future)] {
        let apart = after.saturating_duration_since(before).max(before.saturating_duration_since(after));
        assert!(apart < Duration::from_secs(1), "{apart:?}");
    }
}

#[test]
fn paths_need_not_be_text() {
    use std::os::unix::ffi::OsStringExt as _;
    #[cucumber]
    #[derive(Debug, PartialEq)]
    struct Paths(PathBuf, Option<PathBuf>);
    let odd = PathBuf::from(std::ffi::OsString::from_vec(vec![b'/', 0xff, 0xfe]));
    let paths = Paths("/tmp".into(), Some(odd));
    assert_eq!(revived(&paths), paths);
}

#[test]
fn a_command_crosses_before_it_runs() {
    #[cucumber]
    struct Job {
        command: Command,
    }
    let mut command = Command::new("sh");
    command.args(["-c", "echo $WORD"]).env("WORD", "crossed").env_remove("OTHER").current_dir("/");
    let mut back = revived(&Job { command });
    assert_eq!(back.command.get_current_dir(), Some(std::path::Path::new("/")));
    assert_eq!(back.command.output().unwrap().stdout, b"crossed\n");
}

#[test]
fn iterators_cross_by_what_is_left() {
    #[cucumber]
    struct Rest {
        all: std::ops::RangeInclusive<u8>,
        some: std::ops::RangeInclusive<u8>,
        none: std::ops::RangeInclusive<u8>,
        empty: std::ops::RangeInclusive<u8>,
        open: std::ops::Range<u64>,
        items: std::vec::IntoIter<String>,
        cursor: std::io::Cursor<Vec<u8>>,
    }
    let mut rest = Rest {
        all: 250..=255,
        some: 250..=255,
        none: 255..=255,
        #[allow(clippy::reversed_empty_ranges, reason = "it may be empty from the beginning")]
        empty: 5..=3,
        open: 0..u64::MAX,
        items: vec!["a".to_owned(), "b".to_owned(), "c".to_owned()].into_iter(),
        cursor: std::io::Cursor::new(vec![1, 2, 3]),
    };
    rest.some.by_ref().take(2).count();
    rest.none.next();
    rest.open.next();
    rest.items.next();
    rest.cursor.set_position(2);
    let back = revived(&rest);
    assert_eq!((back.all.count(), back.some.count(), back.none.count(), back.empty.count()), (6, 4, 0, 0));
    assert_eq!(back.open, 1..u64::MAX);
    assert_eq!(back.items.collect::<Vec<_>>(), ["b", "c"]);
    assert_eq!((back.cursor.position(), back.cursor.get_ref().len()), (2, 3));
    assert_eq!(rest.items.len(), 2, "the source has lost something");
}

#[test]
fn a_type_of_the_same_name_is_left_to_serde() {
    #[derive(Serialize, serde::Deserialize, Debug, PartialEq)]
    enum Command {
        Go,
    }
    #[derive(Serialize, serde::Deserialize, Debug, PartialEq)]
    struct Child(u8);
    #[derive(Serialize, serde::Deserialize, Debug, PartialEq)]
    struct Mutex<T>(T);
    #[cucumber]
    #[derive(Debug, PartialEq)]
    struct Own {
        next: Option<Command>,
        children: Vec<Child>,
        mutex: Mutex<u8>,
    }
    let own = Own { next: Some(Command::Go), children: vec![Child(1)], mutex: Mutex(2) };
    assert_eq!(revived(&own), own);
}

#[test]
fn the_attribute_stands_on_every_kind_of_type() {
    #[cucumber]
    struct Generic<T, const N: usize>
    where
        T: PartialEq,
    {
        locks: [Mutex<T>; N],
        plain: T,
    }
    #[cucumber]
    enum Choice<T> {
        Nothing,
        Since(Instant),
        Both { lock: Mutex<T>, log: Option<std::fs::File> },
    }
    #[cucumber]
    struct Recursive {
        inner: Option<Box<Self>>,
        lock: Mutex<u8>,
    }
    let generic = round(&Generic { locks: [Mutex::new("a".to_owned())], plain: "b".to_owned() });
    assert_eq!((generic.locks[0].lock().unwrap().as_str(), generic.plain.as_str()), ("a", "b"));
    let choices =
        [Choice::Nothing, Choice::Since(Instant::now()), Choice::Both { lock: Mutex::new(1u8), log: None }];
    let back = choices.map(|choice| round(&choice));
    assert!(matches!(&back, [Choice::Nothing, Choice::Since(_), Choice::Both { lock, log: None }]
        if *lock.lock().unwrap() == 1));
    let inner = Some(Box::new(Recursive { inner: None, lock: Mutex::new(1) }));
    let back = round(&Recursive { inner, lock: Mutex::new(2) });
    assert_eq!(*back.inner.unwrap().lock.lock().unwrap(), 1);
}

#[test]
fn a_field_with_attributes_of_its_own_stays_as_it_is() {
    #[cucumber]
    struct Settled {
        #[serde(skip)]
        log: Option<std::fs::File>,
        #[serde(rename = "when", default = "Instant::now")]
        since: Instant,
    }
    let back = revived(&Settled { log: std::fs::File::open("/dev/null").ok(), since: Instant::now() });
    assert!(back.log.is_none());
    let _ = back.since;
}
