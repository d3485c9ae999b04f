//! Who owns a process: starts its workers, hears from them, replaces those that die, and spends the lives.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use cucumber::Func;

use super::post_mortem::{Reason, post_mortem};
use super::state::Shared;
use super::worker::{ALARM, CHANNEL, EXIT, OUTPUT_TURN, Worker};
use crate::channel::Message;
use crate::error::{Exit, Failure, Position};
use crate::protocol::{Entry, Event, Failed, Fault, Request};
use crate::reactor::{Actor, Io, Source};
use crate::restart::{Failures, TooMany};
use crate::spawn::{Launch, Launched};
use crate::sys::{Alarm, OwnedFd, Ready, later, now};
use crate::{Config, Phase, ProcessError, trace};

mod exchange;

/// How long a worker may take until it answers. Long, as a machine may be busy; a dead one is noticed at once.
const LONGEST_START: Duration = Duration::from_secs(60);
/// How long a worker that has finished, or that nobody wants any more, may take to end by itself.
const LONGEST_END: Duration = Duration::from_secs(5);

pub(super) struct Supervisor {
    pub(super) shared: Arc<Shared>,
    pub(super) launch: Launch,
    pub(super) entry: Func<Entry>,
    pub(super) config: Config,
    /// Whether there is an `error` hook to run in a fresh worker.
    pub(super) has_error_hook: bool,
    pub(super) alarm: Alarm,
    pub(super) files: Vec<OwnedFd>,
    /// The descriptors of the handles in the state, by the number of the checkpoint that they belong to.
    pub(super) handles: BTreeMap<u64, Vec<OwnedFd>>,
    /// The first worker, if it has been started already.
    pub(super) first: Option<Launched>,
    pub(super) plan: Plan,
    pub(super) failures: Failures,
    /// Why the process is over but for its `error` hook.
    pub(super) ending: Option<ProcessError>,
    /// Why the next worker repeats an iteration.
    pub(super) last_failure: Option<ProcessError>,
    pub(super) over: bool,
}

/// What there is at the moment.
pub(super) enum Plan {
    /// No worker has been started yet.
    New,
    /// A worker, which is killed if it is still there at the time, for the reason.
    Running { worker: Box<Worker>, until: Option<Instant>, killed: Option<Reason> },
    /// No worker until the time.
    Waiting { until: Instant },
}

impl Actor for Supervisor {
    fn wake(&mut self, io: &mut Io<'_>) {
        let (kill, abandoned, garbled) = {
            let state = self.shared.lock();
            (state.kill, state.abandoned, state.garbled)
        };
        if garbled {
            self.look(io);
        }
        match &mut self.plan {
            Plan::New => {
                let has_begun = self.first.is_some();
                // Without it no limit would hold.
                let started = io.watch(&self.alarm, ALARM).and_then(|()| self.start_worker(io));
                if let (true, Err(error)) = (has_begun, &started) {
                    // Whoever asked for it has been told that it has started.
                    let failure = Failure::with_cause("the worker could not be looked after", error);
                    let at = Box::new(self.position(None));
                    return self.finish(Err(ProcessError::Launch { at, failure: Box::new(failure) }), io);
                }
                let failed = started.is_err();
                self.shared.change(|state| {
                    state.started = Some(started);
                    state.over = failed;
                });
                self.over = failed;
            }
            Plan::Running { worker, until, .. } => {
                if kill {
                    worker.child.kill();
                } else if abandoned {
                    let end = Instant::now() + LONGEST_END;
                    if until.is_none_or(|until| until > end) {
                        *until = Some(end);
                        io.wake_at(end);
                    }
                }
                self.send(io);
            }
            Plan::Waiting { .. } if kill => {
                let at = Box::new(self.position(None));
                self.finish(Err(ProcessError::Killed { at }), io);
            }
            // A stop does not wait for a back-off.
            Plan::Waiting { .. } if self.shared.status.is_stopping() => self.start_next(io),
            Plan::Waiting { .. } => {}
        }
    }

    fn ready(&mut self, source: Source, ready: Ready, io: &mut Io<'_>) {
        match source {
            CHANNEL => {
                if ready.writable {
                    self.send(io);
                }
                if ready.readable {
                    self.hear(io);
                }
            }
            ALARM => self.check_limit(),
            EXIT => self.check_exit(io),
            _ => {
                let Plan::Running { worker, .. } = &mut self.plan else { return };
                self.shared.change(|state| worker.read_lines(OUTPUT_TURN, io, |line| state.add_output(line)));
            }
        }
    }

