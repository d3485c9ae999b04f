//! Workers of a pool that die, hang or are killed: what it costs, and what it does not.
#![allow(clippy::unwrap_used, reason = "a function of a test is a part of the test")]

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use processing::{CurrentTask, Exit, Pool, Retry, Stream, task};
use tests::deeds::Deed;
use tests::{TempDir, processes, watchdog};

fn pool(workers: usize) -> Pool {
    Pool::builder().workers(workers).stderr(Stream::Null).build().unwrap()
}

/// Commits the deed for one item, the first time if there are lives.
fn commit(index: u32, deed: Deed) -> u32 {
    if index == 7 && CurrentTask::get().unwrap().attempt == 0 {
        deed.commit().unwrap();
    }
    index
}

#[test]
fn every_death_costs_one_task_only_and_is_told() {
    let _watchdog = watchdog();
    let pool = pool(2);
    for &deed in Deed::DEADLY {
        let results = pool.star().map_results(commit, (0..20).map(|n| (n, deed)));
        assert_eq!(results.len(), 20);
        for (index, result) in results.into_iter().enumerate() {
            match result {
                Ok(value) => assert_eq!((value as usize, index != 7), (index, true), "{deed:?}"),
                Err(error) => {
                    assert_eq!((error.index, index, error.attempts), (7, 7, 1), "{deed:?}");
                    let exit = error.source.exit();
                    match deed {
                        Deed::PanicTwice => assert!(error.source.is_panic(), "{error:?}"),
                        Deed::Sigkill => assert_eq!(exit, Some(Exit::Signal(9))),
                        Deed::Sigsegv | Deed::StackOverflow => assert_eq!(exit, Some(Exit::Signal(11))),
                        Deed::ExitZero | Deed::StdExit => assert_eq!(exit, Some(Exit::Code(0))),
                        Deed::ExitThree => assert_eq!(exit, Some(Exit::Code(3))),
                        _ => assert!(error.is_crash(), "{deed:?}: {error:?}"),
                    }
                }
            }
        }
    }
}

#[test]
fn with_lives_a_task_survives_its_worker() {
    let _watchdog = watchdog();
    let pool = Pool::builder().workers(2).lives(2).stderr(Stream::Null).build().unwrap();
    for deed in Deed::DEADLY.iter().copied().chain([Deed::PanicStr, Deed::PanicAny]) {
        let values = pool.star().map(commit, (0..20).map(|n| (n, deed))).unwrap();
        assert_eq!(values, (0..20).collect::<Vec<_>>(), "{deed:?}");
    }
}

#[test]
fn the_error_of_map_is_the_lowest_and_the_pool_stays_usable() {
    let _watchdog = watchdog();
    let pool = pool(2);
    let error = pool
        .map(
            |n: u32| {
                match n {
                    // The higher one fails first.
                    4 => {
                        std::thread::sleep(Duration::from_millis(200));
                        panic!("four");
                    }
                    5 => std::process::abort(),
                    _ => n,
                }
            },
            0..50,
        )
        .unwrap_err();
    assert_eq!((error.index, error.source.message()), (4, Some("four")));
    assert_eq!(pool.map(|n: u32| n, [1, 2]).unwrap(), [1, 2]);
}

#[test]
fn a_kill_from_outside_costs_the_task_that_ran() {
    let _watchdog = watchdog();
    let pool = pool(2);
    let slow = |n: u32| {
        std::thread::sleep(Duration::from_millis(20));
        (n, std::process::id())
    };
    let mut failed = 0;
    let mut done = BTreeSet::new();
    let results = pool.unordered_imap(slow, 0..60);
    let mut killed = 0;
    for result in results {
        match result {
            Ok((n, pid)) => {
                assert!(done.insert(n));
                if done.len() % 10 == 0 && killed < 4 && processes::exists(pid) {
                    processes::kill(pid);
                    killed += 1;
                }
            }
            Err(error) => {
                assert_eq!(error.source.exit(), Some(Exit::Signal(9)), "{error:?}");
                assert!(done.insert(error.index as u32));
                failed += 1;
            }
        }
    }
    assert_eq!(done.len(), 60);
    assert!(killed > 0 && failed <= killed, "{failed} of {killed}");
}

