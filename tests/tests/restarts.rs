//! The restart limit and its back-off.
#![allow(clippy::unwrap_used, reason = "a hook of a test is a part of the test")]

use std::time::{Duration, Instant};

use processing::prelude::*;
use processing::{Configured, Stream};
use tests::processes;
use tests::{LONGEST, Marks, TempDir, watchdog};

const HOUR: Duration = Duration::from_secs(3600);

/// Fails as often as it is told to, in the same worker or with it.
#[skprocess(runs = 1)]
struct Failing {
    times: usize,
    dies: bool,
    marks: Marks,
}

#[skprocess]
impl Failing {
    fn run(&mut self) -> Result<(), String> {
        self.marks.add("tried");
        if self.marks.count("tried") > self.times {
            return Ok(());
        }
        if self.dies {
            std::process::abort();
        }
        Err("not yet".into())
    }
    fn result(&mut self) -> u64 {
        self.marks.add("result");
        self.current_run()
    }
}

fn failing(times: usize, dies: bool, dir: &TempDir) -> Configured<Failing> {
    let failing = Failing { times, dies, marks: dir.marks() };
    failing.configure(|config| config.lives(100).stderr(Stream::Capture))
}

#[test]
fn too_many_failures_are_a_crash_loop() {
    let _watchdog = watchdog();
    for dies in [false, true] {
        let dir = TempDir::new();
        let backoff = Duration::from_millis(40);
        let worker = failing(usize::MAX, dies, &dir).configure(|config| config.restart(3, LONGEST, backoff));
        let begin = Instant::now();
        let error = worker.run().unwrap_err();
        assert!(begin.elapsed() >= backoff * (1 + 2 + 4), "it waited between attempts, longer each time");
        let ProcessError::CrashLoop { failures: 4, within: LONGEST, last } = &error else {
            panic!("{error:?}")
        };
        assert_eq!(last.is_crash(), dies);
        assert_eq!((error.phase(), error.run()), (Some(Phase::Run), Some(0)));
        assert_eq!(dir.marks().count("tried"), 4);
        let chain = tests::chain(&error);
        assert!(chain[0].contains("4 failures") && chain[1].contains("`run`"), "{chain:?}");
    }
}

#[test]
fn failures_that_are_allowed_are_survived() {
    let _watchdog = watchdog();
    for dies in [false, true] {
        let dir = TempDir::new();
        let backoff = Duration::from_millis(10);
        let worker = failing(3, dies, &dir).configure(|config| config.restart(3, LONGEST, backoff));
        assert_eq!(worker.run().unwrap(), 1);
    }
}

#[test]
fn old_failures_are_forgotten() {
    let _watchdog = watchdog();
    let dir = TempDir::new();
    // Each wait is longer than the window.
    let worker = failing(4, true, &dir)
        .configure(|config| config.restart(1, Duration::from_millis(20), Duration::from_millis(40)));
    assert_eq!(worker.run().unwrap(), 1);
}

/// A worker that has failed once and waits for an hour.
fn waiting(dies: bool, dir: &TempDir) -> Handle<Failing> {
    let worker = failing(1, dies, dir).configure(|config| config.restart(5, LONGEST, HOUR)).start().unwrap();
    while dir.marks().count("tried") == 0 || (dies && processes::exists(worker.pid())) {
        std::thread::yield_now();
    }
    while worker.lives_left() == 99 {
        std::thread::yield_now();
    }
    worker
}

#[test]
fn a_stop_does_not_wait_for_a_backoff() {
    let _watchdog = watchdog();
    for dies in [false, true] {
        let dir = TempDir::new();
        let worker = waiting(dies, &dir);
        assert!(worker.is_alive());
        worker.stop();
        assert_eq!(worker.result().unwrap(), 0);
        assert_eq!(dir.marks().read(), ["tried", "result"]);
    }
}

#[test]
fn a_kill_does_not_wait_for_a_backoff() {
    let _watchdog = watchdog();
    for dies in [false, true] {
        let dir = TempDir::new();
        let worker = waiting(dies, &dir);
        worker.kill();
        assert!(worker.result().unwrap_err().is_killed());
        assert!(!worker.is_alive());
    }
}

#[test]
fn a_dropped_process_does_not_wait_for_a_backoff() {
    let _watchdog = watchdog();
    for dies in [false, true] {
        let dir = TempDir::new();
        drop(waiting(dies, &dir));
        while dir.marks().count("result") == 0 {
            std::thread::yield_now();
        }
    }
}
