//! The order of the hooks, when a process ends, and what a stop skips.

use std::time::{Duration, Instant};

use processing::prelude::*;
use serde::{Deserialize, Serialize};
use tests::{Marks, TempDir, watchdog};

/// What a hook does beside leaving its mark.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
enum Twist {
    Stop,
    StopAndFail,
    StopAndDie,
    Fail,
}

/// Leaves a mark in every hook, and does one thing in one of them, once.
#[skprocess(runs = 2)]
struct Diary {
    marks: Marks,
    twist: Option<(Phase, u64, Twist)>,
}

impl Diary {
    fn of(marks: &Marks) -> Self {
        Diary { marks: marks.clone(), twist: None }
    }

    fn with(marks: &Marks, phase: Phase, run: u64, twist: Twist) -> Self {
        Diary { marks: marks.clone(), twist: Some((phase, run, twist)) }
    }

    fn note(&mut self, phase: Phase) -> Result<(), String> {
        let run = self.current_run();
        self.marks.add(format!("{phase} {run}"));
        let Some((_, _, twist)) = self.twist.take_if(|(at, in_run, _)| (*at, *in_run) == (phase, run)) else {
            return Ok(());
        };
        if twist != Twist::Fail {
            self.stop();
        }
        match twist {
            Twist::Stop => Ok(()),
            Twist::StopAndDie => std::process::abort(),
            Twist::StopAndFail | Twist::Fail => Err(format!("failed in {phase}")),
        }
    }
}

#[skprocess]
impl Diary {
    fn prerun(&mut self) -> Result<(), String> {
        self.note(Phase::Prerun)
    }
    fn run(&mut self) -> Result<(), String> {
        self.note(Phase::Run)
    }
    fn postrun(&mut self) -> Result<(), String> {
        self.note(Phase::Postrun)
    }
    fn onfinish(&mut self) -> Result<(), String> {
        self.note(Phase::OnFinish)
    }
    fn result(&mut self) -> Result<u64, String> {
        self.note(Phase::Result)?;
        Ok(self.current_run())
    }
    fn error(&mut self, error: ProcessError) -> Result<u64, ProcessError> {
        self.marks.add("error");
        Err(error)
    }
}

#[test]
fn hooks_run_in_order() {
    let _watchdog = watchdog();
    let dir = TempDir::new();
    let runs = Diary::of(&dir.marks()).run().unwrap();
    assert_eq!(runs, 2);
    let expected =
        ["prerun 0", "run 0", "postrun 0", "prerun 1", "run 1", "postrun 1", "onfinish 2", "result 2"];
    assert_eq!(dir.marks().read(), expected);
}

#[test]
fn no_runs_still_finish() {
    let _watchdog = watchdog();
    let dir = TempDir::new();
    let runs = Diary::of(&dir.marks()).configure(|config| config.runs(0)).run().unwrap();
    assert_eq!(runs, 0);
    assert_eq!(dir.marks().read(), ["onfinish 0", "result 0"]);
}

#[test]
fn stop_in_prerun_skips_run_and_postrun() {
    let _watchdog = watchdog();
    let dir = TempDir::new();
    let runs = Diary::with(&dir.marks(), Phase::Prerun, 1, Twist::Stop).run().unwrap();
    assert_eq!(runs, 1);
    let expected = ["prerun 0", "run 0", "postrun 0", "prerun 1", "onfinish 1", "result 1"];
    assert_eq!(dir.marks().read(), expected);
}

#[test]
fn stop_in_run_skips_postrun_and_does_not_count() {
    let _watchdog = watchdog();
    let dir = TempDir::new();
    let worker = Diary::with(&dir.marks(), Phase::Run, 1, Twist::Stop).start().unwrap();
    assert_eq!(worker.result().unwrap(), 1);
    let expected = ["prerun 0", "run 0", "postrun 0", "prerun 1", "run 1", "onfinish 1", "result 1"];
    assert_eq!(dir.marks().read(), expected);
    assert_eq!(worker.timers().run.num_times(), 2);
    assert_eq!(worker.timers().full_run.num_times(), 1);
    assert_eq!(worker.current_run(), 1);
}

