//! Settings: by the attribute, by `configure`, by `config_mut`, and what becomes of them when a worker dies.
#![allow(clippy::unwrap_used, reason = "a hook of a test is a part of the test")]

use std::time::Duration;

use processing::prelude::*;
use processing::{Checkpoint, Restart, Stream};
use serde::{Deserialize, Serialize};
use tests::{Marks, TempDir, watchdog};

const LIVES: u32 = 7;

/// Everything that an attribute can say.
#[skprocess(
    runs = 2,
    join_in = "30s",
    lives = LIVES,
    timeouts(prerun = "1s", run = "2500ms", postrun = "3s", onfinish = "4s", result = "5s", error = "1m"),
    checkpoint = every(3),
    restart(5, within = "60s", backoff = "100ms")
)]
struct Told;

#[skprocess]
impl Told {
    fn run(&mut self) {}
    fn result(&mut self) -> Config {
        self.config()
    }
}

#[test]
fn the_attribute_sets_everything() {
    let _watchdog = watchdog();
    let config = Told.run().unwrap();
    assert_eq!(config.runs, Some(2));
    assert_eq!(config.join_in, Some(Duration::from_secs(30)));
    assert_eq!(config.lives, 7);
    let limits = [1000, 2500, 3000, 4000, 5000, 60_000].map(Duration::from_millis);
    assert_eq!(Phase::ALL.map(|phase| config.timeouts.of(phase)), limits.map(Some));
    assert_eq!(config.checkpoint, Checkpoint::Every(3));
    let restart =
        Restart { limit: Some(5), within: Duration::from_secs(60), backoff: Duration::from_millis(100) };
    assert_eq!(config.restart, restart);
    assert_eq!(config.streams.stdout, Stream::Inherit);
}

#[test]
fn configure_changes_one_instance_only() {
    let _watchdog = watchdog();
    let changed = Told.configure(|config| config.runs(1).lives(1).no_timeout(Phase::Run));
    let changed = changed.configure(|config| config.checkpoint(Checkpoint::Off)).run().unwrap();
    assert_eq!((changed.runs, changed.lives), (Some(1), 1));
    assert_eq!(changed.timeouts.of(Phase::Run), None);
    assert_eq!(changed.timeouts.of(Phase::Prerun), Some(Duration::from_secs(1)));
    assert_eq!(changed.checkpoint, Checkpoint::Off);
    assert_eq!(Told.run().unwrap().runs, Some(2));
}

#[test]
fn settings_that_contradict_themselves_are_refused() {
    let _watchdog = watchdog();
    let zero_limit = Told.configure(|config| config.timeout(Phase::Run, Duration::ZERO));
    assert!(matches!(zero_limit.start(), Err(StartError::Config { .. })));
    let every_zero = Told.configure(|config| config.checkpoint(Checkpoint::Every(0)));
    assert!(matches!(every_zero.start(), Err(StartError::Config { .. })));
}

/// How a process changes its settings, and when it dies.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
enum Change {
    Runs(u64),
    Lives(u32),
    Limit(u64),
}

/// Changes its settings in its first run of all, and dies once in a later one, or in that very one.
#[skprocess(runs = 100)]
struct Changing {
    change: Change,
    dies_in: Option<u64>,
    marks: Marks,
    completed: u64,
}

#[skprocess]
impl Changing {
    fn run(&mut self) {
        let run = self.current_run();
        if self.marks.is_first("changed") {
            let mut config = self.config_mut();
            match self.change {
                Change::Runs(runs) => config.runs(runs),
                Change::Lives(lives) => config.lives(lives),
                Change::Limit(millis) => config.timeout(Phase::Postrun, Duration::from_millis(millis)),
            };
        }
        if self.dies_in == Some(run) && self.marks.is_first("died") {
            std::process::abort();
        }
        self.completed += 1;
    }
    fn result(&mut self) -> (u64, Config) {
        (self.completed, self.config())
    }
}

fn changing(change: Change, dies_in: Option<u64>, dir: &TempDir) -> Changing {
    Changing { change, dies_in, marks: dir.marks(), completed: 0 }
}

#[test]
fn a_hook_can_change_how_often_it_runs() {
    let _watchdog = watchdog();
    let dir = TempDir::new();
    assert_eq!(changing(Change::Runs(3), None, &dir).run().unwrap().0, 3);
}

#[test]
fn changed_settings_survive_a_crash() {
    let _watchdog = watchdog();
    for checkpoint in [Checkpoint::Auto, Checkpoint::Off, Checkpoint::Every(4)] {
        for dies_in in [0, 2] {
            let dir = TempDir::new();
            let worker = changing(Change::Runs(5), Some(dies_in), &dir);
            let worker = worker.configure(|config| config.lives(2).checkpoint(checkpoint)).start().unwrap();
            let (completed, config) = worker.result().unwrap();
            assert_eq!(config.runs, Some(5), "{checkpoint:?}, died in {dies_in}");
            assert_eq!(completed, 5, "{checkpoint:?}, died in {dies_in}");
            assert_eq!(worker.lives_left(), 0);
        }
    }
}

#[test]
fn lives_given_by_a_hook_count_and_are_backed_by_checkpoints() {
    let _watchdog = watchdog();
    let dir = TempDir::new();
    let worker = changing(Change::Lives(2), Some(3), &dir).configure(|config| config.runs(5));
    let worker = worker.start().unwrap();
    let (completed, config) = worker.result().unwrap();
    assert_eq!(completed, 5);
    assert_eq!(config.lives, 2);
    assert_eq!(worker.timers().full_run.num_times(), 5, "no iteration was repeated");
}

#[test]
fn a_limit_set_by_a_hook_is_in_force_from_then_on() {
    let _watchdog = watchdog();
    let dir = TempDir::new();
    let worker = changing(Change::Limit(60_000), Some(2), &dir);
    let worker = worker.configure(|config| config.lives(2).runs(3));
    let (_, config) = worker.run().unwrap();
    assert_eq!(config.timeouts.of(Phase::Postrun), Some(Duration::from_secs(60)));
}

/// Limits its own next hook.
#[skprocess(runs = 1)]
struct SelfLimiting;

#[skprocess]
impl SelfLimiting {
    fn run(&mut self) {
        self.config_mut().timeout(Phase::Postrun, Duration::from_millis(100));
    }
    fn postrun(&mut self) {
        std::thread::sleep(Duration::from_secs(3600));
    }
}

#[test]
fn a_limit_set_by_a_hook_ends_the_next_one() {
    let _watchdog = watchdog();
    let error = SelfLimiting.run().unwrap_err();
    assert!(error.is_timeout());
    assert_eq!(error.phase(), Some(Phase::Postrun));
}

/// Says how many lives it has left, in each hook.
#[skprocess(lives = 3)]
struct Counting {
    left: Vec<u32>,
}

#[skprocess]
impl Counting {
    fn run(&mut self) -> Result<(), String> {
        self.left.push(self.lives_left());
        match self.left.len() {
            1 => Err("once".into()),
            2 => {
                let lives = self.config().lives;
                self.config_mut().lives(lives + 1);
                Ok(())
            }
            _ => {
                self.stop();
                Ok(())
            }
        }
    }
    fn result(&mut self) -> Vec<u32> {
        self.left.clone()
    }
}

#[test]
fn a_hook_can_give_itself_another_life() {
    let _watchdog = watchdog();
    let worker = Counting { left: vec![] }.start().unwrap();
    assert_eq!(worker.result().unwrap(), [2, 1, 2]);
    assert_eq!(worker.lives_left(), 2);
}
