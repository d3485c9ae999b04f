//! Process types in a pool: each item's whole life in a worker.
#![allow(clippy::unwrap_used, reason = "a function of a test is a part of the test")]

use std::time::Duration;

use processing::prelude::*;
use processing::{
    CurrentTask, Exit, Phase, Pool, ProcessError, Share, Shareable, Stream, TellError, Timers, process,
};
use tests::deeds::Deed;
use tests::watchdog;

fn pool(workers: usize) -> Pool {
    Pool::builder().workers(workers).stderr(Stream::Null).build().unwrap()
}

#[skprocess(runs = 3)]
struct Triple {
    number: u32,
    sum: u32,
}

#[skprocess]
impl Triple {
    fn new(number: u32) -> Self {
        Triple { number, sum: 0 }
    }

    fn run(&mut self) {
        self.sum += self.number;
    }

    fn result(&mut self) -> u32 {
        self.sum
    }
}

#[skprocess(runs = 1)]
struct Single {
    text: String,
}

#[skprocess]
impl Single {
    fn run(&mut self) {
        self.text.push('!');
    }

    fn result(&mut self) -> String {
        self.text.clone()
    }
}

#[skprocess(runs = 1)]
struct Pair {
    a: u32,
    b: String,
}

#[skprocess]
impl Pair {
    fn new(a: u32, b: String) -> Self {
        Pair { a, b }
    }

    fn run(&mut self) {
        self.b = self.b.repeat(self.a as usize);
    }

    fn result(&mut self) -> String {
        self.b.clone()
    }
}

#[skprocess(runs = 1)]
struct Generic<T: Send> {
    value: T,
}

#[skprocess]
impl<T: Send + Clone + serde::Serialize + serde::de::DeserializeOwned + 'static> Generic<T> {
    fn run(&mut self) {}

    fn result(&mut self) -> T {
        self.value.clone()
    }
}

#[test]
fn a_process_type_is_mapped_like_a_function() {
    let _watchdog = watchdog();
    for pool in [pool(2), Pool::inline()] {
        assert_eq!(pool.map(Triple, 0..50).unwrap(), (0..150).step_by(3).collect::<Vec<_>>());
        assert_eq!(pool.map(Single, ["a".to_owned(), "b".to_owned()]).unwrap(), ["a!", "b!"]);
        let pairs = [(2, "ab".to_owned()), (0, "c".to_owned())];
        assert_eq!(pool.star().map(Pair, pairs).unwrap(), ["abab", ""]);
        assert_eq!(pool.map(process::<Generic<u8>>(), [1, 2]).unwrap(), [1, 2]);
        let first: Vec<u32> = pool.imap(Triple, 0..).take(3).collect::<Result<_, _>>().unwrap();
        assert_eq!(first, [0, 3, 6]);
        let mut sums = pool.unordered_map(Triple, 0..5).unwrap();
        sums.sort_unstable();
        assert_eq!(sums, [0, 3, 6, 9, 12]);
        assert_eq!(pool.background().map(Triple, 0..2).wait().unwrap(), [0, 3]);
    }
}

#[derive(Shareable, Default)]
struct State {
    counter: u64,
    seen: Vec<u64>,
}

#[skprocess(runs = 10)]
struct ShareCounter {
    share: Share<State>,
}

#[skprocess]
impl ShareCounter {
    fn run(&mut self) {
        self.share.transaction(|state| {
            state.counter += 1;
            let now = state.counter.get();
            state.seen.push(now);
        });
    }
}

#[test]
fn the_seeds_example_of_shared_state_runs() {
    let _watchdog = watchdog();
    let mut share = Share::new(State::default()).unwrap();
    share.counter += 1;
    let pool = pool(4);
    pool.map(ShareCounter, vec![share.clone(); 10]).unwrap();
    assert_eq!(share.counter, 101);
    assert_eq!(share.seen.to_vec(), (2..=101).collect::<Vec<u64>>());
}

/// Does a deed in its second run, as often as it is told to.
#[skprocess(runs = 3, lives = 3)]
struct Fragile {
    deed: Deed,
    times: u32,
    failures: u32,
    pids: Vec<u32>,
}

#[skprocess]
impl Fragile {
    fn new(deed: Deed, times: u32) -> Self {
        Fragile { deed, times, failures: 0, pids: Vec::new() }
    }

    fn run(&mut self) -> Result<(), String> {
        self.pids.push(std::process::id());
        let before = CurrentTask::get().unwrap().attempt + self.failures;
        if self.current_run() == 1 && before < self.times {
            self.failures += 1;
            self.deed.commit().map_err(|error| error.to_string())?;
        }
        Ok(())
    }

    fn result(&mut self) -> (u32, usize) {
        (self.failures, self.pids.len())
    }
}

