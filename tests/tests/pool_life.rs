//! A pool's own settings, pools in pools, and what is left when a pool ends.
#![allow(clippy::unwrap_used, reason = "a function of a test is a part of the test")]

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use processing::{Pool, PoolError, Retry, Stream, task};
use tests::{chain, processes, watchdog};

const HOUR: Duration = Duration::from_secs(3600);

fn pool(workers: usize) -> Pool {
    Pool::builder().workers(workers).stderr(Stream::Null).build().unwrap()
}

/// Answers the first item at once, and none of the others.
fn hang_behind_the_first(item: u32) -> u32 {
    if item > 0 {
        std::thread::sleep(HOUR);
    }
    item
}

fn all_gone(pids: &[u32]) -> bool {
    pids.iter().all(|&pid| !processes::exists(pid))
}

#[test]
fn a_flood_of_small_answers_is_heard_to_its_end() {
    let _watchdog = watchdog();
    // An answer for each task, so that more of them arrive at once than are taken in at a time.
    let pool = Pool::builder().workers(2).chunk(1).window(8192).build().unwrap();
    for _ in 0..10 {
        assert_eq!(pool.map(|n: u32| n, 0..10_000).unwrap().len(), 10_000);
    }
}

#[test]
fn a_worker_is_replaced_after_so_many_tasks() {
    let _watchdog = watchdog();
    let pool = Pool::builder().workers(1).recycle_after(2).build().unwrap();
    let mut tasks = HashMap::new();
    for pid in pool.map(|_: u8| std::process::id(), [0; 7]).unwrap() {
        *tasks.entry(pid).or_insert(0) += 1;
    }
    assert!(tasks.values().all(|&count| count <= 2), "{tasks:?}");
    assert!(tasks.len() >= 4, "{tasks:?}");
}

#[test]
fn the_initializer_runs_once_in_each_worker_before_its_tasks() {
    static CALLS: AtomicU32 = AtomicU32::new(0);
    let _watchdog = watchdog();
    let set_up = || {
        CALLS.fetch_add(1, Ordering::Relaxed);
    };
    let pool = Pool::builder().workers(2).initializer(set_up).build().unwrap();
    let calls = pool.map(|_: u8| CALLS.load(Ordering::Relaxed), [0; 50]).unwrap();
    assert!(calls.iter().all(|&calls| calls == 1), "{calls:?}");
    assert_eq!(CALLS.load(Ordering::Relaxed), 0);
}

#[test]
fn an_initializer_that_fails_is_told_with_its_reason() {
    let _watchdog = watchdog();
    let fails = || Err::<(), _>(std::io::Error::other("no model to load"));
    let pool = Pool::builder().workers(2).initializer(fails).stderr(Stream::Null).build().unwrap();
    let error = pool.map(|n: u8| n, [1, 2, 3]).unwrap_err();
    assert_eq!(error.index, 0);
    assert!(chain(&error).iter().any(|text| text.contains("no model to load")), "{:?}", chain(&error));
}

#[test]
fn workers_share_the_budget_of_threads() {
    let _watchdog = watchdog();
    let pool = Pool::builder().workers(2).thread_budget(6).build().unwrap();
    let told = |_: u8| {
        let variable = std::env::var("BLIS_NUM_THREADS");
        (variable.ok(), Pool::builder().build().map(|pool| pool.workers()).unwrap_or_default())
    };
    assert_eq!(pool.map(told, [0; 4]).unwrap(), vec![(Some("3".to_owned()), 3); 4]);
    let silent = Pool::builder().workers(2).thread_budget(6).no_thread_budget().build().unwrap();
    let ours = std::env::var("BLIS_NUM_THREADS").ok();
    assert_eq!(silent.map(|_: u8| std::env::var("BLIS_NUM_THREADS").ok(), [0]).unwrap(), [ours]);
}

#[test]
fn pools_in_pools_end_with_them() {
    fn deep(depth: u32) -> Vec<u32> {
        let mut pids = vec![std::process::id()];
        if depth > 0 {
            let pool = Pool::new(2).unwrap();
            pids.extend(pool.map(deep, [depth - 1; 2]).unwrap().into_iter().flatten());
        }
        pids
    }
    let _watchdog = watchdog();
    let pool = pool(2);
    let pids = pool.map(deep, [3]).unwrap().remove(0);
    assert_eq!(pids.len(), 15);
    drop(pool);
    assert!(all_gone(&pids), "{pids:?}");
}

