//! The pool: what can be mapped, what comes back in which order, and how far the input is pulled.
#![allow(clippy::unwrap_used, reason = "a function of a test is a part of the test")]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use processing::prelude::*;
use processing::{Pool, Stream, TryMapError, task};
use serde::{Deserialize, Serialize};
use tests::{TempDir, watchdog};

fn double(x: i64) -> i64 {
    x * 2
}

fn identity<T>(value: T) -> T {
    value
}

/// Waits for a file, if it is given one; whether it was.
fn wait_for(file: Option<PathBuf>) -> bool {
    while file.as_ref().is_some_and(|file| !file.exists()) {
        std::thread::yield_now();
    }
    file.is_some()
}

fn sleep_ms(ms: u64) -> u64 {
    std::thread::sleep(Duration::from_millis(ms));
    ms
}

#[test]
fn anything_callable_is_mapped() {
    fn local(text: String) -> usize {
        text.len()
    }
    let _watchdog = watchdog();
    let pool = Pool::new(2).unwrap();
    assert_eq!(pool.map(double, 0..10).unwrap(), (0..10).map(double).collect::<Vec<_>>());
    assert_eq!(pool.map(local, ["a".to_owned(), "bcd".to_owned()]).unwrap(), [1, 3]);
    assert_eq!(pool.map(|x: u8| x + 1, [1, 2]).unwrap(), [2, 3]);
    assert_eq!(pool.map(identity::<Option<char>>, [Some('x'), None]).unwrap(), [Some('x'), None]);
    assert_eq!(pool.map(identity, vec![vec![1_u8; 3]]).unwrap(), [[1; 3]]);
    let factor = 7;
    assert_eq!(pool.map(task!(|x: i64| x * factor), [1, 2, 3]).unwrap(), [7, 14, 21]);
}

#[test]
fn the_seeds_example_of_functions_runs() {
    fn outer(items: Vec<Vec<i64>>, factor: i64) -> Result<Vec<Vec<i64>>, processing::PoolError> {
        fn transform(x: Vec<i64>) -> Vec<i64> {
            x.into_iter().map(|x| x * 2).collect()
        }
        assert_eq!(processing::map(transform, items.clone())?, [vec![2, 4], vec![6]]);
        assert_eq!(processing::map(|x: Vec<i64>| x.len() as i64, items.clone())?, [2, 1]);
        processing::map(task!(|x: Vec<i64>| x.iter().map(|x| x * factor).collect::<Vec<_>>()), items)
    }
    let _watchdog = watchdog();
    assert_eq!(outer(vec![vec![1, 2], vec![3]], 10).unwrap(), [vec![10, 20], vec![30]]);
}

#[test]
fn star_makes_tuples_arguments() {
    fn f2(a: i32, b: String) -> String {
        format!("{a}{b}")
    }
    let _watchdog = watchdog();
    let pool = Pool::new(2).unwrap();
    let items = vec![(1, "x".to_owned()), (2, "y".to_owned())];
    assert_eq!(pool.star().map(f2, items.clone()).unwrap(), ["1x", "2y"]);
    assert_eq!(pool.star().timeout(Duration::from_secs(20)).map(f2, items.clone()).unwrap(), ["1x", "2y"]);
    assert_eq!(
        pool.timeout(Duration::from_secs(20)).star().background().map(f2, items).wait().unwrap(),
        ["1x", "2y"]
    );
    assert_eq!(pool.star().map(|| 4, [(), ()]).unwrap(), [4, 4]);
    assert_eq!(pool.star().map(|a: u8, b: u8, c: u8| a + b + c, [(1, 2, 3)]).unwrap(), [6]);
}

