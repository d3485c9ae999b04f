//! A process, and what may happen to it.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use processing::prelude::*;
use processing::{Exit, Phase, ProcessError, Stream};
use tests::chain;
use tests::deeds::Deed;

use crate::pools::brief;
use crate::times::Times;

/// Does it in its second iteration, the first time.
#[skprocess(runs = 3)]
struct Victim {
    deed: Deed,
    done: Vec<(u64, u32)>,
}

#[skprocess]
impl Victim {
    fn run(&mut self) -> anyhow::Result<()> {
        if self.current_run() == 1 && self.last_failure().is_none() {
            self.deed.commit()?;
        }
        self.done.push((self.current_run(), std::process::id()));
        Ok(())
    }
    fn result(&mut self) -> Vec<(u64, u32)> {
        std::mem::take(&mut self.done)
    }
}

fn victim(deed: Deed, lives: u32) -> Result<Handle<Victim>> {
    let victim = Victim { deed, done: vec![] };
    Ok(victim.configure(|config| config.lives(lives).stderr(Stream::Null)).start()?)
}

/// With a life to spare every iteration is completed once; returns by how many workers, and the error without one.
fn spend_a_life(deed: Deed) -> Result<(usize, ProcessError)> {
    let done = victim(deed, 2)?.result()?;
    let runs: Vec<u64> = done.iter().map(|&(run, _)| run).collect();
    ensure!(runs == [0, 1, 2], "the iterations that were completed: {runs:?}");
    let workers = done.iter().map(|&(_, pid)| pid).collect::<BTreeSet<_>>().len();
    match victim(deed, 1)?.result() {
        Ok(_) => bail!("nothing has failed"),
        Err(error) => {
            ensure!(
                error.phase() == Some(Phase::Run) && error.run() == Some(1),
                "at {:?}, {:?}",
                error.phase(),
                error.run()
            );
            Ok((workers, error))
        }
    }
}

/// A hook fails, and its worker lives.
pub(crate) fn failure(deeds: &[Deed]) -> Result<String> {
    let mut said = Vec::new();
    for &deed in deeds {
        let (workers, error) = spend_a_life(deed)?;
        ensure!(workers == 1, "{deed:?} took {workers} workers");
        let message = chain(&error).into_iter().nth(1).unwrap_or_default();
        let message = message.split([';', '(']).next().unwrap_or_default().trim().to_owned();
        ensure!(error.is_panic() == !matches!(deed, Deed::Io | Deed::Chain), "{deed:?}: {error:?}");
        if error.is_panic() {
            ensure!(error.location().is_some() && error.backtrace().is_some(), "{deed:?}: without its place");
        }
        said.push(format!("`{message}`"));
    }
    Ok(format!("tried again in the same worker; else hook, run and {}", said.join(", ")))
}

/// A worker is gone, and another one goes on.
pub(crate) fn death(deed: Deed, exits: &[Exit]) -> Result<String> {
    let (workers, error) = spend_a_life(deed)?;
    ensure!(workers == 2, "{workers} workers");
    ensure!(error.is_crash(), "{error:?}");
    let exit = error.exit().with_context(|| format!("without its exit: {error:?}"))?;
    ensure!(exits.is_empty() || exits.contains(&exit), "another exit: {exit:?}");
    let overflow = if error.to_string().contains("its stack used up") { ", its stack used up" } else { "" };
    ensure!(deed != Deed::StackOverflow || !overflow.is_empty(), "it does not say what happened: {error}");
    Ok(format!("resumed from its checkpoint in another worker; without lives `{}`{overflow}", brief(exit)))
}

/// Ends itself in every attempt, and leaves a mark each time.
#[skprocess(runs = 1, lives = 3)]
struct Mortal {}

#[skprocess]
impl Mortal {
    fn run(&mut self) -> anyhow::Result<()> {
        self.tell(&std::process::id())?;
        Deed::Sigkill.commit()
    }
}

pub(crate) fn lives() -> Result<String> {
    let mortal = Mortal {}.start()?;
    let Err(error) = mortal.result() else { bail!("it has no error") };
    let mut workers = BTreeSet::new();
    while let Ok(Some(pid)) = mortal.listen::<u32>(None) {
        workers.insert(pid);
    }
    ensure!(workers.len() == 3, "{} attempts", workers.len());
    ensure!(error.exit() == Some(Exit::Signal(9)) && error.lives_left() == Some(0), "{error:?}");
    Ok(format!("3 attempts, each from the checkpoint; then `{}`", brief(Exit::Signal(9))))
}

