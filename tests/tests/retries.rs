//! Lives: what a failure costs, what it leaves, and who has the last word.
#![allow(clippy::unwrap_used, reason = "a hook of a test is a part of the test")]

use std::time::Duration;

use processing::prelude::*;
use processing::{Checkpoint, Config};
use serde::{Deserialize, Serialize, Serializer};
use tests::{Marks, TempDir, watchdog};

/// Fails whenever its list says so: by the count of its runs, failed ones included.
#[skprocess(runs = 2)]
struct Appender {
    seen: Vec<u64>,
    attempts: u32,
    fails_at: Vec<u32>,
}

#[skprocess]
impl Appender {
    fn run(&mut self) -> Result<(), String> {
        self.seen.push(self.current_run());
        self.attempts += 1;
        if self.fails_at.contains(&self.attempts) {
            return Err(format!("attempt {} failed, {} lives left", self.attempts, self.lives_left()));
        }
        Ok(())
    }
    fn result(&mut self) -> (Vec<u64>, u32) {
        (self.seen.clone(), self.lives_left())
    }
}

fn appender(fails_at: &[u32], lives: u32, runs: u64) -> processing::Configured<Appender> {
    let appender = Appender { seen: vec![], attempts: 0, fails_at: fails_at.to_vec() };
    appender.configure(|config| config.lives(lives).runs(runs))
}

#[test]
fn a_retry_finds_what_the_failed_attempt_left() {
    let _watchdog = watchdog();
    let (seen, lives_left) = appender(&[2], 2, 2).run().unwrap();
    assert_eq!(seen, [0, 1, 1], "nothing is rolled back, no completed iteration repeated");
    assert_eq!(lives_left, 0);
}

#[test]
fn lives_are_one_budget_for_the_whole_process() {
    let _watchdog = watchdog();
    // Iterations 0 and 2 fail once each.
    let (seen, lives_left) = appender(&[1, 4], 3, 3).run().unwrap();
    assert_eq!(seen, [0, 0, 1, 2, 2]);
    assert_eq!(lives_left, 0);
    let error = appender(&[1, 4], 2, 3).run().unwrap_err();
    assert_eq!(error.run(), Some(2));
    assert_eq!(error.lives_left(), Some(0));
    assert_eq!(error.message(), Some("attempt 4 failed, 0 lives left"));
}

#[test]
fn a_failed_hook_is_not_timed() {
    let _watchdog = watchdog();
    let worker = appender(&[1, 2, 3], 4, 2).start().unwrap();
    worker.wait().unwrap();
    assert_eq!(worker.timers().run.num_times(), 2);
    assert_eq!(worker.timers().full_run.num_times(), 2);
    assert_eq!(worker.lives_left(), 0);
    assert!(worker.failure().is_none(), "it ended well");
}

#[test]
fn no_lives_are_refused() {
    let _watchdog = watchdog();
    let error = appender(&[], 0, 1).start().unwrap_err();
    assert!(matches!(error, StartError::Config { .. }), "{error:?}");
    assert!(error.to_string().contains("at least 1"), "{error}");
    let error = appender(&[], 0, 1).run().unwrap_err();
    assert!(matches!(error, ProcessError::Launch { .. }), "{error:?}");
}

/// How a hook fails for good.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
enum LastWord {
    Value,
    Replace,
    Panic,
    Hang,
    Die,
    ValueThatRefuses,
    Tell,
}

/// Fails at its first run, and has a word to say about that.
#[skprocess(runs = 3, timeouts(error = "200ms"))]
struct Judge {
    word: LastWord,
    dies: bool,
    marks: Marks,
    completed: u64,
}

/// A value that cannot be encoded, or can.
#[derive(Debug, Deserialize)]
struct Refusing {
    refuses: bool,
}

impl Serialize for Refusing {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.refuses {
            return Err(serde::ser::Error::custom("it would rather stay"));
        }
        (self.refuses,).serialize(serializer)
    }
}