#[test]
fn nothing_survives_a_scope_that_an_error_leaves() {
    fn fail_or_hang(item: u32) -> Result<u32, PoolError> {
        assert_ne!(item, 1, "this one fails");
        Ok(hang_behind_the_first(item))
    }
    fn leave(pids: &mut Vec<u32>) -> Result<(), PoolError> {
        let pool = pool(3);
        for result in pool.unordered_imap(|item| fail_or_hang(item).unwrap(), 0..10) {
            pids.extend(pool.pids());
            result?;
        }
        Ok(())
    }
    let _watchdog = watchdog();
    let mut pids = Vec::new();
    let error = leave(&mut pids).unwrap_err();
    assert_eq!(error.index, 1);
    assert!(!pids.is_empty() && all_gone(&pids), "{pids:?}");
}

#[test]
fn terminate_ends_what_runs_and_close_waits_for_it() {
    let _watchdog = watchdog();
    let ended = pool(2);
    let mut hanging = ended.background().imap(hang_behind_the_first, 0..5);
    assert_eq!(hanging.next().unwrap().unwrap(), 0);
    let pids = ended.pids();
    ended.terminate();
    assert!(!pids.is_empty() && all_gone(&pids), "{pids:?}");
    assert!(hanging.next().unwrap().is_err());

    let closed = pool(2);
    let call = closed.background().map(|n: u64| n * 2, 0..500);
    closed.close();
    assert_eq!(call.wait().unwrap(), (0..500).map(|n| n * 2).collect::<Vec<u64>>());
}

#[test]
fn an_endless_call_ends_with_its_pool() {
    fn fails() -> Result<(), String> {
        Err("not today".to_owned())
    }
    let _watchdog = watchdog();
    let ended = pool(2);
    let mut hanging = ended.background().imap(hang_behind_the_first, 0..);
    assert_eq!(hanging.next().unwrap().unwrap(), 0);
    ended.terminate();
    assert!(hanging.all(|result| result.is_err()));

    let broken = Pool::builder().workers(2).initializer(fails).build().unwrap();
    assert!(broken.imap(|n: u64| n, 0..).all(|result| result.is_err()));
    assert!(broken.unordered_imap(|n: u64| n, 0..).all(|result| result.is_err()));
    // What has an end has an error for each.
    assert_eq!(broken.map_results(|n: u64| n, 0..100).len(), 100);
}

#[test]
fn a_pool_without_workers_goes_through_the_codec() {
    let _watchdog = watchdog();
    let pool = Pool::inline();
    let here = |_: u8| std::process::id();
    assert_eq!(pool.map(here, [1]).unwrap(), [std::process::id()]);
    assert_eq!(pool.star().map(|a: u8, b: u8| a + b, [(1, 2)]).unwrap(), [3]);
    // What serde leaves out is left out here too.
    #[derive(serde::Serialize, serde::Deserialize)]
    struct Item {
        #[serde(skip)]
        skipped: u8,
        kept: u8,
    }
    let seen = pool.map(|item: Item| (item.skipped, item.kept), [Item { skipped: 7, kept: 8 }]).unwrap();
    assert_eq!(seen, [(0, 8)]);
}

#[test]
fn modifiers_come_in_any_order() {
    let _watchdog = watchdog();
    let pool = pool(2);
    let factor = 10;
    let weigh = || task!(|a: i32, b: i32| a * factor + b);
    let (items, weighed) = ([(1, 2), (3, 4)], [12, 34]);
    let retry = || Retry::from(2);
    assert_eq!(pool.star().map(weigh(), items).unwrap(), weighed);
    let call = pool.timeout(HOUR).task_timeout(HOUR).retry(retry()).rate_limit(1e6).lives(2).star();
    assert_eq!(call.map(weigh(), items).unwrap(), weighed);
    let call = pool.star().rate_limit(1e6).retry(retry()).window(4).chunk(1).task_timeout(HOUR).timeout(HOUR);
    assert_eq!(call.unordered_imap(weigh(), items).map(Result::unwrap).sum::<i32>(), 46);
    let call = pool.background().star().retry(retry()).timeout(HOUR).rate_limit(1e6);
    assert_eq!(call.map(weigh(), items).wait().unwrap(), weighed);
    let call = pool.rate_limit(1e6).star().timeout(HOUR).background().task_timeout(HOUR);
    assert_eq!(call.imap(weigh(), items).collect::<Result<Vec<_>, _>>().unwrap(), weighed);
}
