//! Process types in a pool that fail and are tried again: how soon, and what they learn of it.
#![allow(clippy::unwrap_used, reason = "a function of a test is a part of the test")]

use std::time::{Duration, Instant};

use processing::prelude::*;
use processing::{Exit, Pool, Retry, Stream};
use tests::deeds::Deed;
use tests::watchdog;

fn pool(workers: usize) -> Pool {
    Pool::builder().workers(workers).stderr(Stream::Null).build().unwrap()
}

/// Fails so often, and tells how long it was until each next attempt.
#[skprocess(runs = 1)]
struct Slow {
    failures: usize,
    begun: Vec<Instant>,
}

#[skprocess]
impl Slow {
    fn new(failures: usize) -> Self {
        Slow { failures, begun: Vec::new() }
    }

    fn run(&mut self) -> Result<(), String> {
        self.begun.push(Instant::now());
        if self.begun.len() > self.failures { Ok(()) } else { Err("not yet".to_owned()) }
    }

    fn result(&mut self) -> Vec<Duration> {
        self.begun.windows(2).map(|pair| pair[1] - pair[0]).collect()
    }
}

#[test]
fn a_process_waits_longer_before_each_attempt() {
    let _watchdog = watchdog();
    let retry = Retry::times(4).delay(Duration::from_millis(20)).backoff(3.0);
    for pool in [pool(2), Pool::inline()] {
        let pauses = pool.retry(retry).map(Slow, [0, 1, 3]).unwrap();
        assert_eq!(pauses.iter().map(Vec::len).collect::<Vec<_>>(), [0, 1, 3]);
        let least = [20, 60, 180].map(Duration::from_millis);
        for pauses in pauses {
            assert!(pauses.iter().zip(least).all(|(pause, least)| *pause >= least), "{pauses:?}");
        }
    }
}

/// Ends its worker unless that has happened already, and tells what it knows of that.
#[skprocess(runs = 2, lives = 2)]
struct Told {
    deed: Option<Deed>,
    failures: Vec<Option<(Phase, Option<Exit>)>>,
}

#[skprocess]
impl Told {
    fn new(deed: Option<Deed>) -> Self {
        Told { deed, failures: Vec::new() }
    }

    fn run(&mut self) -> Result<(), String> {
        let failure = self.last_failure();
        if let (None, 0, Some(deed)) = (&failure, self.current_run(), self.deed) {
            deed.commit().map_err(|error| error.to_string())?;
        }
        self.failures.push(failure.map(|failure| (failure.phase().unwrap(), failure.exit())));
        Ok(())
    }

    fn result(&mut self) -> Vec<Option<(Phase, Option<Exit>)>> {
        self.failures.clone()
    }
}

#[test]
fn the_next_attempt_knows_how_the_worker_of_the_last_one_ended() {
    let _watchdog = watchdog();
    let told = pool(2).map(Told, [Deed::Sigkill, Deed::ExitThree, Deed::Io].map(Some)).unwrap();
    let ends = [Some(Exit::Signal(9)), Some(Exit::Code(3)), None];
    // What it repeats is the first iteration, and the second is none.
    assert_eq!(told, ends.map(|end| vec![Some((Phase::Run, end)), None]));
}

#[test]
fn others_go_on_while_an_item_waits_for_its_next_attempt() {
    let _watchdog = watchdog();
    let pool = pool(1);
    let retry = Retry::times(2).delay(Duration::from_secs(3600));
    let mut told = pool.retry(retry).unordered_imap(Told, [Some(Deed::Sigkill), None]);
    assert_eq!(told.next().unwrap().unwrap(), [None, None]);
}
