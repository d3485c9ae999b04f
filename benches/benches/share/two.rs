//! Two processes at once, each on a core of its own, timed from the first start to the last end.

use std::time::Duration;

use benches::{Contest, Side as Core, keep_apart};
use processing::__private::Bare;
use processing::prelude::*;
use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};

use super::State;

/// What two processes do at once.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
enum Job {
    FetchAdd,
    BareLock,
    Robust,
    RawSync,
    Share,
    Append,
    Transaction,
}

const ADDS: u64 = 1_000_000;
const APPENDS: u64 = 1_000;

/// Where the two meet, and what they say of themselves: when they began and when they were done.
#[derive(Shareable, Default)]
struct Meeting {
    there: u64,
    times: Vec<(u64, u64)>,
}

/// One of the two. It waits until both are ready and the bench says go, and reports when it began and ended.
#[skprocess(runs = 1)]
struct Side {
    job: Job,
    is_first: bool,
    share: Share<State>,
    bare: Bare,
    meeting: Share<Meeting>,
}

/// Nanoseconds of a clock that is the same for all processes.
fn now() -> u64 {
    let time = clock_gettime(ClockId::Monotonic);
    time.tv_sec.cast_unsigned() * 1_000_000_000 + time.tv_nsec.cast_unsigned()
}

#[skprocess]
impl Side {
    fn run(&mut self) -> Result<(), ShareError> {
        keep_apart(if self.is_first { Core::Here } else { Core::There });
        self.meeting.there += 1;
        self.meeting.wait_until(|meeting| meeting.there >= 3)?;
        // The two of them meet once more, awake.
        self.meeting.there += 1;
        while self.meeting.there.get() < 5 {
            std::hint::spin_loop();
        }
        let begin = now();
        match self.job {
            Job::FetchAdd => (0..ADDS).for_each(|_| self.bare.add()),
            Job::BareLock => (0..ADDS).for_each(|_| self.bare.add_locked()),
            Job::Robust => (0..ADDS).for_each(|_| self.bare.add_robust()),
            Job::RawSync => self.bare.add_raw_sync(ADDS),
            Job::Share => (0..ADDS).for_each(|_| self.share.counter += 1),
            Job::Append => (0..APPENDS).for_each(|number| self.share.names.push(format!("entry {number}"))),
            Job::Transaction => (0..ADDS / 10).for_each(|_| {
                self.share.transaction(|state| {
                    state.counter += 1;
                    state.other -= 1;
                });
            }),
        }
        self.meeting.times.push((begin, now()));
        Ok(())
    }
}

/// Two processes do a job at once; the time until both are done.
fn two(job: Job) -> Duration {
    let state = State { other: ADDS, ..State::default() };
    let (share, bare) = (Share::new(state).expect("it works"), Bare::new());
    let mut meeting = Share::new(Meeting::default()).expect("it works");
    let sides: Vec<_> = [true, false]
        .map(|is_first| Side {
            job,
            is_first,
            share: share.clone(),
            bare: again(&bare),
            meeting: meeting.clone(),
        })
        .into_iter()
        .map(|side| side.start().expect("it works"))
        .collect();
    meeting.wait_until(|meeting| meeting.there == 2).expect("it works");
    meeting.there += 1;
    for side in sides {
        side.wait().expect("it works");
    }
    match job {
        Job::FetchAdd | Job::BareLock | Job::Robust | Job::RawSync => assert_eq!(bare.get(), 2 * ADDS),
        Job::Share => assert_eq!(share.counter, 2 * ADDS),
        Job::Append => assert_eq!(share.names.len() as u64, 2 * APPENDS),
        Job::Transaction => assert_eq!(share.counter.get() + share.other.get(), ADDS),
    }
    let times = meeting.times.to_vec();
    let first = times.iter().map(|time| time.0).min().expect("there are two");
    let last = times.iter().map(|time| time.1).max().expect("there are two");
    Duration::from_nanos(last - first)
}

/// The same number in the same memory.
fn again(bare: &Bare) -> Bare {
    let encoded = processing::cucumber::encode(bare).expect("it works");
    processing::cucumber::decode(&encoded.bytes, encoded.attachments).expect("it works")
}

pub(super) fn contests() {
    for (job, question) in [
        (Job::Share, "two processes, 1 000 000 additions each"),
        (Job::Transaction, "two processes, 100 000 transactions of two integers each"),
        (Job::Append, "two processes, 1 000 appends of a short string each"),
    ] {
        let mut contest = Contest::new(question).rounds(20);
        if job == Job::Share {
            contest.floor("`fetch_add`", || two(Job::FetchAdd));
            contest.floor("an integer in a bare robust lock", || two(Job::BareLock));
            contest.peer("an integer in a robust pthread mutex", || two(Job::Robust));
            contest.peer("an integer in a raw_sync mutex", || two(Job::RawSync));
        }
        contest.enter("share", || two(job));
        println!("{}", contest.run());
    }
}
