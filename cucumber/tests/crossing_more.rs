//! More of what serde leaves out: slices that are shared, iterators, buffers, and what must not change by being read.
#![cfg(target_os = "linux")] // readers that have read ahead, sockets with paths: `open.rs` has what crosses anywhere
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should panic")]
#![allow(clippy::type_complexity, reason = "everything is nested in everything here")]

use std::collections::{BinaryHeap, VecDeque, vec_deque};
use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::iter::{Rev, StepBy};
use std::ops::{Range, RangeInclusive};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::rc::{Rc, Weak};
use std::sync::atomic::{AtomicBool, AtomicI8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use cucumber::cucumber;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// There and back twice: with names first, then in whichever codec the type allows.
fn round<T: Serialize + DeserializeOwned>(value: &T) -> [T; 2] {
    [(); 2].map(|()| {
        let encoded = cucumber::encode(value).unwrap();
        cucumber::decode(&encoded.bytes, encoded.attachments).unwrap()
    })
}

fn temporary(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("cucumber-more-{}-{name}", std::process::id()))
}

#[test]
fn slices_and_texts_are_shared_as_they_were() {
    #[cucumber]
    struct Slices {
        one: Arc<[u8]>,
        same: Arc<[u8]>,
        equal: Arc<[u8]>,
        text: Rc<str>,
        texts: Vec<Rc<str>>,
        weak: Weak<str>,
        dangling: Weak<[u8]>,
        moments: Arc<[Instant]>,
        inner: Arc<[Arc<str>]>,
        locks: Option<Rc<[Mutex<Option<Rc<str>>>]>>,
    }
    let one: Arc<[u8]> = Arc::from([1, 2, 250]);
    let text: Rc<str> = Rc::from("tëxt");
    let word: Arc<str> = Arc::from("word");
    let slices = Slices {
        one: one.clone(),
        same: one.clone(),
        equal: Arc::from(&*one),
        text: text.clone(),
        texts: vec![text.clone(), Rc::from("other")],
        weak: Rc::downgrade(&text),
        dangling: Rc::downgrade(&Rc::from([1u8])),
        moments: Arc::from([Instant::now()]),
        inner: Arc::from([word.clone(), word]),
        locks: Some(Rc::from([Mutex::new(None), Mutex::new(Some(text.clone()))])),
    };
    for back in round(&slices) {
        assert_eq!((&*back.one, &*back.text, &*back.texts[1]), (&*one, "tëxt", "other"));
        assert!(Arc::ptr_eq(&back.one, &back.same) && !Arc::ptr_eq(&back.one, &back.equal));
        assert!(Rc::ptr_eq(&back.text, &back.texts[0]));
        assert!(Rc::ptr_eq(&back.text, &back.weak.upgrade().unwrap()));
        assert!(back.dangling.upgrade().is_none());
        assert_eq!(back.moments.len(), 1);
        assert!(Arc::ptr_eq(&back.inner[0], &back.inner[1]));
        let locks = back.locks.unwrap();
        assert!(locks[0].lock().unwrap().is_none());
        assert!(Rc::ptr_eq(locks[1].lock().unwrap().as_ref().unwrap(), &back.text));
    }
}

#[test]
fn a_slice_that_holds_itself_is_an_error() {
    #[cucumber]
    struct Ring {
        others: Rc<[Link]>,
    }
    #[cucumber]
    struct Link {
        to: std::cell::RefCell<Option<Rc<[Link]>>>,
    }
    let others: Rc<[Link]> = Rc::from([Link { to: std::cell::RefCell::default() }]);
    *others[0].to.borrow_mut() = Some(others.clone());
    let encoded = cucumber::encode(&Ring { others: others.clone() }).unwrap();
    let back = cucumber::decode::<Ring>(&encoded.bytes, encoded.attachments);
    others[0].to.take();
    assert!(back.is_err());
}

#[test]
fn ranges_and_iterators_go_on_where_they_were() {
    #[cucumber]
    struct Iterators {
        back: Rev<Range<u8>>,
        back_to_the_end: Rev<RangeInclusive<i64>>,
        steps: StepBy<Range<u64>>,
        all_steps: StepBy<RangeInclusive<i8>>,
        names: Rev<std::vec::IntoIter<String>>,
        queue: vec_deque::IntoIter<u16>,
    }
    fn all<I: Iterator + Clone>(left: &I) -> Vec<I::Item> {
        left.clone().collect()
    }
    for taken in 0..7 {
        let names = ["a", "b", "c"].map(str::to_owned).to_vec();
        let mut value = Iterators {
            back: (250..255).rev(),
            back_to_the_end: (i64::MAX - 3..=i64::MAX).rev(),
            steps: (5..u64::MAX).step_by(usize::MAX / 4),
            all_steps: (-128..=127).step_by(50),
            names: names.into_iter().rev(),
            queue: VecDeque::from([1, 2, 3, 4]).into_iter(),
        };
        for _ in 0..taken {
            let _ = (value.back.next(), value.back_to_the_end.next(), value.steps.next());
            let _ = (value.all_steps.next(), value.names.next(), value.queue.next_back());
        }
        for back in round(&value) {
            assert_eq!(all(&back.back), all(&value.back), "{taken}");
            assert_eq!(all(&back.back_to_the_end), all(&value.back_to_the_end), "{taken}");
            assert_eq!(all(&back.steps), all(&value.steps), "{taken}");
            assert_eq!(all(&back.all_steps), all(&value.all_steps), "{taken}");
            assert_eq!(all(&back.names), all(&value.names), "{taken}");
            assert_eq!(all(&back.queue), all(&value.queue), "{taken}");
        }
    }
}

