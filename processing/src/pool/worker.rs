//! The worker's side of a pool: take tasks, run them, answer.

use std::collections::BTreeMap;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::body::Files;
use super::function::{Runner, Scope};
use super::protocol::{Assignment, Attempts, JobStart, Order, Pending, SeatJob, Verdict, ready_packet};
use super::task::{self, CurrentTask, TaskFailure};
use crate::attendant::Attendant;
use crate::channel::{Inbox, Message, Outbox, scope};
use crate::chaos;
use crate::engine::{self, Loan};
use crate::error::Failure;
use crate::protocol::{Event, Worker};
use crate::restart::Pause;
use crate::shm::status::Status;
use crate::shm::{Bell, Claims, Journal, Page};
use crate::sys::{Alarm, Nanos, OwnedFd, now};

/// No result waits longer than this for others to be sent with.
const LONGEST_WAIT: Duration = Duration::from_millis(1);
/// As many bytes of results are sent at once.
const FULL: usize = 32 * 1024;

/// Runs the tasks of a pool, until the pool is done with this worker.
pub(super) fn enter(worker: Worker) {
    let socket = Arc::clone(&worker.socket);
    if let Err(failure) = Desk::set_up(worker).and_then(Desk::work) {
        // If it cannot be said, the parent sees the end of this process.
        let refused = Event::Refused(failure).pack();
        let mut outbox = Outbox::new(socket);
        let _ = refused.map(|packet| {
            outbox.push(Arc::new(packet));
            outbox.flush()
        });
    }
}

struct Desk {
    inbox: Inbox,
    status: Arc<Page<Status>>,
    claims: Arc<Page<Claims>>,
    alarm: Arc<Alarm>,
    results: Arc<Results>,
    jobs: BTreeMap<u64, Job>,
    files: Files,
    /// Ends this process when its parent is gone, whatever the tasks are doing.
    _attendant: Attendant,
}

/// What a call does with its items; or why it cannot.
struct Job {
    runner: Result<Box<dyn Runner>, Failure>,
    task_timeout: Option<Duration>,
    process: Option<Attempts>,
}

fn strange(error: &(dyn std::error::Error + 'static)) -> Failure {
    Failure::with_cause("the worker cannot go on", error)
}

impl Desk {
    fn set_up(worker: Worker) -> Result<Self, Failure> {
        let job: SeatJob =
            cucumber::decode_with(&worker.job.bytes, scope(Vec::new())).map_err(|error| strange(&error))?;
        let mut fds = worker.job.fds.into_iter();
        let mut next =
            || fds.next().ok_or_else(|| Failure::text("the worker was not given all of its descriptors"));
        let (status, claims, journal, alarm) = (next()?, next()?, next()?, next()?);
        let status = Arc::new(Page::<Status>::open(status).map_err(|error| strange(&error))?);
        let claims = Page::<Claims>::open(claims).map_err(|error| strange(&error))?;
        let journal = Page::<Journal>::open(journal).map_err(|error| strange(&error))?;
        engine::watch(&status);
        task::set_worker_index(job.index);
        if let Some(initializer) = job.initializer {
            let done = catch_unwind(AssertUnwindSafe(|| initializer.get()(())));
            done.unwrap_or_else(|panic| Err(engine::caught(&*panic)))?;
        }
        let results = Arc::new(Results::new(&worker.socket, journal));
        let desk = Desk {
            inbox: worker.inbox,
            status,
            claims: Arc::new(claims),
            alarm: Arc::new(Alarm::from_fd(alarm)),
            results,
            jobs: BTreeMap::new(),
            files: Files::default(),
            _attendant: worker.attendant,
        };
        desk.results.send(ready_packet()).map_err(|error| strange(&error))?;
        Ok(desk)
    }

    fn work(mut self) -> Result<(), Failure> {
        while let Some(packet) = self.inbox.next().map_err(|error| strange(&error))? {
            match Order::unpack(packet).map_err(|error| strange(&error))? {
                Order::Job(start, captures) => self.learn(start, captures),
                Order::Forget(job) => drop(self.jobs.remove(&job)),
                Order::Chunk(tasks) => self.run(tasks).map_err(|error| strange(&error))?,
                Order::Quit => break,
            }
        }
        Ok(())
    }

    fn learn(&mut self, start: JobStart, captures: Message) {
        let JobStart { id, setup, task_timeout, process } = start;
        let runner = catch_unwind(AssertUnwindSafe(|| setup.get()(captures)));
        let runner = runner.unwrap_or_else(|panic| Err(engine::caught(&*panic)));
        self.jobs.insert(id, Job { runner, task_timeout, process });
    }

    fn run(&mut self, tasks: Vec<Assignment>) -> io::Result<()> {
        let last = tasks.len().saturating_sub(1);
        let mut clock = now();
        for (place, task) in tasks.into_iter().enumerate() {
            if let Some(process) = self.jobs.get(&task.job).and_then(|job| job.process) {
                // Before it is begun: from then on the page is about this process, whatever happens to the worker.
                self.status.begin_anew(process.lives, task.attempt);
            }
            if self.claims.claim(task.task) {
                self.run_one(task, &mut clock, place == last)?;
            }
        }
        // The last one may have been taken back.
        self.results.flush()
    }

    fn run_one(&mut self, task: Assignment, clock: &mut Nanos, is_last: bool) -> io::Result<()> {
        let Assignment { task, job, index, attempt, body, scratch, before } = task;
        let Some(job) = self.jobs.get_mut(&job) else {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "a task of a call that was never told"));
        };
        let has_scratch = scratch.is_some();
        scratch.into_iter().for_each(|file| self.files.lend(file));
        CurrentTask::set(index, attempt);
        let end = job.task_timeout.map(|limit| clock.after(limit));
        if let Some(end) = end.filter(|&end| self.claims.set_deadline(end)) {
            self.alarm.set(end)?;
        }
        chaos::point(|| end);
        let pause = job.process.map_or(Pause::NONE, |process| process.pause);
        let loan = || {
            let (claims, alarm) = (Arc::clone(&self.claims), Arc::clone(&self.alarm));
            let bell = Bell::Seat { claims, alarm, task: end };
            Ok(Loan { status: Arc::clone(&self.status), bell, pause })
        };
        let (verdict, result) = match &mut job.runner {
            Ok(runner) => runner.run(body, &mut Scope { files: &self.files, loan: &loan, before }),
            Err(failure) => (Verdict::GaveUp, Err(TaskFailure::Function(failure.clone()))),
        };
        chaos::point(|| end);
        if job.task_timeout.is_some() {
            self.claims.clear_deadline();
        }
        CurrentTask::clear();
        let (verdict, body, in_scratch) = match result {
            Ok(body) => {
                let in_scratch = has_scratch && body.is_big();
                (verdict, body, in_scratch)
            }
            Err(failure) => (verdict, failure.encode(), false),
        };
        if has_scratch {
            self.files.clear();
        }
        let end = now();
        let took = end.since(*clock);
        *clock = end;
        self.results.add(took, is_last, end, |pending| pending.add(task, verdict, body, in_scratch))
    }
}

