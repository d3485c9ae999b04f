//! Starting a process: what ties its type, which the worker needs, to its handle.

use cucumber::Func;

use crate::channel::Message;
use crate::error::StartError;
use crate::lifecycle::Skprocess;
use crate::process::{Handle, Order};
use crate::protocol::Entry;
use crate::spawn::Launch;
use crate::{Config, Phase, ProcessError, engine};

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
    // Nothing has decoded one here, so nobody would know that the faster codec will do.
    cucumber::know::<W>();
    let message = Message::encode_untyped(process).map_err(cannot_send)?;
    let entry = Func::<Entry>::new(engine::enter::<W>);
    Order { worker, launch, entry, config, has_error_hook, message }.fill().map(Handle::new)
}