#[test]
fn a_seat_that_nobody_needs_any_more_holds_nobody_up() {
    /// The worker in the first seat never gets ready.
    fn fails_in_one_seat() -> Result<(), String> {
        if processing::worker_index() == Some(0) { Err("not here".to_owned()) } else { Ok(()) }
    }
    let _watchdog = watchdog();
    let pool = Pool::builder().workers(2).initializer(fails_in_one_seat).build().unwrap();
    let slow = |n: u32| {
        std::thread::sleep(Duration::from_millis(20));
        n
    };
    assert_eq!(pool.map(slow, 0..10).unwrap(), (0..10).collect::<Vec<_>>());
    // The time until its next try is over in the midst of this, and there is nothing to try for.
    let other = self::pool(1);
    for _ in 0..40 {
        assert_eq!(other.map(slow, [1]).unwrap(), [1]);
    }
    assert_eq!(pool.map(slow, 0..10).unwrap(), (0..10).collect::<Vec<_>>());
}

#[test]
fn finished_tasks_are_not_run_again_when_the_next_one_dies() {
    let _watchdog = watchdog();
    let dir = TempDir::new();
    let marks = dir.marks();
    let pool = Pool::builder().workers(1).lives(2).build().unwrap();
    // Warm, so that the tasks come in chunks.
    pool.map(|n: u32| n, 0..2000).unwrap();
    let work = task!([marks] |n: u32| {
        if n == 250 && CurrentTask::get().unwrap().attempt == 0 {
            Deed::Sigkill.commit().unwrap();
        }
        marks.add(n);
        n
    });
    assert_eq!(pool.map(work, 0..500).unwrap(), (0..500).collect::<Vec<_>>());
    let mut ran: Vec<u32> = marks.read().iter().map(|mark| mark.parse().unwrap()).collect();
    ran.sort_unstable();
    assert_eq!(ran, (0..500).collect::<Vec<_>>());
}

#[test]
fn poison_ends_as_such_and_takes_nobody_with_it() {
    let _watchdog = watchdog();
    let pool = Pool::builder().workers(2).lives(100).build().unwrap();
    let work = |n: u32| {
        if n == 3 {
            std::process::abort();
        }
        n
    };
    let results = pool.map_results(work, 0..30);
    let error = results[3].as_ref().unwrap_err();
    assert!(error.is_poison() && error.is_crash(), "{error:?}");
    assert_eq!(error.attempts, 3);
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 29);
    assert!(error.to_string().contains("poison"));
}

