//! The settings of a pool.

use std::sync::Arc;
use std::time::Duration;

use cucumber::Func;
use cucumber::func::{Shim, Stateless};

use super::actor::{SeatActor, Timekeeper};
use super::crew::{Crew, Limits};
use super::function::Initializer;
use super::job::Rules;
use super::options::Options;
use super::seat::Seat;
use super::{Pool, budget, worker};
use crate::StartError;
use crate::config::{Config, Stream};
use crate::error::Failure;
use crate::protocol::Entry;
use crate::shm::status::Status;
use crate::shm::{Claims, Journal, Page};
use crate::spawn::{Launch, variable};
use crate::sys::Alarm;
use crate::{ProcessError, reactor};

/// What errors call the workers of a pool.
const NAME: &str = "processing::Pool";

/// The settings of a [`Pool`].
///
/// ```
/// use std::time::Duration;
/// use processing::Pool;
///
/// let pool = Pool::builder()
///     .workers(2)
///     .lives(3)                                   // a task may lose two workers
///     .recycle_after(1000)                        // no worker runs more tasks than that
///     .task_timeout(Duration::from_secs(30))
///     .build()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "this only holds settings; `build` makes the pool"]
pub struct PoolBuilder {
    workers: Option<usize>,
    initializer: Option<Func<Initializer>>,
    start_timeout: Option<Duration>,
    recycle_after: Option<u64>,
    thread_budget: Option<usize>,
    hands_budget_on: bool,
    stderr: Stream,
    options: Options,
}

impl PoolBuilder {
    pub(super) fn new() -> Self {
        PoolBuilder {
            workers: None,
            initializer: None,
            start_timeout: None,
            recycle_after: None,
            thread_budget: None,
            hands_budget_on: true,
            stderr: Stream::Inherit,
            options: Options {
                rules: Rules::PLAIN,
                window: None,
                #[cfg(feature = "progress")]
                progress: false,
            },
        }
    }

    /// How many workers there are at most. Without this, as many as this program may use processors; a pool inside a
    /// worker of another pool goes by what that one was given.
    pub fn workers(mut self, workers: usize) -> Self {
        self.workers = Some(workers.max(1));
        self
    }

    /// Has a function called in every worker before its first task: to load a model, open a connection, set up
    /// logging. What it leaves in statics and thread-locals is there for all tasks of this worker.
    ///
    /// If it returns an `Err`, panics or ends its worker, that worker is given up. When three workers in a row have not
    /// got ready there will be no more, and calls fail with what the last one said.
    ///
    /// ```
    /// use std::cell::OnceCell;
    /// use processing::Pool;
    ///
    /// thread_local! { static WORDS: OnceCell<Vec<String>> = const { OnceCell::new() } }
    ///
    /// fn load() -> std::io::Result<()> {
    ///     let text = std::fs::read_to_string("/etc/passwd")?;
    ///     WORDS.with(|words| words.set(text.split(':').map(str::to_owned).collect())).ok();
    ///     Ok(())
    /// }
    ///
    /// let pool = Pool::builder().workers(2).initializer(load).build()?;
    /// let found = pool.map(|word: String| WORDS.with(|words| words.get().unwrap().contains(&word)), ["root".to_owned()])?;
    /// assert_eq!(found, [true]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn initializer<F, R>(mut self, initializer: F) -> Self
    where
        F: Fn() -> R + Copy + Send + 'static,
        R: Initialized + 'static,
    {
        self.initializer = Some(Stateless::new(initializer).bind::<Initialize>());
        self
    }

    /// How long a worker may take to start and run the initializer; a minute without this.
    pub fn start_timeout(mut self, limit: Duration) -> Self {
        self.start_timeout = Some(limit);
        self
    }

    /// Replaces each worker after so many tasks: against memory that is never given back.
    pub fn recycle_after(mut self, tasks: u64) -> Self {
        self.recycle_after = Some(tasks.max(1));
        self
    }

    /// How often a task is tried: once more than it may panic, overrun its limit or lose its worker. 1 without this:
    /// the first failure is final. A task that was running when its worker died has done part of its work by then.
    pub fn lives(mut self, lives: u32) -> Self {
        self.options.rules.lives = lives.max(1);
        self
    }

    /// After so many workers that died of it a task is given up as poison, whatever lives it has left; 3 without this.
    pub fn poison_after(mut self, deaths: u32) -> Self {
        self.options.rules.poison_after = deaths.max(1);
        self
    }

    /// Limits how long each task may take; see [`Pool::task_timeout`].
    pub fn task_timeout(mut self, limit: Duration) -> Self {
        self.options.rules.task_timeout = Some(limit);
        self
    }

    /// Pulls the input at most so many items ahead of what has been handed out. Without this it is two for each
    /// worker, and more only of tasks that take less than a millisecond.
    pub fn window(mut self, items: usize) -> Self {
        self.options.window = Some(items.max(1));
        self
    }

    /// Sends so many tasks to a worker at once. Without this, as many as take about a millisecond.
    pub fn chunk(mut self, tasks: usize) -> Self {
        self.options.rules.chunk = Some(tasks.max(1));
        self
    }