    fn due(&mut self, io: &mut Io<'_>) {
        let now = Instant::now();
        match &mut self.plan {
            Plan::Running { worker, until: Some(until), killed } if *until <= now => {
                let mut state = self.shared.lock();
                if state.abandoned && !worker.finished {
                    // It had its time: none of its lives is for somebody who has let go of it.
                    state.kill = true;
                } else if !worker.ready && !worker.finished {
                    *killed = Some(Reason::Silent(LONGEST_START));
                }
                worker.child.kill();
            }
            Plan::Running { .. } => {
                self.send(io);
                self.hear(io);
            }
            Plan::Waiting { until } if *until <= now => self.start_next(io),
            _ => {}
        }
    }

    fn is_over(&self) -> bool {
        self.over
    }
}

impl Supervisor {
    /// Starts a worker that resumes from the last checkpoint.
    fn start_worker(&mut self, io: &mut Io<'_>) -> io::Result<()> {
        let launched = match self.first.take() {
            Some(first) => first,
            None => {
                let listened = self.resume();
                self.shared.take(self.launch.start(self.entry, self.job()?)?, listened)
            }
        };
        let mut worker = Worker::new(launched, self.shared.worker, io)?;
        worker.is_last = self.ending.is_some();
        let until = Instant::now() + LONGEST_START;
        io.wake_at(until);
        trace::started(&self.position(None));
        let worker = Box::new(worker);
        self.plan = Plan::Running { worker, until: Some(until), killed: None };
        self.send(io);
        Ok(())
    }
    /// Starts the worker that follows a failure.
    fn start_next(&mut self, io: &mut Io<'_>) {
        if let Err(error) = self.start_worker(io) {
            let failure = Failure::with_cause("no worker could be started to go on with", &error);
            let at = Box::new(self.position(None));
            self.finish(Err(ProcessError::Launch { at, failure: Box::new(failure) }), io);
        }
    }

    fn handle(&mut self, event: Event, io: &mut Io<'_>) {
        match event {
            Event::Hello => {
                if let Plan::Running { worker, until, .. } = &mut self.plan {
                    worker.ready = true;
                    *until = None;
                }
                if self.shared.lock().abandoned {
                    self.wake(io);
                }
            }
            Event::Refused(failure) => {
                let at = Box::new(self.position(None));
                self.deliver(Err(ProcessError::Launch { at, failure: Box::new(failure) }), io);
            }
            Event::Message(message) => self.shared.change(|state| state.mailbox.add(message)),
            Event::Look => self.look(io),
            Event::Settings(config) => {
                self.shared.lock().follow(&config);
                self.config = config;
            }
            Event::Handles(number, message) => {
                let committed = self.shared.status.checkpoint().handles;
                self.handles.retain(|&number, _| number >= committed);
                self.handles.insert(number, message.fds);
            }
            Event::Failed(failed) => self.judge(failed, io),
            Event::Value(message) => self.deliver(Ok(Arc::new(message)), io),
            Event::Error(error) => self.deliver(Err(error), io),
        }
    }

    /// A hook failed and its worker waits for what to do.
    fn judge(&mut self, Failed { phase, run, fault }: Failed, io: &mut Io<'_>) {
        if matches!(self.plan, Plan::Running { killed: Some(_), .. }) {
            // It failed just as its limit had it killed: that is one failure, and counts when the worker is gone.
            return;
        }
        let left = if phase.is_retried() { self.shared.status.spend_life() } else { None };
        let mut at = self.position(Some(phase));
        at.run = run;
        let at = Box::new(at);
        let error = match fault {
            Fault::Failure(failure) => ProcessError::Hook { at, failure },
            Fault::Timeout(limit) => ProcessError::Timeout { at, limit },
        };
        match self.verdict(left.is_some(), &error) {
            Ok(after) => self.say(Request::Retry(after, error), io),
            Err(error) => {
                self.note_failure(&error);
                self.ending = Some(error.clone());
                self.say(Request::GiveUp(error), io);
            }
        }
    }

