//! What a worker that replaces a dead one goes on from: state, iteration, timers and messages.
#![allow(clippy::unwrap_used, reason = "a hook of a test is a part of the test")]

use std::time::Duration;

use processing::prelude::*;
use processing::{Checkpoint, Configured, Stream};
use serde::{Deserialize, Serialize, Serializer};
use tests::processes::{self, watch};
use tests::{LONGEST, Marks, TempDir, watchdog};

/// Says where it is, waits for a word, and remembers the step.
#[skprocess(runs = 3, lives = 2)]
struct Steps {
    done: Vec<(Phase, u64)>,
}

impl Steps {
    fn step(&mut self, phase: Phase) -> anyhow::Result<()> {
        let here = (phase, self.current_run());
        self.tell(&here)?;
        self.listen::<()>(None)?;
        self.done.push(here);
        Ok(())
    }
}

#[skprocess]
impl Steps {
    fn prerun(&mut self) -> anyhow::Result<()> {
        self.step(Phase::Prerun)
    }
    fn run(&mut self) -> anyhow::Result<()> {
        self.step(Phase::Run)
    }
    fn postrun(&mut self) -> anyhow::Result<()> {
        self.step(Phase::Postrun)
    }
    fn onfinish(&mut self) -> anyhow::Result<()> {
        self.step(Phase::OnFinish)
    }
    fn result(&mut self) -> anyhow::Result<Vec<(Phase, u64)>> {
        self.step(Phase::Result)?;
        Ok(self.done.clone())
    }
}

const ITERATION: [Phase; 3] = [Phase::Prerun, Phase::Run, Phase::Postrun];

fn arrives(worker: &Handle<Steps>, at: (Phase, u64)) {
    assert_eq!(worker.listen::<(Phase, u64)>(None).unwrap(), Some(at));
}

/// Leads a worker through its iterations and kills it once, at one step.
fn lead(worker: &Handle<Steps>, kill_at: (Phase, u64)) {
    for run in 0..3 {
        for phase in ITERATION {
            arrives(worker, (phase, run));
            if (phase, run) == kill_at {
                assert!(watch(worker.pid()).kill());
                // The next one begins the iteration anew, and hears again what was told since.
                for again in ITERATION.into_iter().filter(|&again| again <= phase) {
                    arrives(worker, (again, run));
                }
                assert_eq!((worker.phase(), worker.current_run()), (Some(phase), run));
            }
            worker.tell(&()).unwrap();
        }
    }
}

#[test]
fn a_worker_killed_in_any_hook_of_an_iteration_begins_it_anew() {
    let _watchdog = watchdog();
    let all: Vec<_> = (0..3).flat_map(|run| ITERATION.map(|phase| (phase, run))).collect();
    for &kill_at in &all {
        let worker = Steps { done: vec![] }.start().unwrap();
        let first = worker.pid();
        lead(&worker, kill_at);
        for phase in [Phase::OnFinish, Phase::Result] {
            arrives(&worker, (phase, 3));
            worker.tell(&()).unwrap();
        }
        let done = worker.result().unwrap();
        assert_eq!(done[..9], all, "killed at {kill_at:?}");
        assert_ne!(worker.pid(), first);
        assert_eq!(worker.lives_left(), 0);
        assert_eq!(worker.current_run(), 3);
        let timers = worker.timers();
        assert_eq!(timers.full_run.num_times(), 3, "killed at {kill_at:?}");
        let again = |phase| u64::from(kill_at.0 > phase);
        assert_eq!(timers.prerun.num_times(), 3 + again(Phase::Prerun), "killed at {kill_at:?}");
        assert_eq!(timers.run.num_times(), 3 + again(Phase::Run), "killed at {kill_at:?}");
    }
}

#[test]
fn a_worker_killed_in_one_of_the_last_hooks_is_not_replaced() {
    let _watchdog = watchdog();
    for kill_in in [Phase::OnFinish, Phase::Result] {
        let worker = Steps { done: vec![] }.configure(|config| config.runs(0)).start().unwrap();
        arrives(&worker, (Phase::OnFinish, 0));
        if kill_in == Phase::Result {
            worker.tell(&()).unwrap();
            arrives(&worker, (Phase::Result, 0));
        }
        assert!(watch(worker.pid()).kill());
        let error = worker.result().unwrap_err();
        assert_eq!((error.phase(), error.run()), (Some(kill_in), Some(0)));
        assert!(error.is_crash());
    }
}

