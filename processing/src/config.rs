//! What can be set about a process: by the attribute, by `configure`, and from inside a hook.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::Phase;

/// The settings of one process.
///
/// The attribute sets them for a type, [`configure`](crate::Start::configure) for an instance, and
/// [`config_mut`](crate::Skprocess::config_mut) from inside a hook. What a hook changes is in force from the next
/// decision on, and stays in force in a worker that replaces this one.
///
/// ```
/// use std::time::Duration;
/// use processing::{Config, Phase};
///
/// let mut config = Config::DEFAULT;
/// config.runs(10).lives(3).timeout(Phase::Run, Duration::from_secs(30));
/// assert_eq!(config.runs, Some(10));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Config {
    /// How many iterations to complete; `None`, the default, means until `stop`. 0 means none at all: `onfinish` and
    /// `result` still run.
    pub runs: Option<u64>,
    /// No iteration starts later than this after the process began; a running one is not interrupted.
    pub join_in: Option<Duration>,
    /// How many failures the process may have in all, the last of which ends it. At least 1, the default.
    pub lives: u32,
    /// The longest each hook may take.
    pub timeouts: Timeouts,
    /// How often the state is committed for a worker that has to be replaced.
    pub checkpoint: Checkpoint,
    /// Guards against crash loops.
    pub restart: Restart,
    /// Where the worker's standard streams lead.
    pub streams: Streams,
}

/// The longest each hook may take; `None`, the default, means no limit.
///
/// At the limit an `async fn` hook is cancelled; any other hook ends with its worker, whatever it is doing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timeouts([Option<Duration>; 6]);

impl Timeouts {
    /// The limit of one hook.
    #[must_use]
    pub const fn of(&self, phase: Phase) -> Option<Duration> {
        self.0[phase.index()]
    }
}

/// How often the state is committed, so that a worker which replaces a dead one can resume from it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Checkpoint {
    /// After every completed iteration when `lives` is more than 1, else never.
    #[default]
    Auto,
    /// Never: a replacement begins with the state that the process was started with, and messages that were
    /// listened to are not delivered again.
    Off,
    /// After every n-th completed iteration; up to n iterations are repeated after a crash.
    Every(u64),
}

/// How many failures in what time are taken as a crash loop, and how long to wait before trying again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restart {
    /// More failures than this within [`within`](Restart::within) end the process even if lives are left.
    pub limit: Option<u32>,
    /// The window in which failures are counted.
    pub within: Duration,
    /// The wait before the first restart in the window; doubles with each further one, up to 30 seconds. Zero, the
    /// default, means at once.
    pub backoff: Duration,
}

/// Where the three standard streams of a worker lead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Streams {
    /// [`Stream::Capture`] is taken as [`Stream::Null`] here.
    pub stdin: Stream,
    /// Standard output.
    pub stdout: Stream,
    /// Standard error.
    pub stderr: Stream,
}

/// How workers are started.
///
/// The variable `PROCESSING_START_METHOD` in the environment sets it to `auto`, `exec` or `fork-server`;
/// [`set_start_method`](crate::set_start_method) wins over that. Workers start workers of their own in the same way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum StartMethod {
    /// By the fork server, where there is one that is ready, else by `exec`. The default.
    ///
    /// The fork server, or *template*, is this program started once more, with all that runs before `main` behind it.
    /// It waits, with one thread and no descriptor but its channel, and makes each worker of a copy of itself, in a
    /// fifth of the time and the memory that another start of the program takes. Its workers are children of this
    /// program, as those are that are started by `exec`.
    ///
    /// A program that starts one worker has no use for it, so it is made, in the background, when a second one is
    /// asked for. It ends with the program, or when no worker was asked for in a minute, and is made anew where it
    /// is missing. Environment, working directory and standard streams of a worker are those of its program at the
    /// start. What else a process inherits (limits, umask, niceness, processors, identity, rights, control group)
    /// is that of the thread that looks after the workers; a template in which any of it differs is replaced.
    ///
    /// Not used where the template would have something that cannot be shared by copies: a thread or an open
    /// descriptor that was made before `main`; nor with [`set_worker_executable`](crate::set_worker_executable),
    /// without the feature `auto-init`, or on a system other than Linux with glibc.
    #[default]
    Auto,
    /// Every worker is this program started anew.
    ///
    /// Each then has an address layout of its own, which workers that are copies of one process do not; and what runs
    /// before `main` runs in each.
    Exec,
    /// As `Auto`, but the first start already waits until the fork server is ready.
    ForkServer,
}

/// Where one standard stream of a worker leads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stream {
    /// To where the parent's leads.
    #[default]
    Inherit,
    /// To nowhere.
    Null,
    /// To the handle, line by line: see [`Handle::output`](crate::Handle::output).
    Capture,
}