#[test]
fn stop_in_postrun_counts() {
    let _watchdog = watchdog();
    let dir = TempDir::new();
    let worker = Diary::with(&dir.marks(), Phase::Postrun, 0, Twist::Stop).configure(|config| config.runs(9));
    assert_eq!(worker.run().unwrap(), 1);
    assert_eq!(dir.marks().read(), ["prerun 0", "run 0", "postrun 0", "onfinish 1", "result 1"]);
}

#[test]
fn stop_in_onfinish_changes_nothing() {
    let _watchdog = watchdog();
    let dir = TempDir::new();
    assert_eq!(Diary::with(&dir.marks(), Phase::OnFinish, 2, Twist::Stop).run().unwrap(), 2);
    assert_eq!(dir.marks().count("result 2"), 1);
}

#[test]
fn stop_before_the_first_hook_still_finishes() {
    let _watchdog = watchdog();
    let dir = TempDir::new();
    let worker = Diary::of(&dir.marks()).configure(|config| config.runs(u64::MAX)).start().unwrap();
    worker.stop();
    worker.stop();
    let runs = worker.result().unwrap();
    worker.stop();
    let marks = dir.marks().read();
    assert_eq!(marks[marks.len() - 2..], [format!("onfinish {runs}"), format!("result {runs}")]);
}

#[test]
fn stop_and_a_failure_with_lives_left_finish_well() {
    let _watchdog = watchdog();
    for (phase, twist) in [
        (Phase::Prerun, Twist::StopAndFail),
        (Phase::Run, Twist::StopAndFail),
        (Phase::Postrun, Twist::StopAndFail),
        (Phase::Run, Twist::StopAndDie),
    ] {
        let dir = TempDir::new();
        let worker = Diary::with(&dir.marks(), phase, 1, twist).configure(|config| config.lives(2));
        assert_eq!(worker.run().unwrap(), 1, "{phase} {twist:?}");
        let marks = dir.marks().read();
        let end = [format!("{phase} 1"), "onfinish 1".into(), "result 1".into()];
        assert_eq!(marks[marks.len() - 3..], end, "{phase} {twist:?}");
    }
}

#[test]
fn stop_and_a_failure_on_the_last_life_fail() {
    let _watchdog = watchdog();
    for twist in [Twist::StopAndFail, Twist::StopAndDie] {
        let dir = TempDir::new();
        let error = Diary::with(&dir.marks(), Phase::Run, 1, twist).run().unwrap_err();
        assert_eq!(error.phase(), Some(Phase::Run));
        assert_eq!(error.run(), Some(1));
        assert_eq!(error.is_crash(), twist == Twist::StopAndDie);
        let marks = dir.marks().read();
        assert_eq!(marks[marks.len() - 2..], ["run 1", "error"], "{twist:?}");
    }
}

#[test]
fn a_failed_iteration_begins_again_at_prerun() {
    let _watchdog = watchdog();
    let dir = TempDir::new();
    let worker =
        Diary::with(&dir.marks(), Phase::Postrun, 1, Twist::Fail).configure(|config| config.lives(2));
    assert_eq!(worker.run().unwrap(), 2);
    let expected = ["prerun 0", "run 0", "postrun 0"].into_iter();
    let again = ["prerun 1", "run 1", "postrun 1", "prerun 1", "run 1", "postrun 1"];
    let expected: Vec<_> = expected.chain(again).chain(["onfinish 2", "result 2"]).collect();
    assert_eq!(dir.marks().read(), expected);
}

