//! What the reactor does for a pool: starts its workers, hears from them, ends and replaces them.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use cucumber::Func;

use super::crew::{Crew, Ending, State};
use super::function::Initializer;
use super::job::Kind;
use super::protocol::{Report, Results, SeatJob, unsent};
use super::seat::{Doom, Reason, Stage};
use crate::ProcessError;
use crate::channel::Message;
use crate::error::{Exit, Failure, Position};
use crate::process::{ALARM, CHANNEL, EXIT, Worker};
use crate::protocol::Entry;
use crate::reactor::{Actor, Io, Source};
use crate::shm::status::Status;
use crate::shm::{Journal, Page};
use crate::spawn::Launch;
use crate::sys::{Alarm, AsFd, Ready, now};

/// How long a worker may take until it has run the initializer.
const LONGEST_START: Duration = Duration::from_secs(60);
/// What workers are called where no function is to blame.
const NAME: &str = "processing::Pool";

pub(super) struct SeatActor {
    pub(super) crew: Arc<Crew>,
    pub(super) seat: usize,
    pub(super) launch: Arc<Launch>,
    pub(super) entry: Func<Entry>,
    pub(super) initializer: Option<Func<Initializer>>,
    pub(super) start_timeout: Option<Duration>,
    pub(super) status: Page<Status>,
    pub(super) journal: Page<Journal>,
    pub(super) alarm: Alarm,
    pub(super) is_watching: bool,
    pub(super) worker: Option<Worker>,
    /// Why the worker was killed, where it was not for a task.
    pub(super) killed: Option<String>,
    /// What the worker said that could not get ready.
    pub(super) refused: Option<Failure>,
    pub(super) until: Option<Instant>,
    pub(super) over: bool,
}

impl Actor for SeatActor {
    fn wake(&mut self, io: &mut Io<'_>) {
        let crew = Arc::clone(&self.crew);
        let mut state = crew.lock();
        let seat = &mut state.seats[self.seat];
        if let Some(worker) = &self.worker {
            if seat.kill {
                worker.child.kill();
            } else {
                seat.flush();
                // An error means that the worker is gone, and that is heard of elsewhere.
                let _ = io.want_write(&worker.socket, CHANNEL, seat.is_blocked);
                if !seat.is_blocked {
                    crew.feed(&mut state);
                }
            }
        } else if crew.is_over(&state) {
            self.leave(&mut state, io);
        } else if state.seats[self.seat].stage == Stage::Wanted {
            self.start(&mut state, io);
            crew.feed(&mut state);
        }
        crew.release(state);
    }

    fn ready(&mut self, source: Source, ready: Ready, io: &mut Io<'_>) {
        match source {
            CHANNEL => {
                if ready.writable {
                    self.wake(io);
                }
                if ready.readable {
                    self.hear(io);
                }
            }
            ALARM => self.check_limit(),
            EXIT => self.check_exit(io),
            _ => {}
        }
    }

    fn due(&mut self, io: &mut Io<'_>) {
        self.hear(io);
        let is_late = self.until.is_some_and(|until| until <= Instant::now());
        if let (true, Some(worker)) = (is_late, &self.worker) {
            self.killed = Some(format!("it was not ready within {:?}", self.longest_start()));
            worker.child.kill();
        }
    }

    fn is_over(&self) -> bool {
        self.over
    }
}

impl SeatActor {
    fn longest_start(&self) -> Duration {
        self.start_timeout.unwrap_or(LONGEST_START)
    }

    fn start(&mut self, state: &mut State, io: &mut Io<'_>) {
        match self.try_start(state, io) {
            Ok(()) => {
                let until = Instant::now() + self.longest_start();
                self.until = Some(until);
                io.wake_at(until);
            }
            Err(error) => {
                state.seats[self.seat].vacate();
                let failure = Failure::with_cause("no worker could be started", &error);
                let at = Box::new(self.position(0));
                let error = ProcessError::Launch { at, failure: Box::new(failure) };
                self.crew.start_failed(state, self.seat, error);
            }
        }
    }

    fn try_start(&mut self, state: &mut State, io: &mut Io<'_>) -> io::Result<()> {
        if !self.is_watching {
            io.watch(&self.alarm, ALARM)?;
            self.is_watching = true;
        }
        let seat = &mut state.seats[self.seat];
        seat.claims.reset();
        self.status.forget_end();
        self.status.between();
        self.journal.clear();
        let job = SeatJob { index: self.seat, initializer: self.initializer };
        let bytes = cucumber::to_bytes(&job).map_err(io::Error::other)?;
        let own = [self.status.as_fd(), seat.claims.as_fd(), self.journal.as_fd(), self.alarm.to_pass()];
        let fds = own.into_iter().map(|fd| fd.try_clone_to_owned()).collect::<io::Result<_>>()?;
        let mut launched = self.launch.start(self.entry, Message { bytes, fds })?;
        let outbox = launched.outbox.take();
        let worker = Worker::new(launched, NAME, io)?;
        seat.taken_by(worker.pid(), outbox);
        seat.flush();
        if seat.is_blocked {
            io.want_write(&worker.socket, CHANNEL, true)?;
        }
        (self.killed, self.refused) = (None, None);
        self.worker = Some(worker);
        Ok(())
    }