    /// How many threads all workers together may use. Without this, as many as there are processors, or as this
    /// process was given by the pool that it is a worker of.
    ///
    /// Each worker gets its part in `RAYON_NUM_THREADS`, `OMP_NUM_THREADS` and their like, where the user has not set
    /// them, and pools inside it go by that: so that pools in pools do not multiply.
    pub fn thread_budget(mut self, threads: usize) -> Self {
        self.thread_budget = Some(threads.max(1));
        self
    }

    /// Tells the workers nothing about how many threads they may use.
    pub fn no_thread_budget(mut self) -> Self {
        self.hands_budget_on = false;
        self
    }

    /// Where the workers' standard error leads; [`Stream::Capture`] is taken as [`Stream::Null`].
    pub fn stderr(mut self, stream: Stream) -> Self {
        self.stderr = stream;
        self
    }

    /// Makes the pool.
    ///
    /// # Errors
    /// If this program cannot start workers, or the system gives no memory for them.
    pub fn build(self) -> Result<Pool, StartError> {
        if variable("PROCESSING_INLINE").is_some_and(|value| value == "1") {
            return Ok(self.into_inline());
        }
        let refused = |what| move |cause| StartError::System { worker: NAME, what, cause };
        let budget = self.thread_budget.unwrap_or_else(budget::of_this_process);
        let workers = self.workers.unwrap_or(budget);
        let mut streams = Config::DEFAULT.streams;
        streams.stderr = match self.stderr {
            Stream::Capture => Stream::Null,
            other => other,
        };
        let variables =
            if self.hands_budget_on { budget::variables((budget / workers).max(1)) } else { Vec::new() };
        let mut launch = Launch::prepare(NAME, streams)?;
        variables.iter().for_each(|(name, value)| launch.set_variable(name, value));
        let launch = Arc::new(launch);
        let mut parts = Vec::new();
        let mut seats = Vec::new();
        for _ in 0..workers {
            let status = Page::<Status>::new("processing-status").map_err(refused("give shared memory"))?;
            let claims = Page::<Claims>::new("processing-claims").map_err(refused("give shared memory"))?;
            let journal =
                Page::<Journal>::new("processing-journal").map_err(refused("give shared memory"))?;
            let alarm = Alarm::new().map_err(refused("give a timer"))?;
            parts.push((status, journal, alarm));
            seats.push(Seat::new(claims));
        }
        let entry = Func::<Entry>::new(worker::enter);
        let limits = Limits { workers, recycle_after: self.recycle_after.unwrap_or(u64::MAX) };
        let crew = Arc::new(Crew::new(limits, seats));
        let pool = Pool { crew: Arc::clone(&crew), options: self.options };
        for (seat, (status, journal, alarm)) in parts.into_iter().enumerate() {
            let actor = SeatActor {
                crew: Arc::clone(&crew),
                seat,
                launch: Arc::clone(&launch),
                entry,
                initializer: self.initializer,
                start_timeout: self.start_timeout,
                status,
                journal,
                alarm,
                is_watching: false,
                worker: None,
                killed: None,
                refused: None,
                until: None,
                over: false,
            };
            let id = reactor::add(|_| Box::new(actor)).map_err(refused("give a thread for workers"))?;
            crew.lock().seats[seat].actor = Some(id);
        }
        let keeper = Timekeeper { crew: Arc::clone(&crew), asked: None, over: false };
        let id = reactor::add(|_| Box::new(keeper)).map_err(refused("give a thread for workers"))?;
        crew.lock().timekeeper = Some(id);
        Ok(pool)
    }

    pub(super) fn into_inline(self) -> Pool {
        let limits = Limits { workers: 0, recycle_after: u64::MAX };
        Pool { crew: Arc::new(Crew::new(limits, Vec::new())), options: self.options }
    }

    /// A pool whose every call fails.
    pub(super) fn into_broken(self, error: &StartError) -> Pool {
        let cause = ProcessError::not_started(NAME, error);
        Pool { crew: Arc::new(Crew::broken(cause)), options: self.options }
    }
}

/// What an initializer may return: nothing, or a `Result` whose error can be told.
#[diagnostic::on_unimplemented(
    message = "an initializer cannot return `{Self}`",
    note = "return nothing, or a `Result<(), E>` where `E` is an error or a `String`"
)]
pub trait Initialized {
    #[doc(hidden)]
    fn __result(self) -> Result<(), Failure>;
}

impl Initialized for () {
    fn __result(self) -> Result<(), Failure> {
        Ok(())
    }
}

impl<E: Into<Box<dyn std::error::Error + Send + Sync>>> Initialized for Result<(), E> {
    fn __result(self) -> Result<(), Failure> {
        self.map_err(|error| Failure::from_error(error.into()))
    }
}

struct Initialize;

impl<F, R> Shim<F> for Initialize
where
    F: Fn() -> R,
    R: Initialized,
{
    type Argument = ();
    type Output = Result<(), Failure>;

    fn call(initializer: F, (): ()) -> Result<(), Failure> {
        initializer().__result()
    }
}