/// What a message asks for beside being remembered.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
enum Ask {
    Nothing,
    Die,
    Fail,
    GiveLife,
    Stop,
}

/// Remembers the number of each message.
#[skprocess]
struct Collector {
    heard: Vec<u64>,
    marks: Option<Marks>,
}

#[skprocess]
impl Collector {
    fn run(&mut self) -> anyhow::Result<()> {
        let run = self.current_run();
        let Some((number, ask)) = self.listen::<(u64, Ask)>(None)? else { return Ok(()) };
        let is_first = self.marks.as_ref().is_none_or(|marks| marks.is_first(&format!("{run} {number}")));
        match ask {
            Ask::Die if is_first => std::process::abort(),
            Ask::Fail if is_first => anyhow::bail!("once"),
            Ask::GiveLife => {
                let lives = self.config().lives;
                self.config_mut().lives(lives + 1);
                self.tell("alive")?;
            }
            _ => {}
        }
        self.heard.push(number);
        Ok(())
    }
    fn postrun(&mut self) {
        // In `postrun`, so that this iteration counts.
        if self.heard.last() == Some(&LAST) {
            self.stop();
        }
    }
    fn result(&mut self) -> Vec<u64> {
        self.heard.clone()
    }
}

const LAST: u64 = u64::MAX;

fn collector(dir: &TempDir) -> Configured<Collector> {
    let collector = Collector { heard: vec![], marks: Some(dir.marks()) };
    collector.configure(|config| config.lives(9).stderr(Stream::Capture))
}

/// Tells messages 0, 1, 2, …; each asks for nothing, or for what stands here.
fn tell_all(worker: &Handle<Collector>, numbers: std::ops::Range<u64>, asks: &[(u64, Ask)]) {
    for number in numbers {
        let ask = asks.iter().find(|(at, _)| *at == number).map_or(Ask::Nothing, |(_, ask)| *ask);
        worker.tell(&(number, ask)).unwrap();
    }
}

#[test]
fn what_was_heard_since_the_checkpoint_is_heard_again() {
    let _watchdog = watchdog();
    let dir = TempDir::new();
    let worker = collector(&dir).configure(|config| config.runs(8)).start().unwrap();
    tell_all(&worker, 0..8, &[(0, Ask::Die), (3, Ask::Die), (7, Ask::Die)]);
    assert_eq!(worker.result().unwrap(), (0..8).collect::<Vec<_>>());
    assert_eq!(worker.lives_left(), 5);
}

#[test]
fn a_sparse_checkpoint_repeats_iterations_with_their_messages() {
    let _watchdog = watchdog();
    let dir = TempDir::new();
    let worker = collector(&dir).configure(|config| config.runs(8).checkpoint(Checkpoint::Every(3)));
    let worker = worker.start().unwrap();
    tell_all(&worker, 0..8, &[(5, Ask::Die)]);
    assert_eq!(worker.result().unwrap(), (0..8).collect::<Vec<_>>());
    let runs: Vec<_> =
        dir.marks().read().iter().map(|mark| mark.split(' ').next().unwrap().to_owned()).collect();
    assert_eq!(runs.join(" "), "0 1 2 3 4 5 3 4 5 6 7");
}

#[test]
fn without_checkpoints_it_begins_anew_and_hears_nothing_twice() {
    let _watchdog = watchdog();
    let dir = TempDir::new();
    let worker = collector(&dir).configure(|config| config.runs(3).checkpoint(Checkpoint::Off));
    let worker = worker.start().unwrap();
    tell_all(&worker, 0..8, &[(2, Ask::Die), (4, Ask::Die)]);
    assert_eq!(worker.result().unwrap(), [5, 6, 7]);
}

#[test]
fn a_retry_in_the_same_worker_hears_nothing_twice() {
    let _watchdog = watchdog();
    let dir = TempDir::new();
    let worker = collector(&dir).configure(|config| config.runs(4)).start().unwrap();
    tell_all(&worker, 0..6, &[(1, Ask::Fail), (3, Ask::Fail)]);
    assert_eq!(worker.result().unwrap(), [0, 2, 4, 5]);
}

#[test]
fn failures_and_deaths_mix() {
    let _watchdog = watchdog();
    let dir = TempDir::new();
    let worker = collector(&dir).configure(|config| config.runs(5)).start().unwrap();
    // 1 fails and is gone; 2 dies in the same iteration, which hears both again.
    tell_all(&worker, 0..5, &[(1, Ask::Fail), (2, Ask::Die)]);
    assert_eq!(worker.result().unwrap(), (0..5).collect::<Vec<_>>());
}

