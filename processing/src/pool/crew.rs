//! The workers of a pool and the calls that wait for them.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::{Duration, Instant};

use super::body::Files;
use super::error::PoolError;
use super::job::{Job, Kind, Rules};
use super::seat::{Doom, Reason, Seat, Stage};
use super::task::Task;
use crate::ProcessError;
use crate::channel::Packet;
use crate::reactor::{self, ActorId};

/// How long a task that nobody wants any more may go on before its worker is killed. Most are done by then.
pub(super) const GRACE: Duration = Duration::from_millis(100);
/// How long a worker that has nothing to do may take to end.
const LONGEST_END: Duration = Duration::from_secs(2);
/// After so many workers in a row that never got ready, there will be no more.
const MOST_FAILED_STARTS: u32 = 3;

/// Shared by the pool, its calls and the actors of its seats.
#[derive(Debug)]
pub(super) struct Crew {
    pub(super) limits: Limits,
    /// Memory files for big items.
    pub(super) files: Files,
    state: Mutex<State>,
    /// Woken when a worker is gone or a call is over.
    changed: Condvar,
}

/// What holds for all calls of a pool.
#[derive(Clone, Debug)]
pub(super) struct Limits {
    pub(super) workers: usize,
    /// A worker is replaced after so many tasks.
    pub(super) recycle_after: u64,
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) seats: Vec<Seat>,
    pub(super) jobs: Vec<Job>,
    next_job: u64,
    /// The job whose turn it is.
    pub(super) turn: usize,
    pub(super) ending: Option<Ending>,
    failed_starts: u32,
    /// Why there will be no more workers.
    broken: Option<ProcessError>,
    /// When to look for tasks that are stuck behind a long one.
    pub(super) look_at: Option<Instant>,
    pub(super) timekeeper: Option<ActorId>,
    /// What the timekeeper has been asked for.
    pub(super) timer: Option<Instant>,
    /// Actors that have something to do.
    pub(super) to_wake: Vec<ActorId>,
}

/// How a pool ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// Once its calls are over.
    Close,
    /// At once.
    Terminate,
}

impl Crew {
    pub(super) fn new(limits: Limits, seats: Vec<Seat>) -> Self {
        let state = State {
            seats,
            jobs: Vec::new(),
            next_job: 1,
            turn: 0,
            ending: None,
            failed_starts: 0,
            broken: None,
            look_at: None,
            timekeeper: None,
            timer: None,
            to_wake: Vec::new(),
        };
        Crew { limits, files: Files::default(), state: Mutex::new(state), changed: Condvar::new() }
    }

