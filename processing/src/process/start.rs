//! Starting a process.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use cucumber::Func;

use super::Handle;
use super::restart::Failures;
use super::state::Shared;
use super::supervisor::{Plan, Supervisor};
use crate::channel::Message;
use crate::error::StartError;
use crate::lifecycle::Skprocess;
use crate::modifiers::{Asynced, Blocking, Call, InBackground};
use crate::shm::Page;
use crate::shm::status::{Checkpoint, Status};
use crate::spawn::{Entry, Launch};
use crate::sys::{self, Alarm};
use crate::{Config, Phase, ProcessError, engine, reactor, snapshot};

/// What can be done with an instance of a process before it runs. Every [`Skprocess`] has it.
pub trait Start: Skprocess + Sized {
    /// Starts the process and returns at once, before its worker is ready.
    ///
    /// The worker gets a copy of the struct; what it changes stays there, and comes back by `result`, by messages or
    /// by shared state.
    ///
    /// # Errors
    /// If the struct cannot be sent, the settings contradict themselves, or the system makes no process.
    fn start(self) -> Result<Handle<Self>, StartError> {
        start(&self, Self::CONFIG)
    }

    /// Starts the process, waits until it is over and returns what its `result` hook returned.
    ///
    /// # Errors
    /// If it cannot be started (as [`ProcessError::Launch`]) or fails.
    fn run(self) -> Result<Self::Output, ProcessError> {
        Configured { process: self, config: Self::CONFIG }.run()
    }

    /// Changes the settings of this instance only.
    ///
    /// ```
    /// use processing::prelude::*;
    /// # #[skprocess] struct Ticker { ticks: u32 }
    /// # #[skprocess] impl Ticker { fn run(&mut self) { self.ticks += 1; } fn result(&mut self) -> u32 { self.ticks } }
    /// let ticks = Ticker { ticks: 0 }.configure(|config| config.runs(5).lives(2)).run()?;
    /// assert_eq!(ticks, 5);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    fn configure(self, change: impl FnOnce(&mut Config) -> &mut Config) -> Configured<Self> {
        Configured { process: self, config: Self::CONFIG }.configure(change)
    }

    /// Limits how long `run` may wait; the process is stopped at the limit: `worker.timeout(d).run()`.
    fn timeout(self, limit: Duration) -> Call<Configured<Self>, Blocking> {
        Configured { process: self, config: Self::CONFIG }.timeout(limit)
    }

    /// Makes a future of `run`: `worker.asynced().run().await`. Dropping it stops the process.
    fn asynced(self) -> Call<Configured<Self>, Asynced> {
        Configured { process: self, config: Self::CONFIG }.asynced()
    }

    /// Makes `run` wait in a thread: `worker.background().run()`.
    fn background(self) -> Call<Configured<Self>, InBackground> {
        Configured { process: self, config: Self::CONFIG }.background()
    }
}

impl<W: Skprocess> Start for W {}

/// An instance with settings of its own; see [`Start::configure`].
#[derive(Clone, Debug)]
pub struct Configured<W> {
    process: W,
    config: Config,
}

impl<W: Skprocess> Configured<W> {
    /// Changes the settings further.
    #[must_use]
    pub fn configure(mut self, change: impl FnOnce(&mut Config) -> &mut Config) -> Self {
        change(&mut self.config);
        self
    }

    /// Starts the process; see [`Start::start`].
    ///
    /// # Errors
    /// As there.
    pub fn start(self) -> Result<Handle<W>, StartError> {
        start(&self.process, self.config)
    }

    pub(crate) fn start_to_run(self) -> Result<Handle<W>, ProcessError> {
        self.start().map_err(|error| ProcessError::not_started(std::any::type_name::<W>(), &error))
    }

    /// Starts the process and waits until it is over; see [`Start::run`].
    ///
    /// # Errors
    /// As there.
    pub fn run(self) -> Result<W::Output, ProcessError> {
        self.start_to_run()?.result()
    }
}

fn start<W: Skprocess>(process: &W, config: Config) -> Result<Handle<W>, StartError> {
    let worker = std::any::type_name::<W>();
    let launch = Launch::prepare(worker, config.streams)?;

    let has_error_hook = W::__hooks().contains(&Phase::Error);
    let cannot_send = |cause: cucumber::Error| StartError::State { worker, cause: cause.with_root("worker") };
    let message = Message::encode_untyped(process).map_err(cannot_send)?;
    let entry = Func::<Entry>::new(engine::enter::<W>);
    let shared = begin(Order { worker, launch, entry, config, has_error_hook, message })?;
    Ok(Handle::new(shared))
}

/// Everything about a process that depends on its type, so that the rest need not.
struct Order {
    worker: &'static str,
    launch: Launch,
    entry: Func<Entry>,
    config: Config,
    has_error_hook: bool,
    message: Message,
}

fn begin(order: Order) -> Result<super::handle::Process, StartError> {
    let Order { worker, launch, entry, config, has_error_hook, message } = order;
    if let Some(complaint) = config.complaint() {
        return Err(StartError::Config { worker, complaint });
    }
    let refused = |what| move |cause| StartError::System { worker, what, cause };
    let status = Page::<Status>::new("processing-status").map_err(refused("give shared memory"))?;
    // Also for a process that makes no checkpoints: one of its hooks may give it lives, and then it does.
    let files = (0..snapshot::FILES).map(|_| sys::memory_file("processing-state"));
    let files = files.collect::<Result<Vec<_>, _>>().map_err(refused("give shared memory"))?;
    let length =
        snapshot::write(&files[0], &message.bytes).map_err(refused("give shared memory for the state"))?;
    status.set_lives(config.lives);
    status.commit(Checkpoint { length, ..Checkpoint::default() });
    let alarm = Alarm::new().map_err(refused("give a timer"))?;
    let shared = Arc::new(Shared::new(worker, status, &config));
    let supervisor = Supervisor {
        shared: Arc::clone(&shared),
        launch,
        entry,
        config,
        has_error_hook,
        alarm,
        files,
        handles: BTreeMap::from([(0, message.fds)]),
        plan: Plan::New,
        failures: Failures::default(),
        ending: None,
        last_failure: None,
        over: false,
    };
    let actor =
        reactor::add(|_| Box::new(supervisor)).map_err(refused("give a thread to look after workers"))?;
    let started = shared.wait(None, |state| state.started.take());
    started.unwrap_or(Ok(())).map_err(refused("start a worker"))?;
    Ok(super::handle::Process { shared, actor })
}
