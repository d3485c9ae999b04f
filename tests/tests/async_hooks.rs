//! `async fn` hooks: their limits, and what becomes of the worker.
#![allow(clippy::unwrap_used, reason = "a hook of a test is a part of the test")]

use std::time::{Duration, Instant};

use processing::prelude::*;
use serde::{Deserialize, Serialize};
use tests::{Marks, TempDir, watchdog};

const LIMIT: Duration = Duration::from_millis(150);

/// How a hook overruns.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
enum Overrun {
    Not,
    /// Waits as a task should: it can be cancelled.
    Awaits,
    /// Does not let go of its thread.
    Blocks,
    /// Panics behind an await.
    Panics,
}

#[skprocess(runs = 2)]
struct Tasks {
    overrun: Overrun,
    marks: Marks,
    pids: Vec<u32>,
}

/// Leaves a mark when the future that holds it is dropped.
struct Dropped(Marks);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.add("dropped");
    }
}

#[skprocess]
impl Tasks {
    async fn prerun(&mut self) -> Result<(), String> {
        tokio::task::yield_now().await;
        Ok(())
    }
    async fn run(&mut self) {
        tokio::time::sleep(Duration::from_millis(1)).await;
        self.pids.push(std::process::id());
        if self.current_run() == 1 && self.marks.is_first("overrun") {
            let _dropped = Dropped(self.marks.clone());
            match self.overrun {
                Overrun::Not => {}
                Overrun::Awaits => std::future::pending().await,
                Overrun::Blocks => std::thread::sleep(Duration::from_secs(3600)),
                Overrun::Panics => {
                    tokio::task::yield_now().await;
                    panic!("behind an await");
                }
            }
        }
    }
    async fn result(&mut self) -> Result<Vec<u32>, String> {
        let pids = self.pids.clone();
        tokio::spawn(async move { pids }).await.map_err(|error| error.to_string())
    }
}

fn tasks(overrun: Overrun, dir: &TempDir) -> processing::Configured<Tasks> {
    let tasks = Tasks { overrun, marks: dir.marks(), pids: vec![] };
    tasks.configure(|config| config.timeout(Phase::Run, LIMIT).stderr(processing::Stream::Capture))
}

#[test]
fn hooks_may_be_async() {
    let _watchdog = watchdog();
    let dir = TempDir::new();
    let pids = tasks(Overrun::Not, &dir).run().unwrap();
    assert_eq!(pids.len(), 2);
    assert_eq!(pids[0], pids[1]);
}

/// Whether the worker was there to the end. A hook that cannot yield in time, as its thread gets no processor, costs the
/// worker: that is right, and on a busy machine it happens to any hook.
fn is_cancelled_in_its_worker() -> bool {
    let dir = TempDir::new();
    let begin = Instant::now();
    let worker = tasks(Overrun::Awaits, &dir).configure(|config| config.lives(2)).start().unwrap();
    let first = worker.pid();
    let pids = worker.result().unwrap();
    assert!(begin.elapsed() >= LIMIT);
    assert_eq!(worker.lives_left(), 0);
    if worker.pid() != first {
        return false;
    }
    assert_eq!(pids.len(), 3, "its state is as the cancelled attempt left it");
    assert!(pids.iter().all(|&pid| pid == first));
    assert_eq!(dir.marks().count("dropped"), 1, "it was dropped at the limit");
    true
}

#[test]
fn a_cancelled_hook_costs_a_life_but_no_worker() {
    let _watchdog = watchdog();
    assert!((0..20).any(|_| is_cancelled_in_its_worker()), "never once");
}

#[test]
fn a_hook_that_does_not_yield_costs_its_worker() {
    let _watchdog = watchdog();
    let dir = TempDir::new();
    let worker = tasks(Overrun::Blocks, &dir).configure(|config| config.lives(2)).start().unwrap();
    let pids = worker.result().unwrap();
    assert_eq!(pids.len(), 2, "its state is that of the last checkpoint");
    assert_ne!(pids[0], pids[1]);
    let error = tasks(Overrun::Blocks, &TempDir::new()).run().unwrap_err();
    assert!(matches!(error, ProcessError::Timeout { limit: LIMIT, .. }), "{error:?}");
}

#[test]
fn an_async_hook_without_lives_fails_at_its_limit() {
    let _watchdog = watchdog();
    let error = tasks(Overrun::Awaits, &TempDir::new()).run().unwrap_err();
    assert!(matches!(error, ProcessError::Timeout { limit: LIMIT, .. }), "{error:?}");
    assert_eq!(error.phase(), Some(Phase::Run));
    assert_eq!(error.run(), Some(1));
}

#[test]
fn a_panic_behind_an_await_is_a_panic() {
    let _watchdog = watchdog();
    // Without a limit: a backtrace may take longer than the others have.
    let dir = TempDir::new();
    let tasks = tasks(Overrun::Panics, &dir).configure(|config| config.no_timeout(Phase::Run));
    let error = tasks.run().unwrap_err();
    assert!(error.is_panic());
    assert_eq!(error.message(), Some("behind an await"));
    assert!(error.location().unwrap().file.ends_with("async_hooks.rs"));
}

/// Leaves work behind that does not end.
#[skprocess(runs = 1)]
struct Untidy {}

#[skprocess]
impl Untidy {
    async fn run(&mut self) {
        tokio::task::spawn_blocking(|| std::thread::sleep(Duration::from_secs(3600)));
    }
}

#[test]
fn work_that_a_hook_left_behind_does_not_hold_up_the_end() {
    let _watchdog = watchdog();
    let worker = Untidy {}.start().unwrap();
    worker.result().unwrap();
    // After 5 seconds it would be killed.
    worker.timeout(Duration::from_secs(4)).wait().unwrap();
}
