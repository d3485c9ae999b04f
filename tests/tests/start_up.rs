//! What runs first in a worker: `on_worker_start`, `init` where nothing runs before `main`.
#![allow(clippy::unwrap_used, reason = "a hook of a test is a part of the test")]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs};

use tests::watchdog;

fn lines(command: &mut Command) -> Vec<String> {
    let output = command.stderr(Stdio::null()).output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn what_is_set_runs_once_and_first_in_every_worker_below() {
    let _watchdog = watchdog();
    let lines = lines(&mut Command::new(env!("CARGO_BIN_EXE_prologue")));
    assert_eq!(lines[0], "[(0, 0), (0, 0), (0, 0)]", "nothing is set");
    assert_eq!(lines[1], "[(1, 1), (1, 1), (1, 1)]");
    assert!(lines[2].contains("`on_worker_start` panicked: no way to begin"), "{lines:?}");
    assert!(lines[3].contains("SIGABRT") && lines[3].contains("before it was ready"), "{lines:?}");
    assert_eq!(lines[4..], ["a closure", "[(0, 0), (0, 0), (0, 0)]"], "{lines:?}");
}

/// Builds the program of the fixture, apart from the workspace, whose features would be added to its own.
fn opted_out() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let build = Path::new(env!("CARGO_TARGET_TMPDIR")).join("opt_out");
    fs::create_dir_all(build.join("src")).unwrap();
    let manifest = fs::read_to_string(here.join("fixtures/opt_out/Cargo.toml")).unwrap();
    let processing = here.parent().unwrap().join("processing");
    let manifest = manifest.replace("../../../processing", processing.to_str().unwrap());
    fs::write(build.join("Cargo.toml"), manifest).unwrap();
    fs::copy(here.join("fixtures/opt_out/src/main.rs"), build.join("src/main.rs")).unwrap();
    // The very versions that the workspace has, so that nothing has to be fetched.
    fs::copy(here.parent().unwrap().join("Cargo.lock"), build.join("Cargo.lock")).unwrap();
    // Where the dependencies lie that have been built already.
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let built = Command::new(env::var_os("CARGO").unwrap_or("cargo".into()))
        .args(["build", "--quiet", "--offline", "--target-dir"])
        .arg(target)
        .current_dir(&build)
        .output()
        .unwrap();
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    target.join("debug/opt_out")
}

#[test]
fn a_program_that_opted_out_begins_with_init() {
    // No watchdog for the compiler; it is watched over by whoever runs the tests.
    let program = opted_out();
    let _watchdog = watchdog();
    // What stands before `init` runs in both workers as well, and what stands behind it in none.
    assert_eq!(lines(Command::new(&program).arg("well")), ["before", "after", "before", "before", "true"]);
    let forgetful = lines(Command::new(&program).arg("forgetful"));
    assert_eq!(forgetful[..2], ["before", "after"]);
    assert!(forgetful[2].contains("call it first thing in `main`"), "{forgetful:?}");
}
