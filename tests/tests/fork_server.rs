//! Workers that are copies of a process which waits for that: they are what workers are that are started anew.
#![allow(clippy::unwrap_used, reason = "a hook of a test is a part of the test")]

use std::fs;
use std::process::{Command, Stdio};
use std::time::Duration;

use tests::driver::Driver;
use tests::processes::{self, watch};
use tests::{LONGEST, TempDir, watchdog};

/// A program whose workers are copies from the first on, unless it is told otherwise.
fn forker(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_forker"));
    command.args(arguments).env("PROCESSING_START_METHOD", "fork-server").stderr(Stdio::inherit());
    command
}

fn lines(command: &mut Command) -> Vec<String> {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

fn with<'a>(lines: &'a [String], text: &str) -> Vec<&'a String> {
    lines.iter().filter(|line| line.contains(text)).collect()
}

#[test]
fn copies_are_the_programs_own_children_and_have_its_name() {
    let _watchdog = watchdog();
    let program = Driver::start(&mut forker(&["wait"]));
    let pid = program.pid();
    let mut program = program;
    let said = std::iter::from_fn(|| program.line()).find(|line| line != "said by the worker").unwrap();
    let children: Vec<u32> = said.split(' ').map(|pid| pid.parse().unwrap()).collect();
    let templates = processes::templates(pid);
    assert_eq!((children.len(), templates.len()), (2, 1), "the template and one worker: {said}");
    let worker = children.into_iter().find(|child| !templates.contains(child)).unwrap();
    assert_eq!(processes::name(worker).as_deref(), Some("forker"));
    // It ends with the program, and so does the template.
    let (worker, template) = (watch(worker), watch(templates[0]));
    processes::signal(pid, rustix::process::Signal::KILL);
    assert!(template.ends_within(LONGEST) && worker.ends_within(LONGEST));
}

#[test]
fn what_runs_before_main_runs_once_for_all_copies() {
    let _watchdog = watchdog();
    let lines = lines(forker(&["look", "5"]).env("BEFORE_MAIN", "output"));
    let copies = with(&lines, "is_copy: true");
    assert_eq!(copies.len(), 5, "{lines:?}");
    assert!(
        copies.iter().all(|line| line.contains("constructed: 1") && line.contains("signals_itself: true"))
    );
    // Written by the program itself and by the template, and by no copy again.
    assert_eq!(lines.iter().map(|line| line.matches("once ").count()).sum::<usize>(), 2, "{lines:?}");
}

#[test]
fn a_copy_sees_what_its_program_has_changed() {
    let _watchdog = watchdog();
    let dir = TempDir::new();
    let place = fs::canonicalize(dir.path()).unwrap();
    let lines = lines(&mut forker(&["change", place.to_str().unwrap()]));
    let changed: Vec<_> = lines.iter().filter(|line| *line != "said by the worker").collect();
    let expected = [
        &format!("directory true {}", place.display()),
        "variable true Some(\"changed\")",
        "umask 27",
        "limit Some(4096)",
        "loader Some(\"1\")",
        "last true Some(\"changed\") 27 Some(4096)",
        "one template",
        "output true",
    ];
    assert_eq!(changed, expected);
    assert_eq!(fs::read_to_string(place.join("output")).unwrap(), "said by the worker\n");
}

#[test]
fn a_directory_that_is_gone_is_no_obstacle() {
    let _watchdog = watchdog();
    let dir = TempDir::new();
    let place = dir.path().join("gone");
    fs::create_dir(&place).unwrap();
    let lines = lines(&mut forker(&["nowhere", place.to_str().unwrap()]));
    assert!(lines.last().unwrap().contains("No such file"), "{lines:?}");
}

#[test]
fn a_copy_has_no_descriptor_that_is_not_its_own() {
    let _watchdog = watchdog();
    let dir = TempDir::new();
    let file = dir.path().join("a secret");
    fs::write(&file, "").unwrap();
    let lines = lines(&mut forker(&["leaky", file.to_str().unwrap()]));
    let [worker, template] = &lines[lines.len() - 2..] else { panic!("{lines:?}") };
    for link in worker.split(' ').filter(|link| !link.starts_with("(deleted)")) {
        let is_own =
            ["socket:", "/memfd:processing-", "anon_inode:[timerfd]", "anon_inode:[eventfd]", "/proc/"];
        assert!(is_own.iter().any(|own| link.starts_with(own)), "{worker}");
        assert!(!link.contains("environment") && !link.contains("template"), "{worker}");
    }
    assert_eq!(worker.matches("socket:").count(), 1, "its channel, and not the template's: {worker}");
    let template = template.replace(" (deleted)", "");
    let links: Vec<_> = template.split(' ').map(|link| link.split(':').next().unwrap()).collect();
    assert_eq!(links, ["/dev/null", "/dev/null", "/dev/null", "/memfd", "socket"], "{template}");
}

#[test]
fn what_cannot_be_copied_is_started_anew() {
    let _watchdog = watchdog();
    for what in ["thread", "descriptor", "death"] {
        let lines = lines(forker(&["look", "12"]).env("BEFORE_MAIN", what));
        assert_eq!(with(&lines, "is_copy: false").len(), 12, "{what}: {lines:?}");
        assert_eq!(lines.last().unwrap(), "templates 0", "{what}");
    }
}

