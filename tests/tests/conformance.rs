//! The program that prints the matrix judges: what holds, what misses, what hangs. The rows themselves are its own.

use std::process::{Command, Output};

use tests::watchdog;

fn conformance(arguments: &[&str], variable: Option<(&str, &str)>) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_conformance"));
    command.args(arguments).envs(variable).output().expect("the program")
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn rows_that_hold_are_a_success() {
    let _watchdog = watchdog();
    let done = conformance(&["pool-kill", "process-lives", "pool-nested"], None);
    assert!(done.status.success(), "{}", text(&done));
    assert!(text(&done).contains("all 3 rows hold"), "{}", text(&done));
}

#[test]
fn a_row_that_misses_is_a_failure() {
    let _watchdog = watchdog();
    // Without workers the program itself is what ends.
    let done = conformance(&["pool-exit", "process-lives"], Some(("PROCESSING_INLINE", "1")));
    assert_eq!(done.status.code(), Some(1));
    assert!(text(&done).contains("1 of 2 rows missed: pool-exit"), "{}", text(&done));
}

#[test]
fn a_row_that_does_not_end_is_ended() {
    let _watchdog = watchdog();
    let done = conformance(&["--patience", "2", "pool-endless"], Some(("PROCESSING_INLINE", "1")));
    assert_eq!(done.status.code(), Some(1));
    assert!(text(&done).contains("HANG"), "{}", text(&done));
}

#[test]
fn a_row_that_is_not_there_is_an_error() {
    let _watchdog = watchdog();
    let done = conformance(&["pool-kiln"], None);
    assert!(!done.status.success() && text(&done).is_empty());
}