    /// Takes in what the worker says; `false` if it has said nothing.
    fn hear(&mut self, io: &mut Io<'_>) -> bool {
        let Some(worker) = &mut self.worker else { return false };
        let packets = match worker.received(io) {
            Ok(packets) => packets,
            Err(error) => {
                self.end_for_nonsense(&error);
                return false;
            }
        };
        if packets.is_empty() {
            return false;
        }
        let crew = Arc::clone(&self.crew);
        let mut state = crew.lock();
        for packet in packets {
            match Report::unpack(packet) {
                Ok(Report::Hello) => worker.ready = true,
                Ok(Report::Refused(failure)) => self.refused = Some(failure),
                Ok(Report::Ready) => {
                    self.until = None;
                    crew.is_ready(&mut state, self.seat);
                }
                Ok(Report::Results(results)) => take_results(&mut state, self.seat, results, &crew),
                Err(error) => {
                    self.killed.get_or_insert(error.to_string());
                    worker.child.kill();
                }
            }
        }
        crew.feed(&mut state);
        let seat = &mut state.seats[self.seat];
        if seat.stage == Stage::Ready && seat.given >= crew.limits.recycle_after && seat.flight.len() == 0 {
            seat.dismiss(LONGEST_START);
            crew.feed(&mut state);
        }
        crew.release(state);
        true
    }

    fn end_for_nonsense(&mut self, error: &io::Error) {
        self.killed.get_or_insert(error.to_string());
        if let Some(worker) = &self.worker {
            worker.child.kill();
        }
    }

    /// The alarm has rung: a task, or a hook of the process that it is, may have overrun its limit.
    fn check_limit(&mut self) {
        self.alarm.heard();
        let crew = Arc::clone(&self.crew);
        let mut state = crew.lock();
        let time = now();
        let seat = &mut state.seats[self.seat];
        let Some(deadline) = seat.claims.rung() else { return };
        if deadline > time {
            // It was set for a task before this one.
            let mut next = Some(deadline);
            while let Some(deadline) = next {
                let _ = self.alarm.set(deadline);
                next = seat.claims.set_again(deadline);
            }
            return;
        }
        // From here on the worker begins nothing else, so that it is this task which is ended with it.
        let others = seat.take_back();
        let still = seat.claims.rung().filter(|deadline| *deadline <= time);
        if let (Some(task), Some(_)) = (seat.running(), still) {
            let job = seat.flight.get(task).map(|(job, _)| *job);
            let job = job.and_then(|job| state.job(job));
            let hook = job.as_ref().filter(|job| job.kind != Kind::Function);
            let hook = hook.and_then(|_| self.status.overrun(time));
            let limit = hook.or_else(|| job?.rules.task_timeout).unwrap_or_default();
            let seat = &mut state.seats[self.seat];
            seat.doomed = Some(Doom { task, reason: Reason::Limit(limit), at: Instant::now() });
            seat.kill = true;
            if let Some(worker) = &self.worker {
                worker.child.kill();
            }
        }
        state.requeue(others);
        crew.feed(&mut state);
        crew.release(state);
    }

    fn check_exit(&mut self, io: &mut Io<'_>) {
        let Some(exit) = self.worker.as_ref().and_then(Worker::exited) else { return };
        // It may have said more than it was given turns for.
        while self.hear(io) {}
        let Some(worker) = self.worker.take() else { return };
        io.forget(&worker.child);
        self.until = None;
        let crew = Arc::clone(&self.crew);
        let mut state = crew.lock();
        self.lost(&mut state, exit);
        if crew.is_over(&state) {
            self.leave(&mut state, io);
        } else {
            crew.feed(&mut state);
        }
        crew.release(state);
    }

