//! Pieces of work whose outcome is the same however often and wherever their workers die: what `soak` does all the time,
//! and what the suite does while `PROCESSING_CHAOS` is set. Each says what is wrong if something is lost or doubled.

use std::collections::{BTreeSet, HashSet};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use processing::prelude::*;
use processing::{Phase, Pipe, PipeError, Point, Pool, ProcessError, Stream};
use serde::{Deserialize, Serialize};

/// How an episode ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// As it has to.
    Well,
    /// A worker died in one of its last hooks, which are not repeated. Only a kill from outside comes there.
    InLastHook,
}

/// As many deaths as there may be.
const LIVES: u32 = u32::MAX;

/// Whether this is a death where no life helps; anything else is an error.
fn in_last_hook(error: ProcessError) -> Result<End> {
    let is_last = error.phase().is_some_and(|phase: Phase| !phase.is_retried());
    if is_last && (error.is_crash() || error.is_killed()) {
        return Ok(End::InLastHook);
    }
    Err(anyhow::Error::new(error).context("a process with lives has failed"))
}

/// Adds up what it hears, and answers each number with the sum so far.
#[skprocess(lives = LIVES)]
struct Adder {
    sum: u64,
    heard: u64,
    ballast: Vec<u8>,
}

#[skprocess]
impl Adder {
    fn run(&mut self) -> anyhow::Result<()> {
        if let Some(number) = self.listen::<u64>(None)? {
            self.sum += number;
            self.heard += 1;
            self.tell(&(number, self.sum))?;
        }
        Ok(())
    }
    fn result(&mut self) -> (u64, u64, usize) {
        (self.sum, self.heard, self.ballast.len())
    }
}

/// Every number is heard once and in order, whatever happens; answers may come again, but none is missing or wrong.
///
/// # Errors
/// If not.
pub fn messages(count: u64, ballast: usize) -> Result<End> {
    // Not by `stop`: an iteration that has answered, and whose worker dies before it is committed, would not be repeated.
    let adder = Adder { sum: 0, heard: 0, ballast: vec![7; ballast] };
    let adder = adder.configure(|config| config.runs(count)).start()?;
    (1..=count).try_for_each(|number| adder.tell(&number))?;
    let mut next = 1;
    while next <= count {
        let Some((number, sum)) = adder.listen::<(u64, u64)>(None)? else { bail!("it stopped listening") };
        ensure!(number <= next, "the answer to {next} is missing; {number} follows");
        ensure!(sum == number * (number + 1) / 2, "the sum up to {number} is {sum}");
        next = next.max(number + 1);
    }
    match adder.result() {
        Ok(result) => {
            ensure!(result == (count * (count + 1) / 2, count, ballast), "{result:?} of {count} numbers");
            Ok(End::Well)
        }
        Err(error) => in_last_hook(error),
    }
}

/// What is mapped: bodies of any size, checked on both ways.
fn checked((number, body): (u64, Vec<u8>)) -> (u64, Vec<u8>) {
    assert!(body.iter().all(|&byte| u64::from(byte) == number % 251), "body {number} is garbled");
    (number * number, body)
}

/// Every task has one result, and the right one.
///
/// # Errors
/// If not.
pub fn pool(workers: usize, count: u64, size: usize) -> Result<End> {
    let pool =
        Pool::builder().workers(workers).lives(LIVES).poison_after(LIVES).stderr(Stream::Null).build()?;
    let input =
        || (0..count).map(|number| (number, vec![(number % 251) as u8; size * (number as usize % 3)]));
    let expected: Vec<_> = input().map(checked).collect();
    ensure!(pool.map(checked, input())? == expected, "`map` has another result");
    let mut streamed = Vec::new();
    for result in pool.imap(checked, input()) {
        streamed.push(result?);
    }
    ensure!(streamed == expected, "`imap` has another result");
    let mut seen = HashSet::new();
    for result in pool.unordered_imap(checked, input()) {
        let (square, _) = result?;
        ensure!(seen.insert(square), "the result {square} came twice");
    }
    ensure!(seen.len() as u64 == count, "{} results of {count} tasks", seen.len());
    Ok(End::Well)
}

