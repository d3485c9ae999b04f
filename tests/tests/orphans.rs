//! Nobody is left behind, however a program ends, and however it treats signals.
#![allow(clippy::unwrap_used, reason = "a hook of a test is a part of the test")]

use std::collections::BTreeSet;
use std::fs;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use tests::driver::Driver;
use tests::processes::{self, Watched, watch};
use tests::{LONGEST, TempDir, watchdog};

#[cfg(target_os = "linux")]
#[path = "orphans/signals.rs"]
mod signals;

const PARENT: &str = env!("CARGO_BIN_EXE_parent");

/// What shared memory and temporary files there are.
fn files(temporary: &TempDir) -> BTreeSet<String> {
    // Database servers keep theirs there as well.
    let is_foreign = |path: &String| path.starts_with("/dev/shm/PostgreSQL");
    let of = |folder: &std::path::Path| -> Vec<String> {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        entries.map(|entry| entry.path().display().to_string()).filter(|path| !is_foreign(path)).collect()
    };
    of("/dev/shm".as_ref()).into_iter().chain(of(temporary.path())).collect()
}

/// One at a time: each starts a dozen workers, half of which spin.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// Has the parent program end in some way while its workers are busy, and sees that none of them is left.
fn ends_with_all(command: &str, end: impl Fn(&Driver)) {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let _one = ONE_AT_A_TIME.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let _watchdog = watchdog();
    let temporary = TempDir::new();
    let before = files(&temporary);
    let token = format!("{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    let mut parent = Command::new(PARENT);
    parent.arg(command).env("PARENT_TOKEN", &token).stdin(Stdio::piped()).stderr(Stdio::null());
    ["TMPDIR", "TMP", "TEMP"].iter().for_each(|name| _ = parent.env(name, temporary.path()));
    #[cfg(target_os = "linux")]
    signals::in_a_group_of_its_own(&mut parent);
    let mut program = Driver::start(&mut parent);
    let workers: Vec<Watched> = program.numbers().into_iter().map(watch).collect();
    assert_eq!(workers.len(), 12);
    end(&program);
    program.tell("now");
    let _ = program.wait();
    for worker in workers {
        assert!(worker.ends_within(LONGEST), "worker {} is left", worker.pid);
    }
    // A process that has ended may be seen until it is reaped, but it has no environment any more.
    #[cfg(target_os = "linux")]
    assert_eq!(processes::with_environment(&format!("PARENT_TOKEN={token}")), [0_u32; 0]);
    let left: Vec<_> = files(&temporary).difference(&before).cloned().collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_killed_program_leaves_nobody() {
    ends_with_all("waits", |program| processes::kill(program.pid()));
}

#[test]
fn a_program_whose_starting_thread_is_gone_leaves_nobody() {
    ends_with_all("thread", |program| processes::kill(program.pid()));
}

#[test]
fn an_aborting_program_leaves_nobody() {
    ends_with_all("aborts", |_| ());
}

#[test]
fn a_panicking_program_leaves_nobody() {
    ends_with_all("panics", |_| ());
}

#[test]
fn an_exiting_program_leaves_nobody() {
    ends_with_all("exits", |_| ());
}

#[test]
fn a_returning_program_leaves_nobody() {
    ends_with_all("returns", |_| ());
}

#[test]
fn a_detached_process_ends_with_its_program() {
    ends_with_all("detaches", |_| ());
}

#[test]
fn a_killed_worker_takes_its_own_workers_along() {
    let _one = ONE_AT_A_TIME.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let _watchdog = watchdog();
    let mut program =
        Driver::start(Command::new(PARENT).arg("waits").stdin(Stdio::piped()).stderr(Stdio::null()));
    let pids = program.numbers();
    // The second process has two more below it.
    let below: Vec<Watched> = pids[2..4].iter().copied().map(watch).collect();
    assert!(watch(pids[1]).kill());
    for worker in below {
        assert!(worker.ends_within(LONGEST), "worker {} is left", worker.pid);
    }
}