#[test]
fn onfinish_is_final_and_skips_result() {
    let _watchdog = watchdog();
    let dir = TempDir::new();
    let worker =
        Diary::with(&dir.marks(), Phase::OnFinish, 2, Twist::Fail).configure(|config| config.lives(9));
    let error = worker.run().unwrap_err();
    assert_eq!(error.phase(), Some(Phase::OnFinish));
    assert_eq!(error.run(), Some(2));
    assert_eq!(error.message(), Some("failed in onfinish"));
    assert_eq!(error.lives_left(), Some(8), "a final failure costs no life");
    assert_eq!(dir.marks().count("onfinish 2"), 1);
    assert_eq!(dir.marks().count("result 2"), 0);
    assert_eq!(dir.marks().count("error"), 1);
}

#[test]
fn result_is_final() {
    let _watchdog = watchdog();
    let dir = TempDir::new();
    let worker = Diary::with(&dir.marks(), Phase::Result, 2, Twist::Fail).configure(|config| config.lives(9));
    let error = worker.run().unwrap_err();
    assert_eq!(error.phase(), Some(Phase::Result));
    assert_eq!(dir.marks().count("result 2"), 1);
    assert_eq!(dir.marks().count("error"), 1);
}

/// Takes a while in each run, and may fail in each.
#[skprocess]
struct Slow {
    takes: Duration,
    fails: bool,
    dies: bool,
}

#[skprocess]
impl Slow {
    fn run(&mut self) -> Result<(), String> {
        std::thread::sleep(self.takes);
        if self.dies {
            std::process::abort();
        }
        if self.fails { Err("never well".into()) } else { Ok(()) }
    }
    fn result(&mut self) -> u64 {
        self.current_run()
    }
}

#[test]
fn join_in_lets_the_running_iteration_finish() {
    let _watchdog = watchdog();
    let slow = Slow { takes: Duration::from_millis(600), fails: false, dies: false };
    let begin = Instant::now();
    let runs = slow.configure(|config| config.join_in(Duration::from_millis(500))).run().unwrap();
    assert_eq!(runs, 1);
    assert!(begin.elapsed() >= Duration::from_millis(600));
}

#[test]
fn join_in_of_nothing_still_finishes() {
    let _watchdog = watchdog();
    let slow = Slow { takes: Duration::ZERO, fails: false, dies: false };
    assert_eq!(slow.configure(|config| config.join_in(Duration::ZERO)).run().unwrap(), 0);
}

#[test]
fn join_in_is_measured_from_the_start_whatever_fails() {
    let _watchdog = watchdog();
    for dies in [false, true] {
        let slow = Slow { takes: Duration::from_millis(20), fails: true, dies };
        let limit = Duration::from_millis(300);
        let begin = Instant::now();
        let worker = slow.configure(|config| config.join_in(limit).lives(u32::MAX)).start().unwrap();
        assert_eq!(worker.result().unwrap(), 0, "the time is over, so it ends well");
        assert!(begin.elapsed() >= limit);
        assert!(worker.lives_left() < u32::MAX - 1, "it has failed meanwhile");
    }
}

#[test]
fn without_runs_it_goes_on_until_it_is_stopped() {
    let _watchdog = watchdog();
    let worker = Slow { takes: Duration::ZERO, fails: false, dies: false }.start().unwrap();
    while worker.current_run() < 1000 {
        assert!(worker.is_alive());
        std::thread::yield_now();
    }
    worker.stop();
    let runs = worker.result().unwrap();
    assert!(runs >= 1000);
    assert_eq!(worker.timers().full_run.num_times(), runs);
}

/// Has no hook but the one that there must be.
#[skprocess(runs = 3)]
struct Plain;

#[skprocess]
impl Plain {
    fn run(&mut self) {}
}

#[test]
fn without_a_result_hook_the_value_is_nothing() {
    let _watchdog = watchdog();
    let worker = Plain.start().unwrap();
    assert_eq!(worker.result().unwrap(), ());
    worker.wait().unwrap();
    assert_eq!(worker.timers().run.num_times(), 3);
    assert_eq!(worker.timers().prerun.num_times(), 0);
    assert_eq!(worker.timers().full_run.num_times(), 3);
}