#[test]
fn a_failing_hook_spends_a_life_where_it_is() {
    let _watchdog = watchdog();
    for pool in [pool(2), Pool::inline()] {
        for deed in [Deed::Io, Deed::PanicStr] {
            assert_eq!(pool.star().map(Fragile, [(deed, 2)]).unwrap(), [(2, 5)], "{deed:?}");
            let error = pool.star().map(Fragile, [(deed, 3)]).unwrap_err();
            assert_eq!((error.source.phase(), error.source.run()), (Some(Phase::Run), Some(1)), "{error:?}");
            assert_eq!(error.source.is_panic(), deed == Deed::PanicStr);
        }
    }
}

#[test]
fn a_worker_that_dies_under_a_process_spends_a_life() {
    let _watchdog = watchdog();
    let pool = pool(2);
    for deed in [Deed::Sigkill, Deed::ExitZero] {
        // It begins anew from its item, so nothing is left of its failures but the count.
        assert_eq!(pool.star().map(Fragile, [(deed, 2), (deed, 0)]).unwrap(), [(0, 3), (0, 3)], "{deed:?}");
        let results = pool.star().map_results(Fragile, [(deed, 0), (deed, 9), (deed, 0)]);
        assert_eq!((results[0].as_ref().unwrap(), results[2].as_ref().unwrap()), (&(0, 3), &(0, 3)));
        let error = results[1].as_ref().unwrap_err();
        assert_eq!((error.index, error.attempts, error.is_poison()), (1, 3, true));
        assert_eq!((error.source.phase(), error.source.run()), (Some(Phase::Run), Some(1)), "{error:?}");
        let exit = if deed == Deed::Sigkill { Exit::Signal(9) } else { Exit::Code(0) };
        assert_eq!(error.source.exit(), Some(exit));
    }
}

#[skprocess(runs = 2, lives = 3)]
struct Mixed {
    item: u32,
    failed: bool,
}

#[skprocess]
impl Mixed {
    fn new(item: u32) -> Self {
        Mixed { item, failed: false }
    }

    /// An error and a kill in every attempt.
    fn run(&mut self) -> Result<(), String> {
        if self.failed {
            Deed::Sigkill.commit().unwrap();
        }
        self.failed = true;
        Err(format!("error of {}", self.item))
    }
}

#[test]
fn lives_are_one_budget_over_all_workers() {
    let _watchdog = watchdog();
    let error = pool(1).map(Mixed, [7]).unwrap_err();
    // An error, a kill, an error: the third one is the last.
    assert_eq!(error.source.message(), Some("error of 7"));
    assert_eq!(error.source.phase(), Some(Phase::Run));
}

#[skprocess(runs = 1, timeouts(run = "150ms"))]
struct Limited {
    deed: Option<Deed>,
}

#[skprocess]
impl Limited {
    fn run(&mut self) {
        if let Some(deed) = self.deed {
            deed.commit().unwrap();
        }
    }
}

#[test]
fn a_hook_that_overruns_its_limit_costs_its_process_only() {
    let _watchdog = watchdog();
    let pool = pool(2);
    for deed in [Deed::Spin, Deed::Block, Deed::CatchEverything] {
        let items = [None, Some(deed), None, None];
        let results = pool.map_results(Limited, items);
        assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 3);
        let error = results[1].as_ref().unwrap_err();
        assert_eq!(error.source.phase(), Some(Phase::Run));
        assert!(
            matches!(&error.source, ProcessError::Timeout { limit, .. } if *limit == Duration::from_millis(150)),
            "{error:?}"
        );
    }
    // The shorter one of two limits holds.
    let error = pool.task_timeout(Duration::from_millis(20)).map(Limited, [Some(Deed::Spin)]).unwrap_err();
    assert!(
        matches!(&error.source, ProcessError::Timeout { limit, .. } if *limit == Duration::from_millis(20)),
        "{error:?}"
    );
}

#[skprocess(runs = 1)]
struct LastWord {
    deed: Deed,
    answer: Option<u32>,
}

#[skprocess]
impl LastWord {
    fn new(deed: Deed, answer: Option<u32>) -> Self {
        LastWord { deed, answer }
    }

    fn run(&mut self) -> anyhow::Result<()> {
        self.deed.commit()
    }

    fn result(&mut self) -> u32 {
        0
    }

    fn error(&mut self, error: ProcessError) -> Result<u32, ProcessError> {
        assert_eq!(error.phase(), Some(Phase::Run));
        match self.answer {
            Some(13) => Err(ProcessError::custom("replaced")),
            Some(14) => {
                Deed::Sigkill.commit().unwrap();
                Ok(0)
            }
            Some(answer) => Ok(answer),
            None => Err(error),
        }
    }
}

