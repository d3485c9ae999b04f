//! What a test of chaos looks at: run with the variable set, as a user would, it says what came of it.
#![expect(clippy::print_stdout, reason = "it is what this program is for")]

use std::time::Duration;

use processing::prelude::*;
use processing::{Phase, Pool, ProcessError};

/// Says which attempt it is, and returns what it has counted.
#[skprocess(runs = 20)]
struct Counting {
    sum: u64,
}

#[skprocess]
impl Counting {
    fn run(&mut self) -> anyhow::Result<()> {
        self.tell(&self.current_run())?;
        self.sum += self.current_run();
        Ok(())
    }
    fn result(&mut self) -> u64 {
        self.sum
    }
}

fn counting(lives: u32, limit: Option<Duration>) -> Result<Handle<Counting>, StartError> {
    let counting = Counting { sum: 0 };
    counting
        .configure(|config| match limit {
            Some(limit) => config.lives(lives).timeout(Phase::Run, limit),
            None => config.lives(lives),
        })
        .start()
}

/// All that was told, with what was told again.
fn told(worker: &Handle<Counting>) -> Vec<u64> {
    std::iter::from_fn(|| worker.listen::<u64>(None).ok().flatten()).collect()
}

fn main() -> anyhow::Result<()> {
    let command = std::env::args().nth(1).unwrap_or_default();
    match command.as_str() {
        // Enough lives for anything.
        "lives" => {
            let worker = counting(u32::MAX, None)?;
            let told = told(&worker);
            println!("{} {told:?}", worker.result()?);
        }
        // One life, and a limit that a pause overruns.
        "dies" => {
            let error = counting(1, Some(Duration::from_millis(300)))?.result().expect_err("no end");
            println!("{}", kind(&error));
        }
        "pool" => {
            let pool = Pool::builder().workers(3).lives(u32::MAX).poison_after(u32::MAX).build()?;
            let values = pool.map(|number: u64| number * number, 0..2000)?;
            println!("{}", values.into_iter().eq((0..2000).map(|number| number * number)));
        }
        "pool dies" => {
            let pool = Pool::builder().workers(2).task_timeout(Duration::from_millis(200)).build()?;
            let error = pool.map(|number: u64| number, 0..10).expect_err("no end");
            println!("{}", kind(&error.source));
        }
        // Started by a worker, which has a seed of its own.
        "nested" => {
            let pool = Pool::builder().workers(1).lives(u32::MAX).poison_after(u32::MAX).build()?;
            let below = |_: u64| {
                let worker = counting(u32::MAX, None).expect("a worker");
                let told = told(&worker);
                (worker.result().expect("a sum"), told.len() > 20)
            };
            println!("{:?}", pool.map(below, 0..3)?);
        }
        other => anyhow::bail!("unknown command {other}"),
    }
    Ok(())
}

fn kind(error: &ProcessError) -> String {
    match error.exit() {
        Some(exit) => format!("{exit:?}"),
        None if error.is_timeout() => "Timeout".to_owned(),
        None => format!("{error:?}"),
    }
}
