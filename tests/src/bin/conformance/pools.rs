//! A pool of two, and tasks that go wrong. Eight tasks, 0 to 7, sleep 50 ms and return their number, but for one.

use std::cell::Cell;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use processing::{CurrentTask, Exit, Pool, PoolError, Stream};
use serde::{Deserialize, Serialize};
use tests::chain;
use tests::deeds::Deed;

use crate::times::{Times, millis};

const NAP: Duration = Duration::from_millis(50);

fn pool(lives: u32) -> Result<Pool> {
    Ok(Pool::builder().workers(2).lives(lives).stderr(Stream::Null).build()?)
}

/// Task 3 does it, the first time.
fn commit(index: u32, deed: Deed) -> u32 {
    if index == 3 && CurrentTask::get().is_some_and(|task| task.attempt == 0) {
        deed.commit().expect("an end");
    }
    std::thread::sleep(NAP);
    index
}

/// The one task that failed; all others must have their values.
fn the_only_failure(results: Vec<Result<u32, PoolError>>, index: usize) -> Result<PoolError> {
    let mut failed = None;
    for (place, result) in results.into_iter().enumerate() {
        match result {
            Ok(value) => ensure!(value as usize == place && place != index, "task {place} returned {value}"),
            Err(error) if place == index => failed = Some(error),
            Err(error) => bail!("task {place} failed too: {}", chain(&error).join(": ")),
        }
    }
    failed.with_context(|| format!("task {index} has not failed"))
}

/// Without the guess that some ends come with.
pub(crate) fn brief(exit: Exit) -> String {
    exit.to_string().split(" (").next().unwrap_or_default().to_owned()
}

/// A worker dies in the middle of a task.
pub(crate) fn death(deed: Deed, exit: Exit) -> Result<String> {
    let tasks = || (0..8).map(|index| (index, deed));
    let error = the_only_failure(pool(1)?.star().map_results(commit, tasks()), 3)?;
    ensure!(error.source.exit() == Some(exit), "another exit: {:?}", error.source.exit());
    let values = pool(2)?.star().map(commit, tasks())?;
    ensure!(values == (0..8).collect::<Vec<_>>(), "with lives: {values:?}");
    Ok(format!("8 of 8 with a second life; without, that task alone: `{}`", brief(exit)))
}

/// A task computes without end.
pub(crate) fn endless() -> Result<String> {
    const LIMIT: Duration = Duration::from_millis(200);
    let pool = pool(1)?;
    let work = |index: u32| {
        if index == 1 {
            Deed::Spin.commit().expect("an end");
        }
        index
    };
    pool.map(|index: u32| index, 0..100)?;
    let mut late = Times::default();
    for _ in 0..30 {
        let before = pool.pids();
        let mut failed = None;
        // Its own end is looked for, not that of the call.
        let results = pool.task_timeout(LIMIT).imap(work, 0..6);
        let begin = Instant::now();
        for (index, result) in results.enumerate() {
            match result {
                Ok(value) => ensure!(value as usize == index, "task {index} returned {value}"),
                Err(error) => failed = Some((index, error, begin.elapsed())),
            }
        }
        let (index, error, after) = failed.context("nothing was ended")?;
        ensure!(index == 1 && error.is_timeout(), "task {index}: {}", chain(&error).join(": "));
        let kept = pool.pids().iter().filter(|pid| before.contains(pid)).count();
        ensure!(kept <= 1, "its worker is still there");
        late.add(after.saturating_sub(LIMIT));
    }
    late.within(Duration::from_millis(20))?;
    Ok(format!("that task alone, its worker replaced; beyond the limit of {LIMIT:?}: {late}"))
}

/// An endless input, of which five results are taken.
pub(crate) fn infinite() -> Result<String> {
    let pulled = Cell::new(0_u64);
    let pool = pool(1)?;
    let input = (0_u64..).inspect(|_| pulled.set(pulled.get() + 1));
    let work = |index: u64| {
        std::thread::sleep(NAP);
        index
    };
    let mut results = pool.imap(work, input);
    let first = results.by_ref().take(5).collect::<Result<Vec<_>, _>>()?;
    ensure!(first == [0, 1, 2, 3, 4], "{first:?}");
    // Time in which more could be pulled.
    std::thread::sleep(Duration::from_secs(1));
    let pulled = pulled.get();
    ensure!(pulled <= 5 + 4, "{pulled} pulled for 5 results, and two workers may be two items ahead each");
    Ok(format!("{pulled} items pulled for 5 results"))
}

/// An error that can be sent, but not be made again of what was sent.
#[derive(Debug, Serialize)]
struct Stubborn {
    text: String,
}

impl<'de> Deserialize<'de> for Stubborn {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Sent {
            text: String,
        }
        let sent = Sent::deserialize(from)?;
        Err(serde::de::Error::custom(format!("it refuses to be `{}`", sent.text)))
    }
}

pub(crate) fn undecodable() -> Result<String> {
    let pool = pool(1)?;
    let work = |index: u32| {
        if index == 3 { Err(Stubborn { text: "three".to_owned() }) } else { Ok(index) }
    };
    let results = pool.map_results(work, 0..8);
    let mut failed = None;
    for (place, result) in results.into_iter().enumerate() {
        match result {
            Ok(Ok(value)) if value as usize == place && place != 3 => {}
            Err(error) if place == 3 => failed = Some(error),
            other => bail!("task {place}: {other:?}"),
        }
    }
    let error = failed.context("task 3 has not failed")?;
    let why = chain(&error).pop().unwrap_or_default();
    ensure!(why.contains("refuses to be `three`"), "it does not say why: {why}");
    ensure!(pool.map(|index: u32| index, 0..3)? == [0, 1, 2]);
    Ok("that task alone, with the reason; the pool goes on".to_owned())
}

/// The initializer fails in every worker.
pub(crate) fn initializer() -> Result<String> {
    fn fails() -> std::io::Result<()> {
        Err(std::io::Error::other("the model is missing"))
    }
    let pool = Pool::builder().workers(2).initializer(fails).stderr(Stream::Null).build()?;
    let begin = Instant::now();
    let Err(error) = pool.map(|index: u32| index, 0..8) else { bail!("it was not called") };
    let after = begin.elapsed();
    let words = chain(&error);
    ensure!(words.iter().any(|word| word.contains("the model is missing")), "without its cause: {words:?}");
    Ok(format!("its error after {}, and no more workers", millis(after)))
}

/// A task opens a pool of the same size.
pub(crate) fn nested() -> Result<String> {
    let work = |index: u32| {
        let pool = Pool::new(2).expect("a pool inside");
        let inner = pool.map(|number: u32| number + 1, [index, index + 1]).expect("it works");
        inner.into_iter().sum::<u32>()
    };
    let values = pool(1)?.map(work, 0..8)?;
    ensure!(values == (0..8).map(|index| 2 * index + 3).collect::<Vec<_>>(), "{values:?}");
    Ok("8 of 8 results".to_owned())
}

pub(crate) fn panic() -> Result<String> {
    let results = pool(1)?.map_results(
        |index: u32| {
            if index == 3 { panic!("no {index}, thanks") } else { index }
        },
        0..8,
    );
    let error = the_only_failure(results, 3)?.source;
    ensure!(error.message() == Some("no 3, thanks"), "{:?}", error.message());
    let place = error.location().context("it does not say where")?;
    let frames = error.backtrace().context("there is no backtrace")?.lines().count();
    ensure!(place.file.ends_with("pools.rs"), "{place}");
    Ok(format!("that task alone: message, line {}, a backtrace of {frames} lines", place.line))
}
