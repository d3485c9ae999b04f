//! Processes, pools, shares and pipes, all at once and for minutes, while somebody kills and stops their workers.
//!
//! ```sh
//! cargo run --release -p tests --bin soak -- --minutes 10
//! cargo run --release -p tests --bin soak -- --seconds 30 --seed 7 --only nested
//! PROCESSING_CHAOS=kill:0.01 cargo run --release -p tests --bin soak       # they kill themselves as well
//! ```
//!
//! Nothing may be lost or doubled, and between two rounds nothing may be left: no worker, no zombie, no descriptor, no
//! thread, no file, no segment; and the memory may not grow. Exit status 1 says that something was.

mod holdings;
mod killer;

use std::collections::BTreeMap;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitCode};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use tests::TempDir;
use tests::episodes::{self, End};
use tests::processes::{self, descendants};

use holdings::Holdings;
use killer::{Killer, Lots};

/// How many arenas the allocator may have.
const ARENAS: &str = "MALLOC_ARENA_MAX";

/// Then everybody comes to an end, and what is left is looked at.
const ROUND: Duration = Duration::from_secs(10);
/// An episode that takes longer hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// One kind of work, with sizes drawn by lot.
type Episode = fn(&mut Lots) -> Result<End>;

const EPISODES: &[(&str, Episode)] = &[
    ("messages", |lots| episodes::messages(lots.below(60) + 1, lots.below(3) as usize * 50_000)),
    ("pool", |lots| {
        episodes::pool(lots.below(3) as usize + 1, lots.below(300) + 1, lots.below(2) as usize * 40_000)
    }),
    ("share", |lots| episodes::share(lots.below(3) + 1, lots.below(60) + 1)),
    ("pipe", |lots| episodes::pipe(lots.below(300) + 1, lots.below(400_000) as usize)),
    ("patient pipe", |lots| episodes::patient_pipe(lots.below(40) + 1)),
    ("nested", |lots| episodes::nested(lots.below(2) as u32)),
    ("ends", |_| episodes::ends()),
];

/// What happened so far.
#[derive(Debug, Default)]
struct Tally {
    done: BTreeMap<&'static str, u64>,
    in_last_hook: u64,
    wrong: Vec<String>,
}

fn main() -> Result<ExitCode> {
    if std::env::var_os(ARENAS).is_none() {
        // With an arena for each thread the allocator keeps more and more of what was freed, and hides what is not.
        let program = std::env::current_exe().context("this program")?;
        let again = Command::new(program).args(std::env::args_os().skip(1)).env(ARENAS, "1").exec();
        return Err(again).context("the soak does not start anew");
    }
    let Arguments { time, seed, only } = arguments()?;
    // Its own, so that whatever is in it at the end is ours.
    let temporary = TempDir::new();
    say(&format!(
        "soaking for {} s, seed {seed}, temporary files in {}",
        time.as_secs(),
        temporary.path().display()
    ));
    let tally = Mutex::new(Tally::default());
    let begin = Instant::now();
    let mut held: Vec<Holdings> = Vec::new();
    let mut kills = 0;
    let mut rounds = 0;
    while begin.elapsed() < time && lock(&tally).wrong.is_empty() {
        let end = Instant::now() + ROUND.min(time.saturating_sub(begin.elapsed()));
        kills += round(&tally, only.as_deref(), seed.wrapping_add(rounds * 1000), end);
        rounds += 1;
        let now = Holdings::at_rest(temporary.path());
        report(begin.elapsed(), kills, &lock(&tally), &now);
        if let Some(first) = held.first() {
            lock(&tally).wrong.extend(first.complaints(&now));
        }
        held.push(now);
        lock(&tally).wrong.extend(Holdings::growth(&held));
    }
    let tally = lock(&tally);
    tally.wrong.iter().for_each(|wrong| say(&format!("WRONG: {wrong}")));
    if tally.wrong.is_empty() {
        say(&format!("nothing was lost, doubled or left in {rounds} rounds and {kills} kills"));
        return Ok(ExitCode::SUCCESS);
    }
    Ok(ExitCode::FAILURE)
}

/// Everything at once until `end`; how many workers were killed.
fn round(tally: &Mutex<Tally>, only: Option<&str>, seed: u64, end: Instant) -> u64 {
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let killing = scope.spawn(|| Killer::new(seed).run(&over));
        let working: Vec<_> = EPISODES
            .iter()
            .zip(seed + 1..)
            .filter(|((name, _), _)| only.is_none_or(|only| only == *name))
            .map(|(&(name, episode), seed)| {
                scope.spawn(move || {
                    let mut lots = Lots::new(seed);
                    while Instant::now() < end && lock(tally).wrong.is_empty() {
                        let watch = watch(name);
                        let done = episode(&mut lots);
                        drop(watch);
                        let mut tally = lock(tally);
                        *tally.done.entry(name).or_default() += 1;
                        match done {
                            Ok(End::Well) => {}
                            Ok(End::InLastHook) => tally.in_last_hook += 1,
                            Err(error) => tally.wrong.push(format!("{name}: {error:#}")),
                        }
                    }
                })
            })
            .collect();
        for thread in working {
            if thread.join().is_err() {
                lock(tally).wrong.push("an episode panicked".to_owned());
            }
        }
        over.store(true, Ordering::Relaxed);
        killing.join().unwrap_or_default()
    })
}

/// Ends the program if an episode hangs, and says which.
fn watch(name: &'static str) -> std::sync::mpsc::Sender<()> {
    let (alive, over) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        if over.recv_timeout(PATIENCE) == Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
            say(&format!("WRONG: {name} hangs: it is not done after {PATIENCE:?}; its workers:"));
            let own = std::process::id();
            for pid in std::iter::once(own).chain(descendants(own)) {
                say(&processes::describe(pid));
            }
            std::process::abort();
        }
    });
    alive
}

fn lock(tally: &Mutex<Tally>) -> std::sync::MutexGuard<'_, Tally> {
    tally.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn report(at: Duration, kills: u64, tally: &Tally, now: &Holdings) {
    let done: Vec<_> = tally.done.iter().map(|(name, count)| format!("{count} {name}")).collect();
    say(&format!(
        "{:4} s: {kills} kills, {} in last hooks; {}; holding {now}",
        at.as_secs(),
        tally.in_last_hook,
        done.join(", ")
    ));
}

#[expect(clippy::print_stdout, reason = "it is what this program is for")]
fn say(text: &str) {
    println!("{text}");
}

/// For how long, by which lots, and which of the episodes.
struct Arguments {
    time: Duration,
    seed: u64,
    only: Option<String>,
}

fn arguments() -> Result<Arguments> {
    let mut arguments = Arguments { time: Duration::from_secs(60), seed: 42, only: None };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let value = words.next().with_context(|| format!("`{word}` what?"))?;
        let number = value.parse::<u64>().with_context(|| format!("`{word}` takes a whole number"));
        match word.as_str() {
            "--minutes" => arguments.time = Duration::from_secs(60 * number?),
            "--seconds" => arguments.time = Duration::from_secs(number?),
            "--seed" => arguments.seed = number?,
            "--only" if EPISODES.iter().any(|(name, _)| *name == value) => arguments.only = Some(value),
            "--only" => bail!("no episode `{value}`"),
            _ => bail!("no option `{word}`; there are --minutes N, --seconds N, --seed N, --only EPISODE"),
        }
    }
    Ok(arguments)
}