/// An account of what has been moved from left to right, and by whom.
#[derive(Shareable, Default)]
struct Ledger {
    left: i64,
    right: i64,
    done: HashSet<u64>,
    notes: Vec<String>,
}

/// Moves an amount in each of its iterations. One that is repeated sees that it has been done.
#[skprocess(lives = LIVES)]
struct Mover {
    ledger: Share<Ledger>,
    number: u64,
}

#[skprocess]
impl Mover {
    fn run(&mut self) {
        let job = self.number << 32 | self.current_run();
        self.ledger.transaction(|ledger| {
            if ledger.done.insert(job) {
                ledger.left -= 3;
                ledger.notes.push(format!("job {job}"));
                ledger.right += 3;
            }
        });
    }
}

/// Every job is done once, and no half of one can be seen.
///
/// # Errors
/// If not.
pub fn share(workers: u64, runs: u64) -> Result<End> {
    let ledger = Share::new(Ledger::default())?;
    let movers = (0..workers)
        .map(|number| Mover { ledger: ledger.clone(), number }.configure(|config| config.runs(runs)).start());
    let movers = movers.collect::<Result<Vec<_>, _>>()?;
    let jobs = workers * runs;
    loop {
        let (sum, left, done, notes) = ledger.transaction(|ledger| {
            let sum = ledger.left.get() + ledger.right.get();
            (sum, ledger.left.get(), ledger.done.len() as u64, ledger.notes.len() as u64)
        });
        ensure!(
            sum == 0 && notes == done && left == -3 * done.cast_signed(),
            "{sum}, {left}, {notes} of {done}"
        );
        if done == jobs {
            break;
        }
        ledger.wait_until_for(Duration::from_secs(30), |ledger| ledger.done.len() as u64 > done)?;
    }
    let mut end = End::Well;
    for mover in movers {
        if let Err(error) = mover.wait() {
            end = in_last_hook(error)?;
        }
    }
    let notes: BTreeSet<String> = ledger.notes.to_vec().into_iter().collect();
    ensure!(notes.len() as u64 == jobs, "{} notes of {jobs} jobs", notes.len());
    Ok(end)
}

/// A number, and as much beside it as to make it larger than the pipe at times.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Parcel {
    number: u64,
    body: Vec<u8>,
}

fn parcel(number: u64, size: usize) -> Parcel {
    Parcel { number, body: vec![(number % 251) as u8; if number.is_multiple_of(5) { size } else { 3 }] }
}

/// Sends back what it receives, until the pipe is closed.
#[skprocess(runs = 1)]
struct Echo {
    pipe: Point<Parcel, Parcel>,
}

#[skprocess]
impl Echo {
    fn run(&mut self) -> Result<(), PipeError> {
        for parcel in self.pipe.iter() {
            self.pipe.send(&parcel?)?;
        }
        Ok(())
    }
}

/// What comes out of a pipe is whole and in order, until its other end is gone: then that is said, at once.
///
/// # Errors
/// If not.
pub fn pipe(count: u64, size: usize) -> Result<End> {
    let (anchor, point) = Pipe::pair()?;
    let echo = Echo { pipe: point }.start()?;
    let (sent, received) = std::thread::scope(|scope| {
        let sending = scope.spawn(|| (0..count).try_for_each(|number| anchor.send(&parcel(number, size))));
        let mut received = 0;
        let end = loop {
            if received == count {
                break Ok(());
            }
            match anchor.recv() {
                Ok(came) => {
                    ensure!(
                        came == parcel(received, size),
                        "parcel {received} is {} or garbled",
                        came.number
                    );
                    received += 1;
                }
                Err(error) => break Err(error),
            }
        };
        let sent = sending.join().map_err(|_| anyhow::anyhow!("the sending thread has panicked"))?;
        Ok((sent, end))
    })?;
    anchor.close();
    drop(anchor);
    let outcome = echo.wait();
    match (sent.and(received), outcome) {
        (Ok(()), Ok(())) => Ok(End::Well),
        // It has had its one life, perhaps before it was ready.
        (_, Err(error)) if error.is_crash() || matches!(error, ProcessError::Launch { .. }) => Ok(End::Well),
        (pipe, outcome) => bail!("the pipe says {pipe:?}, and its process {outcome:?}"),
    }
}

