//! A process as its user writes it: the hooks, and what a hook reaches through `self`.

mod item;
pub(crate) mod returned;

pub use item::{FromItem, ProcessType, SingleField, process};

use std::ops::{Deref, DerefMut};
use std::time::Duration;

use cucumber::Reconnectable;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::channel::{ListenError, TellError};
use crate::context::Context;
use crate::error::{Failure, Location};
use crate::{Config, Phase, ProcessError, Timers};

/// What `#[skprocess]` on a struct makes of it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a process",
    label = "no `#[skprocess]` on its struct",
    note = "write `#[skprocess]` on the struct and on the `impl` block with its hooks"
)]
pub trait ProcessSpec: Reconnectable + Serialize + DeserializeOwned + 'static {
    /// The settings that the attribute gives.
    const CONFIG: Config;

    /// The secrets that `#[autoreconnect]` gives.
    #[doc(hidden)]
    #[must_use]
    fn credentials() -> cucumber::Credentials {
        cucumber::Credentials::new()
    }
}

/// A struct that can run in a process of its own. Implemented by `#[skprocess]` on an `impl` block.
///
/// The hooks are the block's own methods: `prerun`, `run`, `postrun`, `onfinish`, `result` and `error`. What stands
/// here is what they reach through `self`.
///
/// ```
/// use processing::prelude::*;
///
/// #[skprocess(runs = 3)]
/// struct Countdown { left: u32 }
///
/// #[skprocess]
/// impl Countdown {
///     fn run(&mut self) {
///         self.left -= 1;
///         if self.left == 1 { self.stop(); }      // no further iteration, and no `postrun` in this one
///     }
///     fn result(&mut self) -> u32 { self.left }
/// }
///
/// let left = Countdown { left: 3 }.run()?;        // in another process; `start()` does not wait
/// assert_eq!(left, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a process",
    label = "has no hooks",
    note = "write `#[skprocess]` on the struct and on the `impl` block with its hooks"
)]
pub trait Skprocess: ProcessSpec {
    /// What the `result` hook returns; `()` without one.
    type Output: Serialize + DeserializeOwned + 'static;

    /// Tells the process that called `start` something.
    ///
    /// # Errors
    /// If the value cannot cross, or nobody is there.
    fn tell<T: Serialize + ?Sized>(&self, message: &T) -> Result<(), TellError> {
        Context::current().ok_or(TellError::NoPeer)?.tell(message)
    }

    /// Takes the next message from the process that called `start`.
    ///
    /// Waits no longer than `timeout`, or as long as it takes if that is `None`. `Ok(None)` says that the time is
    /// over, or that the process has been asked to stop: a stop wakes this at once.
    ///
    /// # Errors
    /// If the next message is not a `T`; it is taken all the same, and is in the error.
    fn listen<T: DeserializeOwned>(
        &self,
        timeout: impl Into<Option<Duration>>,
    ) -> Result<Option<T>, ListenError>
    where
        Self: Sized,
    {
        Context::current().ok_or(ListenError::NoPeer)?.listen(timeout)
    }

    /// Asks this process to end. The hook that is running goes on to its end.
    ///
    /// After a stop in `prerun` or `run` the rest of the iteration is skipped and not counted; `onfinish` and
    /// `result` always follow.
    fn stop(&self) {
        if let Some(context) = Context::current() {
            context.stop();
        }
    }

    /// The iteration that is being done, from 0; in `onfinish` and `result`, how many were completed.
    fn current_run(&self) -> u64 {
        Context::current().map_or(0, |context| context.current_run())
    }

    /// How many more failures this process can survive.
    fn lives_left(&self) -> u32 {
        Context::current().map_or(0, |context| context.lives_left())
    }

