//! What do operations on a share cost, beside the bare primitives in the same run?
//!
//! `cargo bench --bench share`, with `-- --quick` for a tenth of the rounds.

use std::collections::HashMap;
use std::hint::black_box;
use std::time::{Duration, Instant};

use benches::{Contest, timed};
use processing::__private::Bare;
use processing::prelude::*;
use processing::share::Log;
use serde::{Deserialize, Serialize};

#[derive(Shareable, Default)]
struct State {
    counter: u64,
    other: u64,
    log: Log,
    names: Vec<String>,
}

/// What two processes do at once.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
enum Job {
    FetchAdd,
    BareLock,
    Share,
    Append,
    Transaction,
}

const ADDS: u64 = 1_000_000;
const APPENDS: u64 = 1_000;

/// One of the two. It waits until both are ready and the bench says go, and reports how long it took.
#[skprocess(runs = 1)]
struct Side {
    job: Job,
    share: Share<State>,
    bare: Bare,
    start: Share<(u64, Vec<Duration>)>,
}

#[skprocess]
impl Side {
    fn run(&mut self) -> Result<(), ShareError> {
        self.start.0 += 1;
        self.start.wait_until(|start| start.0 >= 3)?;
        // The two of them meet once more, awake.
        self.start.0 += 1;
        while self.start.0.get() < 5 {
            std::hint::spin_loop();
        }
        let begin = Instant::now();
        match self.job {
            Job::FetchAdd => (0..ADDS).for_each(|_| self.bare.add()),
            Job::BareLock => (0..ADDS).for_each(|_| self.bare.add_locked()),
            Job::Share => (0..ADDS).for_each(|_| self.share.counter += 1),
            Job::Append => (0..APPENDS).for_each(|number| self.share.names.push(format!("entry {number}"))),
            Job::Transaction => (0..ADDS / 10).for_each(|_| {
                self.share.transaction(|state| {
                    state.counter += 1;
                    state.other -= 1;
                });
            }),
        }
        let time = begin.elapsed();
        self.start.transaction(|start| start.1.push(time));
        Ok(())
    }
}

/// Two processes do a job at once; the time until both are done.
fn two(job: Job) -> Duration {
    let state = State { other: ADDS, ..State::default() };
    let (share, bare) = (Share::new(state).expect("it works"), Bare::new());
    let mut start = Share::new((0, Vec::new())).expect("it works");
    let sides: Vec<_> = (0..2)
        .map(|_| {
            Side { job, share: share.clone(), bare: again(&bare), start: start.clone() }
                .start()
                .expect("it works")
        })
        .collect();
    start.wait_until(|start| start.0 == 2).expect("it works");
    start.0 += 1;
    for side in sides {
        side.wait().expect("it works");
    }
    match job {
        Job::FetchAdd | Job::BareLock => assert_eq!(bare.get(), 2 * ADDS),
        Job::Share => assert_eq!(share.counter, 2 * ADDS),
        Job::Append => assert_eq!(share.names.len() as u64, 2 * APPENDS),
        Job::Transaction => assert_eq!(share.counter.get() + share.other.get(), ADDS),
    }
    start.1.to_vec().into_iter().max().expect("it works")
}

/// The same number in the same memory.
fn again(bare: &Bare) -> Bare {
    let encoded = processing::cucumber::encode(bare).expect("it works");
    processing::cucumber::decode(&encoded.bytes, encoded.attachments).expect("it works")
}

fn main() {
    alone();
    with_maps();
    for (job, question) in [
        (Job::Share, "two processes, 1 000 000 additions each"),
        (Job::Transaction, "two processes, 100 000 transactions of two integers each"),
        (Job::Append, "two processes, 1 000 appends of a short string each"),
    ] {
        let mut contest = Contest::new(question).rounds(20);
        if job == Job::Share {
            contest.floor("`fetch_add`", || two(Job::FetchAdd));
            contest.floor("an integer in a bare robust lock", || two(Job::BareLock));
        }
        contest.enter("share", || two(job));
        println!("{}", contest.run());
    }
}

/// One process, nobody else near.
fn alone() {
    const TIMES: u32 = 1_000;
    let thousand = |work: &mut dyn FnMut()| timed(|| (0..TIMES).for_each(|_| work())).1;
    let bare = Bare::new();
    let share = Share::new(State { other: u64::MAX, ..State::default() }).expect("memory");
    let (mut adding, name) = (share.clone(), "a short one".to_owned());
    let mut contest = Contest::new("1 000 operations of one process").rounds(200);
    contest.floor("`fetch_add`", || thousand(&mut || bare.add()));
    contest.floor("an integer in a bare robust lock", || thousand(&mut || bare.add_locked()));
    contest.enter("`share.counter += 1`", || thousand(&mut || adding.counter += 1));
    contest.enter("`share.counter.set(7)`", || thousand(&mut || share.counter.set(7)));
    contest.enter("`share.counter.get()`", || thousand(&mut || _ = black_box(share.counter.get())));
    contest.enter("a transaction of two integers", || {
        thousand(&mut || {
            share.transaction(|state| {
                state.counter += 1;
                state.other -= 1;
            });
        })
    });
    contest.enter("`share.names.push(…)` and `pop()`", || {
        thousand(&mut || {
            share.names.push(name.clone());
            share.names.pop();
        })
    });
    println!("{}", contest.run());
}

/// Does a replacement cost more the more entries there are?
fn with_maps() {
    let mut contest = Contest::new("1 000 replacements in a map, one key at a time").rounds(100);
    for size in [10_u64, 10_000, 1_000_000] {
        let map = Share::new((0..size).map(|key| (key, key)).collect::<HashMap<_, _>>()).expect("memory");
        let mut key = 0;
        contest.enter(format!("of {size} entries"), move || {
            timed(|| {
                for _ in 0..1_000 {
                    key = (key + 7919) % size;
                    map.insert(key, key + 1);
                }
            })
            .1
        });
    }
    println!("{}", contest.run());
}
