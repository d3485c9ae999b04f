//! What many starts leave behind, and what nothing to do costs: nothing.
#![allow(clippy::unwrap_used, reason = "a hook of a test is a part of the test")]

use std::process::{Command, Stdio};

use tests::driver::Driver;
use tests::processes;
use tests::watchdog;

/// The numbers that a program says of itself, by name.
fn numbers(program: &mut Driver, name: &str) -> Vec<u64> {
    let line = program.line().expect("a line of numbers");
    let rest = line.strip_prefix(name).unwrap_or_else(|| panic!("{name} expected, not {line}"));
    rest.split_whitespace().map(|number| number.parse().unwrap()).collect()
}

/// A program of its own, so that no other test is in the numbers.
fn many(kind: &str) -> Driver {
    let mut command = Command::new(env!("CARGO_BIN_EXE_many"));
    // A backtrace of each failure takes longer than everything else here together.
    let command = command.arg(kind).env("RUST_BACKTRACE", "0");
    Driver::start(command.stdin(Stdio::piped()).stderr(Stdio::null()))
}

/// Has many processes started, and compares what the program holds before and after.
fn leaves_nothing(kind: &str) {
    let _watchdog = watchdog();
    let mut program = many(kind);
    let before = numbers(&mut program, "before");
    let after = numbers(&mut program, "after");
    let [descriptors, threads, kilobytes] = before[..] else { panic!("{before:?}") };
    let most = descriptors + processes::OF_A_COPY_AHEAD as u64;
    assert!(after[0] <= most, "{descriptors} descriptors before, {} after", after[0]);
    assert!(after[1] <= threads, "{threads} threads before, {} after", after[1]);
    // The allocator keeps a little; what leaks with each of the starts would be more than this.
    assert!(after[2] < kilobytes + 1024, "{kilobytes} kB before, {} kB after", after[2]);
    let zombies = processes::zombies(program.pid());
    assert!(zombies.is_empty(), "{zombies:?}");
    assert!(processes::descendants(program.pid()).is_empty());
    program.tell("done");
    assert!(program.wait().success());
}

#[test]
fn two_thousand_processes_leave_nothing() {
    leaves_nothing("well");
}

#[test]
fn processes_that_fail_leave_nothing() {
    leaves_nothing("failing");
}

#[test]
fn processes_that_die_leave_nothing() {
    leaves_nothing("dying");
}

#[test]
fn killed_processes_leave_nothing() {
    leaves_nothing("killed");
}

#[test]
fn dropped_processes_leave_nothing() {
    leaves_nothing("dropped");
}

#[test]
fn talking_processes_leave_nothing() {
    leaves_nothing("talking");
}

#[test]
fn captured_output_leaves_nothing() {
    leaves_nothing("captured");
}

#[test]
fn starts_that_are_refused_leave_nothing() {
    leaves_nothing("refused");
}

#[test]
fn calls_in_the_background_leave_nothing() {
    leaves_nothing("background");
}

#[test]
fn one_process_that_is_replaced_often_leaves_nothing() {
    leaves_nothing("replaced");
}

#[test]
fn whoever_waits_uses_no_processor() {
    let _watchdog = watchdog();
    let mut program = many("idle");
    let workers = program.numbers();
    assert_eq!(workers.len(), 4);
    let all: Vec<u32> = workers.into_iter().chain([program.pid()]).collect();
    let ticks = || all.iter().map(|&pid| processes::ticks(pid)).collect::<Vec<_>>();
    let before = ticks();
    // This is the interval over which nothing is to happen, not a wait for something.
    std::thread::sleep(std::time::Duration::from_secs(3));
    let used: Vec<u64> = ticks().iter().zip(&before).map(|(after, before)| after - before).collect();
    assert!(used.iter().all(|&ticks| ticks <= 1), "{used:?} ticks in three seconds");
    program.tell("done");
    assert!(program.wait().success());
}
