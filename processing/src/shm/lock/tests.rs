use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use super::super::robust::Thread;
use super::super::segment::Segment;
use super::futex::Robust;
use super::*;

#[cfg(unix)]
mod forked;
// A model is the same everywhere.
#[cfg(unix)]
mod model;
#[cfg(all(target_os = "linux", not(locks_by_process)))]
mod neighbours;

const COUNTER: u64 = 256;

fn segment() -> Segment {
    Segment::create("lock", 1 << 20, 1 << 20).unwrap()
}

fn with_lock<R>(segment: &Segment, body: impl FnOnce(Taken) -> R) -> R {
    let thread = Thread::current().unwrap();
    let robust = Robust::lock(segment, thread);
    let taken = acquire(robust.word, &robust, thread.tid, None).unwrap();
    let result = body(taken);
    release(robust.word, &robust, thread.tid);
    result
}

/// Deliberately in two steps, so that two owners at a time lose counts.
fn count(segment: &Segment) {
    let word = segment.word(COUNTER).unwrap();
    let before = word.load(Relaxed);
    std::hint::black_box(before);
    word.store(before + 1, Relaxed);
}

#[test]
fn one_owner_at_a_time_across_threads() {
    let segment = segment();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..20_000).for_each(|_| with_lock(&segment, |_| count(&segment))));
        }
    });
    assert_eq!(segment.word(COUNTER).unwrap().load(Relaxed), 80_000);
}

#[cfg(all(target_os = "linux", not(locks_by_process)))]
#[test]
fn lock_survives_a_thread_that_ends_without_giving_it_up() {
    let segment = segment();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let thread = Thread::current().unwrap();
            let robust = Robust::lock(&segment, thread);
            acquire(robust.word, &robust, thread.tid, None).unwrap();
        });
    });
    assert!(with_lock(&segment, |taken| taken).after_death);
}

#[test]
fn patience_ends() {
    let segment = segment();
    with_lock(&segment, |_| {
        std::thread::scope(|scope| {
            let late = scope.spawn(|| {
                let thread = Thread::current().unwrap();
                let robust = Robust::lock(&segment, thread);
                let start = Instant::now();
                let result = acquire(robust.word, &robust, thread.tid, Some(Duration::from_millis(600)));
                (result.is_err_and(|fault| matches!(fault, Fault::Patience)), start.elapsed())
            });
            let (refused, time) = late.join().unwrap();
            assert!(refused);
            assert!(time >= Duration::from_millis(600));
        });
    });
    with_lock(&segment, |taken| assert!(!taken.after_death));
}

#[test]
fn two_words_of_one_segment_are_given_up_in_any_order() {
    let segment = segment();
    let thread = Thread::current().unwrap();
    let one = Robust::lock(&segment, thread);
    let two = Robust::wake(&segment, thread);
    for first_in_first_out in [true, false] {
        acquire(one.word, &one, thread.tid, None).unwrap();
        acquire(two.word, &two, thread.tid, None).unwrap();
        assert_eq!(thread.held(), 2);
        let order = if first_in_first_out { [&one, &two] } else { [&two, &one] };
        release(order[0].word, order[0], thread.tid);
        assert_eq!(thread.held(), 1);
        release(order[1].word, order[1], thread.tid);
        assert_eq!(thread.held(), 0);
    }
}
