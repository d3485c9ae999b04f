//! The handle: results, kill, drop, detach, and what it shows while a process runs and after it is gone.
#![allow(clippy::unwrap_used, reason = "a hook of a test is a part of the test")]

use std::time::{Duration, Instant};

use processing::prelude::*;
use processing::{OutputStream, Stream};
use tests::processes::{self, watch};
use tests::{LONGEST, Marks, TempDir, watchdog};

/// Says where it is, and waits there until it hears of the next step.
#[skprocess(runs = 3, lives = 3)]
struct Steps {
    marks: Marks,
}

impl Steps {
    /// `false` if it is time to stop.
    fn step(&self, phase: Phase) {
        self.tell(&(phase, self.current_run())).unwrap();
        let _ = self.listen::<()>(None).unwrap();
    }
}

#[skprocess]
impl Steps {
    fn prerun(&mut self) {
        self.step(Phase::Prerun);
    }
    fn run(&mut self) {
        self.step(Phase::Run);
    }
    fn postrun(&mut self) {
        self.step(Phase::Postrun);
    }
    fn onfinish(&mut self) {
        self.marks.add("finished");
        self.tell(&(Phase::OnFinish, self.current_run())).unwrap();
        let _ = self.listen::<()>(None).unwrap();
    }
    fn result(&mut self) -> u64 {
        self.current_run()
    }
}

fn steps(dir: &TempDir) -> Handle<Steps> {
    Steps { marks: dir.marks() }.start().unwrap()
}

/// Waits until the worker says that it is there.
fn arrives(worker: &Handle<Steps>, at: (Phase, u64)) {
    assert_eq!(worker.listen::<(Phase, u64)>(None).unwrap(), Some(at));
}

#[test]
fn a_handle_follows_its_process() {
    let _watchdog = watchdog();
    let dir = TempDir::new();
    let worker = steps(&dir);
    for run in 0..3 {
        for (done, phase) in (0..).zip([Phase::Prerun, Phase::Run, Phase::Postrun]) {
            arrives(&worker, (phase, run));
            assert_eq!((worker.phase(), worker.current_run()), (Some(phase), run));
            assert!(worker.is_alive());
            let timers = worker.timers();
            let counts = [&timers.prerun, &timers.run, &timers.postrun].map(|timer| timer.num_times());
            assert_eq!(counts, [0, 1, 2].map(|hook| run + u64::from(done > hook)), "while a hook runs");
            worker.tell(&()).unwrap();
        }
    }
    arrives(&worker, (Phase::OnFinish, 3));
    assert_eq!((worker.phase(), worker.current_run()), (Some(Phase::OnFinish), 3));
    worker.tell(&()).unwrap();
    worker.wait().unwrap();
    assert!(!worker.is_alive());
    assert_eq!((worker.phase(), worker.current_run(), worker.lives_left()), (Some(Phase::Result), 3, 2));
    let timers = worker.timers();
    assert_eq!(timers.full_run.num_times(), 3);
    assert_eq!((timers.onfinish.num_times(), timers.result.num_times()), (1, 1));
    assert!(timers.full_run.total() >= timers.run.total());
    assert!(timers.run.min() <= timers.run.mean() && timers.run.mean() <= timers.run.max());
    assert!(timers.run.most_recent().is_some() && timers.run.stdev().is_some());
    assert!(!processes::exists(worker.pid()), "it has been reaped");
}

#[test]
fn what_a_handle_shows_survives_a_kill_from_outside() {
    let _watchdog = watchdog();
    let dir = TempDir::new();
    let worker = Steps { marks: dir.marks() }.configure(|config| config.lives(1)).start().unwrap();
    for at in [(Phase::Prerun, 0), (Phase::Run, 0), (Phase::Postrun, 0), (Phase::Prerun, 1)] {
        arrives(&worker, at);
        worker.tell(&()).unwrap();
    }
    arrives(&worker, (Phase::Run, 1));
    processes::kill(worker.pid());
    let error = worker.result().unwrap_err();
    assert!(error.is_crash());
    assert_eq!((error.phase(), error.run()), (Some(Phase::Run), Some(1)));
    assert_eq!((worker.phase(), worker.current_run()), (Some(Phase::Run), 1));
    let timers = worker.timers();
    assert_eq!([&timers.prerun, &timers.run].map(|timer| timer.num_times()), [2, 1]);
    assert_eq!(timers.full_run.num_times(), 1);
}

#[test]
fn a_result_can_be_asked_for_again() {
    let _watchdog = watchdog();
    let dir = TempDir::new();
    let worker = steps(&dir);
    worker.stop();
    let first = worker.result().unwrap();
    for _ in 0..3 {
        assert_eq!(worker.result().unwrap(), first);
        worker.wait().unwrap();
    }
    // What was told before is still there.
    assert!(worker.listen::<(Phase, u64)>(None).is_ok());
}

#[test]
fn a_killed_process_is_gone_when_kill_returns() {
    let _watchdog = watchdog();
    let dir = TempDir::new();
    let worker = steps(&dir);
    arrives(&worker, (Phase::Prerun, 0));
    let pid = worker.pid();
    worker.kill();
    assert!(!processes::exists(pid));
    assert!(!worker.is_alive());
    let error = worker.result().unwrap_err();
    assert!(error.is_killed() && !error.is_crash(), "{error:?}");
    assert_eq!(error.pid(), Some(pid));
    assert!(worker.wait().unwrap_err().is_killed());
    assert!(dir.marks().read().is_empty(), "no hook ran after it");
    worker.kill();
    assert!(worker.result().unwrap_err().is_killed());
}