#[test]
fn messages_told_after_a_hook_gave_a_life_survive_a_death() {
    let _watchdog = watchdog();
    for checkpoint in [Checkpoint::Auto, Checkpoint::Off] {
        let dir = TempDir::new();
        let worker = collector(&dir).configure(|config| config.lives(1).runs(3).checkpoint(checkpoint));
        let worker = worker.start().unwrap();
        tell_all(&worker, 0..2, &[(1, Ask::GiveLife)]);
        assert_eq!(worker.listen::<String>(None).unwrap().as_deref(), Some("alive"));
        tell_all(&worker, 2..8, &[(2, Ask::Die)]);
        let heard = worker.result().unwrap();
        let expected = if checkpoint == Checkpoint::Off { [3, 4, 5] } else { [0, 1, 2] };
        assert_eq!(heard, expected, "{checkpoint:?}");
    }
}

#[test]
fn undelivered_messages_wait_for_the_next_worker() {
    let _watchdog = watchdog();
    let dir = TempDir::new();
    let worker =
        collector(&dir).configure(|config| config.runs(4).restart(5, LONGEST, Duration::from_millis(100)));
    let worker = worker.start().unwrap();
    let first = watch(worker.pid());
    tell_all(&worker, 0..1, &[(0, Ask::Die)]);
    assert!(first.ends_within(LONGEST));
    // There is no worker now, or only just.
    tell_all(&worker, 1..4, &[]);
    assert_eq!(worker.result().unwrap(), [0, 1, 2, 3]);
}

#[test]
fn kills_at_any_moment_lose_and_repeat_nothing() {
    let _watchdog = watchdog();
    const KILLS: u32 = 300;
    let endless = Collector { heard: vec![], marks: None };
    let worker = endless.configure(|config| config.lives(u32::MAX)).start().unwrap();
    let (mut told, mut kills, mut chance) = (0, 0, 1_u32);
    while kills < KILLS {
        // A plain generator: the moments differ, and differ from run to run with the machine.
        chance = chance.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        for _ in 0..chance >> 28 {
            worker.tell(&(told, Ask::Nothing)).unwrap();
            told += 1;
        }
        std::thread::sleep(Duration::from_micros(u64::from(chance >> 8) % 5000));
        kills += u32::from(watch(worker.pid()).kill());
    }
    worker.tell(&(LAST, Ask::Stop)).unwrap();
    let mut heard = worker.result().unwrap();
    assert_eq!(heard.pop(), Some(LAST));
    assert_eq!(heard, (0..told).collect::<Vec<_>>());
    assert_eq!(worker.current_run(), told + 1);
    let left = worker.lives_left();
    assert!((u32::MAX - 1 - KILLS..u32::MAX - 1).contains(&left), "{left}");
}

/// Has a state that cannot be encoded any more after its first run.
#[skprocess(runs = 3, lives = 2)]
struct Hardening {
    hard: Hard,
}

#[derive(Deserialize)]
struct Hard(bool);

impl Serialize for Hard {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0 {
            return Err(serde::ser::Error::custom("it would rather stay"));
        }
        serializer.serialize_newtype_struct("Hard", &self.0)
    }
}

#[skprocess]
impl Hardening {
    fn run(&mut self) {
        self.hard.0 = self.current_run() > 0;
    }
    fn result(&mut self) -> u64 {
        self.current_run()
    }
}

#[test]
fn a_state_that_cannot_be_committed_is_an_error_that_says_so() {
    let _watchdog = watchdog();
    let error = Hardening { hard: Hard(false) }.run().unwrap_err();
    assert_eq!(error.run(), Some(1));
    assert!(error.message().unwrap().contains("checkpoint = off"), "{error:?}");
    let off = Hardening { hard: Hard(false) }.configure(|config| config.checkpoint(Checkpoint::Off));
    assert_eq!(off.run().unwrap(), 3);
    assert!(matches!(Hardening { hard: Hard(true) }.start(), Err(StartError::State { .. })));
}

#[test]
fn a_death_leaves_no_trace_but_its_cost() {
    let _watchdog = watchdog();
    let dir = TempDir::new();
    let worker = collector(&dir).configure(|config| config.runs(2)).start().unwrap();
    tell_all(&worker, 0..2, &[(0, Ask::Die)]);
    worker.wait().unwrap();
    assert!(worker.failure().is_none());
    assert!(!processes::exists(worker.pid()));
}