/// Says when it is at it, and does not end.
#[skprocess(runs = 1)]
struct Busy {
    deed: Deed,
}

#[skprocess]
impl Busy {
    fn run(&mut self) -> anyhow::Result<()> {
        self.tell("at it")?;
        self.deed.commit()
    }
}

/// Counts on, and answers with the count when it is asked.
#[skprocess]
struct Bystander {}

#[skprocess]
impl Bystander {
    fn run(&mut self) -> anyhow::Result<()> {
        if let Some(number) = self.listen::<u64>(None)? {
            self.tell(&number)?;
        }
        Ok(())
    }
}

/// A hook that does not end by itself overruns its limit.
pub(crate) fn limit() -> Result<String> {
    const LIMIT: Duration = Duration::from_millis(50);
    let bystander = Bystander {}.start()?;
    let mut late = Times::default();
    for round in 0..60 {
        let deed = Deed::ENDLESS[round % Deed::ENDLESS.len()];
        let busy = Busy { deed };
        let busy = busy.configure(|config| config.timeout(Phase::Run, LIMIT).stderr(Stream::Null)).start()?;
        busy.listen::<String>(None)?;
        // The hook's clock began before its sign of life, so this is a little too long.
        let begin = Instant::now();
        bystander.tell(&(round as u64))?;
        ensure!(
            bystander.listen::<u64>(Duration::from_secs(10))? == Some(round as u64),
            "others are held up"
        );
        let Err(error) = busy.result() else { bail!("it has ended well") };
        ensure!(error.is_timeout(), "{error:?}");
        late.add(begin.elapsed().saturating_sub(LIMIT));
    }
    late.within(Duration::from_millis(20))?;
    Ok(format!("that worker alone; beyond a limit of {LIMIT:?}: {late}"))
}

/// Overruns its limit once, and goes on in another worker.
pub(crate) fn limit_costs_a_life() -> Result<String> {
    let victim = Victim { deed: Deed::Spin, done: vec![] };
    let limited = victim.configure(|config| config.lives(2).timeout(Phase::Run, Duration::from_millis(200)));
    let done = limited.run()?;
    let runs: Vec<u64> = done.iter().map(|&(run, _)| run).collect();
    ensure!(runs == [0, 1, 2] && done[0].1 != done[2].1, "{done:?}");
    Ok("resumed from the checkpoint in another worker".to_owned())
}

/// Something that is not for other processes.
#[derive(Debug)]
struct Untold;

impl serde::Serialize for Untold {
    fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom("a lock cannot be sent"))
    }
}

#[derive(Debug, serde::Serialize)]
struct Job {
    name: &'static str,
    locks: Vec<Untold>,
}

/// A value that cannot cross is told, and told to.
pub(crate) fn cannot_cross() -> Result<String> {
    let bystander = Bystander {}.start()?;
    let job = Job { name: "locked", locks: vec![Untold] };
    ensure!(job.name == "locked");
    let Err(error) = bystander.tell(&job) else { bail!("it was sent") };
    let words = chain(&error).join(": ");
    ensure!(words.contains("locks[0]"), "it does not name the field: {words}");
    bystander.tell(&7_u64)?;
    ensure!(bystander.listen::<u64>(None)? == Some(7), "the worker is gone");
    // And one that is not of the type that is asked for.
    bystander.tell(&8_u64)?;
    let Err(wrong) = bystander.listen::<String>(None) else { bail!("a number was taken for a text") };
    bystander.tell(&9_u64)?;
    ensure!(bystander.listen::<u64>(None)? == Some(9), "the worker is gone");
    Ok(format!("`{words}`; of another type: `{wrong}`; the worker lives on"))
}

/// Timers of a worker that was killed in a hook.
pub(crate) fn timers() -> Result<String> {
    #[skprocess]
    struct Ticking {}

    #[skprocess]
    impl Ticking {
        fn run(&mut self) -> anyhow::Result<()> {
            if self.current_run() == 100 {
                self.tell("at it")?;
                Deed::Spin.commit()?;
            }
            Ok(())
        }
    }
    let ticking = Ticking {}.start()?;
    ticking.listen::<String>(None)?;
    let during = ticking.timers().run.num_times();
    ticking.kill();
    let after = ticking.timers().run.num_times();
    ensure!(during == 100 && after == 100, "{during} in a hook, {after} after the kill");
    Ok("100 of 100 laps, read while a hook spins and after a SIGKILL".to_owned())
}
