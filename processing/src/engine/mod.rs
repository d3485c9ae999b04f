//! The worker's side of a process: the loop over its hooks.

#[cfg(feature = "async")]
mod asynced;
mod checkpoint;
mod hook;
mod live;
mod panics;

use std::sync::Arc;
use std::time::Duration;

use cucumber::Credentials;

use crate::channel::{Message, scope};
use crate::context::{Context, Verdict};
use crate::error::Failure;
use crate::lifecycle::Skprocess;
use crate::protocol::{Event, Failed, Fault, Worker};
use crate::shm::Page;
use crate::shm::mail::Mail;
use crate::shm::status::{Lap, Status};
use crate::snapshot::{self, Job};
use crate::sys::{self, Alarm, now};
use crate::{Config, Phase, ProcessError};
use checkpoint::Checkpoints;

pub(crate) use panics::{caught, watch};

/// Runs a process of type `W` in this worker, to its end.
pub(crate) fn enter<W: Skprocess>(worker: Worker) {
    let socket = Arc::clone(&worker.socket);
    match Engine::<W>::set_up(worker) {
        Ok((engine, None)) => engine.live(),
        Ok((engine, Some(error))) => engine.end(error),
        Err(failure) => {
            // The parent learns it from the exit if it cannot be told.
            let refused = Event::Refused(failure).pack();
            let mut outbox = crate::channel::Outbox::new(socket);
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
        let (Some(status), Some(alarm), Some(mail)) = (fds.next(), fds.next(), fds.next()) else {
            return Err(Failure::text("the worker was not given all of its descriptors"));
        };
        let status = Page::<Status>::open(status).map_err(|error| strange(&error))?;
        let mail = Page::<Mail>::open(mail).map_err(|error| strange(&error))?;
        panics::watch(&status).map_err(|error| strange(&error))?;
        let files: Vec<_> = fds.by_ref().take(snapshot::FILES).collect();
        let at = status.checkpoint();
        let bytes = checkpoint::load(&files, &at).map_err(|error| strange(&error))?;
        let cannot_read = |error: cucumber::Error| {
            Failure::with_cause("the worker cannot read its state", &error.with_root("worker"))
        };
        let credentials = W::credentials();
        let scope = scope(fds.collect()).with_credentials(credentials.clone());
        let process = cucumber::decode_with(&bytes, scope).map_err(cannot_read)?;
        // Where to go on and what has been listened to, the parent has set already: not all of it is in the checkpoint.
        status.begun(now());
        let context = Context::new((status, Alarm::from_fd(alarm), mail), worker.socket, config);
        context.set_last_failure(last_failure);
        context.attend(worker.inbox).map_err(|error| strange(&error))?;
        let checkpoints = Checkpoints::new(files, at.handles);
        let engine = Engine {
            process,
            context,
            checkpoints,
            credentials,
            #[cfg(feature = "async")]
            runtime: asynced::Runtime::default(),
        };
        Ok((engine, ending))
    }

    /// All iterations, then the two last hooks.
    fn live(mut self) {
        while self.goes_on() {
            if let Err((phase, fault)) = self.iterate() {
                match self.report(phase, fault) {
                    Verdict::Retry(after, error) => {
                        self.context.set_last_failure(Some(error));
                        self.context.pause(after);
                    }
                    Verdict::GiveUp(error) => return self.end(error),
                }
            }
        }
        let sent = self.finish().and_then(|value| {
            self.context.send(Event::Value(value)).map_err(|error| {
                let failure = Failure::with_cause("the value of `result` cannot be sent", &error);
                (Phase::Result, failure.into())
            })
        });
        if let Err((phase, fault)) = sent {
            match self.report(phase, fault) {
                // These hooks are final, so a parent that says otherwise is not one of ours.
                Verdict::Retry(..) => {}
                Verdict::GiveUp(error) => self.end(error),
            }
        }
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
        self.connect()?;
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
    fn finish(&mut self) -> Result<Message, (Phase, Fault)> {
        self.hook(Phase::OnFinish, W::__onfinish)?;
        match self.hook(Phase::Result, W::__result)? {
            Some(value) => Self::encode(&value).map_err(|fault| (Phase::Result, fault)),
            // Without the hook the output is `()`, of which there is one value.
            None => Ok(Message { bytes: Vec::new(), fds: Vec::new() }),
        }
    }

    fn encode(value: &W::Output) -> Result<Message, Fault> {
        // As in the parent for the struct: nothing has decoded one here.
        cucumber::know::<W::Output>();
        Message::encode_untyped(value).map_err(|error| {
            let error = error.with_root("result");
            Failure::with_cause("the value of `result` cannot be sent", &error).into()
        })
    }

    /// No life is left: the `error` hook has the last word, unless it fails itself.
    fn end(mut self, error: ProcessError) {
        self.context.0.status.between();
        let last = self.hook(Phase::Error, |process| process.__error(error.clone()));
        let event = match last {
            Ok(Some(Ok(value))) => match Self::encode(&value) {
                Ok(message) => Event::Value(message),
                Err(_) => Event::Error(error),
            },
            Ok(Some(Err(replaced))) => Event::Error(replaced),
            Ok(None) | Err(_) => Event::Error(error),
        };
        self.say(event);
    }

    fn report(&self, phase: Phase, fault: Fault) -> Verdict {
        let run = self.context.current_run();
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
