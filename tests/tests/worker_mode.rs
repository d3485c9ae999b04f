//! How a program becomes a worker, and what happens where it cannot.
#![allow(clippy::unwrap_used, reason = "a hook of a test is a part of the test")]

use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use processing::prelude::*;
use tests::{TempDir, watchdog};

const LAUNCHER: &str = env!("CARGO_BIN_EXE_launcher");

fn lines(output: &Output) -> Vec<String> {
    String::from_utf8(output.stdout.clone()).unwrap().lines().map(str::to_owned).collect()
}

/// What the launcher prints, behind the word that `main` was reached.
fn launch(arguments: &[&str]) -> Vec<String> {
    let output = Command::new(LAUNCHER).args(arguments).stderr(Stdio::null()).output().unwrap();
    let mut lines = lines(&output);
    assert_eq!(lines.remove(0), "main");
    assert!(output.status.success());
    lines
}

fn script(dir: &TempDir, text: &str) -> PathBuf {
    let path = dir.path().join("program");
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path
}

fn hex(text: &[u8]) -> String {
    text.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn a_worker_sees_the_users_arguments_and_environment() {
    let _watchdog = watchdog();
    let dir = TempDir::new();
    let odd = OsStr::from_bytes(b"\xff odd\n");
    let output = Command::new(LAUNCHER)
        .arg0("another name")
        .args(["mirror", "", "--flag=a b"])
        .arg(odd)
        .env("MIRRORED", odd)
        .current_dir(dir.path())
        .output()
        .unwrap();
    let lines = lines(&output);
    let arguments: [&[u8]; 5] = [b"another name", b"mirror", b"", b"--flag=a b", odd.as_bytes()];
    let arguments = arguments.map(hex).join(" ");
    assert!(lines.contains(&format!("arguments {arguments}")), "{lines:?}");
    assert!(lines.contains(&format!("variable {}", hex(odd.as_bytes()))), "{lines:?}");
    assert!(lines.contains(&"marker false false".into()), "{lines:?}");
    let directory = fs::canonicalize(dir.path()).unwrap();
    assert!(lines.contains(&format!("directory {}", directory.display())), "{lines:?}");
    assert_eq!(lines.iter().filter(|line| *line == "main").count(), 1, "only the program has a `main`");
    assert_eq!(lines.iter().filter(|line| *line == "the worker's own output").count(), 1);
}

#[test]
fn a_worker_that_dies_at_once_is_an_error() {
    let _watchdog = watchdog();
    for (program, says) in [("/bin/false", "exited with status 1"), ("/bin/true", "exited with status 0")] {
        for lives in ["1", "3"] {
            let lines = launch(&["misled", program, lives]);
            assert!(lines[0].contains("could not be started") && lines[0].contains(says), "{lines:?}");
            assert!(lines[0].contains("before it was ready"), "{lines:?}");
            assert_eq!(lines[1], "false false");
        }
    }
}

#[test]
fn a_worker_that_is_killed_at_once_is_an_error() {
    let _watchdog = watchdog();
    let dir = TempDir::new();
    let program = script(&dir, "#!/bin/sh\nkill -9 $$\n");
    let lines = launch(&["misled", program.to_str().unwrap(), "2"]);
    assert!(lines[0].contains("SIGKILL") && lines[0].contains("before it was ready"), "{lines:?}");
}

#[test]
fn a_worker_that_cannot_be_run_is_an_error_of_start() {
    let _watchdog = watchdog();
    for program in ["/nowhere/at/all", "/etc/passwd", "/etc"] {
        let lines = launch(&["misled", program, "1"]);
        assert!(lines[0].contains("cannot start `launcher::Mirror`"), "{lines:?}");
        assert_eq!(lines.len(), 1, "{lines:?}");
    }
}

#[test]
fn a_worker_that_never_answers_holds_nobody_up() {
    let _watchdog = watchdog();
    let dir = TempDir::new();
    let program = script(&dir, "#!/bin/sh\nexec sleep 1000\n");
    let lines = launch(&["unanswered", program.to_str().unwrap()]);
    assert!(lines[0].contains("no result within 200ms"), "{lines:?}");
    assert!(lines[1].contains("was killed by its handle"), "{lines:?}");
    assert_eq!(lines[2], "false false");
}

#[test]
fn a_worker_that_talks_nonsense_is_an_error() {
    let _watchdog = watchdog();
    let dir = TempDir::new();
    let text =
        "#!/bin/bash\nprintf 'this is not what a worker says' >&${PROCESSING_WORKER#*:}\nexec sleep 1000\n";
    let program = script(&dir, text);
    let lines = launch(&["misled", program.to_str().unwrap(), "1"]);
    assert!(lines[0].contains("could not be started") && lines[0].contains("no message"), "{lines:?}");
    assert_eq!(lines[1], "false false");
}

#[test]
fn a_worker_of_another_build_is_an_error_that_says_so() {
    let _watchdog = watchdog();
    let lines = launch(&["misled", env!("CARGO_BIN_EXE_erring"), "3"]);
    assert!(lines[0].contains("another build"), "{lines:?}");
    assert_eq!(lines[1], "false false");
}

#[test]
fn the_very_same_build_will_do() {
    let _watchdog = watchdog();
    let dir = TempDir::new();
    let copy = dir.path().join("copy");
    another_name(LAUNCHER, &copy);
    assert_eq!(launch(&["misled", copy.to_str().unwrap(), "1"])[1], "well");
}

#[test]
fn a_marker_that_means_nothing_is_a_clear_end() {
    let _watchdog = watchdog();
    for marker in
        ["", "garbage", ":", "1:", "1:x", "1:-1", "1:0", "1:2", "1:63", "1:99999999999", "999:3", "1:3"]
    {
        let output = Command::new(LAUNCHER)
            .arg("mirror")
            .env("PROCESSING_WORKER", marker)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(70), "{marker:?}");
        assert!(output.stdout.is_empty(), "{marker:?}: `main` was reached");
        let says = String::from_utf8(output.stderr).unwrap();
        assert!(says.contains("cannot be one: ") && says.contains("PROCESSING_WORKER"), "{marker:?}: {says}");
    }
}

