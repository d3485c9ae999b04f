//! The worker's side of a process: the loop over its hooks.

#[cfg(feature = "async")]
mod asynced;
mod checkpoint;
mod hook;
mod live;
mod panics;
mod pooled;

use std::sync::Arc;
use std::time::Duration;

use cucumber::Credentials;

use crate::channel::{Message, Outbox, scope, trust_with};
use crate::context::{Context, Parent, Verdict};
use crate::error::Failure;
use crate::lifecycle::Skprocess;
use crate::protocol::{Event, Failed, Fault, Worker};
use crate::shm::mail::Mail;
use crate::shm::status::{Lap, Status};
use crate::shm::{Bell, Both, Page};
use crate::snapshot::{self, Job};
use crate::sys::{self, Alarm, now};
use crate::{Config, Phase, ProcessError};
use checkpoint::Checkpoints;

pub(crate) use panics::{caught, watch};
use pooled::OwnFailures;
pub(crate) use pooled::{Loan, last_word, live_here};

/// Runs a process of type `W` in this worker, to its end.
pub(crate) fn enter<W: Skprocess>(worker: Worker) {
    let socket = Arc::clone(&worker.socket);
    match Engine::<W>::set_up(worker) {
        Ok((mut engine, None)) => {
            if let Err(error) = engine.live(Engine::deliver) {
                engine.end(error);
            }
        }
        Ok((engine, Some(error))) => engine.end(error),
        Err(failure) => {
            // The parent learns it from the exit if it cannot be told.
            let refused = Event::Refused(failure).pack();
            let mut outbox = Outbox::new(socket);
            let _ = refused.map(|packet| {
                outbox.push(Arc::new(packet));
                outbox.flush()
            });
        }
    }
}

struct Engine<W> {
    process: W,
    context: Context,
    /// Counts the failures of a process that is a task of a pool. Those of any other are judged by its parent.
    own_failures: Option<OwnFailures>,
    checkpoints: Option<Checkpoints>,
    credentials: Credentials,
    #[cfg(feature = "async")]
    runtime: asynced::Runtime,
}

/// A failure, and the hook it was in.
type Step = Result<(), (Phase, Fault)>;

impl<W: Skprocess> Engine<W> {
    fn set_up(worker: Worker) -> Result<(Self, Option<ProcessError>), Failure> {
        let strange = |error: &(dyn std::error::Error + 'static)| {
            Failure::with_cause("the worker cannot set itself up", error)
        };
        let Job { config, ending, last_failure } =
            cucumber::from_bytes(&worker.job.bytes).map_err(|error| strange(&error))?;
        let mut fds = worker.job.fds.into_iter();
        let (Some(pages), Some(alarm)) = (fds.next(), fds.next()) else {
            return Err(Failure::text("the worker was not given all of its descriptors"));
        };
        let pages = Page::<Both<Status, Mail>>::open(pages).map_err(|error| strange(&error))?;
        let (status, mail) = pages.split();
        let status = Arc::new(status);
        panics::watch(&status);
        let files: Vec<_> = fds.by_ref().take(snapshot::FILES).collect();
        let at = status.checkpoint();
        let bytes = checkpoint::load(&files, &at).map_err(|error| strange(&error))?;
        let cannot_read = |error: cucumber::Error| {
            Failure::with_cause("the worker cannot read its state", &error.with_root("worker"))
        };
        let credentials = W::credentials();
        trust_with(&credentials);
        let process = cucumber::decode_with(&bytes, scope(fds.collect())).map_err(cannot_read)?;
        // Where to go on and what has been listened to, the parent has set already: not all of it is in the checkpoint.
        status.begun(now());
        let bell = Bell::Own(Alarm::from_fd(alarm));
        let parent = Parent::new(mail, worker.socket, (worker.attendant, worker.inbox));
        let context = Context::new(status, bell, parent, config);
        context.set_last_failure(last_failure);
        let checkpoints = Checkpoints::new(files, at.handles);
        let engine = Engine {
            process,
            context,
            own_failures: None,
            checkpoints,
            credentials,
            #[cfg(feature = "async")]
            runtime: asynced::Runtime::default(),
        };
        Ok((engine, ending))
    }

    /// All iterations, then the two last hooks; `deliver` takes what `result` returned.
    fn live<T>(
        &mut self,
        deliver: impl FnOnce(&Self, Option<W::Output>) -> Result<T, Failure>,
    ) -> Result<T, ProcessError> {
        while self.goes_on() {
            if let Err((phase, fault)) = self.iterate() {
                match self.report(phase, fault) {
                    Verdict::Retry(after, error) => {
                        self.context.set_last_failure(Some(error));
                        self.context.pause(after);
                    }
                    Verdict::GiveUp(error) => return Err(error),
                }
            }
        }
        let value = self.finish();
        let delivered = value
            .and_then(|value| deliver(self, value).map_err(|failure| (Phase::Result, Fault::from(failure))));
        delivered.map_err(|(phase, fault)| match self.report(phase, fault) {
            // These hooks are final, so a parent that says otherwise is not one of ours.
            Verdict::Retry(_, error) | Verdict::GiveUp(error) => error,
        })
    }