#[test]
fn ordered_is_input_order_and_unordered_is_completion_order() {
    let _watchdog = watchdog();
    let pool = Pool::new(2).unwrap();
    let _ = pool.map(sleep_ms, [1, 1, 1, 1]).unwrap();
    let items = [300, 20, 40];
    assert_eq!(pool.map(sleep_ms, items).unwrap(), items);
    assert_eq!(pool.unordered_map(sleep_ms, items).unwrap(), [20, 40, 300]);
    let ordered: Vec<u64> = pool.imap(sleep_ms, items).collect::<Result<_, _>>().unwrap();
    assert_eq!(ordered, items);
    let unordered: Vec<u64> = pool.unordered_imap(sleep_ms, items).collect::<Result<_, _>>().unwrap();
    assert_eq!(unordered, [20, 40, 300]);
}

#[test]
fn the_first_result_is_yielded_when_it_is_ready() {
    let _watchdog = watchdog();
    let pool = Pool::new(2).unwrap();
    for ordered in [true, false] {
        let dir = TempDir::new();
        let gate = dir.path().join("gate");
        let items = [None, Some(gate.clone()), Some(gate.clone())];
        let mut results: Box<dyn Iterator<Item = _>> = match ordered {
            true => Box::new(pool.imap(wait_for, items)),
            false => Box::new(pool.unordered_imap(wait_for, items)),
        };
        assert!(!results.next().unwrap().unwrap());
        std::fs::write(&gate, "").unwrap();
        assert!(results.next().unwrap().unwrap());
    }
}

#[test]
fn a_long_task_holds_up_no_other() {
    let _watchdog = watchdog();
    let pool = Pool::new(2).unwrap();
    let first = 3;
    let dir = TempDir::new();
    let gate = dir.path().join("gate");
    let items = (0..200).map(|n| (n == first).then(|| gate.clone()));
    let mut results = pool.unordered_imap(wait_for, items);
    for _ in 0..199 {
        assert!(!results.next().unwrap().unwrap());
    }
    std::fs::write(&gate, "").unwrap();
    assert!(results.next().unwrap().unwrap());
    assert!(results.next().is_none());
}

#[test]
fn an_endless_input_is_pulled_on_demand() {
    let _watchdog = watchdog();
    let pulled = AtomicUsize::new(0);
    let pool = Pool::builder().workers(2).window(8).build().unwrap();
    let endless = || {
        (0..).inspect(|_| {
            pulled.fetch_add(1, Ordering::Relaxed);
        })
    };
    let mut results = pool.imap(double, endless());
    assert_eq!(pulled.load(Ordering::Relaxed), 0);
    for n in 0..1000 {
        assert_eq!(results.next().unwrap().unwrap(), n * 2);
        assert!(pulled.load(Ordering::Relaxed) <= n as usize + 1 + 8);
    }
    drop(results);
    // Without a window given it is two for each worker, for tasks that take their time.
    let pool = Pool::new(2).unwrap();
    pulled.store(0, Ordering::Relaxed);
    let mut results = pool.unordered_imap(
        |x: u64| {
            std::thread::sleep(Duration::from_millis(5));
            x
        },
        endless().map(|x| x as u64),
    );
    for n in 0..20 {
        results.next().unwrap().unwrap();
        assert!(pulled.load(Ordering::Relaxed) <= n + 1 + 4, "{} at {n}", pulled.load(Ordering::Relaxed));
    }
}

#[test]
fn a_dropped_iterator_stops_the_work_and_the_pool_stays_usable() {
    let _watchdog = watchdog();
    let pool = Pool::new(2).unwrap();
    let dir = TempDir::new();
    let marks = dir.marks();
    let work = task!([marks] |ms: u64| {
        marks.add("begun");
        std::thread::sleep(Duration::from_millis(ms));
        marks.add("done");
    });
    let mut results = pool.imap(work, std::iter::once(0).chain(std::iter::repeat(1_000_000)));
    results.next().unwrap().unwrap();
    drop(results);
    assert_eq!(pool.map(double, [1, 2, 3]).unwrap(), [2, 4, 6]);
    let begun = marks.count("begun");
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!((marks.count("begun"), marks.count("done")), (begun, 1));
}

