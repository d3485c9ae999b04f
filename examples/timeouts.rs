//! Limits: on a hook, which end whatever runs in it, and on a call, which end only the waiting.

use std::time::{Duration, Instant};

use processing::prelude::*;

/// Looks for numbers whose Collatz sequence is long. One of its hooks never returns, and no signal would reach it.
#[skprocess(lives = 2, runs = 3, timeouts(run = "200ms"))]
struct Search {
    found: Vec<(u64, u32)>,
}

#[skprocess]
impl Search {
    fn run(&mut self) {
        if self.current_run() == 1 && self.lives_left() == 1 {
            loop {
                std::hint::spin_loop();
            }
        }
        let begin = self.current_run() * 10_000 + 1;
        let longest = (begin..begin + 10_000).map(|n| (n, steps(n))).max_by_key(|&(_, steps)| steps);
        self.found.extend(longest);
    }

    fn result(&mut self) -> Vec<(u64, u32)> {
        std::mem::take(&mut self.found)
    }
}

fn steps(mut n: u64) -> u32 {
    let mut steps = 0;
    while n != 1 {
        n = if n.is_multiple_of(2) { n / 2 } else { 3 * n + 1 };
        steps += 1;
    }
    steps
}

/// Sleeps where nothing can wake it but the end.
#[skprocess(runs = 1, timeouts(run = "300ms"))]
struct Stuck {}

#[skprocess]
impl Stuck {
    fn run(&mut self) {
        std::thread::sleep(Duration::from_secs(3600));
    }
}

fn main() -> anyhow::Result<()> {
    // The second run spins. At its limit the worker is replaced, and the new one takes up the second run again.
    let begin = Instant::now();
    let search = Search { found: Vec::new() }.start()?;
    println!("longest sequences: {:?}", search.result()?);
    println!(
        "in {:.0?}, of which one attempt was ended at 200 ms; lives left: {}",
        begin.elapsed(),
        search.lives_left()
    );

    // With one life only, the limit ends the process.
    let begin = Instant::now();
    let stuck = Stuck {}.start()?;

    // This limit is the caller's: the process goes on.
    match stuck.timeout(Duration::from_millis(100)).wait() {
        Err(error) if error.is_timeout() => println!("\nafter {:.0?}: {error}", begin.elapsed()),
        other => anyhow::bail!("it cannot be over yet: {other:?}"),
    }
    match stuck.wait() {
        Err(error) if error.is_timeout() => println!("after {:.0?}: {error}", begin.elapsed()),
        other => anyhow::bail!("it cannot have ended by itself: {other:?}"),
    }
    Ok(())
}