/// The same with lives: the next worker goes on with the same end of the pipe, and what was lost on the way is sent again.
#[skprocess(lives = LIVES)]
struct Patient {
    pipe: Point<Parcel, u64>,
}

#[skprocess]
impl Patient {
    fn run(&mut self) -> Result<(), PipeError> {
        match self.pipe.recv() {
            Ok(parcel) => {
                let whole = parcel == crate::episodes::parcel(parcel.number, parcel.body.len());
                self.pipe.send(&if whole { parcel.number } else { u64::MAX })
            }
            Err(error) if error.is_closed() || error.is_disconnected() => {
                self.stop();
                Ok(())
            }
            Err(error) => Err(error),
        }
    }
}

/// A pipe whose worker is replaced goes on: each parcel is answered in the end, and no answer is garbled.
///
/// # Errors
/// If not.
pub fn patient_pipe(count: u64) -> Result<End> {
    const AGAIN: Duration = Duration::from_millis(200);
    let (anchor, point) = Pipe::pair::<Parcel, u64>()?;
    let patient = Patient { pipe: point }.start()?;
    for number in 0..count {
        anchor.send(&parcel(number, 3))?;
        loop {
            match anchor.recv_timeout(AGAIN) {
                Ok(answer) if answer == number => break,
                // Of a parcel that was sent again.
                Ok(answer) => ensure!(answer < number, "the answer to {number} is {answer}"),
                Err(error) if error.is_timeout() => anchor.send(&parcel(number, 3))?,
                Err(error) => {
                    return Err(error).context(format!("at parcel {number}: {:?}", patient.failure()));
                }
            }
        }
    }
    anchor.close();
    drop(anchor);
    match patient.wait() {
        Ok(()) => Ok(End::Well),
        Err(error) => in_last_hook(error),
    }
}

/// Starts a process and a pool below itself.
#[skprocess(lives = LIVES, runs = 2)]
struct Nesting {
    depth: u32,
    sums: Vec<u64>,
}

#[skprocess]
impl Nesting {
    fn run(&mut self) -> anyhow::Result<()> {
        let mut sum = Pool::builder()
            .workers(1)
            .lives(LIVES)
            .poison_after(LIVES)
            .build()?
            .map(|number: u64| number + 1, 0..10)?
            .into_iter()
            .sum();
        if self.depth > 0 {
            let below = Nesting { depth: self.depth - 1, sums: vec![] }.run();
            // Below it a death in the last hook is an error here, and costs a life.
            sum += below?.into_iter().sum::<u64>();
        }
        self.sums.push(sum);
        Ok(())
    }
    fn result(&mut self) -> Vec<u64> {
        std::mem::take(&mut self.sums)
    }
}

/// Processes and pools inside of processes.
///
/// # Errors
/// If one of them has another value.
pub fn nested(depth: u32) -> Result<End> {
    match (Nesting { depth, sums: vec![] }).run() {
        Ok(sums) => {
            let expected = (0..=depth).fold(0, |below, _| 55 + 2 * below);
            ensure!(sums == [expected; 2], "{sums:?} at depth {depth}");
            Ok(End::Well)
        }
        Err(error) => in_last_hook(error),
    }
}

/// Processes that are dropped, killed, stopped and let go of, at any moment of theirs.
///
/// # Errors
/// If one does not end as it should.
pub fn ends() -> Result<End> {
    let adder = || Adder { sum: 0, heard: 0, ballast: vec![1; 100_000] }.start();
    drop(adder()?);
    let killed = adder()?;
    killed.tell(&1_u64)?;
    killed.kill();
    ensure!(killed.wait().is_err(), "it was killed and ended well");
    let stopped = adder()?;
    stopped.stop();
    if let Err(error) = stopped.wait() {
        in_last_hook(error)?;
    }
    let told = adder()?;
    let later = told.background().result();
    told.tell(&5_u64)?;
    told.listen::<(u64, u64)>(None)?.context("no answer")?;
    told.stop();
    match later.wait() {
        // An iteration that has answered, but whose worker died before it was committed, is not repeated after a stop.
        Ok((sum, heard, _)) => ensure!([(5, 1), (0, 0)].contains(&(sum, heard)), "{sum} of {heard}"),
        Err(error) => _ = in_last_hook(error)?,
    }
    Ok(End::Well)
}