#[test]
fn a_task_that_overruns_its_limit_is_ended_alone() {
    let _watchdog = watchdog();
    let pool = pool(2);
    for deed in Deed::ENDLESS {
        let begun = Instant::now();
        let limit = Duration::from_millis(200);
        let results = pool.star().task_timeout(limit).map_results(commit, (0..20).map(|n| (n, deed)));
        assert!(begun.elapsed() >= limit);
        for (index, result) in results.iter().enumerate() {
            match result {
                Ok(value) => assert_eq!(*value as usize, index),
                Err(error) => assert!(error.is_timeout() && error.index == 7 && index == 7, "{error:?}"),
            }
        }
        assert!(results[7].is_err());
        assert_eq!(pool.star().task_timeout(limit).lives(2).map(commit, [(7, deed)]).unwrap(), [7]);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_worker_that_was_stopped_holds_nobody_up() {
    let _watchdog = watchdog();
    let pool = pool(2);
    let limit = Duration::from_millis(100);
    let slow = |n: u32| {
        std::thread::sleep(Duration::from_millis(20));
        n
    };
    for round in 0..3 {
        assert_eq!(pool.map(slow, 0..4).unwrap(), [0, 1, 2, 3], "round {round}");
        let pids = pool.pids();
        // Nothing has been begun, so no task pays for it; and the other one is there.
        processes::signal(pids[0], rustix::process::Signal::STOP);
        assert_eq!(pool.map(|n: u32| n, 0..4).unwrap(), [0, 1, 2, 3], "round {round}");
        pids.iter().for_each(|&pid| processes::signal(pid, rustix::process::Signal::STOP));
        assert_eq!(pool.task_timeout(limit).map(|n: u32| n, 0..4).unwrap(), [0, 1, 2, 3], "round {round}");
        // What is left of them is of no use either.
        pool.pids().iter().filter(|pid| pids.contains(pid)).for_each(|&pid| processes::kill(pid));
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_worker_that_is_stopped_at_any_moment_costs_one_limit() {
    let _watchdog = watchdog();
    let pool = Pool::builder().workers(2).lives(50).poison_after(50).stderr(Stream::Null).build().unwrap();
    let mut results =
        pool.task_timeout(Duration::from_millis(50)).imap(|n: u32| (n, std::process::id()), 0..);
    for n in 0..20_000 {
        let (seen, pid) = results.next().unwrap().unwrap();
        assert_eq!(seen, n);
        // One that is at work: a worker that is stopped while it starts has the time that a start may take.
        if n % 1000 == 0 && pool.pids().contains(&pid) {
            processes::signal(pid, rustix::process::Signal::STOP);
        }
    }
}

#[test]
fn limits_of_tiny_tasks_are_kept() {
    let _watchdog = watchdog();
    let pool = pool(2);
    let limit = Duration::from_millis(100);
    for round in 0..10 {
        let results = pool.task_timeout(limit).map_results(
            |n: u32| {
                if n == 777 {
                    std::thread::sleep(Duration::from_secs(3600));
                }
                n
            },
            0..2000,
        );
        let failed: Vec<usize> =
            results.iter().filter_map(|result| result.as_ref().err()).map(|error| error.index).collect();
        assert_eq!(failed, [777], "round {round}");
    }
}

#[test]
fn a_call_that_takes_too_long_names_the_first_item_missing() {
    let _watchdog = watchdog();
    let pool = pool(2);
    let work = |ms: u64| std::thread::sleep(Duration::from_millis(ms));
    pool.map(work, [1, 1]).unwrap();
    // Time enough to start a worker, too.
    let limit = Duration::from_secs(1);
    let begun = Instant::now();
    let error = pool.timeout(limit).map(work, [0, 60_000, 0, 60_000]).unwrap_err();
    assert!(error.is_timeout() && error.index == 1, "{error:?}");
    assert!(begun.elapsed() >= limit);
    assert_eq!(pool.timeout(limit).map_results(work, [0, 60_000]).iter().filter(|r| r.is_ok()).count(), 1);
    // Each wait of an iterator has the limit for itself.
    let values: Vec<_> = pool.timeout(limit).imap(work, [50, 100, 150, 60_000, 0]).collect();
    assert_eq!(values.iter().filter(|value| value.is_ok()).count(), 3);
    assert_eq!(values.len(), 4);
    // The workers are free again.
    assert_eq!(pool.map(|n: u8| n, [1, 2, 3]).unwrap(), [1, 2, 3]);
}

#[test]
fn a_cancelled_task_is_ended_and_no_other() {
    let _watchdog = watchdog();
    let pool = pool(2);
    for _ in 0..30 {
        let mut dropped = pool.imap(
            |ms: u64| std::thread::sleep(Duration::from_millis(ms)),
            std::iter::once(0).chain(std::iter::repeat(120)),
        );
        dropped.next().unwrap().unwrap();
        drop(dropped);
        // These begin on the same workers, about when what was dropped is killed.
        assert_eq!(pool.map(|n: u32| n + 1, 0..200).unwrap(), (1..201).collect::<Vec<_>>());
    }
}

#[test]
fn retries_wait_and_count() {
    let _watchdog = watchdog();
    let pool = pool(2);
    let begun = Instant::now();
    let flaky = |n: u32| {
        let attempt = CurrentTask::get().unwrap().attempt;
        if attempt < 2 { Err(format!("{n} at attempt {attempt}")) } else { Ok(n) }
    };
    let retry = Retry::times(3).delay(Duration::from_millis(50)).backoff(2.0);
    assert_eq!(pool.retry(retry).try_map(flaky, 0..4).unwrap(), [0, 1, 2, 3]);
    assert!(begun.elapsed() >= Duration::from_millis(150));
    let error = pool.retry(2).try_map(flaky, 0..4).unwrap_err();
    assert_eq!((error.index(), error.into_error().unwrap().as_str()), (0, "0 at attempt 1"));
}

#[test]
fn a_rate_is_kept() {
    let _watchdog = watchdog();
    let pool = pool(2);
    let begun = Instant::now();
    pool.rate_limit(50.0).map(|n: u32| n, 0..11).unwrap();
    assert!(begun.elapsed() >= Duration::from_millis(200));
}
