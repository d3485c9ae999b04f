//! Every way to fail, in each of the six hooks: with lives left it goes on, without it is a typed error.
#![allow(clippy::unwrap_used, reason = "a hook of a test is a part of the test")]

use std::time::{Duration, Instant};

use processing::prelude::*;
use processing::{Exit, Stream};
use tests::deeds::{self, Deed};
use tests::{Marks, TempDir, watchdog};

const LIMIT: Duration = Duration::from_millis(150);
const RUNS: u64 = 3;
/// The iteration in which the hooks of an iteration fail.
const FAILS_IN: u64 = 1;

/// Commits its deed in one hook, as often as it is told to.
#[skprocess(runs = RUNS)]
struct Offender {
    deed: Deed,
    hook: Phase,
    times: usize,
    marks: Marks,
    completed: Vec<u64>,
}

impl Offender {
    fn pass(&mut self, hook: Phase) -> anyhow::Result<()> {
        let run = self.current_run();
        self.marks.add(format!("{hook} {run}"));
        let is_here = hook == self.hook && (!hook.is_retried() || run == FAILS_IN);
        if is_here && self.marks.count("deed") < self.times {
            self.marks.add("deed");
            self.marks.add(format!("pid {}", std::process::id()));
            self.deed.commit()?;
        }
        Ok(())
    }
}

#[skprocess]
impl Offender {
    fn prerun(&mut self) -> anyhow::Result<()> {
        deeds::leave_no_core_files();
        self.pass(Phase::Prerun)
    }
    fn run(&mut self) -> anyhow::Result<()> {
        self.pass(Phase::Run)
    }
    fn postrun(&mut self) -> anyhow::Result<()> {
        self.pass(Phase::Postrun)?;
        self.completed.push(self.current_run());
        Ok(())
    }
    fn onfinish(&mut self) -> anyhow::Result<()> {
        self.pass(Phase::OnFinish)
    }
    fn result(&mut self) -> anyhow::Result<Vec<u64>> {
        self.pass(Phase::Result)?;
        Ok(self.completed.clone())
    }
    fn error(&mut self, error: ProcessError) -> Result<Vec<u64>, ProcessError> {
        let _ = self.pass(Phase::Error);
        Err(error)
    }
}

fn offender(deed: Deed, hook: Phase, times: usize, dir: &TempDir) -> processing::Configured<Offender> {
    let offender = Offender { deed, hook, times, marks: dir.marks(), completed: vec![] };
    offender.configure(|config| {
        // What the deeds say on their way down is not for the reader of the tests.
        config.stderr(Stream::Capture);
        if Deed::ENDLESS.contains(&deed) {
            config.timeout(hook, LIMIT);
        }
        config
    })
}

/// What an error has to say of a deed.
fn check_kind(deed: Deed, error: &ProcessError) {
    let exit = |exit| assert_eq!(error.exit(), Some(exit), "{deed:?}: {error:?}");
    let signal = |number| exit(Exit::Signal(number));
    match deed {
        Deed::Io | Deed::Chain => {
            assert!(!error.is_panic() && !error.is_crash(), "{deed:?}: {error:?}");
            let says = if deed == Deed::Io { "the disk is on fire" } else { "cannot go on" };
            assert_eq!(error.message(), Some(says));
            assert!(error.location().unwrap().file.ends_with("ladder.rs"), "{error:?}");
        }
        Deed::PanicStr | Deed::PanicString | Deed::PanicAny | Deed::PanicTwice => {
            assert!(error.is_panic(), "{deed:?}: {error:?}");
            let file = &error.location().unwrap().file;
            // The one that aborts is the library's own, about a panic in a destructor.
            assert!(deed == Deed::PanicTwice || file.ends_with("deeds.rs"), "{error:?}");
            let says = match deed {
                Deed::PanicStr => "a plain panic",
                Deed::PanicString => "a panic with the number 42",
                Deed::PanicAny => "not text",
                _ => "panic",
            };
            assert!(error.message().unwrap().contains(says), "{deed:?}: {error:?}");
        }
        Deed::Abort => signal(6),
        #[cfg(unix)]
        Deed::OutOfMemory => signal(6),
        Deed::Sigkill => signal(9),
        Deed::Sigsegv => signal(11),
        #[cfg(unix)]
        Deed::Sigterm => signal(15),
        Deed::ExitZero | Deed::StdExit => exit(Exit::Code(0)),
        Deed::ExitThree => exit(Exit::Code(3)),
        Deed::StackOverflow => {
            signal(11);
            assert!(error.to_string().contains("stack"), "{error}");
        }
        Deed::Spin | Deed::Block | Deed::CatchEverything => {
            assert!(error.is_timeout(), "{deed:?}: {error:?}");
            assert!(matches!(error, ProcessError::Timeout { limit: LIMIT, .. }), "{error:?}");
        }
    }
    assert!(!error.is_killed());
}

