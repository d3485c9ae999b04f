//! Shared memory in several processes, some of which are killed, on a system that has no copies of processes: each test runs
//! once more in every other process, in the role that it is given there.

use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release, SeqCst};
use std::time::{Duration, Instant};

use super::fault::Fault;
use super::lock::futex::Robust;
use super::lock::{self, Taken};
use super::page::{Page, Shared};
use super::robust::Thread;
use super::segment::Segment;
use super::store::Store;
use super::testing::{Child, Random, role};
use super::view::View;
use crate::sys::futex;

const LONG: Duration = Duration::from_secs(60);
/// Of a segment: a number that is changed under the lock, and how many are ready.
const COUNTER: u64 = 256;
const READY: u64 = 512;

#[repr(C)]
struct Words([AtomicU32; 16]);

// SAFETY: an array of atomics in `repr(C)`; zero is a valid value for each.
unsafe impl Shared for Words {}

/// The path of a test of this module.
macro_rules! test {
    ($name:ident) => {
        concat!(module_path!(), "::", stringify!($name))
    };
}

fn wait_until(what: impl Fn() -> bool) {
    let start = Instant::now();
    while !what() {
        assert!(start.elapsed() < LONG, "it does not come about");
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn with_lock<R>(segment: &Segment, body: impl FnOnce(Taken) -> R) -> R {
    let thread = Thread::current().unwrap();
    let robust = Robust::lock(segment, thread);
    let taken = lock::acquire(robust.word, &robust, thread.tid, Some(LONG)).unwrap();
    let result = body(taken);
    lock::release(robust.word, &robust, thread.tid);
    result
}

fn segment() -> Segment {
    Segment::create("test", 1 << 20, 1 << 20).unwrap()
}

/// Turns a word that is `mine` modulo 2 into the next one, so many times, asleep in between.
fn pass_on(word: &AtomicU32, mine: u32, turns: u32) {
    for _ in 0..turns {
        loop {
            let seen = word.load(Acquire);
            if seen % 2 == mine {
                break;
            }
            let start = Instant::now();
            futex::wait(word, seen, Some(LONG));
            assert!(start.elapsed() < LONG / 2, "a wake-up is lost at {seen}");
        }
        word.fetch_add(1, Release);
        futex::wake(word, 1);
    }
}

#[test]
fn a_word_goes_back_and_forth() {
    const TURNS: u32 = 5000;
    if let Some((_, memory)) = role() {
        return pass_on(&Page::<Words>::open(memory).unwrap().0[3], 1, TURNS);
    }
    let page = Page::<Words>::new("test").unwrap();
    let other = Child::again(test!(a_word_goes_back_and_forth), "odd", &page);
    pass_on(&page.0[3], 0, TURNS);
    assert!(other.succeeds_within(LONG));
    assert_eq!(page.0[3].load(Relaxed), 2 * TURNS);
}

#[test]
fn a_sleeper_who_is_killed_keeps_nobody_from_being_woken() {
    const WORD: usize = 0;
    if let Some((role, memory)) = role() {
        let page = Page::<Words>::open(memory).unwrap();
        page.0[1].fetch_add(1, SeqCst);
        loop {
            futex::wait(&page.0[WORD], 0, None);
            if role == "waits" && page.0[WORD].load(Acquire) != 0 {
                return;
            }
        }
    }
    let page = Page::<Words>::new("test").unwrap();
    let start =
        |role| Child::again(test!(a_sleeper_who_is_killed_keeps_nobody_from_being_woken), role, &page);
    let doomed = [start("dies"), start("dies")];
    wait_until(|| page.0[1].load(Relaxed) == 2);
    let others = [start("waits"), start("waits")];
    wait_until(|| page.0[1].load(Relaxed) == 4);
    // They are about to sleep, if they do not sleep yet.
    std::thread::sleep(Duration::from_millis(200));
    doomed.into_iter().for_each(Child::end);
    page.0[WORD].store(1, Release);
    let woken = futex::wake(&page.0[WORD], 1);
    assert!(woken >= 2, "{woken}");
    for other in others {
        assert!(other.succeeds_within(LONG));
    }
    assert_eq!(futex::wake(&page.0[WORD], 1), 0, "the dead count once");
}

#[test]
fn a_lock_survives_its_owner() {
    if let Some((_, memory)) = role() {
        let segment = Segment::attach(memory).unwrap();
        return with_lock(&segment, |_| {
            segment.word(READY).unwrap().store(1, Relaxed);
            std::thread::sleep(LONG);
        });
    }
    let segment = segment();
    let owner = Child::again(test!(a_lock_survives_its_owner), "owner", segment.file());
    wait_until(|| segment.word(READY).unwrap().load(Relaxed) == 1);
    std::thread::scope(|scope| {
        let next = scope.spawn(|| with_lock(&segment, |taken| taken.after_death));
        std::thread::sleep(Duration::from_millis(100));
        assert!(!next.is_finished(), "the owner lives");
        let start = Instant::now();
        owner.end();
        assert!(next.join().unwrap());
        assert!(start.elapsed() < Duration::from_secs(5));
    });
    assert!(!with_lock(&segment, |taken| taken.after_death), "told once");
}

#[test]
fn one_owner_at_a_time() {
    const TURNS: u64 = 20_000;
    // Deliberately in two steps, so that two owners at a time lose counts.
    let count = |segment: &Segment| {
        let word = segment.word(COUNTER).unwrap();
        let before = word.load(Relaxed);
        std::hint::black_box(before);
        word.store(before + 1, Relaxed);
    };
    if let Some((_, memory)) = role() {
        let segment = Segment::attach(memory).unwrap();
        segment.word(READY).unwrap().fetch_add(1, SeqCst);
        wait_until(|| segment.word(READY).unwrap().load(Relaxed) == 3);
        return (0..TURNS).for_each(|_| with_lock(&segment, |_| count(&segment)));
    }
    let segment = segment();
    let others = [0; 3].map(|_| Child::again(test!(one_owner_at_a_time), "counts", segment.file()));
    for other in others {
        assert!(other.succeeds_within(LONG));
    }
    assert_eq!(segment.word(COUNTER).unwrap().load(Relaxed), 3 * TURNS);
}

/// Owners and waiters are killed all the time; whoever is left must go on.
#[test]
fn kills_strand_nobody() {
    if let Some((_, memory)) = role() {
        let segment = Segment::attach(memory).unwrap();
        loop {
            with_lock(&segment, |_| {
                segment.word(COUNTER).unwrap().fetch_add(1, Relaxed);
                // Long enough for the others to fall asleep.
                (0..2000).for_each(|_| std::hint::spin_loop());
            });
        }
    }
    let segment = segment();
    let start = || Child::again(test!(kills_strand_nobody), "counts", segment.file());
    let progress = || segment.word(COUNTER).unwrap().load(Relaxed);
    let mut random = Random::new(1);
    let mut children = [0; 3].map(|_| start());
    for _ in 0..60 {
        std::thread::sleep(Duration::from_millis(random.below(20)));
        children[random.below(3) as usize] = start();
        let before = progress();
        wait_until(|| progress() != before);
    }
}

#[test]
fn long_memory_is_there_where_it_is_touched() {
    const LENGTH: u64 = 1 << 30;
    const FAR: [u64; 4] = [4096, 300 << 20, (1 << 29) + 8, LENGTH - 8];
    if let Some((_, memory)) = role() {
        let segment = Segment::attach(memory).unwrap();
        assert_eq!(segment.len(), LENGTH);
        for at in FAR {
            assert_eq!(segment.word(at).unwrap().swap(!at, Relaxed), at);
        }
        assert_eq!(segment.word(700 << 20).unwrap().load(Relaxed), 0);
        segment.word(800 << 20).unwrap().store(8, Relaxed);
        return;
    }
    let segment = Segment::create("test", LENGTH, LENGTH).unwrap();
    for at in FAR {
        segment.word(at).unwrap().store(at, Relaxed);
    }
    let other = Child::again(test!(long_memory_is_there_where_it_is_touched), "swaps", segment.file());
    assert!(other.succeeds_within(LONG));
    for at in FAR {
        assert_eq!(segment.word(at).unwrap().load(Relaxed), !at);
    }
    assert_eq!(segment.word(800 << 20).unwrap().load(Relaxed), 8);
}

/// Two processes hand a number back and forth by a store, asleep in between.
#[test]
fn waiting_for_a_change_ends_with_it() {
    const TURNS: u64 = 1000;
    let play = |store: &Arc<Store>, mine: u64| {
        let (root, _) = store.roots().unwrap();
        for _ in 0..TURNS {
            let look = || {
                let now = store.read(|view| view.load(root))?;
                Ok::<_, Fault>((now % 2 == mine).then_some(()))
            };
            store.wait_until(Some(Instant::now() + LONG / 2), look).unwrap();
            store.change_word(root, |word| Some((word + 1, ()))).unwrap();
        }
    };
    if let Some((_, memory)) = role() {
        return play(&Store::attach(memory, 1).unwrap(), 1);
    }
    let store = Store::create(1, 1 << 26).unwrap();
    let root = store.write(|writer| writer.allocate_zeroed(1024)).unwrap();
    store.set_roots(root, 0).unwrap();
    let other = Child::again(test!(waiting_for_a_change_ends_with_it), "odd", store.segment().file());
    play(&store, 0);
    assert!(other.succeeds_within(LONG));
    assert_eq!(store.read(|view| view.load(root)).unwrap(), 2 * TURNS);
}

/// A writer is killed in the middle of changes that others wait for: they are told, or can go on.
#[test]
fn a_writer_who_is_killed_leaves_a_whole_state() {
    let sum = |store: &Store| {
        let (root, _) = store.roots().unwrap();
        let add = |view: &View<'_>, sum: u64, at| Ok::<_, Fault>(sum.wrapping_add(view.load(root + at * 8)?));
        store.read(|view| (0_u64..8).try_fold(0, |sum, at| add(view, sum, at)))
    };
    if let Some((_, memory)) = role() {
        let store = Store::attach(memory, 1).unwrap();
        let (root, _) = store.roots().unwrap();
        let mut random = Random::new(u64::from(std::process::id()));
        loop {
            let (from, to) = (root + random.below(8) * 8, root + random.below(8) * 8);
            let moved = store.write(|writer| {
                let before = writer.view.load(from)?;
                writer.set(from, before.wrapping_sub(1))?;
                let before = writer.view.load(to)?;
                writer.set(to, before.wrapping_add(1))
            });
            moved.map_err(|fault: Fault| fault).unwrap();
        }
    }
    let store = Store::create(1, 1 << 26).unwrap();
    let root = store.write(|writer| writer.allocate_zeroed(1024)).unwrap();
    store.set_roots(root, 0).unwrap();
    let start =
        || Child::again(test!(a_writer_who_is_killed_leaves_a_whole_state), "writes", store.segment().file());
    let mut children = [start(), start()];
    let mut random = Random::new(5);
    for round in 0..40 {
        let before = store.version().unwrap();
        wait_until(|| store.version().unwrap() != before);
        std::thread::sleep(Duration::from_micros(random.below(5000)));
        children[round % 2] = start();
        assert_eq!(sum(&store).unwrap(), 0, "round {round}");
        // Those who wait for a change have one before long.
        let seen = store.version().unwrap();
        let look = || Ok::<_, Fault>((store.version()? != seen).then_some(()));
        store.wait_until(Some(Instant::now() + LONG), look).unwrap();
    }
}
