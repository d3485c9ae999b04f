//! Ten processes on a pool of four workers count ten times each, and log what they counted: exactly 2 to 101, in order.

use processing::Pool;
use processing::prelude::*;
use processing::share::Log;

#[derive(Shareable, Default)]
struct State {
    counter: u64,
    log: Log,
}

#[skprocess(runs = 10)]
struct ShareCounter {
    share: Share<State>,
}

#[skprocess]
impl ShareCounter {
    /// Both happen or neither, and nobody comes between: so the log is in the order in which was counted.
    fn run(&mut self) {
        self.share.transaction(|state| {
            state.counter += 1;
            state.log.info(state.counter.get());
        });
    }
}

fn main() -> anyhow::Result<()> {
    let mut share = Share::new(State::default())?;
    share.counter += 1;
    let pool = Pool::new(4)?;
    pool.map(ShareCounter, vec![share.clone(); 10])?;

    let expected: Vec<String> = (2..=101).map(|number| number.to_string()).collect();
    anyhow::ensure!(share.counter == 101, "{} is not 101", share.counter);
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
