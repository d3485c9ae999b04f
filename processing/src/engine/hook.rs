//! One hook: its clock, its limit, and what becomes of a panic.

use std::panic::{AssertUnwindSafe, catch_unwind};
#[cfg(feature = "async")]
use std::time::Duration;

use super::{Engine, live, panics};
use crate::Phase;
#[cfg(feature = "async")]
use crate::error::Failure;
use crate::lifecycle::{Outcome, Skprocess};
use crate::protocol::Fault;
use crate::shm::status::Lap;
use crate::sys::{Nanos, now};

/// How long an `async fn` hook may take to yield after its limit before it is ended with its worker.
#[cfg(feature = "async")]
const GRACE: Duration = Duration::from_millis(10);

impl<W: Skprocess> Engine<W> {
    /// Runs one hook; `None` if the process has none of this name.
    ///
    /// The clock runs on the status page, where the parent sees it, and the alarm rings at the parent: a hook that
    /// overruns its limit never gets back here.
    pub(super) fn hook<T>(
        &mut self,
        phase: Phase,
        call: impl for<'a> FnOnce(&'a mut W) -> Outcome<'a, T>,
    ) -> Result<Option<T>, (Phase, Fault)> {
        if !W::__hooks().contains(&phase) {
            return Ok(None);
        }
        let start = self.begin(phase);
        self.context.chaos();
        let (process, limit) = (&mut self.process, self.context.config().timeouts.of(phase));
        #[cfg(feature = "async")]
        let runtime = &self.runtime;
        #[cfg(feature = "async")]
        let context = &self.context;
        let done = catch_unwind(AssertUnwindSafe(|| match call(process) {
            Outcome::Absent => Ok(None),
            Outcome::Done(result) => result.map(Some).map_err(Fault::from),
            #[cfg(feature = "async")]
            Outcome::Future(future) => {
                if let Some(limit) = limit {
                    // The future is dropped at the limit; the worker only ends if it does not let that happen.
                    context.set_limit(phase, start, limit, limit + GRACE);
                }
                let left = limit.map(|limit| limit.saturating_sub(now().since(start)));
                match runtime.block_on(future, left) {
                    Ok(Some(result)) => result.map(Some).map_err(Fault::from),
                    Ok(None) => Err(Fault::Timeout(limit.unwrap_or_default())),
                    Err(error) => Err(Failure::with_cause("the worker has no async runtime", &error).into()),
                }
            }
        }));
        #[cfg(not(feature = "async"))]
        let _ = limit;
        let took = now().since(start);
        self.context.chaos();
        self.over();
        let done = done.unwrap_or_else(|payload| Err(panics::failure(payload, &self.context).into()));
        match done {
            Ok(value) => {
                self.context.0.status.timers.add(Lap::Hook(phase), took);
                Ok(value)
            }
            Err(Fault::Failure(failure)) => Err((phase, failure.at(W::__source(phase)).into())),
            Err(timeout) => Err((phase, timeout)),
        }
    }

    /// Brings up the live resources before the first hook, and those that have died since.
    ///
    /// It is part of `prerun`, within whose limit it has to happen, but not of its time.
    pub(super) fn connect(&mut self) -> Result<(), (Phase, Fault)> {
        if !live::has_any(&mut self.process) {
            return Ok(());
        }
        self.begin(Phase::Prerun);
        let limit = self.context.config().timeouts.of(Phase::Prerun);
        let (process, credentials, context) = (&mut self.process, &self.credentials, &self.context);
        let done = catch_unwind(AssertUnwindSafe(|| live::bring_up(process, credentials, context, limit)));
        self.over();
        done.unwrap_or_else(|payload| Err(panics::failure(payload, &self.context)))
            .map_err(|failure| (Phase::Prerun, failure.into()))
    }

    fn begin(&self, phase: Phase) -> Nanos {
        let start = now();
        let limit = self.context.config().timeouts.of(phase);
        match limit {
            Some(limit) => self.context.set_limit(phase, start, limit, limit),
            None => self.context.0.status.enter(phase, start, None),
        }
        start
    }

    fn over(&self) {
        let inner = &self.context.0;
        if inner.status.deadline().is_some() {
            inner.status.leave();
            inner.bell.clear();
        }
    }
}