    fn deliver(&self, value: Option<W::Output>) -> Result<(), Failure> {
        let sent = self.context.send(Event::Value(Self::encode(value.as_ref())?));
        sent.map_err(|error| Failure::with_cause("the value of `result` cannot be sent", &error))
    }

    /// Asked between iterations only: stopped, all done, or no time left?
    fn goes_on(&self) -> bool {
        let Config { runs, join_in, .. } = self.context.config();
        let status = &self.context.0.status;
        let now = now();
        !(status.is_stopping()
            || runs.is_some_and(|runs| status.run() >= runs)
            || join_in.is_some_and(|limit| now.since(status.begun(now)) >= limit))
    }

    /// One iteration. A stop after `prerun` or `run` ends it there, and it does not count.
    fn iterate(&mut self) -> Step {
        let was_stopping = self.context.is_stopping();
        self.connect()?;
        if self.context.is_stopping() && !was_stopping {
            // Perhaps it was asked to while it waited for a server that is away.
            return Ok(());
        }
        self.hook(Phase::Prerun, W::__prerun)?;
        if self.context.is_stopping() {
            return Ok(());
        }
        self.hook(Phase::Run, W::__run)?;
        if self.context.is_stopping() {
            return Ok(());
        }
        self.hook(Phase::Postrun, W::__postrun)?;
        let status = &self.context.0.status;
        let parts = [Phase::Prerun, Phase::Run, Phase::Postrun];
        let defined = parts.into_iter().filter(|phase| W::__hooks().contains(phase));
        let full: Duration = defined.filter_map(|phase| status.timers.most_recent(Lap::Hook(phase))).sum();
        status.timers.add(Lap::FullRun, full);
        let run = status.run() + 1;
        self.commit(run).map_err(|failure| (Phase::Postrun, failure.into()))?;
        self.context.chaos();
        self.context.0.status.set_run(run);
        self.context.set_last_failure(None);
        Ok(())
    }

    /// `onfinish`, then `result`.
    fn finish(&mut self) -> Result<Option<W::Output>, (Phase, Fault)> {
        self.hook(Phase::OnFinish, W::__onfinish)?;
        self.hook(Phase::Result, W::__result)
    }

    fn encode(value: Option<&W::Output>) -> Result<Message, Failure> {
        // Without the hook the output is `()`, of which there is one value.
        let Some(value) = value else { return Ok(Message { bytes: Vec::new(), fds: Vec::new() }) };
        // As in the parent for the struct: nothing has decoded one here.
        cucumber::know::<W::Output>();
        Message::encode_untyped(value).map_err(|error| {
            let error = error.with_root("result");
            Failure::with_cause("the value of `result` cannot be sent", &error)
        })
    }

    /// No life is left: the `error` hook has the last word, unless it fails itself.
    fn end(mut self, error: ProcessError) {
        let event = match self.last_word(error.clone()) {
            Ok(value) => Self::encode(Some(&value)).map_or(Event::Error(error), Event::Value),
            Err(error) => Event::Error(error),
        };
        self.say(event);
    }

    /// What the `error` hook makes of it.
    fn last_word(&mut self, error: ProcessError) -> Result<W::Output, ProcessError> {
        self.context.0.status.between();
        match self.hook(Phase::Error, |process| process.__error(error.clone())) {
            Ok(Some(last)) => last,
            Ok(None) | Err(_) => Err(error),
        }
    }

    fn report(&mut self, phase: Phase, fault: Fault) -> Verdict {
        let run = self.context.current_run();
        if let Some(failures) = &mut self.own_failures {
            return pooled::judge::<W>(&self.context, failures, Failed { phase, run, fault });
        }
        let brief = match &fault {
            Fault::Failure(failure) => Fault::from(failure.brief()),
            Fault::Timeout(limit) => Fault::Timeout(*limit),
        };
        if self.context.send(Event::Failed(Failed { phase, run, fault })).is_err()
            // A long one needs a descriptor on its way, and there may be none left.
            && let Err(error) = self.context.send(Event::Failed(Failed { phase, run, fault: brief }))
        {
            // A hook has closed the channel, say. There would never be an answer.
            panics::leave_word(&self.context, format!("it failed, and cannot say how: {error}"));
            sys::abort();
        }
        self.context.verdict()
    }

    fn say(&self, event: Event) {
        // If the parent is gone there is nobody to tell, and the control thread is about to end this process.
        let _ = self.context.send(event);
    }

    fn commit(&mut self, run: u64) -> Result<(), Failure> {
        let config = self.context.config();
        let due = config.checkpoint_every().is_some_and(|every| run.is_multiple_of(every));
        match &mut self.checkpoints {
            Some(checkpoints) if due => checkpoints.commit(&self.context, &self.process, run),
            _ => Ok(()),
        }
    }
}
