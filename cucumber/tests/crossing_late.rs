//! What came later: containers of moments, paths that are shared, how processes ended, errors, sockets whose names are left over.
#![cfg(target_os = "linux")] // sockets with paths, paths that are no text
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

use std::cell::Cell;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::ffi::OsStr;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpListener, UdpSocket};
use std::ops::{Bound, Range, RangeFrom, RangeTo};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Output};
use std::rc::Rc;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use cucumber::cucumber;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// There and back twice: with names first, then in whichever codec the type allows.
fn round<T: Serialize + DeserializeOwned>(value: &T) -> [T; 2] {
    [(); 2].map(|()| cucumber::from_bytes(&cucumber::to_bytes(value).unwrap()).unwrap())
}

/// A folder, gone with this.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("cucumber-late-{}-{name}", std::process::id()));
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn moments_cross_in_whatever_holds_them() {
    #[cucumber]
    struct Moments {
        last: Cell<Option<Instant>>,
        open: Range<Instant>,
        from: RangeFrom<Instant>,
        to: RangeTo<Instant>,
        bounds: (Bound<Instant>, Bound<Instant>),
        timers: BinaryHeap<Reverse<(Instant, u32)>>,
    }
    let now = Instant::now();
    let minute = Duration::from_secs(60);
    let moments = Moments {
        last: Cell::new(Some(now)),
        open: now..now + minute,
        from: now..,
        to: ..now,
        bounds: (Bound::Included(now), Bound::Unbounded),
        timers: [(now + minute, 2), (now, 1), (now + minute * 2, 3)].map(Reverse).into(),
    };
    let near = |one: Instant, other: Instant| {
        one.max(other).duration_since(one.min(other)) < Duration::from_secs(20)
    };
    for mut back in round(&moments) {
        assert!(near(back.last.get().unwrap(), now));
        assert!(near(back.open.start, now) && near(back.open.end, now + minute));
        assert!(near(back.from.start, now) && near(back.to.end, now));
        assert!(matches!(back.bounds, (Bound::Included(from), Bound::Unbounded) if near(from, now)));
        let order: Vec<u32> = std::iter::from_fn(|| back.timers.pop()).map(|Reverse((_, id))| id).collect();
        assert_eq!(order, [1, 2, 3]);
    }
}

#[test]
fn shared_paths_cross_also_when_they_are_no_text() {
    #[cucumber]
    struct Paths {
        one: Arc<Path>,
        same: Arc<Path>,
        weak: Weak<Path>,
        local: Option<Rc<Path>>,
    }
    let path: Arc<Path> = Arc::from(Path::new(OsStr::from_bytes(b"/tmp/\xff")));
    let local = Some(Rc::from(Path::new("b")));
    let paths = Paths { one: path.clone(), same: path.clone(), weak: Arc::downgrade(&path), local };
    for back in round(&paths) {
        assert_eq!((&*back.one, back.local.as_deref()), (&*path, Some(Path::new("b"))));
        assert!(Arc::ptr_eq(&back.one, &back.same));
        assert!(Arc::ptr_eq(&back.one, &back.weak.upgrade().unwrap()));
    }
}

#[test]
fn how_a_process_ended_crosses() {
    #[cucumber]
    struct Ended {
        status: ExitStatus,
        killed: ExitStatus,
        output: Option<Output>,
    }
    let output = Command::new("sh").args(["-c", "echo out; echo err >&2; exit 3"]).output().unwrap();
    let killed = Command::new("sh").args(["-c", "kill -9 $$"]).status().unwrap();
    let ended = Ended { status: output.status, killed, output: Some(output) };
    for back in round(&ended) {
        assert_eq!((back.status.code(), back.killed.signal()), (Some(3), Some(9)));
        assert_eq!(back.output, ended.output);
    }
}

#[test]
fn errors_of_input_and_output_cross() {
    #[cucumber]
    struct Failures {
        system: io::Error,
        told: Result<u8, io::Error>,
        kind: Box<io::Error>,
        kinds: Vec<ErrorKind>,
    }
    let failures = Failures {
        system: std::fs::File::open("/no/such/file").unwrap_err(),
        told: Err(io::Error::new(ErrorKind::InvalidData, "no picture")),
        kind: Box::new(ErrorKind::UnexpectedEof.into()),
        kinds: vec![ErrorKind::AddrInUse, ErrorKind::Other, ErrorKind::InvalidFilename],
    };
    for back in round(&failures) {
        assert_eq!(back.system.raw_os_error(), Some(2));
        assert_eq!(back.system.to_string(), failures.system.to_string());
        let told = back.told.unwrap_err();
        assert_eq!((told.kind(), told.to_string()), (ErrorKind::InvalidData, "no picture".to_owned()));
        assert!(back.kind.get_ref().is_none());
        assert_eq!((back.kind.kind(), back.kinds), (ErrorKind::UnexpectedEof, failures.kinds.clone()));
    }
}