    /// One whose every call fails.
    pub(super) fn broken(cause: ProcessError) -> Self {
        let crew = Crew::new(Limits { workers: 1, recycle_after: 1 }, Vec::new());
        crew.lock().broken = Some(cause);
        crew
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets go of the state, and tells everyone whom its changes concern.
    pub(super) fn release(&self, mut state: MutexGuard<'_, State>) {
        let actors = std::mem::take(&mut state.to_wake);
        let mut tasks: Vec<Waker> = Vec::new();
        for job in state.jobs.iter_mut().filter(|job| job.has_news) {
            job.has_news = false;
            job.changed.notify_all();
            tasks.extend(job.task.take());
        }
        drop(state);
        actors.into_iter().for_each(reactor::wake);
        // A waker may run code of an executor, which must not find the state locked.
        tasks.into_iter().for_each(Waker::wake);
    }

    /// Begins a call.
    pub(super) fn begin(
        &self,
        name: &'static str,
        kind: Kind,
        rules: Rules,
        packet: impl FnOnce(u64) -> std::io::Result<Packet>,
    ) -> std::io::Result<u64> {
        let mut state = self.lock();
        let id = state.next_job;
        state.next_job += 1;
        drop(state);
        let job = Job::new(id, name, kind, packet(id)?, rules);
        self.lock().jobs.push(job);
        Ok(id)
    }

    /// Adds tasks to a call, and sends what can be sent.
    pub(super) fn add(&self, job: u64, tasks: &mut Vec<Task>) {
        let mut state = self.lock();
        let refusal = state.refusal();
        let Some(call) = state.job(job) else { return tasks.clear() };
        match refusal {
            None => call.queue.extend(tasks.drain(..)),
            Some(refusal) => {
                for task in tasks.drain(..) {
                    let error = refusal.of(task.index, call.name);
                    call.finish(task.index, Err(Box::new(error)));
                }
            }
        }
        self.feed(&mut state);
        self.release(state);
    }

    /// Ends a call: what it has not begun is dropped, and what it has begun is ended within [`GRACE`], or at once.
    pub(super) fn cancel(&self, job: u64, at_once: bool) {
        let mut state = self.lock();
        let Some(place) = state.jobs.iter().position(|other| other.id == job) else { return };
        let over = state.jobs.remove(place);
        let at = Instant::now() + if at_once { Duration::ZERO } else { GRACE };
        for number in 0..state.seats.len() {
            let seat = &mut state.seats[number];
            if !seat.flight.of_job(job).is_empty() {
                let others = seat.take_back().into_iter().filter(|(of, _)| *of != job).collect();
                let running = seat.running();
                for task in seat.flight.of_job(job) {
                    // Its bytes may still be read, so they are not used again. The place of one that is running stays.
                    if Some(task) != running {
                        seat.flight.take(task);
                    }
                }
                if let Some(task) =
                    running.filter(|&task| seat.flight.get(task).is_some_and(|(of, _)| *of == job))
                {
                    seat.doomed.get_or_insert(Doom { task, reason: Reason::Cancelled, at });
                }
                state.requeue(others);
            }
            state.seats[number].forget(job);
        }
        state.kill_doomed(Instant::now());
        self.feed(&mut state);
        self.end_if_done(&mut state);
        self.release(state);
        self.changed.notify_all();
        drop(over);
    }

    /// A worker has been started in a seat that wanted one, or could not be.
    pub(super) fn start_failed(&self, state: &mut State, seat: usize, error: ProcessError) {
        state.failed_starts += 1;
        let pause = Duration::from_millis(10) * (1 << state.failed_starts.min(6));
        state.seats[seat].rests_until = Some(Instant::now() + pause);
        if state.failed_starts >= MOST_FAILED_STARTS {
            state.break_down(error);
        }
    }

    pub(super) fn is_ready(&self, state: &mut State, seat: usize) {
        state.failed_starts = 0;
        if state.seats[seat].stage == Stage::Starting {
            state.seats[seat].stage = Stage::Ready;
        }
        self.feed(state);
        self.end_if_done(state);
    }

    /// Ends the pool, and returns when no worker is left.
    pub(super) fn end(&self, how: Ending) {
        let mut state = self.lock();
        if state.ending != Some(Ending::Terminate) {
            state.ending = Some(how);
        }
        if how == Ending::Terminate {
            state.fail_all(&Refusal::Ended);
            for seat in &mut state.seats {
                seat.take_back();
                seat.kill |= seat.flight.len() > 0;
            }
        }
        self.end_if_done(&mut state);
        self.release(state);
        let mut state = self.lock();
        while state.seats.iter().any(|seat| seat.stage != Stage::Gone) {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Lets the workers go once the pool is ending and nothing is left to do.
    pub(super) fn end_if_done(&self, state: &mut State) {
        let done = match state.ending {
            None => false,
            Some(Ending::Close) => state.jobs.is_empty(),
            Some(Ending::Terminate) => true,
        };
        if !done {
            return;
        }
        for seat in &mut state.seats {
            seat.dismiss(LONGEST_END);
            state.to_wake.extend(seat.actor);
        }
        state.to_wake.extend(state.timekeeper);
    }

    /// Whether a seat with no worker is to stay without one.
    pub(super) fn is_over(&self, state: &State) -> bool {
        match state.ending {
            None => false,
            Some(Ending::Close) => state.jobs.is_empty(),
            Some(Ending::Terminate) => true,
        }
    }

    pub(super) fn gone(&self, state: &mut State, seat: usize) {
        state.seats[seat].stage = Stage::Gone;
        state.to_wake.extend(state.timekeeper);
        self.changed.notify_all();
    }
}

/// Why no task is taken.
#[derive(Debug)]
pub(super) enum Refusal {
    Ended,
    Broken(ProcessError),
}

impl Refusal {
    fn of(&self, index: usize, worker: &str) -> PoolError {
        match self {
            Refusal::Ended => PoolError::ended(index, worker),
            Refusal::Broken(cause) => PoolError::broken(index, cause.clone()),
        }
    }
}

impl State {
    pub(super) fn job(&mut self, id: u64) -> Option<&mut Job> {
        self.jobs.iter_mut().find(|job| job.id == id)
    }

    fn refusal(&self) -> Option<Refusal> {
        match (&self.broken, self.ending) {
            (Some(cause), _) => Some(Refusal::Broken(cause.clone())),
            (None, Some(Ending::Terminate)) => Some(Refusal::Ended),
            (None, _) => None,
        }
    }

    /// Puts tasks back that were not begun, in front of those that never left.
    pub(super) fn requeue(&mut self, tasks: Vec<(u64, Task)>) {
        for (job, task) in tasks.into_iter().rev() {
            if let Some(job) = self.job(job) {
                job.queue.push_front(task);
            }
        }
    }

    /// There will be no more workers; those that are at work go on.
    fn break_down(&mut self, cause: ProcessError) {
        if self.seats.iter().any(|seat| seat.stage == Stage::Ready) {
            // It can be done without, for now.
            return;
        }
        let cause = self.broken.get_or_insert(cause).clone();
        self.fail_all(&Refusal::Broken(cause));
    }

    /// The pool has ended under a task that was running.
    pub(super) fn give_up(&mut self, job: u64, task: &Task) {
        if let Some(job) = self.job(job) {
            let error = PoolError::ended(task.index, job.name);
            job.finish(task.index, Err(Box::new(error)));
        }
    }

    fn fail_all(&mut self, refusal: &Refusal) {
        for job in &mut self.jobs {
            let resting = std::mem::take(&mut job.resting).into_iter().map(|(_, task)| task);
            let waiting: Vec<Task> = job.queue.drain(..).chain(resting).collect();
            for task in waiting {
                let error = refusal.of(task.index, job.name);
                job.finish(task.index, Err(Box::new(error)));
            }
        }
        for number in 0..self.seats.len() {
            let taken = self.seats[number].take_back();
            for (job, task) in taken {
                if let Some(job) = self.job(job) {
                    let error = refusal.of(task.index, job.name);
                    job.finish(task.index, Err(Box::new(error)));
                }
            }
        }
    }

    /// Has the workers killed whose task is to end by now.
    pub(super) fn kill_doomed(&mut self, now: Instant) {
        for seat in &mut self.seats {
            if seat.doomed.is_some_and(|doom| doom.at <= now) || seat.ends_until.is_some_and(|end| end <= now)
            {
                seat.kill = true;
                self.to_wake.extend(seat.actor);
            }
        }
    }
}