    /// A worker is gone. Whatever it had in flight is settled: the task that it was running pays, the others do not.
    fn lost(&mut self, state: &mut State, exit: Exit) {
        let results = unsent(&self.journal.read());
        take_results(state, self.seat, Results { busy: Duration::ZERO, results }, &self.crew);
        let seat = &mut state.seats[self.seat];
        let (pid, stage, doomed, begun) = (seat.pid, seat.stage, seat.doomed, seat.begun());
        let flight = seat.flight.take_all();
        let was_ready = stage != Stage::Starting;
        seat.vacate();
        let mut others = Vec::new();
        for (number, job, mut task) in flight {
            let was_running = Some(number) == begun.checked_sub(1);
            let ours = doomed.filter(|doom| doom.task == number);
            match (was_running, ours.map(|doom| doom.reason)) {
                (true, Some(Reason::Cancelled)) => {}
                // It began after what its worker was killed for; or the whole pool ends.
                (true, None) if doomed.is_some() => others.push((job, task)),
                (true, None) if state.ending == Some(Ending::Terminate) => state.give_up(job, &task),
                (true, reason) => {
                    if let Some(call) = state.job(job) {
                        let is_process = call.kind != Kind::Function;
                        if is_process {
                            task.attempts = task.attempts.max(self.status.spent());
                        }
                        let mut at = call.position(&task, pid);
                        if is_process {
                            (at.phase, at.run) = (self.status.phase(), self.status.run());
                        }
                        let at = Box::new(at);
                        let error = match reason {
                            Some(Reason::Limit(limit)) => ProcessError::Timeout { at, limit },
                            _ => self.error_of(at, exit),
                        };
                        call.failed(task, error, true, false);
                    }
                }
                (false, _) => others.push((job, task)),
            }
        }
        state.requeue(others);
        if !was_ready {
            let error = self.start_error(exit, pid);
            self.crew.start_failed(state, self.seat, error);
        }
    }

    fn error_of(&self, at: Box<Position>, exit: Exit) -> ProcessError {
        if let Some(nonsense) = &self.killed {
            return ProcessError::Launch { at, failure: Box::new(Failure::text(nonsense.clone())) };
        }
        match self.status.panic.read() {
            // A panic that aborts has said why before it did.
            Some(report) if exit == Exit::ABORTED => {
                ProcessError::Hook { at, failure: Box::new(report.into()) }
            }
            _ => ProcessError::Died {
                at,
                exit,
                stack_overflow: self.status.has_overflowed(),
                last_words: Vec::new(),
            },
        }
    }

    fn start_error(&mut self, exit: Exit, pid: u32) -> ProcessError {
        let failure = self.refused.take().or_else(|| self.killed.take().map(Failure::text));
        let failure = failure.unwrap_or_else(|| Failure::text(format!("it {exit}, before it was ready")));
        ProcessError::Launch { at: Box::new(self.position(pid)), failure: Box::new(failure) }
    }

    fn position(&self, pid: u32) -> Position {
        Position { worker: NAME.to_owned(), phase: None, run: 0, lives_left: 0, pid }
    }

    /// There is no worker, and there will be none.
    fn leave(&mut self, state: &mut State, io: &mut Io<'_>) {
        if self.is_watching {
            io.forget(&self.alarm);
        }
        self.over = true;
        self.crew.gone(state, self.seat);
    }
}

/// Takes in what a worker answered.
fn take_results(state: &mut State, number: usize, results: Results, crew: &Crew) {
    let Results { busy, results } = results;
    let before = state.seats[number].flight.len();
    let count = results.len() as u32;
    let mut learned = None;
    for answer in results {
        let seat = &mut state.seats[number];
        let pid = seat.pid;
        if seat.doomed.is_some_and(|doom| doom.task == answer.task && !seat.kill) {
            // It was done before it had to be ended.
            seat.doomed = None;
        }
        // Something else is no answer to anything that is still asked.
        let Some((job, task)) = seat.flight.take(answer.task) else { continue };
        learned.get_or_insert(job);
        if let Some(job) = state.job(job) {
            job.settle(task, answer, pid, &crew.files);
        }
    }
    if let Some(job) = learned.and_then(|job| state.job(job)) {
        job.learn(busy, count);
    }
    let seat = &mut state.seats[number];
    seat.is_slow = false;
    seat.load = seat.load.saturating_mul(seat.flight.len() as u32) / before.max(1) as u32;
}

/// Keeps a pool's time.
pub(super) struct Timekeeper {
    pub(super) crew: Arc<Crew>,
    /// What the reactor has been asked for.
    pub(super) asked: Option<Instant>,
    pub(super) over: bool,
}

impl Actor for Timekeeper {
    fn wake(&mut self, io: &mut Io<'_>) {
        let state = self.crew.lock();
        if let Some(timer) = state.timer
            && self.asked != Some(timer)
        {
            self.asked = Some(timer);
            io.wake_at(timer);
        }
        self.over = state.ending.is_some() && state.seats.iter().all(|seat| seat.stage == Stage::Gone);
    }

    fn ready(&mut self, _source: Source, _ready: Ready, _io: &mut Io<'_>) {}

    fn due(&mut self, io: &mut Io<'_>) {
        self.asked = None;
        let mut state = self.crew.lock();
        self.crew.tick(&mut state);
        self.crew.release(state);
        self.wake(io);
    }

    fn is_over(&self) -> bool {
        self.over
    }
}
