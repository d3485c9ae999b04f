//! What signals do to a program with workers, and to one that is the parent of others in its own way.

use std::os::unix::process::CommandExt;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};

use super::*;

pub(super) fn in_a_group_of_its_own(program: &mut Command) {
    program.process_group(0);
}

fn group(program: &Driver) -> Pid {
    Pid::from_raw(program.pid().try_into().unwrap()).unwrap()
}

#[test]
fn a_terminated_program_leaves_nobody() {
    ends_with_all("waits", |program| processes::signal(program.pid(), Signal::TERM));
}

#[test]
fn an_interrupted_group_leaves_nobody() {
    ends_with_all("waits", |program| kill_process_group(group(program), Signal::INT).unwrap());
}

#[test]
fn a_hangup_leaves_nobody() {
    ends_with_all("waits", |program| kill_process_group(group(program), Signal::HUP).unwrap());
}

#[test]
fn a_program_that_handles_ctrl_c_keeps_its_workers() {
    let _watchdog = watchdog();
    let mut program = Driver::start(Command::new(PARENT).arg("handles").process_group(0));
    let worker = watch(program.numbers()[0]);
    kill_process_group(group(&program), Signal::INT).unwrap();
    assert_eq!(program.line().unwrap(), says_of_the_dead("was ended by SIGKILL"));
    assert!(program.wait().success());
    assert!(worker.ends_within(LONGEST));
}

fn says_of_the_dead(how: &str) -> String {
    format!("all works; the dead worker {how} (by someone else, or by the kernel for want of memory)")
}

#[test]
fn a_program_that_ignores_sigchld_works() {
    let _watchdog = watchdog();
    // What a shell ignores stays so in the program that takes its place.
    let mut program = Driver::start(Command::new("/bin/bash").args([
        "-c",
        "trap '' CHLD INT PIPE; exec \"$0\" works",
        PARENT,
    ]));
    let line = program.line().expect("it works");
    // How a worker ended that the system has reaped, only newer kernels remember.
    assert!(line.starts_with("all works; the dead worker "), "{line}");
    assert!(program.wait().success());
}

#[test]
fn a_program_that_reaps_every_child_works() {
    let _watchdog = watchdog();
    let mut program = Driver::start(Command::new(PARENT).arg("reaps"));
    for _ in 0..20 {
        assert!(program.line().expect("it works").starts_with("all works; the dead worker "));
    }
    assert!(program.wait().success());
}

#[test]
fn a_stopped_program_loses_nothing() {
    let _watchdog = watchdog();
    let mut program =
        Driver::start(Command::new(PARENT).arg("waits").stdin(Stdio::piped()).stderr(Stdio::null()));
    let workers: Vec<Watched> = program.numbers().into_iter().map(watch).collect();
    processes::signal(program.pid(), Signal::STOP);
    assert!(!workers[0].ends_within(Duration::from_millis(200)), "it is stopped, not gone");
    processes::signal(program.pid(), Signal::CONT);
    program.tell("now");
    assert!(program.wait().success());
    assert!(workers.iter().all(|worker| worker.ends_within(LONGEST)));
}
