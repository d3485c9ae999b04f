//! The same state in several processes.

use std::time::Duration;

use processing::prelude::*;
use processing::share::Log;
use tests::watchdog;

#[derive(Shareable, Default)]
struct State {
    counter: u64,
    left: i64,
    right: i64,
    log: Log,
}

/// Counts and logs, ten times.
#[skprocess(runs = 10)]
struct Counter {
    share: Share<State>,
}

#[skprocess]
impl Counter {
    fn run(&mut self) {
        self.share.transaction(|state| {
            state.counter += 1;
            state.log.info(state.counter.get());
        });
    }
}

#[test]
fn many_processes_count_as_one() {
    let _watchdog = watchdog();
    let share = Share::new(State::default()).unwrap();
    let workers: Vec<_> = (0..8).map(|_| Counter { share: share.clone() }.start().unwrap()).collect();
    for worker in workers {
        worker.wait().unwrap();
    }
    assert_eq!(share.counter, 80);
    assert_eq!(share.log.messages(), (1..=80).map(|n| n.to_string()).collect::<Vec<_>>());
}

/// Starts another process with the same share.
#[skprocess]
struct Nested {
    share: Share<State>,
    depth: u32,
}

#[skprocess]
impl Nested {
    fn run(&mut self) -> Result<(), Box<dyn std::error::Error>> {
        self.share.counter += 1;
        if self.depth > 0 {
            Nested { share: self.share.clone(), depth: self.depth - 1 }.start()?.wait()?;
        }
        self.stop();
        Ok(())
    }
}

#[test]
fn a_share_goes_down_through_nested_processes() {
    let _watchdog = watchdog();
    let share = Share::new(State::default()).unwrap();
    Nested { share: share.clone(), depth: 2 }.start().unwrap().wait().unwrap();
    assert_eq!(share.counter, 3);
}

/// Moves amounts from one side to the other until it is killed.
#[skprocess]
struct Mover {
    share: Share<State>,
}

#[skprocess]
impl Mover {
    fn run(&mut self) {
        for amount in 0..100 {
            self.share.transaction(|state| {
                state.left -= amount;
                state.log.info("moved");
                state.right += amount;
                state.counter += 1;
            });
        }
    }
}

#[test]
fn a_killed_process_leaves_no_half_a_transaction() {
    let _watchdog = watchdog();
    let share = Share::new(State::default()).unwrap();
    for round in 0..30 {
        let worker = Mover { share: share.clone() }.start().unwrap();
        let before = share.counter.get();
        share.wait_until_for(Duration::from_secs(20), |state| state.counter > before + 50 * round).unwrap();
        tests::processes::kill(worker.pid());
        let _ = worker.wait();
        let (counter, sum, records) = share.transaction(|state| {
            (state.counter.get(), state.left.get() + state.right.get(), state.log.len() as u64)
        });
        assert_eq!((sum, records), (0, counter));
    }
}

/// Waits for the parent's number and answers.
#[skprocess(runs = 50)]
struct Echo {
    share: Share<State>,
}

#[skprocess]
impl Echo {
    fn run(&mut self) -> Result<(), ShareError> {
        let turn = 2 * self.current_run();
        self.share.wait_until(|state| state.counter > turn)?;
        self.share.counter += 1;
        Ok(())
    }
}

#[test]
fn processes_wait_for_each_other() {
    let _watchdog = watchdog();
    let mut share = Share::new(State::default()).unwrap();
    let worker = Echo { share: share.clone() }.start().unwrap();
    for turn in 0..50 {
        share.counter += 1;
        share.wait_until(|state| state.counter == 2 * turn + 2).unwrap();
    }
    worker.wait().unwrap();
    assert_eq!(share.counter, 100);
}

#[test]
fn a_share_can_be_told() {
    let _watchdog = watchdog();

    #[skprocess(runs = 1)]
    struct Receiver {}

    #[skprocess]
    impl Receiver {
        fn run(&mut self) -> Result<(), Box<dyn std::error::Error>> {
            let share: Option<Share<Vec<u8>>> = self.listen(Duration::from_secs(20))?;
            let share = share.ok_or("nothing was told")?;
            share.push(2);
            self.tell(&share)?;
            Ok(())
        }
    }

    let share = Share::new(vec![1_u8]).unwrap();
    let worker = Receiver {}.start().unwrap();
    worker.tell(&share).unwrap();
    let back: Share<Vec<u8>> = worker.listen(Duration::from_secs(20)).unwrap().unwrap();
    back.push(3);
    assert_eq!(*share, [1, 2, 3]);
    worker.wait().unwrap();
}
