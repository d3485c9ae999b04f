//! Values of the standard library that serde leaves out: moments in containers, shared paths, errors, how a process ended.
#![cfg(target_os = "linux")] // paths that are no text, signals
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

use std::cell::Cell;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::ffi::OsStr;
use std::io::{self, ErrorKind};
use std::ops::{Bound, Range, RangeFrom, RangeTo};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
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