fn fails_for_good(deed: Deed, hook: Phase) {
    let dir = TempDir::new();
    let begin = Instant::now();
    let worker = offender(deed, hook, usize::MAX, &dir).start().unwrap();
    let error = worker.result().unwrap_err();
    if Deed::ENDLESS.contains(&deed) {
        assert!(begin.elapsed() >= LIMIT);
    }
    check_kind(deed, &error);
    assert_eq!(error.phase(), Some(hook), "{deed:?}: {error:?}");
    let run = if hook.is_retried() { FAILS_IN } else { RUNS };
    assert_eq!(error.run(), Some(run), "{deed:?} in {hook}: {error:?}");
    assert_eq!(error.lives_left(), Some(0));
    assert_eq!(dir.marks().count("deed"), 1, "{deed:?} in {hook}: there was one life");
    assert_eq!(dir.marks().count(&format!("pid {}", error.pid().unwrap())), 1, "{deed:?} in {hook}");
    // The hook for errors runs once, in whatever worker.
    assert_eq!(dir.marks().count(&format!("error {run}")), 1, "{deed:?} in {hook}: {:?}", dir.marks().read());
    assert!(worker.wait().is_err());
    assert!(!worker.is_alive());
    assert_eq!(worker.failure().unwrap().to_string(), error.to_string());
    assert_eq!(worker.result().unwrap_err().to_string(), error.to_string(), "asked again");
}

fn goes_on(deed: Deed, hook: Phase) {
    let dir = TempDir::new();
    let worker = offender(deed, hook, 2, &dir).configure(|config| config.lives(3)).start().unwrap();
    let completed = worker.result().unwrap_or_else(|error| panic!("{deed:?} in {hook}: {error:?}"));
    assert_eq!(completed, [0, 1, 2], "{deed:?} in {hook}");
    assert_eq!(worker.lives_left(), 0);
    assert!(worker.failure().is_none());
    assert_eq!(dir.marks().count("deed"), 2);
    // Each attempt begins at `prerun` of the same iteration, and no completed iteration is done again.
    assert_eq!(dir.marks().count("prerun 1"), 3, "{deed:?} in {hook}");
    assert_eq!(dir.marks().count("postrun 0"), 1, "{deed:?} in {hook}");
    assert_eq!(dir.marks().count("onfinish 3"), 1);
    worker.wait().unwrap();
    assert_eq!(worker.current_run(), RUNS);
}

fn is_final(deed: Deed, hook: Phase) {
    let dir = TempDir::new();
    let worker = offender(deed, hook, usize::MAX, &dir).configure(|config| config.lives(4));
    let error = worker.run().unwrap_err();
    check_kind(deed, &error);
    assert_eq!(error.phase(), Some(hook));
    assert_eq!(error.lives_left(), Some(3), "{deed:?} in {hook}");
    assert_eq!(dir.marks().count("deed"), 1, "{deed:?} in {hook}");
}

const ITERATION: [Phase; 3] = [Phase::Prerun, Phase::Run, Phase::Postrun];
const LAST: [Phase; 2] = [Phase::OnFinish, Phase::Result];

fn cross(deeds: &[Deed]) {
    let _watchdog = watchdog();
    for &deed in deeds {
        for hook in ITERATION {
            fails_for_good(deed, hook);
            goes_on(deed, hook);
        }
        for hook in LAST {
            fails_for_good(deed, hook);
            is_final(deed, hook);
        }
    }
}

#[test]
fn an_error_or_a_panic_spends_a_life() {
    cross(&Deed::SURVIVED);
}

#[test]
fn an_exit_or_an_abort_spends_a_life() {
    cross(&[Deed::Abort, Deed::ExitZero, Deed::ExitThree, Deed::StdExit, Deed::PanicTwice]);
}

#[test]
fn a_signal_spends_a_life() {
    cross(&[Deed::Sigkill, Deed::Sigsegv]);
    #[cfg(unix)]
    cross(&[Deed::Sigterm]);
}

#[cfg(unix)]
#[test]
fn used_up_memory_spends_a_life() {
    cross(&[Deed::OutOfMemory]);
}

#[cfg(unix)]
#[test]
fn a_used_up_stack_spends_a_life() {
    cross(&[Deed::StackOverflow]);
}

#[test]
fn an_overrun_limit_spends_a_life() {
    cross(&Deed::ENDLESS);
}

#[test]
fn a_deed_in_the_error_hook_leaves_the_first_error() {
    let _watchdog = watchdog();
    for deed in [&Deed::SURVIVED[..], Deed::DEADLY, &Deed::ENDLESS[..]].concat() {
        let dir = TempDir::new();
        let failing = Failing { deed, marks: dir.marks() };
        let failing = failing.configure(|config| config.timeout(Phase::Error, LIMIT).stderr(Stream::Capture));
        let worker = failing.start().unwrap();
        let error = worker.result().unwrap_err();
        assert_eq!(error.phase(), Some(Phase::Run), "{deed:?}: {error:?}");
        assert_eq!(error.message(), Some("the first error"), "{deed:?}: {error:?}");
        assert_eq!(dir.marks().read(), ["error"], "{deed:?}");
        assert!(worker.wait().is_err());
    }
}

/// Fails in `run`, and commits its deed in `error`.
#[skprocess(lives = 1)]
struct Failing {
    deed: Deed,
    marks: Marks,
}

#[skprocess]
impl Failing {
    fn run(&mut self) -> Result<(), String> {
        Err("the first error".into())
    }
    fn error(&mut self, error: ProcessError) -> Result<(), ProcessError> {
        self.marks.add("error");
        self.deed.commit().map_err(|_| error)
    }
}