#[skprocess]
impl Judge {
    fn run(&mut self) -> Result<(), String> {
        if self.current_run() == 2 {
            self.marks.add(format!("failed {}", std::process::id()));
            if self.dies {
                std::process::abort();
            }
            return Err("guilty".into());
        }
        self.completed += 1;
        Ok(())
    }
    fn result(&mut self) -> Refusing {
        Refusing { refuses: false }
    }
    fn error(&mut self, error: ProcessError) -> Result<Refusing, ProcessError> {
        self.marks.add(format!("error {} {}", std::process::id(), self.completed));
        match self.word {
            LastWord::Value => Ok(Refusing { refuses: false }),
            LastWord::ValueThatRefuses => Ok(Refusing { refuses: true }),
            LastWord::Replace => {
                Err(ProcessError::custom(format!("{} of {:?}", error.phase().unwrap(), error.run())))
            }
            LastWord::Panic => panic!("in the last hook"),
            LastWord::Die => std::process::abort(),
            LastWord::Hang => loop {
                std::thread::sleep(Duration::from_secs(3600));
            },
            LastWord::Tell => {
                self.tell("sorry").unwrap();
                assert_eq!(self.listen::<String>(None).unwrap().as_deref(), Some("why?"));
                Err(error)
            }
        }
    }
}

/// The marks of a judge: of which worker failed, and where `error` ran in what state.
fn marks_of(marks: &Marks) -> (String, String, u64) {
    let marks = marks.read();
    let words = |prefix: &str| marks.iter().find_map(|mark| mark.strip_prefix(prefix)).unwrap_or_default();
    let (pid, completed) = words("error ").split_once(' ').unwrap();
    (words("failed ").into(), pid.into(), completed.parse().unwrap())
}

fn judge(word: LastWord, dies: bool, dir: &TempDir) -> Judge {
    Judge { word, dies, marks: dir.marks(), completed: 0 }
}

#[test]
fn the_error_hook_can_make_a_value() {
    let _watchdog = watchdog();
    let dir = TempDir::new();
    let worker = judge(LastWord::Value, false, &dir).start().unwrap();
    assert!(!worker.result().unwrap().refuses);
    worker.wait().unwrap();
    let failure = worker.failure().expect("the failure stays readable");
    assert_eq!(failure.message(), Some("guilty"));
    assert_eq!(failure.run(), Some(2));
    assert_eq!(worker.phase(), Some(Phase::Error));
    assert_eq!(worker.timers().error.num_times(), 1);
    let (failed, error, completed) = marks_of(&dir.marks());
    assert_eq!(failed, error, "an error costs no worker");
    assert_eq!(completed, 2);
}

#[test]
fn the_error_hook_can_replace_the_error() {
    let _watchdog = watchdog();
    let dir = TempDir::new();
    let worker = judge(LastWord::Replace, false, &dir).start().unwrap();
    let error = worker.result().unwrap_err();
    assert!(matches!(error, ProcessError::Custom { .. }), "{error:?}");
    assert_eq!(error.to_string(), "run of Some(2)");
    assert_eq!(worker.failure().unwrap().message(), Some("guilty"), "what it failed of is still known");
}

#[test]
fn an_error_hook_that_fails_changes_nothing() {
    let _watchdog = watchdog();
    for word in [LastWord::Panic, LastWord::Hang, LastWord::Die, LastWord::ValueThatRefuses] {
        for dies in [false, true] {
            let dir = TempDir::new();
            let worker = judge(word, dies, &dir).start().unwrap();
            let error = worker.result().unwrap_err();
            assert_eq!(error.phase(), Some(Phase::Run), "{word:?} {dies}: {error:?}");
            assert_eq!(error.run(), Some(2), "{word:?} {dies}");
            assert_eq!(error.is_crash(), dies, "{word:?} {dies}: {error:?}");
            if !dies {
                assert_eq!(error.message(), Some("guilty"), "{word:?}");
            }
            assert!(worker.wait().is_err());
            let times = dir.marks().read().iter().filter(|mark| mark.starts_with("error")).count();
            assert_eq!(times, 1, "{word:?} {dies}: it has one chance");
        }
    }
}

#[test]
fn the_error_hook_can_talk() {
    let _watchdog = watchdog();
    let dir = TempDir::new();
    let worker = judge(LastWord::Tell, false, &dir).start().unwrap();
    assert_eq!(worker.listen::<String>(None).unwrap().as_deref(), Some("sorry"));
    worker.tell("why?").unwrap();
    assert_eq!(worker.result().unwrap_err().message(), Some("guilty"));
}