#[test]
fn a_kill_after_the_end_changes_nothing() {
    let _watchdog = watchdog();
    let dir = TempDir::new();
    let worker = steps(&dir);
    worker.stop();
    worker.wait().unwrap();
    worker.kill();
    assert!(worker.result().is_ok());
}

#[test]
fn a_kill_wakes_whoever_waits() {
    let _watchdog = watchdog();
    let dir = TempDir::new();
    let worker = steps(&dir);
    arrives(&worker, (Phase::Prerun, 0));
    let (result, wait) = (worker.background().result(), worker.background().wait());
    worker.kill();
    assert!(result.wait().unwrap_err().is_killed());
    assert!(wait.wait().unwrap_err().is_killed());
}

#[test]
fn a_kill_ends_a_start_that_has_hardly_begun() {
    let _watchdog = watchdog();
    for _ in 0..20 {
        let dir = TempDir::new();
        let worker = steps(&dir);
        worker.kill();
        assert!(worker.result().unwrap_err().is_killed());
        assert!(!processes::exists(worker.pid()));
    }
}

#[test]
fn dropping_a_handle_stops_its_process() {
    let _watchdog = watchdog();
    let dir = TempDir::new();
    let worker = steps(&dir);
    arrives(&worker, (Phase::Prerun, 0));
    let process = watch(worker.pid());
    drop(worker);
    assert!(process.ends_within(LONGEST));
    assert_eq!(dir.marks().read(), ["finished"], "it could end in its own way");
}

/// Does not listen to anything.
#[skprocess]
struct Deaf {
    marks: Marks,
}

#[skprocess]
impl Deaf {
    fn run(&mut self) {
        self.marks.add("deaf");
        std::thread::sleep(Duration::from_secs(3600));
    }
}

#[test]
fn a_dropped_process_that_does_not_end_is_killed() {
    let _watchdog = watchdog();
    let dir = TempDir::new();
    // Its other lives are for nobody.
    let worker = Deaf { marks: dir.marks() }.configure(|config| config.lives(3)).start().unwrap();
    while dir.marks().read().is_empty() {
        std::thread::yield_now();
    }
    let process = watch(worker.pid());
    let (begin, end) = (Instant::now(), worker.background().result());
    drop(worker);
    assert!(process.ends_within(LONGEST));
    assert!(begin.elapsed() >= Duration::from_secs(5), "it had its time");
    assert!(matches!(end.wait(), Err(processing::ProcessError::Killed { .. })));
}

#[test]
fn a_detached_process_goes_on() {
    let _watchdog = watchdog();
    let dir = TempDir::new();
    #[skprocess(runs = 1)]
    struct Detached {
        marks: Marks,
    }
    #[skprocess]
    impl Detached {
        fn run(&mut self) {
            while self.marks.count("go on") == 0 {
                std::thread::yield_now();
            }
            self.marks.add(format!("went on {}", processing::Context::current().unwrap().is_stopping()));
        }
    }
    let worker = Detached { marks: dir.marks() }.start().unwrap();
    let process = watch(worker.pid());
    worker.detach();
    dir.marks().add("go on");
    assert!(process.ends_within(LONGEST));
    assert_eq!(dir.marks().count("went on false"), 1);
}

/// Writes to its standard streams, and reads from one.
#[skprocess(runs = 1)]
struct Writer;

#[skprocess]
impl Writer {
    #[expect(clippy::print_stdout, clippy::print_stderr, reason = "this is what is captured")]
    fn run(&mut self) {
        println!("one\ntwo");
        eprintln!("three");
        print!("four, without an end");
    }
    fn result(&mut self) -> std::io::Result<usize> {
        let mut text = String::new();
        std::io::Read::read_to_string(&mut std::io::stdin(), &mut text)
    }
}

#[test]
fn captured_streams_come_line_by_line_with_a_tag() {
    let _watchdog = watchdog();
    let captured =
        Writer.configure(|config| config.stdin(Stream::Null).stdout(Stream::Capture).stderr(Stream::Capture));
    let worker = captured.start().unwrap();
    assert_eq!(worker.result().unwrap(), 0, "nothing to read");
    worker.wait().unwrap();
    let lines = worker.output();
    let of = |stream| lines.iter().filter(move |line| line.stream() == stream).map(|line| line.text());
    assert_eq!(of(OutputStream::Stdout).collect::<Vec<_>>(), ["one", "two", "four, without an end"]);
    assert_eq!(of(OutputStream::Stderr).collect::<Vec<_>>(), ["three"]);
    let tag = format!("[handle::Writer {}] one", worker.pid());
    assert!(lines.iter().any(|line| line.to_string() == tag), "{lines:?}");
    assert!(worker.output().is_empty(), "they were taken");
}

#[test]
fn a_null_stream_takes_everything() {
    let _watchdog = watchdog();
    let silent =
        Writer.configure(|config| config.stdin(Stream::Null).stdout(Stream::Null).stderr(Stream::Null));
    let worker = silent.start().unwrap();
    worker.wait().unwrap();
    assert!(worker.output().is_empty());
}

#[test]
fn a_handle_says_what_it_is() {
    let _watchdog = watchdog();
    let dir = TempDir::new();
    let worker = steps(&dir);
    let text = format!("{worker:?}");
    assert!(text.contains("handle::Steps") && text.contains(&worker.pid().to_string()), "{text}");
    worker.kill();
}
