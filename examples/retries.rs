//! A worker whose work goes wrong, in every way it can: an error, a panic, an abort.

use processing::Stream;
use processing::prelude::*;

/// Visits `runs` shelves. With four lives, three things may go wrong.
#[skprocess(lives = 4, runs = 6)]
struct Inventory {
    counted: Vec<u64>,
}

#[skprocess]
impl Inventory {
    fn run(&mut self) -> Result<(), String> {
        let shelf = self.current_run();
        match (shelf, self.lives_left()) {
            // What a hook returns or panics with costs a life; the same worker tries again, with the state as it is.
            (1, 3) => return Err("the ladder is not here".into()),
            (3, 2) => panic!("fell off the ladder"),
            // This worker is gone. A new one resumes from the last completed run.
            (4, 1) => std::process::abort(),
            _ => self.counted.push(shelf * 10),
        }
        Ok(())
    }

    fn result(&mut self) -> Vec<u64> {
        std::mem::take(&mut self.counted)
    }
}

/// Fails whatever it does, and says what to make of that.
#[skprocess(lives = 2)]
struct Hopeless {}

#[skprocess]
impl Hopeless {
    fn run(&mut self) -> Result<(), std::num::ParseIntError> {
        "many".parse::<u64>().map(drop)
    }

    fn result(&mut self) -> u64 {
        1
    }

    /// The last word, once no life is left: a value in place of the result, or the error, or another one.
    fn error(&mut self, error: ProcessError) -> Result<u64, ProcessError> {
        match error.message() {
            Some(message) if message.contains("invalid digit") => Ok(0),
            _ => Err(error),
        }
    }
}

fn main() -> anyhow::Result<()> {
    let inventory =
        Inventory { counted: Vec::new() }.configure(|config| config.stderr(Stream::Capture)).start()?;
    let first_worker = inventory.pid();
    println!("counted {:?}", inventory.result()?);
    inventory.wait()?;
    println!(
        "{} shelves, {} lives left, worker {first_worker} replaced by {}; the first they said:",
        inventory.current_run(),
        inventory.lives_left(),
        inventory.pid()
    );
    for line in inventory.output().iter().take(3) {
        println!("    {line}");
    }

    let hopeless = Hopeless {}.start()?;
    println!("\nthe error hook made of it: {}", hopeless.result()?);
    if let Some(failure) = hopeless.failure() {
        println!("although {:#}", anyhow::Error::new(failure));
    }
    Ok(())
}