#[test]
fn a_dead_worker_has_its_error_hook_in_a_fresh_one() {
    let _watchdog = watchdog();
    let dir = TempDir::new();
    // With two lives there are checkpoints, so the fresh worker has the state of the last one.
    let worker = judge(LastWord::Value, true, &dir).configure(|config| config.lives(2)).start().unwrap();
    worker.wait().unwrap();
    assert!(worker.failure().unwrap().is_crash());
    assert_eq!(worker.failure().unwrap().run(), Some(2));
    let (failed, error, completed) = marks_of(&dir.marks());
    assert_ne!(failed, error);
    assert_eq!(completed, 2);
    assert_eq!(worker.current_run(), 2);
}

#[test]
fn the_error_hook_of_a_fresh_worker_knows_the_run() {
    let _watchdog = watchdog();
    let dir = TempDir::new();
    // One life has no checkpoints: the state is the first one, but where it died is known.
    let worker = judge(LastWord::Value, true, &dir).start().unwrap();
    worker.wait().unwrap();
    assert_eq!(marks_of(&dir.marks()).2, 0);
    assert_eq!(worker.failure().unwrap().run(), Some(2));
    assert_eq!(worker.current_run(), 2);
}

/// Has a value that cannot be sent.
#[skprocess(runs = 1, lives = 5)]
struct Closed {
    marks: Marks,
}

#[skprocess]
impl Closed {
    fn run(&mut self) {}
    fn result(&mut self) -> Refusing {
        self.marks.add("result");
        Refusing { refuses: true }
    }
    fn error(&mut self, error: ProcessError) -> Result<Refusing, ProcessError> {
        self.marks.add("error");
        Err(error)
    }
}

#[test]
fn a_value_that_cannot_be_sent_is_an_error_of_result() {
    let _watchdog = watchdog();
    let dir = TempDir::new();
    let error = Closed { marks: dir.marks() }.run().unwrap_err();
    assert_eq!(error.phase(), Some(Phase::Result));
    let chain = tests::chain(&error);
    assert!(chain.iter().any(|line| line == "the value of `result` cannot be sent"), "{chain:?}");
    assert_eq!(dir.marks().read(), ["result", "error"]);
}

/// Overruns the limit of one of its last hooks.
#[skprocess(runs = 1, lives = 5, timeouts(onfinish = "100ms", result = "100ms"))]
struct Late {
    late: Phase,
    marks: Marks,
}

impl Late {
    fn arrive(&self, phase: Phase) {
        self.marks.add(phase);
        if self.late == phase {
            std::thread::sleep(Duration::from_secs(3600));
        }
    }
}

#[skprocess]
impl Late {
    fn run(&mut self) {}
    fn onfinish(&mut self) {
        self.arrive(Phase::OnFinish);
    }
    fn result(&mut self) {
        self.arrive(Phase::Result);
    }
    fn error(&mut self, error: ProcessError) -> Result<(), ProcessError> {
        self.marks.add("error");
        Err(error)
    }
}

#[test]
fn a_limit_of_the_last_hooks_is_final() {
    let _watchdog = watchdog();
    for late in [Phase::OnFinish, Phase::Result] {
        let dir = TempDir::new();
        let begin = std::time::Instant::now();
        let error = Late { late, marks: dir.marks() }.run().unwrap_err();
        assert!(begin.elapsed() >= Duration::from_millis(100));
        assert!(error.is_timeout());
        assert_eq!(error.phase(), Some(late));
        assert_eq!(error.run(), Some(1));
        assert_eq!(dir.marks().count(late.name()), 1);
        assert_eq!(dir.marks().read().last().map(String::as_str), Some("error"));
    }
}

/// Dies often, and counts how often it has been tried.
#[skprocess(runs = 1)]
struct Mortal {
    marks: Marks,
}

#[skprocess]
impl Mortal {
    fn run(&mut self) {
        self.marks.add("tried");
        std::process::abort();
    }
}

#[test]
fn every_life_is_lived() {
    let _watchdog = watchdog();
    for checkpoint in [Checkpoint::Auto, Checkpoint::Off] {
        let dir = TempDir::new();
        let settle = |config: &mut Config| {
            config.lives(4).checkpoint(checkpoint);
        };
        let worker = Mortal { marks: dir.marks() }.configure(|config| {
            settle(config);
            config
        });
        let error = worker.run().unwrap_err();
        assert!(error.is_crash());
        assert_eq!(dir.marks().count("tried"), 4);
    }
}
