//! What does a pool cost: for tiny tasks, for big values, for work that keeps processors busy, and to have one at all?
//!
//! `cargo bench --bench pool`, with `-- --quick` for a tenth of the rounds. Every pool is of two workers.

mod peers {
    pub(crate) mod pipes;
    pub(crate) mod rings;
}

use std::collections::VecDeque;
use std::hint::black_box;

use benches::{Contest, timed};
use peers::pipes::Pipes;
use peers::rings::Rings;
use processing::Pool;
use processing::prelude::*;
use rayon::prelude::*;

/// How many tasks procspawn's pool is given ahead.
const AHEAD: usize = 64;

fn double(number: u64) -> u64 {
    2 * number
}

fn echo(bytes: Vec<u8>) -> Vec<u8> {
    bytes
}

/// Keeps one processor busy for some milliseconds.
fn collatz(from: u64) -> u64 {
    let steps = |mut number: u64| {
        let mut steps = 0_u64;
        while number > 1 {
            number = if number.is_multiple_of(2) { number / 2 } else { 3 * number + 1 };
            steps += 1;
        }
        steps
    };
    (from..from + 50_000).map(steps).sum()
}

fn main() {
    // Its children never come back from here; ours do not even get here.
    procspawn::init();
    let ours = Pool::new(2).expect("a pool");
    let theirs = procspawn::Pool::new(2).expect("a pool");
    let threads = rayon::ThreadPoolBuilder::new().num_threads(2).build().expect("threads");
    let pipes = Pipes::start();
    let rings = Rings::start();

    let mut contest = Contest::new("10 000 × x → 2x").rounds(30);
    contest.enter("processing, map", || {
        let (doubled, time) = timed(|| ours.map(double, 0..10_000).expect("it ends well"));
        check(&doubled);
        time
    });
    contest.enter("processing, imap", || {
        let all = || ours.imap(double, 0..10_000).collect::<Result<Vec<_>, _>>();
        let (doubled, time) = timed(|| all().expect("it ends well"));
        check(&doubled);
        time
    });
    contest.floor("bare rings to two processes, one at a time", || {
        let (doubled, time) = timed(|| rings.double(10_000));
        check(&doubled);
        time
    });
    contest.enter("pipes to two processes, 64 at a time", || {
        let (doubled, time) = timed(|| pipes.double(10_000, 64));
        check(&doubled);
        time
    });
    contest.enter("pipes to two processes, one at a time", || {
        let (doubled, time) = timed(|| pipes.double(10_000, 1));
        check(&doubled);
        time
    });
    contest.peer(format!("procspawn, {AHEAD} ahead"), || {
        let (doubled, time) = timed(|| spawned(&theirs, AHEAD, 0..10_000, double));
        check(&doubled);
        time
    });
    contest.peer("rayon, in one process", || {
        let all = || threads.install(|| (0..10_000_u64).into_par_iter().map(double).collect::<Vec<_>>());
        let (doubled, time) = timed(all);
        check(&doubled);
        time
    });
    print!("{}", contest.run());
    rings.end();

    let bytes = vec![7_u8; 1 << 20];
    let items = || (0..200).map(|_| bytes.clone());
    let mut contest = Contest::new("200 × 1 MiB there and back, each used once").rounds(10);
    contest.enter("processing, imap", || {
        let all = || ours.imap(echo, items()).map(|bytes| bytes.expect("it ends well").len()).sum::<usize>();
        let (size, time) = timed(all);
        assert_eq!(size, 200 << 20);
        time
    });
    // More than its workers, and it deadlocks.
    contest.peer("procspawn, 2 ahead", || {
        let all = || spawned(&theirs, 2, items(), echo).iter().map(Vec::len).sum::<usize>();
        let (size, time) = timed(all);
        assert_eq!(size, 200 << 20);
        time
    });
    contest.peer("rayon, in one process", || {
        let all = || items().map(|bytes| threads.install(|| echo(bytes)).len()).sum::<usize>();
        let (size, time) = timed(all);
        assert_eq!(size, 200 << 20);
        time
    });
    print!("{}", contest.run());

    let mut contest = Contest::new("256 tasks that keep a processor busy for 5 ms each").rounds(10);
    contest.enter("processing, map", || timed(|| ours.map(collatz, 0..256).expect("it ends well")).1);
    contest.peer("rayon, in one process", || {
        let all = || threads.install(|| (0..256_u64).into_par_iter().map(collatz).collect::<Vec<_>>());
        timed(|| black_box(all())).1
    });
    contest.enter("one thread, half of them", || timed(|| black_box((0..128).map(collatz).sum::<u64>())).1);
    print!("{}", contest.run());

    let mut contest = Contest::new("a pool of two: up, used and down").rounds(50);
    contest.enter("processing, Pool", || {
        timed(|| {
            let pool = Pool::new(2).expect("a pool");
            assert_eq!(pool.map(double, 0..4).expect("it ends well"), [0, 2, 4, 6]);
            pool.close();
        })
        .1
    });
    contest.enter("processing, one process from start to end", || {
        timed(|| Nothing {}.start().expect("it starts").wait().expect("it ends well")).1
    });
    contest.peer("procspawn, Pool", || {
        timed(|| {
            let pool = procspawn::Pool::new(2).expect("a pool");
            assert_eq!(spawned(&pool, 4, 0..4, double), [0, 2, 4, 6]);
            pool.shutdown();
        })
        .1
    });
    print!("{}", contest.run());
}

#[skprocess(runs = 1)]
struct Nothing {}

#[skprocess]
impl Nothing {
    fn run(&mut self) {}
}

fn check(doubled: &[u64]) {
    assert!(doubled.iter().copied().eq((0..10_000).map(double)));
}

/// All results of procspawn's pool, in order, with so many tasks under way.
fn spawned<A, R>(
    pool: &procspawn::Pool,
    ahead: usize,
    mut items: impl Iterator<Item = A>,
    function: fn(A) -> R,
) -> Vec<R>
where
    A: serde::Serialize + serde::de::DeserializeOwned + Send + 'static,
    R: serde::Serialize + serde::de::DeserializeOwned + Send + 'static,
{
    let mut under_way = VecDeque::new();
    let mut results = Vec::new();
    loop {
        while under_way.len() < ahead
            && let Some(item) = items.next()
        {
            under_way.push_back(pool.spawn(item, function));
        }
        let Some(handle) = under_way.pop_front() else { return results };
        results.push(handle.join().expect("it ends well"));
    }
}
