//! Measures several ways of doing the same thing, side by side.
//!
//! Every round runs each of them once, in an order that turns from round to round: whatever else the machine is doing
//! falls on all alike, so the ratios hold where the times themselves do not.
//!
//! ```
//! use benches::{Contest, timed};
//!
//! let numbers: Vec<u32> = (0..1000).map(|n| n * 7919 % 1000).collect();
//! let mut sorted = Contest::new("sorting 1 000 numbers").rounds(20);
//! sorted.enter("stable", || { let mut numbers = numbers.clone(); timed(|| numbers.sort()).1 });
//! sorted.enter("unstable", || { let mut numbers = numbers.clone(); timed(|| numbers.sort_unstable()).1 });
//! println!("{}", sorted.run());
//! ```
//!
//! The program `compare` runs all benches and puts what they measured into one table.

mod cores;
mod summary;
mod table;

pub use cores::{Side, keep_apart};
pub use summary::{Collected, read};
pub use table::{Kind, Row, Table};

use std::fmt;
use std::hint::black_box;
use std::time::{Duration, Instant};

/// How much of a contest to run, as the command line says: `cargo bench -- --quick` does a tenth.
fn thinning() -> usize {
    if std::env::args().any(|argument| argument == "--quick") { 10 } else { 1 }
}

/// One question, and those who answer it. The first to enter is the one that all others are compared with.
pub struct Contest<'c> {
    question: String,
    rounds: usize,
    entries: Vec<Entry<'c>>,
}

struct Entry<'c> {
    name: String,
    kind: Kind,
    once: Box<dyn FnMut() -> Duration + 'c>,
}

impl<'c> Contest<'c> {
    /// A contest of 100 rounds.
    #[must_use]
    pub fn new(question: impl Into<String>) -> Self {
        Contest { question: question.into(), rounds: 100, entries: Vec::new() }
    }

    /// Sets how often each entry is measured.
    #[must_use]
    pub fn rounds(mut self, rounds: usize) -> Self {
        self.rounds = rounds;
        self
    }

    /// Adds an entry of ours. `once` does the thing once and returns how long that took, without what is not to be
    /// measured.
    pub fn enter(&mut self, name: impl Into<String>, once: impl FnMut() -> Duration + 'c) -> &mut Self {
        self.add(Kind::Ours, name.into(), Box::new(once))
    }

    /// Adds what a neighbour does.
    pub fn peer(&mut self, name: impl Into<String>, once: impl FnMut() -> Duration + 'c) -> &mut Self {
        self.add(Kind::Peer, name.into(), Box::new(once))
    }

    /// Adds the least that the machine allows, by hand and without a library.
    pub fn floor(&mut self, name: impl Into<String>, once: impl FnMut() -> Duration + 'c) -> &mut Self {
        self.add(Kind::Floor, name.into(), Box::new(once))
    }

    fn add(&mut self, kind: Kind, name: String, once: Box<dyn FnMut() -> Duration + 'c>) -> &mut Self {
        self.entries.push(Entry { name, kind, once });
        self
    }

    /// Runs all rounds, after a few that are not counted.
    pub fn run(mut self) -> Table {
        let rounds = (self.rounds / thinning()).max(3);
        let mut times = vec![Vec::with_capacity(rounds); self.entries.len()];
        for round in 0..rounds + WARM_UP {
            for turn in 0..self.entries.len() {
                let entry = (turn + round) % self.entries.len();
                let time = (self.entries[entry].once)();
                if round >= WARM_UP {
                    times[entry].push(time);
                }
            }
        }
        let rows =
            self.entries.into_iter().zip(times).map(|(entry, times)| Row::new(entry.name, entry.kind, times));
        let table = Table { question: self.question, rounds, rows: rows.collect() };
        summary::collect(&table);
        table
    }
}

const WARM_UP: usize = 3;

impl fmt::Debug for Contest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.entries.iter().map(|entry| &entry.name).collect();
        f.debug_struct("Contest").field("question", &self.question).field("entries", &names).finish()
    }
}

/// Does something, and says how long it took.
pub fn timed<R>(work: impl FnOnce() -> R) -> (R, Duration) {
    let begin = Instant::now();
    let done = work();
    (done, begin.elapsed())
}

/// Does something so many times, and says how long it took each time on average: for what is too short to time alone.
///
/// # Panics
/// If `times` is 0.
pub fn timed_each<R>(times: u32, mut work: impl FnMut() -> R) -> Duration {
    let begin = Instant::now();
    for _ in 0..times {
        black_box(work());
    }
    begin.elapsed() / times
}
