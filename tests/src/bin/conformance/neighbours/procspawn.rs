//! procspawn in the same situations, as far as it has such.

use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use procspawn::{Pool, SpawnError};
use rustix::process::Signal;
use serde::{Deserialize, Serialize};
use tests::deeds::Deed;
use tests::processes;

use crate::{parents, times};

const NAP: Duration = Duration::from_millis(50);
/// When to count who is left.
const LATER: Duration = Duration::from_secs(4);

pub(crate) fn has(row: &str) -> bool {
    matches!(
        row,
        "pool-kill"
            | "pool-segfault"
            | "pool-exit"
            | "pool-endless"
            | "pool-undecodable"
            | "pool-nested"
            | "pool-panic"
    ) || row.starts_with("parent-")
}

pub(crate) fn perform(row: &str) -> Result<String> {
    match row {
        "pool-kill" => death(Deed::Sigkill),
        "pool-segfault" => death(Deed::Sigsegv),
        "pool-exit" => death(Deed::ExitZero),
        "pool-panic" => death(Deed::PanicStr),
        "pool-endless" => endless(),
        "pool-undecodable" => undecodable(),
        "pool-nested" => nested(),
        "parent-killed" => ended_by(Signal::KILL),
        "parent-terminated" => ended_by(Signal::TERM),
        "parent-interrupted" => ended_by(Signal::INT),
        row => bail!("procspawn has nothing like `{row}`"),
    }
}

fn commit((index, deed): (u32, Deed)) -> u32 {
    if index == 3 {
        if deed == Deed::Sigsegv {
            // The first one only takes the handler of the standard library away, which expects the fault to come again.
            processes::signal(std::process::id(), Signal::SEGV);
        }
        deed.commit().expect("an end");
    }
    std::thread::sleep(NAP);
    index
}

/// How many have a value, and what the others say.
fn told<T>(results: impl IntoIterator<Item = Result<T, SpawnError>>) -> String {
    let results: Vec<_> = results.into_iter().collect();
    let good = results.iter().filter(|result| result.is_ok()).count();
    let mut text = format!("{good} of {} results", results.len());
    for (index, error) in
        results.iter().enumerate().filter_map(|(index, result)| Some((index, result.as_ref().err()?)))
    {
        let panic = error.panic_info().map(|panic| format!(" ({})", panic.message()));
        text += &format!("; task {index}: \"{error}\"{}", panic.unwrap_or_default());
    }
    text
}

fn death(deed: Deed) -> Result<String> {
    let pool = Pool::new(2)?;
    let handles: Vec<_> = (0..8).map(|index| pool.spawn((index, deed), commit)).collect();
    Ok(told(handles.into_iter().map(procspawn::JoinHandle::join)))
}

fn endless() -> Result<String> {
    const LIMIT: Duration = Duration::from_millis(200);
    let pool = Pool::new(2)?;
    let work = |index: u32| {
        if index == 1 {
            Deed::Spin.commit().expect("an end");
        }
        index
    };
    let mut late = times::Times::default();
    let mut last = String::new();
    for _ in 0..10 {
        let mut handles: Vec<_> = (0..6).map(|index| pool.spawn(index, work)).collect();
        let begin = Instant::now();
        let mut results = Vec::new();
        for (index, handle) in handles.iter_mut().enumerate() {
            results.push(handle.join_timeout(LIMIT));
            if index == 1 {
                late.add(begin.elapsed().saturating_sub(LIMIT));
            }
        }
        last = told(results);
    }
    Ok(format!("{last}; beyond the limit: {late}"))
}

/// An error that can be sent, but not be made again of what was sent.
#[derive(Debug, Serialize)]
struct Stubborn(String);

impl<'de> Deserialize<'de> for Stubborn {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?;
        Err(serde::de::Error::custom("it refuses"))
    }
}

fn undecodable() -> Result<String> {
    let pool = Pool::new(2)?;
    let work = |index: u32| if index == 3 { Err(Stubborn("three".to_owned())) } else { Ok(index) };
    let handles: Vec<_> = (0..8).map(|index| pool.spawn(index, work)).collect();
    Ok(told(handles.into_iter().map(procspawn::JoinHandle::join)))
}

fn nested() -> Result<String> {
    let pool = Pool::new(2)?;
    let work = |index: u32| {
        let pool = Pool::new(2).expect("a pool inside");
        let handles = [index, index + 1].map(|number| pool.spawn(number, |number: u32| number + 1));
        handles.into_iter().map(|handle| handle.join().expect("it works")).sum::<u32>()
    };
    let handles: Vec<_> = (0..8).map(|index| pool.spawn(index, work)).collect();
    Ok(told(handles.into_iter().map(procspawn::JoinHandle::join)))
}

fn ended_by(signal: Signal) -> Result<String> {
    let mut victim = Command::new(std::env::current_exe().context("this program")?);
    let ends = parents::end(victim.args(["--victim", "procspawn"]), signal, 1, LATER, 2)?;
    Ok(format!("{} of {} left after {} s", ends.left, ends.workers, LATER.as_secs()))
}

/// A program with two workers that have much to do.
#[expect(clippy::print_stdout, reason = "somebody waits for it")]
pub(crate) fn victim() -> Result<ExitCode> {
    let pool = Pool::new(2)?;
    let work = |seconds: u64| std::thread::sleep(Duration::from_secs(seconds));
    for handle in [pool.spawn(0, work), pool.spawn(0, work)] {
        handle.join()?;
    }
    let handles = [pool.spawn(300, work), pool.spawn(300, work)];
    while pool.active_count() < 2 {
        std::thread::yield_now();
    }
    println!("ready");
    handles.into_iter().try_for_each(procspawn::JoinHandle::join)?;
    bail!("nobody has ended it")
}