#[test]
fn a_marker_that_names_somebody_elses_socket_is_a_clear_end() {
    let _watchdog = watchdog();
    // The socket's other side is this program, but the worker's parent is the shell.
    let (_ours, theirs) = std::os::unix::net::UnixStream::pair().unwrap();
    let output = Command::new("/bin/bash")
        .args(["-c", "exec 9<&0; PROCESSING_WORKER=1:9 \"$0\" mirror; exit $?", LAUNCHER])
        .stdin(Stdio::from(std::os::fd::OwnedFd::from(theirs)))
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(70));
    assert!(String::from_utf8(output.stderr).unwrap().contains("parent"));
}

#[test]
fn closed_standard_streams_are_no_obstacle() {
    let _watchdog = watchdog();
    for closed in ["<&-", ">&-", "2>&-", "<&- 2>&-", "<&- >&- 2>&-"] {
        // What it prints where its output is closed is read from a copy of that.
        let command = format!("exec 9>&1; \"$0\" mirror {closed}; echo $? >&9");
        let output = Command::new("/bin/bash").args(["-c", &command, LAUNCHER]).output().unwrap();
        let lines = lines(&output);
        assert_eq!(lines.last().map(String::as_str), Some("0"), "{closed}: {lines:?}");
        if !closed.contains(" >&-") && !closed.starts_with(">&-") {
            assert!(lines.contains(&"marker false false".into()), "{closed}: {lines:?}");
        }
    }
}

/// Has something happen to the launcher's file while it runs; its workers are its own all the same.
fn patiently(disturb: impl Fn(&Path)) {
    let dir = TempDir::new();
    let copy = dir.path().join("launcher");
    another_name(LAUNCHER, &copy);
    let mut program =
        Command::new(&copy).arg("patient").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut stdin = program.stdin.take().unwrap();
    disturb(&copy);
    stdin.write_all(b"now\n").unwrap();
    stdin.write_all(b"and again\n").unwrap();
    let lines = lines(&program.wait_with_output().unwrap());
    assert_eq!(lines.iter().filter(|line| *line == "well").count(), 2, "{lines:?}");
}