#[test]
fn every_worker_is_started_anew_on_request() {
    let _watchdog = watchdog();
    let lines = lines(forker(&["look", "5"]).env("PROCESSING_START_METHOD", "exec"));
    assert_eq!(with(&lines, "is_copy: false").len(), 5, "{lines:?}");
    assert_eq!(lines.last().unwrap(), "templates 0");
}

#[test]
fn a_program_that_starts_one_worker_has_no_template() {
    let _watchdog = watchdog();
    let one = lines(forker(&["look", "1"]).env_remove("PROCESSING_START_METHOD"));
    assert_eq!(one.last().unwrap(), "templates 0");
    let many = lines(forker(&["look", "100"]).env("PROCESSING_START_METHOD", "auto"));
    assert!(!with(&many, "is_copy: false").is_empty(), "{many:?}");
    assert!(!with(&many, "is_copy: true").is_empty(), "{many:?}");
}

#[test]
fn a_method_that_does_not_exist_is_an_error_of_start() {
    let _watchdog = watchdog();
    let lines = lines(forker(&["try"]).env("PROCESSING_START_METHOD", "spawn"));
    assert!(lines[0].contains("`spawn`; write `auto`, `exec` or `fork-server`"), "{lines:?}");
}

#[test]
fn copies_have_copies_of_their_own() {
    let _watchdog = watchdog();
    let lines = lines(&mut forker(&["nest"]));
    let line = lines.last().unwrap();
    assert_eq!(line.matches("is_copy: true").count(), 3, "{line}");
    let numbers = |name: &str| -> Vec<u32> {
        let rest = line.split(name).skip(1);
        rest.map(|rest| rest.split([',', ')', ' ']).next().unwrap().parse().unwrap()).collect()
    };
    let program: u32 = line.split(' ').next().unwrap().parse().unwrap();
    let pids = numbers(" pid: ");
    assert_eq!(numbers("parent: Some("), [program, pids[0], pids[1]], "{line}");
}

#[test]
fn a_template_that_is_killed_or_stopped_is_replaced() {
    let _watchdog = watchdog();
    for signal in ["kill", "stop"] {
        let lines = lines(&mut forker(&["signal", signal]));
        let lines: Vec<_> = lines.iter().filter(|line| *line != "said by the worker").collect();
        let expected = ["first true", "again true", "replaced true", "older true", "nothing is left"];
        assert_eq!(lines, expected, "{signal}");
    }
}

#[test]
fn noise_costs_a_template_and_never_the_program() {
    let _watchdog = watchdog();
    for seed in ["1", "22", "333"] {
        let lines = lines(&mut forker(&["noise", seed]));
        assert_eq!(with(&lines, "started true").len(), 20, "{lines:?}");
        assert_eq!(lines[lines.len() - 2..], ["grown little", "nothing is left"], "{lines:?}");
    }
}

#[test]
fn a_template_that_talks_nonsense_serves_nobody() {
    let _watchdog = watchdog();
    let lines = lines(forker(&["look", "12"]).env("BEFORE_MAIN", "noise"));
    assert_eq!(with(&lines, "pid: ").len(), 12, "{lines:?}");
}

#[test]
fn a_copy_that_is_killed_before_it_is_needed_costs_no_life() {
    let _watchdog = watchdog();
    let mut lines = lines(&mut forker(&["ahead"]));
    lines.retain(|line| line != "said by the worker");
    assert_eq!(lines, ["another true", "nothing is left", "one of them true"]);
}

#[test]
fn starts_go_on_while_templates_are_killed_at_any_moment() {
    let _watchdog = watchdog();
    let lines = lines(&mut forker(&["shoot"]));
    assert_eq!(lines.last().unwrap(), "nothing is left");
}

#[test]
fn many_threads_can_ask_for_copies() {
    let _watchdog = watchdog();
    let lines = lines(&mut forker(&["threads"]));
    assert_eq!(lines.last().unwrap(), "200");
}

#[test]
fn a_thousand_workers_live_at_once() {
    let _watchdog = watchdog();
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).maximum;
    if limit.is_some_and(|most| most < 10_000) {
        eprintln!("skipped: this system allows {limit:?} descriptors");
        return;
    }
    let lines = lines(&mut forker(&["crowd", "1000"]));
    assert_eq!(lines[lines.len() - 3..lines.len() - 1], ["alive 1000", "copies 1000"], "{lines:?}");
    println!("{}", lines.last().unwrap());
}

#[test]
fn a_template_outlives_the_thread_that_asked_for_it_and_not_the_program() {
    let _watchdog = watchdog();
    let mut program = Driver::start(&mut forker(&["wait"]));
    while program.line().unwrap() == "said by the worker" {}
    let templates = processes::templates(program.pid());
    let template = watch(templates[0]);
    assert!(!template.ends_within(Duration::from_millis(100)), "it waits");
    drop(program);
    assert!(template.ends_within(LONGEST));
}