#[test]
fn forged_ranges_are_errors_or_ranges() {
    #[cucumber]
    #[derive(Debug)]
    struct Steps {
        steps: StepBy<Range<i8>>,
        back: Rev<Range<u8>>,
    }
    #[derive(Serialize)]
    struct Forged {
        steps: Option<ForgedSteps>,
        back: Option<(u8, u8)>,
    }
    #[derive(Serialize)]
    struct ForgedSteps {
        first: i8,
        step: u64,
        count: u64,
    }
    let forged = |first, step, count, back| {
        let steps = Some(ForgedSteps { first, step, count });
        cucumber::from_bytes::<Steps>(&cucumber::to_bytes(&Forged { steps, back }).unwrap())
    };
    assert_eq!(forged(1, 2, 3, Some((1, 2))).unwrap().steps.collect::<Vec<_>>(), [1, 3, 5]);
    assert!(forged(1, 0, 3, None).is_err());
    assert!(forged(1, u64::MAX, u64::MAX, None).is_err());
    assert!(forged(1, 2, 100, None).is_err());
    assert!(forged(1, 2, 3, Some((0, 255))).is_err());
    assert_eq!(forged(1, 1, 0, Some((9, 2))).unwrap().back.count(), 0);
}

#[test]
fn queues_and_atomics_are_read_and_stay_as_they_are() {
    #[cucumber]
    struct Kept {
        queue: Mutex<VecDeque<Option<Instant>>>,
        heap: BinaryHeap<u8>,
        flags: (AtomicBool, AtomicI8),
        counts: Vec<Arc<AtomicU64>>,
    }
    let kept = Kept {
        queue: Mutex::new(VecDeque::from([None, Some(Instant::now())])),
        heap: BinaryHeap::from([1, 9, 5]),
        flags: (AtomicBool::new(true), AtomicI8::new(-7)),
        counts: vec![Arc::new(AtomicU64::new(u64::MAX))],
    };
    for back in round(&kept) {
        assert_eq!(back.queue.lock().unwrap().len(), 2);
        assert_eq!(back.heap.into_sorted_vec(), [1, 5, 9]);
        assert_eq!((back.flags.0.into_inner(), back.flags.1.into_inner()), (true, -7));
        assert_eq!(back.counts[0].load(Ordering::Relaxed), u64::MAX);
    }
    assert_eq!((kept.queue.lock().unwrap().len(), kept.heap.len()), (2, 3));
}

#[cucumber]
struct Buffers {
    lines: BufReader<File>,
    log: BufWriter<File>,
}

#[test]
fn a_reader_goes_on_at_its_next_byte_and_the_source_stays_where_it_is() {
    let (from, to) = (temporary("from"), temporary("to"));
    std::fs::write(&from, "one\ntwo\nthree\n").unwrap();
    let mut buffers = Buffers {
        lines: BufReader::new(File::open(&from).unwrap()),
        log: BufWriter::new(File::create(&to).unwrap()),
    };
    let mut line = String::new();
    buffers.lines.read_line(&mut line).unwrap();
    buffers.log.write_all(b"early ").unwrap();
    let error = cucumber::encode(&buffers).unwrap_err();
    assert!(error.to_string().contains("log: this `BufWriter` holds 6 bytes"), "{error}");
    buffers.log.flush().unwrap();

    let before = buffers.lines.get_ref().stream_position().unwrap();
    let plain: Buffers = cucumber::from_bytes(&cucumber::to_bytes(&buffers).unwrap()).unwrap();
    for mut back in round(&buffers).into_iter().chain([plain]) {
        let mut rest = String::new();
        back.lines.read_to_string(&mut rest).unwrap();
        assert_eq!(rest, "two\nthree\n");
        back.log.write_all(b"late ").unwrap();
    }
    assert_eq!(buffers.lines.get_ref().stream_position().unwrap(), before, "the source has moved");
    let mut rest = String::new();
    buffers.lines.read_to_string(&mut rest).unwrap();
    assert_eq!((line.as_str(), rest.as_str()), ("one\n", "two\nthree\n"));
    // The two that share a position wrote one after the other; the third had one of its own.
    assert_eq!(std::fs::read_to_string(&to).unwrap(), "early late late ");
    for path in [from, to] {
        std::fs::remove_file(path).unwrap();
    }
}

#[test]
fn a_stream_s_reader_crosses_when_it_has_read_nothing_ahead() {
    #[cucumber]
    struct Ends {
        reader: BufReader<UnixStream>,
        writer: BufWriter<UnixStream>,
    }
    let (reader, writer) = UnixStream::pair().unwrap();
    let mut ends = Ends { reader: BufReader::new(reader), writer: BufWriter::new(writer) };
    let [mut back, _] = round(&ends);
    back.writer.write_all(b"one\ntwo\n").unwrap();
    back.writer.flush().unwrap();
    let mut line = String::new();
    ends.reader.read_line(&mut line).unwrap();
    assert_eq!(line, "one\n");
    let error = cucumber::encode(&ends).unwrap_err();
    assert!(error.to_string().contains("reader: this `BufReader` has read 4 bytes ahead"), "{error}");
}

#[test]
fn a_forged_reader_is_an_error() {
    let path = temporary("short");
    std::fs::write(&path, "ab").unwrap();
    let mut file = File::open(&path).unwrap();
    file.seek(SeekFrom::Start(1)).unwrap();
    #[cucumber]
    struct Lines {
        lines: BufReader<File>,
    }
    #[cucumber]
    struct Forged {
        lines: (u64, File),
    }
    let bytes = cucumber::to_bytes(&Forged { lines: (2, file) }).unwrap();
    std::fs::remove_file(&path).unwrap();
    assert!(cucumber::from_bytes::<Lines>(&bytes).is_err());
}