#[test]
fn a_program_whose_file_is_gone_still_starts_workers() {
    let _watchdog = watchdog();
    patiently(|file| fs::remove_file(file).unwrap());
}

#[test]
fn a_program_whose_file_was_replaced_still_starts_workers() {
    let _watchdog = watchdog();
    patiently(|file| {
        let new = file.with_extension("new");
        fs::copy("/bin/false", &new).unwrap();
        fs::rename(new, file).unwrap();
    });
}

#[test]
fn too_few_descriptors_are_an_error_of_start() {
    let _watchdog = watchdog();
    let lines = launch(&["cramped"]);
    assert_eq!(lines[1..3], ["well", "false false"], "{lines:?}");
    assert!(lines[3].starts_with("cannot start `launcher::Mirror`: the system would not"), "{lines:?}");
}

#[test]
fn more_large_messages_than_descriptors_can_wait() {
    let _watchdog = watchdog();
    let dir = TempDir::new();
    let mut command = Command::new(LAUNCHER);
    let output = command.arg("backlog").env("TMPDIR", dir.path()).stderr(Stdio::null()).output().unwrap();
    assert_eq!(lines(&output)[1..], ["500 50000000", "500 50000000"]);
}

#[test]
fn a_start_that_fails_half_way_leaves_nothing() {
    let _watchdog = watchdog();
    let lines = launch(&["narrow"]);
    let rooms: Vec<&String> = lines.iter().filter(|line| line.starts_with("room")).collect();
    assert_eq!((rooms[0].as_str(), rooms[31].as_str(), rooms.len()), ("room false", "room true", 32));
    assert_eq!(lines.last().unwrap(), "left 0 []");
}

#[test]
fn a_start_without_a_thread_is_an_error_and_the_next_one_is_well() {
    let _watchdog = watchdog();
    let lines = launch(&["crowded"]);
    assert!(lines[0].contains("a thread to look after workers"), "{lines:?}");
    assert_eq!(lines[2..4], ["well", "false false"], "{lines:?}");
}

/// Doubles what it hears.
#[skprocess]
struct Doubler;

#[skprocess]
impl Doubler {
    fn run(&mut self) -> anyhow::Result<()> {
        if let Some(number) = self.listen::<u64>(None)? {
            self.tell(&(number * 2))?;
        }
        Ok(())
    }
}

#[test]
fn a_worker_outlives_the_thread_that_started_it() {
    let _watchdog = watchdog();
    let worker = std::thread::spawn(|| Doubler.start().unwrap()).join().unwrap();
    for number in 0..100 {
        worker.tell(&number).unwrap();
        assert_eq!(worker.listen::<u64>(None).unwrap(), Some(number * 2));
    }
    worker.stop();
    worker.wait().unwrap();
}

/// Something that many parts of a program register, before `main`.
struct Registered(&'static str);

inventory::collect!(Registered);
inventory::submit! { Registered("here") }
inventory::submit! { Registered("there") }

#[skprocess(runs = 1)]
struct Registrar;

#[skprocess]
impl Registrar {
    fn run(&mut self) {}
    fn result(&mut self) -> Vec<String> {
        let mut names: Vec<_> = inventory::iter::<Registered>.into_iter().map(|it| it.0.to_owned()).collect();
        names.sort();
        names
    }
}

#[test]
fn registries_are_filled_in_workers() {
    let _watchdog = watchdog();
    assert_eq!(Registrar.run().unwrap(), ["here", "there"]);
}

/// The same program under another name. A link, as a copy is open for writing for a moment: a child that another test
/// starts just then would have it open too, and the system runs no program that is open for writing.
fn another_name(program: &str, name: &std::path::Path) {
    if fs::hard_link(program, name).is_err() {
        fs::copy(program, name).unwrap();
    }
}