#[test]
fn edge_sizes() {
    let _watchdog = watchdog();
    let pool = Pool::new(16).unwrap();
    assert!(pool.map(double, Vec::new()).unwrap().is_empty());
    assert!(pool.pids().is_empty());
    assert_eq!(pool.map(double, [21]).unwrap(), [42]);
    // One, and another one each time that it was stuck behind a worker that was slow to begin it.
    assert!((1..16).contains(&pool.pids().len()));
    let pool = Pool::new(1).unwrap();
    assert_eq!(pool.map(double, 0..1000).unwrap(), (0..1000).map(double).collect::<Vec<_>>());
}

#[test]
fn nothing_is_too_big_for_a_buffer() {
    let _watchdog = watchdog();
    let pool = Pool::new(2).unwrap();
    let items: Vec<Vec<u8>> = (0..24).map(|n| vec![n; 1 << 20]).collect();
    assert_eq!(pool.map(identity, items.clone()).unwrap(), items);
    assert_eq!(pool.map(identity, vec![vec![7_u8; 64 << 20]]).unwrap()[0].len(), 64 << 20);
    // Small items with big results, and the other way round.
    let lengths: Vec<usize> = (0..40).map(|n| n * 10_000).collect();
    let made = pool.map(|n: usize| vec![n as u8; n], lengths.clone()).unwrap();
    assert!(made.iter().map(Vec::len).eq(lengths.iter().copied()));
    assert_eq!(pool.map(|bytes: Vec<u8>| bytes.len(), made).unwrap(), lengths);
}

#[test]
fn results_are_drained_whatever_order_they_are_asked_for_in() {
    let _watchdog = watchdog();
    let pool = Pool::new(2).unwrap();
    let big = |n: u32| vec![n as u8; 300_000];
    let mut first = pool.imap(big, 0..30);
    let mut second = pool.imap(big, 100..130);
    let mut third = pool.unordered_imap(big, 0..);
    for n in 0..30 {
        assert_eq!(second.next().unwrap().unwrap()[0], 100 + n);
        third.next().unwrap().unwrap();
    }
    assert_eq!(first.by_ref().count(), 30);
    assert!(second.next().is_none() && first.next().is_none());
}

#[test]
fn calls_of_several_threads_share_the_workers() {
    let _watchdog = watchdog();
    let pool = Pool::new(2).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..4_i64 {
            let pool = &pool;
            scope.spawn(move || {
                let items = thread * 1000..thread * 1000 + 500;
                assert_eq!(pool.map(double, items.clone()).unwrap(), items.map(double).collect::<Vec<_>>());
            });
        }
    });
}

#[test]
fn a_panic_of_the_input_is_the_callers_and_the_pool_goes_on() {
    let _watchdog = watchdog();
    let pool = Pool::new(2).unwrap();
    let items = || (0..100).inspect(|&n| assert!(n < 50, "the input is broken"));
    let panicked = catch_unwind(AssertUnwindSafe(|| pool.map(double, items())));
    assert!(panicked.is_err());
    let panicked = catch_unwind(AssertUnwindSafe(|| pool.background().map(double, items()).wait()));
    assert!(panicked.is_err());
    let background = pool.background().imap(double, items());
    assert!(catch_unwind(AssertUnwindSafe(|| background.count())).is_err());
    assert_eq!(pool.map(double, [4]).unwrap(), [8]);
}

#[derive(Debug, PartialEq, Clone, Serialize, Deserialize)]
struct SoldOut {
    article: u32,
}

impl std::fmt::Display for SoldOut {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} is sold out", self.article)
    }
}

fn order(article: u32) -> Result<u32, SoldOut> {
    if article % 10 == 7 { Err(SoldOut { article }) } else { Ok(article) }
}

#[test]
fn try_map_stops_at_the_lowest_err_and_map_returns_them_all() {
    let _watchdog = watchdog();
    let pool = Pool::new(2).unwrap();
    match pool.try_map(order, 0..) {
        Err(TryMapError::Item { index: 7, error }) => assert_eq!(error, SoldOut { article: 7 }),
        other => panic!("{other:?}"),
    }
    assert_eq!(pool.try_map(order, 0..5).unwrap(), [0, 1, 2, 3, 4]);
    let all = pool.map(order, 5..9).unwrap();
    assert_eq!(all, [Ok(5), Ok(6), Err(SoldOut { article: 7 }), Ok(8)]);
}

