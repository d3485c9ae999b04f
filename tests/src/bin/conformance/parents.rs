//! A program that ends while its workers are busy.

use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use processing::prelude::*;
use processing::{Pool, Stream};
use rustix::process::{Pid, Signal, kill_process_group};
use tests::deeds::Deed;
use tests::driver::Driver;
use tests::processes::{self, Watched, descendants, watch};

use crate::times::Times;

/// Everybody has to be gone after this.
const PROMISE: Duration = Duration::from_secs(1);
const ROUNDS: u32 = 10;

/// Starts another one below itself, and is busy from then on.
#[skprocess]
struct Busy {
    deed: Deed,
    depth: u32,
}

#[skprocess]
impl Busy {
    fn run(&mut self) -> anyhow::Result<()> {
        if self.depth > 0 {
            let below = Busy { deed: self.deed, depth: self.depth - 1 };
            let below = below.configure(|config| config.stderr(Stream::Null)).start()?;
            below.listen::<String>(None)?;
            below.detach();
        }
        self.tell("at it")?;
        self.deed.commit()
    }
}

/// The program whose end it is: a process that spins, one that sleeps with two more below it, and a pool at work.
#[expect(clippy::print_stdout, reason = "somebody waits for it")]
pub(crate) fn victim() -> Result<ExitCode> {
    let busy = [(Deed::Spin, 0), (Deed::Block, 2)].map(|(deed, depth)| {
        let busy = Busy { deed, depth }.configure(|config| config.stderr(Stream::Null)).start()?;
        busy.listen::<String>(None)?.context("it says nothing")?;
        anyhow::Ok(busy)
    });
    let pool = Pool::new(2)?;
    let results = pool.unordered_imap(
        |seconds: u64| std::thread::sleep(Duration::from_secs(seconds)),
        [0, 0, 300, 300, 300, 300],
    );
    for (index, result) in results.enumerate() {
        result?;
        if index == 1 {
            println!("ready");
        }
    }
    drop(busy);
    bail!("nobody has ended it")
}

/// How often a program has ended, and what it left.
pub(crate) struct Ends {
    pub(crate) gone: Times,
    pub(crate) left: usize,
    pub(crate) workers: usize,
}

/// Starts a program, ends it by a signal when it is ready, and watches its workers go.
pub(crate) fn end(
    victim: &mut Command,
    signal: Signal,
    rounds: u32,
    patience: Duration,
    fewest: usize,
) -> Result<Ends> {
    let mut ends = Ends { gone: Times::default(), left: 0, workers: 0 };
    for _ in 0..rounds {
        let command = victim.stdin(Stdio::null()).stderr(Stdio::null()).process_group(0);
        let mut program = Driver::start(command);
        ensure!(program.line().as_deref() == Some("ready"), "the program is not ready");
        // The last one may have been asked for and not be there yet.
        let end = Instant::now() + patience;
        while descendants(program.pid()).len() < fewest && Instant::now() < end {
            std::thread::yield_now();
        }
        let workers: Vec<Watched> = descendants(program.pid()).into_iter().map(watch).collect();
        ensure!(workers.len() >= fewest, "only {} workers", workers.len());
        ends.workers = workers.len();
        let begin = Instant::now();
        if signal == Signal::INT {
            // As a terminal does it.
            kill_process_group(Pid::from_raw(program.pid().cast_signed()).context("a group")?, signal)?;
        } else {
            processes::signal(program.pid(), signal);
        }
        let own = watch(program.pid());
        ensure!(own.ends_within(patience), "the program itself goes on");
        let status = program.wait();
        ensure!(status.signal() == Some(signal.as_raw()) || status.code() == Some(130), "{status}");
        let left = |worker: &&Watched| {
            !worker.ends_within((begin + patience).saturating_duration_since(Instant::now()))
        };
        ends.left = ends.left.max(workers.iter().filter(left).count());
        ends.gone.add(begin.elapsed());
        // Nobody else would.
        workers.iter().for_each(|worker| _ = worker.kill());
    }
    Ok(ends)
}

pub(crate) fn ended_by(signal: Signal) -> Result<String> {
    let program = std::env::current_exe().context("this program")?;
    let mut victim = Command::new(program);
    let ends = end(victim.arg("--victim").arg("processing"), signal, ROUNDS, 3 * PROMISE, 6)?;
    ensure!(ends.left == 0, "{} of {} left", ends.left, ends.workers);
    ends.gone.within(PROMISE)?;
    Ok(format!("0 of {} left; gone after: {}", ends.workers, ends.gone))
}
