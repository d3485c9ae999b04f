//! Messages that break whoever reads them, and how a worker gets past one.

use std::time::Duration;

use processing::prelude::*;
use tests::{LONGEST, watchdog};

#[skprocess(lives = 5, timeouts(run = "200ms"))]
struct Reader {
    job: Option<String>,
    done: Vec<String>,
}

#[skprocess]
impl Reader {
    fn prerun(&mut self) -> anyhow::Result<()> {
        self.job = self.listen(None)?;
        if let Some(failure) = self.last_failure()
            && let Some(job) = self.job.take()
        {
            self.tell(&format!("{job}: {}", if failure.is_timeout() { "timeout" } else { "crash" }))?;
        }
        Ok(())
    }

    fn run(&mut self) -> anyhow::Result<()> {
        match self.job.as_deref() {
            Some("spin") => loop {
                std::hint::spin_loop();
            },
            Some("abort") => std::process::abort(),
            _ => {}
        }
        if let Some(job) = self.job.take() {
            self.tell(&format!("{job}: done"))?;
            self.done.push(job);
        }
        Ok(())
    }

    fn result(&mut self) -> Vec<String> {
        std::mem::take(&mut self.done)
    }
}

#[test]
fn a_worker_gets_past_a_message_that_ends_it() {
    let _dog = watchdog();
    let reader = Reader { job: None, done: Vec::new() }.start().expect("a process");
    for job in ["one", "spin", "two", "abort", "three"] {
        reader.tell(job).expect("a listener");
    }
    let answers: Vec<String> =
        (0..5).map(|_| reader.listen(LONGEST).expect("an answer").expect("an answer")).collect();
    assert_eq!(answers, ["one: done", "spin: timeout", "two: done", "abort: crash", "three: done"]);
    assert_eq!(reader.lives_left(), 2);
    reader.stop();
    // The iteration that answers a broken message is an iteration like any other, without a job.
    assert_eq!(reader.result().expect("a result"), ["one", "two", "three"]);
}

#[skprocess(lives = 3, runs = 2)]
struct Stumbler {
    seen: Vec<Option<String>>,
}

#[skprocess]
impl Stumbler {
    fn run(&mut self) -> Result<(), String> {
        self.seen.push(self.last_failure().map(|failure| failure.message().unwrap_or_default().to_owned()));
        if self.seen.len() < 3 { Err(format!("stumble {}", self.seen.len())) } else { Ok(()) }
    }

    fn result(&mut self) -> Vec<Option<String>> {
        self.seen.clone()
    }
}

#[test]
fn a_repetition_knows_what_went_wrong_and_the_next_iteration_does_not() {
    let _dog = watchdog();
    let stumbler =
        Stumbler { seen: Vec::new() }.configure(|config| config.timeout(Phase::Run, Duration::from_secs(30)));
    let seen = stumbler.run().expect("a result");
    let seen: Vec<_> = seen.iter().map(Option::as_deref).collect();
    assert_eq!(seen, [None, Some("stumble 1"), Some("stumble 2"), None]);
}