/// Results on their way out; shared with the thread that sends what has waited too long.
struct Results {
    state: Mutex<State>,
    waiting: Condvar,
}

struct State {
    outbox: Outbox,
    pending: Pending,
    /// Holds what is pending, for the parent to find.
    journal: Page<Journal>,
    /// How long the pending ones took.
    busy: Duration,
    /// When the first of them was done.
    since: Nanos,
    /// Whether there is a thread that sends what has waited too long.
    has_watcher: bool,
    /// Whether it looks again by itself.
    is_watched: bool,
}

impl Results {
    fn new(socket: &Arc<OwnedFd>, journal: Page<Journal>) -> Self {
        let outbox = Outbox::new(Arc::clone(socket));
        let pending = Pending::default();
        let (busy, since) = (Duration::ZERO, Nanos(0));
        let state = State { outbox, journal, pending, busy, since, has_watcher: false, is_watched: false };
        Results { state: Mutex::new(state), waiting: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(
        self: &Arc<Self>,
        took: Duration,
        is_last: bool,
        now: Nanos,
        add: impl FnOnce(&mut Pending),
    ) -> io::Result<()> {
        let mut state = self.lock();
        let is_first = state.pending.is_empty();
        if is_first {
            state.since = now;
        }
        state.busy += took;
        let known = state.pending.bytes().len();
        add(&mut state.pending);
        let has_waited = now.since(state.since) >= LONGEST_WAIT;
        if is_last || has_waited || state.pending.has_fds() || state.pending.bytes().len() >= FULL {
            return state.flush();
        }
        let State { pending, journal, .. } = &*state;
        if !journal.write(pending.bytes(), known) {
            return state.flush();
        }
        let State { has_watcher, is_watched, .. } = *state;
        drop(state);
        // The next task may take for ever.
        if !has_watcher {
            self.keep_moving()?;
        } else if is_first && !is_watched {
            self.waiting.notify_one();
        }
        Ok(())
    }

    fn flush(&self) -> io::Result<()> {
        self.lock().flush()
    }

    fn send(&self, packet: io::Result<crate::channel::Packet>) -> io::Result<()> {
        let mut state = self.lock();
        state.outbox.push(Arc::new(packet?));
        // The socket blocks here, so all of it is sent.
        state.outbox.flush().map(|_| ())
    }

    /// Sends results that have waited for long, while a task runs that takes its time.
    fn keep_moving(self: &Arc<Self>) -> io::Result<()> {
        let results = Arc::clone(self);
        let watch = move || {
            let mut state = results.lock();
            let mut seen = Nanos(0);
            loop {
                let is_empty = state.pending.is_empty();
                let waited = if is_empty { Duration::ZERO } else { now().since(state.since) };
                if is_empty && state.since == seen {
                    // Nothing has been done since the last look.
                    state.is_watched = false;
                    state = results.waiting.wait(state).unwrap_or_else(PoisonError::into_inner);
                    state.is_watched = true;
                } else if waited < LONGEST_WAIT {
                    // While there is much to do, this thread wakes by the clock, and nobody has to wake it.
                    seen = state.since;
                    let woken = results.waiting.wait_timeout(state, LONGEST_WAIT - waited);
                    state = woken.unwrap_or_else(PoisonError::into_inner).0;
                } else if state.flush().is_err() {
                    // The parent is gone, and so is this process in a moment.
                    return;
                }
            }
        };
        let mut state = self.lock();
        let thread = std::thread::Builder::new().name("processing-results".into()).stack_size(64 * 1024);
        // Where there is no room for a thread, results go one by one.
        state.has_watcher = thread.spawn(watch).is_ok();
        state.is_watched = state.has_watcher;
        if state.has_watcher { Ok(()) } else { state.flush() }
    }
}

impl State {
    fn flush(&mut self) -> io::Result<()> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let busy = std::mem::take(&mut self.busy);
        self.outbox.push(Arc::new(self.pending.take(busy)?));
        self.outbox.flush()?;
        self.journal.clear();
        Ok(())
    }
}
