//! A parent that prints what its workers do, while they do it: it sleeps until something changes, and asks nobody.

use std::collections::BTreeMap;

use processing::prelude::*;
use processing::share::{Log, SharedTimer};

/// What everybody sees.
#[derive(Shareable, Default)]
struct Board {
    progress: BTreeMap<u64, u64>,
    primes: u64,
    batches: SharedTimer,
    log: Log,
}

/// How many batches each worker goes through, and how many numbers are in one.
const BATCHES: u64 = 40;
const BATCH: u64 = 3_000;

/// Looks for primes in its part of the numbers, a batch in each run.
#[skprocess(runs = BATCHES)]
struct Searcher {
    number: u64,
    board: Share<Board>,
}

#[skprocess]
impl Searcher {
    fn run(&mut self) {
        let done = self.current_run();
        let first = (self.number * BATCHES + done) * BATCH;
        let found =
            self.board.batches.time(|| (first..first + BATCH).filter(|&number| is_prime(number)).count());
        self.board.transaction(|board| {
            board.primes += found as u64;
            board.progress.insert(self.number, done + 1);
            if done + 1 == BATCHES {
                board.log.info(format!("searcher {} is done", self.number));
            }
        });
    }
}

fn is_prime(number: u64) -> bool {
    number > 1
        && (2..)
            .take_while(|divisor| divisor * divisor <= number)
            .all(|divisor| !number.is_multiple_of(divisor))
}

/// One line for all workers.
fn line(board: &Board, workers: u64) -> String {
    let bars = (0..workers).map(|worker| {
        let done = board.progress.get(&worker).copied().unwrap_or_default();
        let filled = (done * 10 / BATCHES) as usize;
        format!("[{}{}]", "#".repeat(filled), "·".repeat(10 - filled))
    });
    format!("{}  {:6} primes", bars.collect::<Vec<_>>().join(" "), board.primes)
}

fn main() -> anyhow::Result<()> {
    let board = Share::new(Board::default())?;
    let workers = 3;
    let searchers = (0..workers)
        .map(|number| Searcher { number, board: board.clone() }.start())
        .collect::<Result<Vec<_>, _>>()?;

    let mut printed = String::new();
    loop {
        // All of it at one instant: a number of primes, and the batches that they were found in.
        let now = board.snapshot();
        let line = line(&now, workers);
        if line.chars().filter(|&letter| letter == '#').count()
            != printed.chars().filter(|&letter| letter == '#').count()
        {
            println!("{line}");
            printed = line;
        }
        if now.progress.values().sum::<u64>() == workers * BATCHES {
            break;
        }
        board.changed()?;
    }
    for searcher in searchers {
        searcher.wait()?;
    }
    println!("{}", board.log.messages().join(", "));
    println!(
        "a batch took {:?} on average, of {}",
        board.batches.mean().unwrap_or_default(),
        board.batches.num_times()
    );
    anyhow::ensure!(board.primes == 30_757, "{} primes", board.primes);
    Ok(())
}
