//! Many starts, and what they leave in the program that made them.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use processing::prelude::*;
use tests::processes::{OF_A_COPY_AHEAD, descendants, descriptors, status, zombies};

const STARTS: u32 = 10_000;
const WARM_UP: u32 = 200;

#[skprocess(runs = 1)]
struct Double {
    number: u32,
}

#[skprocess]
impl Double {
    fn run(&mut self) {
        self.number *= 2;
    }
    fn result(&mut self) -> u32 {
        self.number
    }
}

/// Descriptors, threads and kilobytes, once the ends that take a moment are over.
fn holdings(workers: usize) -> Result<[u64; 3]> {
    let own = std::process::id();
    let end = Instant::now() + Duration::from_secs(5);
    while descendants(own).len() > workers && Instant::now() < end {
        std::thread::yield_now();
    }
    let of = |name| status(own, name).with_context(|| format!("no {name}"));
    Ok([descriptors(own) as u64, of("Threads")?, of("VmRSS")?])
}

fn start(number: u32) -> Result<()> {
    let doubled = Double { number }.run()?;
    ensure!(doubled == 2 * number, "{doubled} for {number}");
    Ok(())
}

pub(crate) fn many() -> Result<String> {
    (0..WARM_UP).try_for_each(start)?;
    // A template that starts workers, say, may stay.
    std::thread::sleep(Duration::from_millis(200));
    let kept = descendants(std::process::id()).len();
    let before = holdings(kept)?;
    let begin = Instant::now();
    (0..STARTS).try_for_each(start)?;
    let each = begin.elapsed() / STARTS;
    let after = holdings(kept)?;
    let zombies = zombies(std::process::id()).len();
    ensure!(zombies == 0, "{zombies} zombies");
    ensure!(descendants(std::process::id()).len() <= kept, "somebody is left");
    for (what, slack, (before, after)) in [
        ("descriptors", OF_A_COPY_AHEAD as u64, (before[0], after[0])),
        ("threads", 0, (before[1], after[1])),
        // The allocator keeps a little; what leaks with each start would be more than this.
        ("kB", 1024, (before[2], after[2])),
    ] {
        ensure!(after <= before + slack, "{before} {what} before, {after} after");
    }
    let grown = after[2].saturating_sub(before[2]);
    Ok(format!("no zombie, no descriptor, no thread, {grown} kB more; {} µs each", each.as_micros()))
}