#[test]
fn the_error_hook_has_the_last_word() {
    let _watchdog = watchdog();
    let pool = pool(2);
    for deed in [Deed::Io, Deed::PanicStr, Deed::Sigkill, Deed::ExitZero] {
        let items = [Some(1), None, Some(13)].map(|answer| (deed, answer));
        let results = pool.star().map_results(LastWord, items);
        assert_eq!(*results[0].as_ref().unwrap(), 1, "{deed:?}");
        let [kept, replaced] = [1, 2].map(|index| results[index].as_ref().unwrap_err());
        assert_eq!(kept.source.phase(), Some(Phase::Run), "{kept:?}");
        assert_eq!(kept.attempts, 1);
        assert_eq!(kept.is_crash(), matches!(deed, Deed::Sigkill | Deed::ExitZero), "{kept:?}");
        assert_eq!(replaced.source.message(), Some("replaced"), "{replaced:?}");
    }
    // One that dies in it as well has failed as it did first.
    let error = pool.star().map(LastWord, [(Deed::ExitThree, Some(14))]).unwrap_err();
    assert_eq!(error.source.exit(), Some(Exit::Code(3)), "{error:?}");
}

#[skprocess(runs = 4)]
struct Timed {
    pause: u64,
}

#[skprocess]
impl Timed {
    fn run(&mut self) {
        std::thread::sleep(Duration::from_millis(self.pause));
    }

    fn result(&mut self) -> Timers {
        self.timers()
    }
}

#[test]
fn timers_are_each_process_own() {
    let _watchdog = watchdog();
    for timers in pool(1).map(Timed, [1, 2, 3]).unwrap() {
        assert_eq!((timers.run.num_times(), timers.full_run.num_times()), (4, 4));
    }
    let timers = pool(1).map(Timed, [20, 1]).unwrap();
    assert!(timers[0].run.min() >= Some(Duration::from_millis(20)));
    assert!(timers[0].run.total() >= Duration::from_millis(80));
    assert!(timers[1].run.total() < timers[0].run.total());
}

#[skprocess]
struct Stops {
    after: u64,
}

#[skprocess]
impl Stops {
    fn run(&mut self) {
        // A function that knows nothing of the struct, and a thread, find it too.
        let there =
            std::thread::spawn(|| processing::Context::current().map(|process| process.current_run()));
        assert_eq!(there.join().unwrap(), Some(self.current_run()));
        if self.current_run() == self.after {
            self.stop();
        }
    }

    fn result(&mut self) -> (u64, bool) {
        let refused = matches!(self.tell(&1), Err(TellError::NoPeer));
        (self.current_run(), refused && self.listen::<u8>(None).is_err())
    }
}

#[test]
fn a_stop_ends_one_process_and_not_the_next() {
    let _watchdog = watchdog();
    assert_eq!(pool(1).map(Stops, [3, 0, 5]).unwrap(), [(3, true), (0, true), (5, true)]);
    assert_eq!(pool(1).map(|_: u8| processing::Context::current().is_none(), [0]).unwrap(), [true]);
}

#[skprocess(runs = 1)]
struct Refuses {
    number: u32,
}

#[skprocess]
impl Refuses {
    fn new(number: u32) -> Self {
        assert_ne!(number, 1, "not one");
        Refuses { number }
    }

    fn run(&mut self) {}

    fn result(&mut self) -> Result<u32, String> {
        if self.number == 2 { Err("not two".to_owned()) } else { Ok(self.number) }
    }
}

#[test]
fn what_fails_outside_run_is_told_as_well() {
    let _watchdog = watchdog();
    for pool in [pool(2), Pool::inline()] {
        let results = pool.map_results(Refuses, 0..4);
        assert_eq!(results[0].as_ref().unwrap(), &0);
        assert!(results[1].as_ref().unwrap_err().source.message().unwrap().contains("not one"));
        let error = results[2].as_ref().unwrap_err();
        assert_eq!((error.source.phase(), error.source.message()), (Some(Phase::Result), Some("not two")));
        assert_eq!(results[3].as_ref().unwrap(), &3);
    }
}

#[test]
fn a_short_limit_is_kept_after_a_long_one() {
    let _watchdog = watchdog();
    let pool = pool(1);
    // The worker's timer is set to an hour from now, and is not set for every task.
    assert_eq!(pool.task_timeout(Duration::from_secs(3600)).map(|n: u32| n, [1]).unwrap(), [1]);
    let spin = |deed: Deed| deed.commit().map_err(|error| error.to_string());
    let error = pool.task_timeout(Duration::from_millis(100)).map(spin, [Deed::Spin]).unwrap_err();
    assert!(error.is_timeout(), "{error:?}");
}