    /// Why the iteration that is being done is a repetition; `None` if this is its first attempt.
    ///
    /// What was listened to in an attempt that cost the worker its life is delivered again, and may be what broke it.
    /// So a worker that must outlive a bad message asks here before it takes the next one:
    ///
    /// ```no_run
    /// # use std::time::Duration;
    /// # use processing::prelude::*;
    /// # #[skprocess(lives = 9, timeouts(run = "1s"))] struct Worker { job: Option<String> }
    /// #[skprocess]
    /// impl Worker {
    ///     fn prerun(&mut self) -> Result<(), Box<dyn std::error::Error>> {
    ///         self.job = self.listen(Duration::from_millis(100))?;
    ///         if let (Some(failure), Some(job)) = (self.last_failure(), &self.job) {
    ///             self.tell(&format!("{job}: {failure}"))?;
    ///             self.job = None;
    ///         }
    ///         Ok(())
    ///     }
    ///     fn run(&mut self) { /* the job, if there is one */ }
    /// }
    /// ```
    fn last_failure(&self) -> Option<ProcessError> {
        Context::current()?.last_failure()
    }

    /// How long the hooks have taken so far.
    fn timers(&self) -> Timers {
        Context::current().map_or_else(Timers::default, |context| context.timers())
    }

    /// The settings as they are in force.
    fn config(&self) -> Config {
        Context::current().map_or(Self::CONFIG, |context| context.config())
    }

    /// The settings, to be changed; in force once the guard is dropped.
    ///
    /// ```no_run
    /// # use processing::prelude::*;
    /// # #[skprocess] struct Worker {}
    /// #[skprocess]
    /// impl Worker {
    ///     fn run(&mut self) { self.config_mut().runs(5); }
    /// }
    /// ```
    fn config_mut(&mut self) -> ConfigMut {
        ConfigMut { config: self.config(), context: Context::current() }
    }

    /// The hooks that there are.
    #[doc(hidden)]
    fn __hooks() -> &'static [Phase];

    /// Where one of them stands.
    #[doc(hidden)]
    fn __source(phase: Phase) -> Option<Location>;

    #[doc(hidden)]
    fn __prerun(&mut self) -> Outcome<'_, ()> {
        Outcome::Absent
    }

    #[doc(hidden)]
    fn __run(&mut self) -> Outcome<'_, ()> {
        Outcome::Absent
    }

    #[doc(hidden)]
    fn __postrun(&mut self) -> Outcome<'_, ()> {
        Outcome::Absent
    }

    #[doc(hidden)]
    fn __onfinish(&mut self) -> Outcome<'_, ()> {
        Outcome::Absent
    }

    #[doc(hidden)]
    fn __result(&mut self) -> Outcome<'_, Self::Output> {
        Outcome::Absent
    }

    #[doc(hidden)]
    fn __error(&mut self, _error: ProcessError) -> Outcome<'_, Result<Self::Output, ProcessError>> {
        Outcome::Absent
    }
}

/// What became of calling a hook.
#[doc(hidden)]
#[allow(
    missing_debug_implementations,
    reason = "holds a future, and is only passed from the macro to the engine"
)]
pub enum Outcome<'a, T> {
    /// There is no such hook.
    Absent,
    /// It has run.
    Done(Result<T, Failure>),
    /// It is `async` and has still to run.
    #[cfg(feature = "async")]
    Future(std::pin::Pin<Box<dyn Future<Output = Result<T, Failure>> + 'a>>),
    #[cfg(not(feature = "async"))]
    #[doc(hidden)]
    Never(std::convert::Infallible, std::marker::PhantomData<&'a ()>),
}

/// The settings of the running process; see [`Skprocess::config_mut`].
#[derive(Debug)]
pub struct ConfigMut {
    config: Config,
    context: Option<Context>,
}

impl Deref for ConfigMut {
    type Target = Config;

    fn deref(&self) -> &Config {
        &self.config
    }
}

impl DerefMut for ConfigMut {
    fn deref_mut(&mut self) -> &mut Config {
        &mut self.config
    }
}

impl Drop for ConfigMut {
    fn drop(&mut self) {
        if let Some(context) = &self.context {
            context.set_config(self.config.clone());
        }
    }
}