impl Config {
    /// Runs until stopped, one life, no limits, inherited streams.
    pub const DEFAULT: Config = Config {
        runs: None,
        join_in: None,
        lives: 1,
        timeouts: Timeouts([None; 6]),
        checkpoint: Checkpoint::Auto,
        restart: Restart { limit: None, within: Duration::from_secs(60), backoff: Duration::ZERO },
        streams: Streams { stdin: Stream::Inherit, stdout: Stream::Inherit, stderr: Stream::Inherit },
    };

    /// Ends after `runs` completed iterations.
    pub const fn runs(&mut self, runs: u64) -> &mut Self {
        self.runs = Some(runs);
        self
    }

    /// Starts no iteration later than `limit` after the process began.
    pub const fn join_in(&mut self, limit: Duration) -> &mut Self {
        self.join_in = Some(limit);
        self
    }

    /// Allows `lives - 1` failures; the next one ends the process. Zero is refused at the start.
    pub const fn lives(&mut self, lives: u32) -> &mut Self {
        self.lives = lives;
        self
    }

    /// Limits how long one hook may take.
    pub const fn timeout(&mut self, phase: Phase, limit: Duration) -> &mut Self {
        self.timeouts.0[phase.index()] = Some(limit);
        self
    }

    /// Lets a hook take as long as it likes.
    pub const fn no_timeout(&mut self, phase: Phase) -> &mut Self {
        self.timeouts.0[phase.index()] = None;
        self
    }

    /// Sets how often the state is committed.
    pub const fn checkpoint(&mut self, checkpoint: Checkpoint) -> &mut Self {
        self.checkpoint = checkpoint;
        self
    }

    /// Ends the process when it fails more than `limit` times `within` this time, and waits `backoff`, doubling,
    /// before each restart.
    pub const fn restart(&mut self, limit: u32, within: Duration, backoff: Duration) -> &mut Self {
        self.restart = Restart { limit: Some(limit), within, backoff };
        self
    }

    /// Where the worker reads from.
    pub const fn stdin(&mut self, stream: Stream) -> &mut Self {
        self.streams.stdin = stream;
        self
    }

    /// Where the worker's standard output leads.
    pub const fn stdout(&mut self, stream: Stream) -> &mut Self {
        self.streams.stdout = stream;
        self
    }

    /// Where the worker's standard error leads.
    pub const fn stderr(&mut self, stream: Stream) -> &mut Self {
        self.streams.stderr = stream;
        self
    }

    /// What is wrong with these settings, if anything.
    pub(crate) fn complaint(&self) -> Option<&'static str> {
        if self.lives == 0 {
            return Some(
                "`lives` is 0, so nothing would ever run; it counts the first attempt too, so write at least 1",
            );
        }
        if Phase::ALL.iter().any(|&phase| self.timeouts.of(phase) == Some(Duration::ZERO)) {
            return Some("a timeout of zero would end the hook before it begins; leave it out for no limit");
        }
        if self.checkpoint == Checkpoint::Every(0) {
            return Some("`checkpoint = every(0)` never commits anything; write `off` for that");
        }
        None
    }

    /// After how many completed iterations the state is committed, if at all.
    pub(crate) fn checkpoint_every(&self) -> Option<u64> {
        match self.checkpoint {
            _ if self.lives <= 1 => None,
            Checkpoint::Off => None,
            Checkpoint::Auto => Some(1),
            Checkpoint::Every(runs) => Some(runs.max(1)),
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        Config::DEFAULT
    }
}

impl Restart {
    /// The wait before the restart that follows the `failures`-th failure in the window.
    pub(crate) fn delay(&self, failures: u32) -> Duration {
        const LONGEST: Duration = Duration::from_secs(30);
        let doublings = failures.saturating_sub(1).min(16);
        self.backoff.saturating_mul(1 << doublings).min(LONGEST.max(self.backoff))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_lives_are_refused() {
        assert!(Config::DEFAULT.clone().lives(0).complaint().unwrap().contains("at least 1"));
        assert_eq!(Config::DEFAULT.complaint(), None);
    }

    #[test]
    fn backoff_doubles_up_to_its_longest() {
        let restart = Restart { backoff: Duration::from_millis(100), ..Config::DEFAULT.restart };
        assert_eq!(restart.delay(1), Duration::from_millis(100));
        assert_eq!(restart.delay(3), Duration::from_millis(400));
        assert_eq!(restart.delay(60), Duration::from_secs(30));
        assert_eq!(Config::DEFAULT.restart.delay(9), Duration::ZERO);
    }

    #[test]
    fn one_life_needs_no_checkpoint() {
        let mut config = Config::DEFAULT;
        assert_eq!(config.checkpoint_every(), None);
        assert_eq!(config.lives(2).checkpoint_every(), Some(1));
        assert_eq!(config.checkpoint(Checkpoint::Off).checkpoint_every(), None);
    }
}
