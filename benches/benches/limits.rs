//! How much later than it should does something end? What is shown is the delay beyond the limit, or after the cause.
//!
//! `cargo bench --bench limits`, with `-- --quick` for a tenth of the rounds.

use std::process::Command;
use std::sync::{Condvar, Mutex};
use std::time::{Duration, Instant};

use benches::Contest;
use processing::prelude::*;

const LIMIT: Duration = Duration::from_millis(30);
const LONGEST: Duration = Duration::from_secs(60);

/// Says when it is at it, and stays there.
#[skprocess(runs = 1)]
struct Busy {
    sleeps: bool,
}

#[skprocess]
impl Busy {
    fn run(&mut self) -> Result<(), TellError> {
        self.tell("at it")?;
        if self.sleeps {
            std::thread::sleep(LONGEST);
        }
        loop {
            std::hint::spin_loop();
        }
    }
}

/// Listens until it is asked to stop.
#[skprocess]
struct Listener {}

#[skprocess]
impl Listener {
    fn run(&mut self) -> anyhow::Result<()> {
        self.tell("at it")?;
        let _: Option<String> = self.listen(None)?;
        Ok(())
    }
}

fn at_it<W: Skprocess>(worker: &Handle<W>) {
    worker.listen::<String>(LONGEST).expect("a sign").expect("a sign");
}

/// A worker that is at it, with a limit for that or without.
fn busy(sleeps: bool, limit: Option<Duration>) -> Handle<Busy> {
    let worker = Busy { sleeps }.configure(|config| match limit {
        Some(limit) => config.timeout(Phase::Run, limit),
        None => config,
    });
    let worker = worker.start().expect("it starts");
    at_it(&worker);
    worker
}

/// How long beyond the limit something takes.
fn overshoot(limited: impl FnOnce()) -> Duration {
    let begin = Instant::now();
    limited();
    begin.elapsed().saturating_sub(LIMIT)
}

fn main() {
    let worker = busy(true, None);
    let mut contest = Contest::new("beyond a limit of 30 ms").rounds(60);
    contest.floor("a sleep of the standard library", || overshoot(|| std::thread::sleep(LIMIT)));
    contest.floor("a wait of the standard library", || {
        let (mutex, never) = (Mutex::new(()), Condvar::new());
        overshoot(|| drop(never.wait_timeout(mutex.lock().expect("a lock"), LIMIT).expect("a lock")))
    });
    contest.enter("`timeout(…).result()`", || {
        overshoot(|| assert!(worker.timeout(LIMIT).result().expect_err("not yet").is_timeout()))
    });
    contest.enter("`listen(…)`", || {
        overshoot(|| assert!(worker.listen::<String>(LIMIT).expect("alive").is_none()))
    });
    for (name, sleeps) in
        [("a hook that spins, until its error", false), ("a hook that sleeps, until its error", true)]
    {
        contest.enter(name, move || {
            // Counted from its sign of life, which it gives after the hook's clock has begun.
            let worker = busy(sleeps, Some(LIMIT));
            overshoot(|| assert!(worker.result().expect_err("too long").is_timeout()))
        });
    }
    print!("{}", contest.run());

    let mut contest = Contest::new("after its cause").rounds(60);
    contest.enter("SIGKILL from outside, until `result` knows", || {
        let worker = busy(false, None);
        let begin = Instant::now();
        let pid = rustix::process::Pid::from_raw(worker.pid().cast_signed()).expect("a process id");
        rustix::process::kill_process(pid, rustix::process::Signal::KILL).expect("it lives");
        assert!(worker.result().expect_err("it was killed").is_crash());
        begin.elapsed()
    });
    contest.enter("`kill`, until it is reaped", || {
        let worker = busy(false, None);
        let begin = Instant::now();
        worker.kill();
        begin.elapsed()
    });
    contest.enter("`stop` of a worker that listens, until it is reaped", || {
        let worker = Listener {}.start().expect("it starts");
        at_it(&worker);
        let begin = Instant::now();
        worker.stop();
        worker.wait().expect("a good end");
        begin.elapsed()
    });
    contest.floor("std::process: kill and wait of `sleep`", || {
        let mut child = Command::new("sleep").arg("60").spawn().expect("it starts");
        let begin = Instant::now();
        child.kill().expect("it lives");
        child.wait().expect("it ends");
        begin.elapsed()
    });
    print!("{}", contest.run());
}
