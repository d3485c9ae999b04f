//! The ways that a share takes to other processes: it is the same share at the end of each.
#![expect(clippy::unwrap_used, reason = "whatever fails fails its test")]

use std::time::Duration;

use processing::prelude::*;
use processing::share::{Dynamic, Log, SharedTimer};
use processing::{Nothing, Pipe, Point};
use serde::{Deserialize, Serialize};
use tests::watchdog;

const LONG: Duration = Duration::from_secs(20);

type Error = Box<dyn std::error::Error + Send + Sync>;

#[derive(Shareable, Default)]
struct State {
    count: u64,
    log: Log,
}

fn ten_times(share: Share<State>) -> u64 {
    let mut last = 0;
    for _ in 0..10 {
        last = share.transaction(|state| {
            state.count += 1;
            state.log.info(state.count.get());
            state.count.get()
        });
    }
    last
}

fn in_a_pool_of_its_own((share, items): (Share<State>, usize)) -> Vec<u64> {
    let pool = processing::Pool::new(2).expect("it starts");
    pool.map(ten_times, vec![share; items]).expect("all items")
}

#[test]
fn a_pool_counts_in_order() {
    let _watchdog = watchdog();
    let mut share = Share::new(State::default()).unwrap();
    share.count += 1;
    let pool = processing::Pool::new(4).unwrap();
    let last = pool.map(ten_times, vec![share.clone(); 10]).unwrap();
    assert_eq!(share.count, 101);
    assert_eq!(share.log.messages(), (2..=101).map(|count| count.to_string()).collect::<Vec<_>>());
    assert_eq!(last.into_iter().max(), Some(101));
}

#[test]
fn pools_inside_pools_count_together() {
    let _watchdog = watchdog();
    let share = Share::new(State::default()).unwrap();
    let pool = processing::Pool::new(2).unwrap();
    let items: Vec<_> = (1..=3).map(|items| (share.clone(), items)).collect();
    pool.map(in_a_pool_of_its_own, items).unwrap();
    assert_eq!(share.count, 60);
    assert_eq!(share.log.messages(), (1..=60).map(|count| count.to_string()).collect::<Vec<_>>());
}

#[derive(Serialize, Deserialize)]
struct Parcel {
    name: String,
    share: Share<State>,
}

/// Counts in whatever comes through the pipe.
#[skprocess(runs = 1)]
struct Receiver {
    pipe: Point<Parcel, Nothing>,
}

#[skprocess]
impl Receiver {
    fn run(&mut self) -> Result<(), Error> {
        for parcel in self.pipe.iter() {
            let parcel = parcel?;
            parcel.share.transaction(|state| {
                state.count += 1;
                state.log.info(&parcel.name);
            });
        }
        Ok(())
    }
}

#[test]
fn a_pipe_carries_shares() {
    let _watchdog = watchdog();
    let (one, two) = (Share::new(State::default()).unwrap(), Share::new(State::default()).unwrap());
    let (anchor, point) = Pipe::pair::<Parcel, Nothing>().unwrap();
    let receiver = Receiver { pipe: point }.start().unwrap();
    for number in 0..50 {
        let share = if number % 2 == 0 { &one } else { &two };
        anchor.send(&Parcel { name: number.to_string(), share: share.clone() }).unwrap();
    }
    drop(anchor);
    receiver.wait().unwrap();
    assert_eq!((one.count.get(), two.count.get()), (25, 25));
    assert_eq!(two.log.messages()[..3], ["1", "3", "5"]);
}

/// Adds to a number so often, and returns all that the additions returned; names what it has done, and times it.
fn number_things((numbers, names, timer): (Share<u64>, Share<Dynamic>, Share<SharedTimer>)) -> Vec<u64> {
    let all: Vec<u64> = (0..200).map(|_| timer.time(|| numbers.add(1))).collect();
    let name = format!("done by {}", all[0]);
    names.set(&name, all.clone());
    names.update("count", |count: &mut usize| *count += all.len());
    // Of those who remove one thing, one has removed it.
    if names.remove("in the way") {
        names.update("removed", |times: &mut u32| *times += 1);
    }
    all
}

#[test]
fn results_reach_whoever_called_in_whichever_process() {
    let _watchdog = watchdog();
    let (numbers, names) = (Share::new(0_u64).unwrap(), Share::dynamic().unwrap());
    let timer = Share::new(SharedTimer::default()).unwrap();
    names.set("count", 0_usize);
    names.set("removed", 0_u32);
    names.set("in the way", ());
    let before = (numbers.clone(), timer.clone());
    let pool = processing::Pool::new(3).unwrap();
    let all = pool.map(number_things, vec![(numbers.clone(), names.clone(), timer.clone()); 6]).unwrap();
    // In one order for all: each number once, and those of one in that order.
    assert!(all.iter().all(|numbers| numbers.is_sorted()));
    let mut together = all.concat();
    together.sort_unstable();
    assert_eq!(together, (1..=1200).collect::<Vec<_>>());
    assert_eq!((names.get::<usize>("count"), names.get::<u32>("removed"), names.len()), (1200, 1, 8));
    for numbers in &all {
        assert_eq!(names.get::<Vec<u64>>(&format!("done by {}", numbers[0])), *numbers);
    }
    assert_eq!((timer.num_times(), timer.get().num_times()), (1200, 1200));
    // A change by another process is one that was waited for.
    before.0.changed().unwrap();
    before.1.changed().unwrap();
    assert!(before.0.changed_for(Duration::from_millis(1)).unwrap_err().is_timeout());
}

/// Waits for a change that never comes, until the share is stopped.
#[skprocess(runs = 1)]
struct Waiter {
    share: Share<State>,
    seen: (bool, bool),
}

#[skprocess]
impl Waiter {
    fn run(&mut self) -> Result<(), Error> {
        self.share.log.info("waiting");
        let waited = self.share.wait_until(|state| state.count > 1000).unwrap_err();
        let read = self.share.count.try_get().unwrap_err();
        self.seen = (waited.is_stopped(), read.is_stopped());
        Ok(())
    }

    fn result(&mut self) -> (bool, bool) {
        self.seen
    }
}

#[test]
fn a_stop_reaches_every_process_and_a_start_too() {
    let _watchdog = watchdog();
    let share = Share::new(State::default()).unwrap();
    let waiter = Waiter { share: share.clone(), seen: (false, false) }.start().unwrap();
    share.wait_until_for(LONG, |state| !state.log.is_empty()).unwrap();
    share.stop().unwrap();
    assert_eq!(waiter.result().unwrap(), (true, true));
    // A share that is stopped crosses as what it is, and starts for all.
    let pool = processing::Pool::new(1).unwrap();
    let started = pool.map(|share: Share<State>| share.start().is_ok(), vec![share.clone()]).unwrap();
    assert_eq!(started, [true]);
    assert_eq!(share.log.messages(), ["waiting"]);
    share.clear();
    assert!(share.log.is_empty() && share.is_running());
}