#[test]
fn map_results_has_every_items_own() {
    let _watchdog = watchdog();
    let pool = Pool::new(2).unwrap();
    let results = pool.map_results(|n: u32| 60 / (n % 3), 0..6);
    assert_eq!(results.len(), 6);
    for (index, result) in results.into_iter().enumerate() {
        match result {
            Ok(value) => assert_eq!(value, 60 / (index as u32 % 3)),
            Err(error) => {
                assert_eq!((error.index, index % 3), (index, 0));
                assert_eq!(error.source.message(), Some("attempt to divide by zero"));
            }
        }
    }
}

#[test]
fn an_iterator_goes_on_behind_an_error() {
    let _watchdog = watchdog();
    let pool = Pool::new(2).unwrap();
    let results: Vec<_> = pool
        .imap(
            |n: u32| {
                assert!(n != 3, "three is none");
                n
            },
            0..6,
        )
        .collect();
    let values: Vec<Option<u32>> = results.iter().map(|result| result.as_ref().ok().copied()).collect();
    assert_eq!(values, [Some(0), Some(1), Some(2), None, Some(4), Some(5)]);
    assert_eq!(results[3].as_ref().unwrap_err().source.message(), Some("three is none"));
}

#[derive(Debug)]
struct Stubborn(u8);

impl Serialize for Stubborn {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            13 => Err(serde::ser::Error::custom("thirteen does not travel")),
            other => other.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Stubborn {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match u8::deserialize(deserializer)? {
            14 => Err(serde::de::Error::custom("fourteen is not welcome")),
            other => Ok(Stubborn(other)),
        }
    }
}

#[test]
fn what_cannot_cross_is_the_error_of_its_item() {
    let _watchdog = watchdog();
    let pool = Pool::new(2).unwrap();
    let error = pool.map(|item: Stubborn| item.0, [1, 2, 13, 3].map(Stubborn)).unwrap_err();
    assert_eq!(error.index, 2);
    let error = pool.map(|item: Stubborn| item.0, [1, 14, 3].map(Stubborn)).unwrap_err();
    assert_eq!(error.index, 1);
    let results = pool.map_results(Stubborn, [12, 13, 14, 15]);
    let good: Vec<bool> = results.iter().map(Result::is_ok).collect();
    assert_eq!(good, [true, false, false, true]);
    let told = tests::chain(results[1].as_ref().unwrap_err()).join(": ");
    assert!(told.contains("thirteen does not travel"), "{told}");
}

/// Maps some items with its progress shown, in a process whose stderr is no terminal.
#[skprocess(runs = 1)]
struct Shower {}

#[skprocess]
impl Shower {
    fn run(&mut self) -> anyhow::Result<()> {
        let pool = Pool::new(1)?;
        assert_eq!(pool.progress().map(double, 0..20)?.len(), 20);
        assert_eq!(pool.timeout(Duration::from_secs(50)).progress().imap(double, 0..).take(3).count(), 3);
        let all: Vec<_> = pool.progress().star().unordered_imap(|a: u8, b: u8| a + b, [(1, 2)]).collect();
        assert_eq!(all.len(), 1);
        Ok(())
    }
}

#[test]
fn progress_is_lines_where_stderr_is_no_terminal() {
    let _watchdog = watchdog();
    let shower = Shower {}.configure(|config| config.stderr(Stream::Capture)).start().unwrap();
    shower.wait().unwrap();
    let lines: Vec<_> = shower.output().iter().map(|line| line.text().to_owned()).collect();
    let tenths = (1..=10).map(|tenth| format!("double: {} of 20 done", 2 * tenth));
    assert_eq!(lines[..10], tenths.collect::<Vec<_>>(), "{lines:?}");
    assert_eq!(lines[10], "double: 1 done");
    assert!(lines.last().unwrap().ends_with(": 1 of 1 done"), "{lines:?}");
}
