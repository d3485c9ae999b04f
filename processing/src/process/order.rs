//! Making a process of an order for one.

use std::collections::BTreeMap;
use std::sync::Arc;

use cucumber::Func;

use super::handle::Process;
use super::state::Shared;
use super::supervisor::{Plan, Supervisor};
use crate::channel::Message;
use crate::error::StartError;
use crate::protocol::Entry;
use crate::restart::Failures;
use crate::shm::mail::Mail;
use crate::shm::status::{Checkpoint, Status};
use crate::shm::{Both, Page};
use crate::spawn::Launch;
use crate::sys::{self, Alarm};
use crate::{Config, reactor, snapshot};

/// Everything about a process that depends on its type, so that the rest need not.
pub(crate) struct Order {
    pub(crate) worker: &'static str,
    pub(crate) launch: Launch,
    pub(crate) entry: Func<Entry>,
    pub(crate) config: Config,
    /// Whether there is an `error` hook to run in a fresh worker.
    pub(crate) has_error_hook: bool,
    /// The struct.
    pub(crate) message: Message,
}

impl Order {
    /// Starts its first worker.
    pub(crate) fn fill(self) -> Result<Process, StartError> {
        let Order { worker, launch, entry, config, has_error_hook, message } = self;
        if let Some(complaint) = config.complaint() {
            return Err(StartError::Config { worker, complaint });
        }
        let refused = |what| move |cause| StartError::System { worker, what, cause };
        // A worker that can be begun at once is made while all that it needs is.
        let begun = launch.begin();
        let pages = Page::<Both<Status, Mail>>::new("processing-status");
        let (status, mail) = pages.map_err(refused("give shared memory"))?.split();
        // Also for a process that makes no checkpoints: one of its hooks may give it lives, and then it does.
        let files = (0..snapshot::FILES).map(|_| sys::memory_file("processing-state"));
        let files = files.collect::<Result<Vec<_>, _>>().map_err(refused("give shared memory"))?;
        let length = snapshot::write(&files[0], &message.bytes)
            .map_err(refused("give shared memory for the state"))?;
        status.set_lives(config.lives);
        status.commit(Checkpoint { length, ..Checkpoint::default() });
        let alarm = Alarm::new().map_err(refused("give a timer"))?;
        let shared = Arc::new(Shared::new(worker, status, mail, &config));
        let mut supervisor = Supervisor {
            shared: Arc::clone(&shared),
            launch,
            entry,
            config,
            has_error_hook,
            alarm,
            files,
            handles: BTreeMap::from([(0, message.fds)]),
            first: None,
            plan: Plan::New,
            failures: Failures::default(),
            ending: None,
            last_failure: None,
            over: false,
        };
        supervisor.resume();
        // The reactor runs already if one could be begun, and looks after it.
        if let (Some(begun), Ok(job)) = (begun, supervisor.job()) {
            supervisor.first = begun.finish(entry, job).map(|launched| shared.take(launched, 0));
        }
        let has_begun = supervisor.first.is_some();
        let actor =
            reactor::add(|_| Box::new(supervisor)).map_err(refused("give a thread to look after workers"))?;
        if !has_begun {
            let started = shared.wait(None, |state| state.started.take());
            started.unwrap_or(Ok(())).map_err(refused("start a worker"))?;
        }
        Ok(Process { shared, actor })
    }
}
