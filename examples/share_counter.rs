//! Ten workers in a pool count ten times each, and log what they counted: exactly 1 to 100, in order.

use processing::Pool;
use processing::prelude::*;
use processing::share::Log;

#[derive(Shareable, Default)]
struct State {
    counter: u64,
    log: Log,
}

/// Both happen or neither, and nobody comes between: so the log is in the order in which was counted.
fn count(share: Share<State>) {
    for _ in 0..10 {
        share.transaction(|state| {
            state.counter += 1;
            state.log.info(state.counter.get());
        });
    }
}

fn main() -> anyhow::Result<()> {
    let share = Share::new(State::default())?;
    let pool = Pool::new(4)?;
    pool.map(count, vec![share.clone(); 10])?;

    let expected: Vec<String> = (1..=100).map(|number| number.to_string()).collect();
    anyhow::ensure!(share.counter == 100, "{} is not 100", share.counter);
    anyhow::ensure!(share.log.messages() == expected, "the log is out of order");

    let mut records = vec![];
    for record in share.log.records() {
        match records.iter_mut().find(|(process, _)| *process == record.process) {
            Some((_, count)) => *count += 1,
            None => records.push((record.process, 1)),
        }
    }
    for (process, count) in records {
        println!("process {process} counted {count} times");
    }
    println!("together {}, logged as {} … {}", share.counter, expected[0], expected[99]);
    Ok(())
}
