//! Waiting for somebody who dies.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use processing::prelude::*;
use processing::{Exit, Pipe, Point};
use tests::processes::watch;

use crate::times::Times;

const ROUNDS: u32 = 30;
/// "At once": there is no time in it that anybody has waited for on purpose.
const AT_ONCE: Duration = Duration::from_millis(50);

/// Says that it is there, and nothing else.
#[skprocess]
struct Silent {
    pipe: Option<Point<String, String>>,
}

#[skprocess]
impl Silent {
    fn run(&mut self) -> anyhow::Result<()> {
        self.tell("there")?;
        loop {
            std::thread::park();
        }
    }
}

/// Has a worker killed while `wait` waits for it, and says how long after that it returned.
fn after_a_kill(
    pipe: Option<Point<String, String>>,
    wait: impl FnOnce(&Handle<Silent>) -> Result<()>,
) -> Result<Duration> {
    let silent = Silent { pipe }.start()?;
    silent.listen::<String>(None)?.context("it says nothing")?;
    let worker = watch(silent.pid());
    std::thread::scope(|scope| {
        let killing = scope.spawn(|| {
            // The other thread is to be waiting by then; if it is not, the time is only shorter.
            std::thread::sleep(Duration::from_millis(5));
            let begin = Instant::now();
            (worker.kill(), begin)
        });
        wait(&silent)?;
        let end = Instant::now();
        let (killed, begin) = killing.join().map_err(|_| anyhow::anyhow!("no kill"))?;
        ensure!(killed, "it was gone before");
        Ok(end.saturating_duration_since(begin))
    })
}

pub(crate) fn listen() -> Result<String> {
    let mut times = Times::default();
    for _ in 0..ROUNDS {
        times.add(after_a_kill(None, |silent| match silent.listen::<String>(None) {
            Err(processing::ListenError::Ended { cause: Some(cause), .. }) => {
                ensure!(cause.exit() == Some(Exit::Signal(9)), "{cause:?}");
                Ok(())
            }
            other => bail!("it heard {other:?}"),
        })?);
    }
    times.within(AT_ONCE)?;
    Ok(format!("the error with its cause: {times}"))
}

pub(crate) fn result() -> Result<String> {
    let mut times = Times::default();
    for _ in 0..ROUNDS {
        times.add(after_a_kill(None, |silent| match silent.result() {
            Err(error) => {
                ensure!(error.exit() == Some(Exit::Signal(9)), "{error:?}");
                Ok(())
            }
            Ok(()) => bail!("it ended well"),
        })?);
    }
    times.within(AT_ONCE)?;
    Ok(format!("the error with its cause: {times}"))
}

pub(crate) fn receive() -> Result<String> {
    let mut times = Times::default();
    for _ in 0..ROUNDS {
        let (anchor, point) = Pipe::pair::<String, String>()?;
        times.add(after_a_kill(Some(point), |_| match anchor.recv() {
            Err(error) => {
                ensure!(error.is_disconnected(), "{error}");
                Ok(())
            }
            Ok(text) => bail!("it received {text}"),
        })?);
    }
    times.within(AT_ONCE)?;
    Ok(format!("an error: {times}"))
}

/// One that goes on sending until its pipe is full, and then waits.
pub(crate) fn send() -> Result<String> {
    let mut times = Times::default();
    for _ in 0..ROUNDS {
        let (anchor, point) = Pipe::pair::<String, String>()?;
        let text = "x".repeat(100_000);
        times.add(after_a_kill(Some(point), |_| {
            loop {
                if let Err(error) = anchor.send(&text) {
                    ensure!(error.is_disconnected(), "{error}");
                    return Ok(());
                }
            }
        })?);
    }
    times.within(AT_ONCE)?;
    Ok(format!("an error: {times}"))
}