#[test]
fn an_error_of_one_s_own_is_left_to_serde() {
    #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
    enum Error {
        Nested(Box<Error>),
        Told(String),
    }
    #[cucumber]
    #[derive(Clone, Debug, PartialEq)]
    struct Report {
        error: Option<Error>,
    }
    let report = Report { error: Some(Error::Nested(Box::new(Error::Told("no".into())))) };
    assert_eq!(round(&report), [report.clone(), report]);
}

#[test]
fn a_name_that_is_left_over_is_taken_over_and_no_other() {
    #[cucumber]
    struct Server {
        listener: UnixListener,
        mailbox: UnixDatagram,
    }
    let folder = Folder::new("names");
    let (name, box_name) = (folder.0.join("listener"), folder.0.join("mailbox"));
    let listener = UnixListener::bind(&name).unwrap();
    listener.set_nonblocking(true).unwrap();
    let server = Server { listener, mailbox: UnixDatagram::bind(&box_name).unwrap() };
    let bytes = cucumber::to_bytes(&server).unwrap();
    let again = || cucumber::from_bytes::<Server>(&bytes);
    let refused = |path: &str| {
        let error = again().err().unwrap();
        assert!(error.to_string().contains("in use"), "{error}");
        assert_eq!(error.path(), path);
    };

    // Somebody is there still; also if nobody has the time to answer.
    refused("listener");
    let knocks: Vec<UnixStream> = (0..).map_while(|_| knock(&name)).collect();
    assert!(!knocks.is_empty());
    refused("listener");
    let Server { listener, mailbox } = server;
    drop((listener, knocks));
    refused("mailbox");
    drop(mailbox);

    let back = again().unwrap();
    assert_eq!(back.listener.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
    back.listener.set_nonblocking(false).unwrap();
    let mut client = UnixStream::connect(&name).unwrap();
    client.write_all(b"hi").unwrap();
    let mut word = [0; 2];
    back.listener.accept().unwrap().0.read_exact(&mut word).unwrap();
    assert_eq!(&word, b"hi");

    // What is no socket stays, whatever it is called.
    drop(back);
    std::fs::remove_file(&name).unwrap();
    std::fs::write(&name, "kept").unwrap();
    refused("listener");
    assert_eq!(std::fs::read_to_string(&name).unwrap(), "kept");
}

/// One more who wants to be let in, as long as there is room for those who wait.
fn knock(name: &Path) -> Option<UnixStream> {
    use rustix::net::{self, AddressFamily, SocketAddrUnix, SocketType};

    let socket = net::socket(AddressFamily::UNIX, SocketType::STREAM, None).unwrap();
    rustix::io::ioctl_fionbio(&socket, true).unwrap();
    net::connect(&socket, &SocketAddrUnix::new(name).unwrap()).is_ok().then(|| UnixStream::from(socket))
}

#[test]
fn what_does_not_block_does_not_block_there_either() {
    #[cucumber]
    struct Ends {
        listener: TcpListener,
        socket: UdpSocket,
    }
    let ends = |non_blocking: bool| {
        let ends = Ends {
            listener: TcpListener::bind("127.0.0.1:0").unwrap(),
            socket: UdpSocket::bind("127.0.0.1:0").unwrap(),
        };
        ends.listener.set_nonblocking(non_blocking).unwrap();
        ends.socket.set_nonblocking(non_blocking).unwrap();
        ends
    };
    let bytes = cucumber::to_bytes(&ends(true)).unwrap();
    let back: Ends = cucumber::from_bytes(&bytes).unwrap();
    assert_eq!(back.listener.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
    assert_eq!(back.socket.recv(&mut [0]).unwrap_err().kind(), ErrorKind::WouldBlock);

    let bytes = cucumber::to_bytes(&ends(false)).unwrap();
    let back: Ends = cucumber::from_bytes(&bytes).unwrap();
    back.socket.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
    let begin = Instant::now();
    assert!(back.socket.recv(&mut [0]).is_err());
    assert!(begin.elapsed() >= Duration::from_millis(40));
}