    /// How long to wait before going on, or why not to.
    fn verdict(&mut self, has_lives: bool, error: &ProcessError) -> Result<Duration, ProcessError> {
        trace::failed(error, has_lives);
        if !has_lives {
            return Err(error.clone());
        }
        let restart = self.config.restart;
        self.failures.add(Instant::now(), &restart).map_err(|TooMany(failures)| ProcessError::CrashLoop {
            failures,
            within: restart.within,
            last: Box::new(error.clone()),
        })
    }

    /// The alarm has rung: if the hook is still at it, its worker ends here.
    fn check_limit(&mut self) {
        self.alarm.heard();
        let Plan::Running { worker, killed, .. } = &mut self.plan else { return };
        if let Some(limit) = self.shared.status.overrun(now()) {
            killed.get_or_insert(Reason::Limit(limit));
            worker.child.kill();
        }
    }

    fn check_exit(&mut self, io: &mut Io<'_>) {
        let Plan::Running { worker, .. } = &mut self.plan else { return };
        let Some(exit) = worker.exited() else { return };
        // It may have said more than it was given turns for.
        self.shared.change(|state| worker.last_lines(io, |line| state.add_output(line)));
        while self.hear(io) {}
        let Plan::Running { worker, killed, .. } = std::mem::replace(&mut self.plan, Plan::New) else {
            return;
        };
        io.forget(&worker.child);
        self.shared.change(|state| state.part(&self.shared.mail));
        if worker.finished {
            return self.end(io);
        }
        self.lost(&worker, exit, killed, io);
    }

    /// A worker is gone before its process was over.
    fn lost(&mut self, worker: &Worker, exit: Exit, killed: Option<Reason>, io: &mut Io<'_>) {
        if self.shared.lock().kill {
            let at = Box::new(self.position(self.shared.status.phase()));
            return self.finish(Err(ProcessError::Killed { at }), io);
        }
        if let Some(ending) = &self.ending {
            let ending = ending.clone();
            let has_begun = self.shared.status.phase() == Some(Phase::Error);
            if self.has_error_hook && !has_begun && !worker.is_last {
                // It died on its way to its `error` hook, which is still owed.
                return self.start_next(io);
            }
            // Its last hook has failed: what it was told of is what it came to.
            return self.finish(Err(ending), io);
        }
        let phase = self.shared.status.phase().filter(|_| worker.ready);
        let retried = phase.is_none_or(Phase::is_retried);
        let left = if retried { self.shared.status.spend_life() } else { None };
        let at = Box::new(self.position(phase));
        let error = killed.map_or_else(
            || post_mortem(&self.shared, worker.ready, exit, at.clone()),
            |reason| reason.into_error(at.clone()),
        );
        match self.verdict(left.is_some(), &error) {
            Ok(after) => {
                self.last_failure = Some(error);
                let until = later(after);
                self.plan = Plan::Waiting { until };
                if after.is_zero() || self.shared.status.is_stopping() {
                    self.start_next(io);
                } else {
                    io.wake_at(until);
                }
            }
            Err(error) if self.has_error_hook && worker.ready => {
                self.note_failure(&error);
                self.ending = Some(error);
                self.start_next(io);
            }
            Err(error) => self.finish(Err(error), io),
        }
    }

    /// The worker has said what the process came to; it has a moment to end by itself.
    fn deliver(&mut self, outcome: Result<Arc<Message>, ProcessError>, io: &mut Io<'_>) {
        if let Plan::Running { worker, until, .. } = &mut self.plan {
            worker.finished = true;
            let end = Instant::now() + LONGEST_END;
            *until = Some(end);
            io.wake_at(end);
        }
        self.shared.change(|state| state.conclude(outcome));
    }

    /// The process is over, and there is no worker.
    fn finish(&mut self, outcome: Result<Arc<Message>, ProcessError>, io: &mut Io<'_>) {
        self.shared.change(|state| state.conclude(outcome));
        self.end(io);
    }

    fn note_failure(&self, error: &ProcessError) {
        self.shared.lock().failure = Some(error.clone());
    }

    fn end(&mut self, io: &mut Io<'_>) {
        io.forget(&self.alarm);
        self.over = true;
        trace::over(&self.position(None));
        self.shared.change(|state| {
            state.outbox = None;
            state.over = true;
        });
    }

    fn position(&self, phase: Option<Phase>) -> Position {
        let status = &self.shared.status;
        Position {
            worker: self.shared.worker.to_owned(),
            phase,
            run: status.run(),
            lives_left: status.lives_left(),
            pid: self.shared.lock().pid,
        }
    }
}
