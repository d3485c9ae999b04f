//! Calls that wait in a thread of their own.

use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use serde::de::DeserializeOwned;

use super::{Call, InBackground};
use crate::ProcessError;
use crate::channel::{ListenError, read};
use crate::lifecycle::Skprocess;
use crate::process::{Handle, Process};
use crate::start::Configured;

/// What a call in the background will return.
///
/// It is a future too, for whoever has an executor. Dropping it lets the call go on unheard.
#[must_use = "dropping it leaves the call unheard"]
pub struct Background<T> {
    slot: Arc<Slot<T>>,
}

struct Slot<T> {
    state: Mutex<State<T>>,
    changed: Condvar,
}

struct State<T> {
    value: Option<Result<T, Box<dyn Any + Send>>>,
    done: bool,
    task: Option<Waker>,
}

impl<T: Send + 'static> Background<T> {
    pub(crate) fn spawn(call: impl FnOnce() -> T + Send + 'static) -> Self {
        let state = Mutex::new(State { value: None, done: false, task: None });
        let slot = Arc::new(Slot { state, changed: Condvar::new() });
        let caller = Arc::clone(&slot);
        std::thread::spawn(move || {
            let value = catch_unwind(AssertUnwindSafe(call));
            let mut state = caller.lock();
            state.value = Some(value);
            state.done = true;
            let task = state.task.take();
            // Whoever is woken may look at once, in this very thread.
            drop(state);
            caller.changed.notify_all();
            if let Some(task) = task {
                task.wake();
            }
        });
        Background { slot }
    }
}

impl<T> Background<T> {
    /// Waits for the call to return.
    ///
    /// # Panics
    /// If the call panicked, with what it panicked with; or if the value has been taken already, as a future.
    pub fn wait(self) -> T {
        let mut state = self.slot.lock();
        while !state.done {
            state = self.slot.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        take(&mut state)
    }

    /// Waits no longer than this; hands itself back if the call has not returned by then.
    ///
    /// # Errors
    /// Itself, at the limit.
    ///
    /// # Panics
    /// As [`wait`](Background::wait).
    pub fn wait_timeout(self, limit: Duration) -> Result<T, Self> {
        let deadline = Instant::now().checked_add(limit);
        let mut state = self.slot.lock();
        while !state.done {
            let left = deadline.map_or(limit, |deadline| deadline.saturating_duration_since(Instant::now()));
            if left.is_zero() {
                drop(state);
                return Err(self);
            }
            state = self.slot.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        Ok(take(&mut state))
    }

    /// Whether the call has returned.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.slot.lock().done
    }
}

fn take<T>(state: &mut State<T>) -> T {
    match state.value.take().expect("the value of a background call can be taken once") {
        Ok(value) => value,
        Err(panic) => resume_unwind(panic),
    }
}

impl<T> Future for Background<T> {
    type Output = T;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        let mut state = self.slot.lock();
        if state.done {
            return Poll::Ready(take(&mut state));
        }
        state.task = Some(cx.waker().clone());
        Poll::Pending
    }
}

impl<T> Slot<T> {
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> fmt::Debug for Background<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Background").field("is_done", &self.is_done()).finish_non_exhaustive()
    }
}

impl<W: Skprocess> Call<&Handle<W>, InBackground>
where
    W::Output: Send,
{
    /// [`Handle::result`] in a thread.
    ///
    /// # Panics
    /// If the system makes no thread.
    pub fn result(self) -> Background<Result<W::Output, ProcessError>> {
        let (process, deadline, not_yet) = (self.target.process().clone(), self.deadline(), self.not_yet());
        Background::spawn(move || {
            let outcome = process.shared.wait(deadline, Process::outcome);
            process.read::<W>(Some(outcome.unwrap_or(Err(not_yet))))
        })
    }
}

impl<W: Skprocess> Call<&Handle<W>, InBackground> {
    /// [`Handle::wait`] in a thread.
    ///
    /// # Panics
    /// If the system makes no thread.
    pub fn wait(self) -> Background<Result<(), ProcessError>> {
        let (process, deadline, not_yet) = (self.target.process().clone(), self.deadline(), self.not_yet());
        Background::spawn(move || process.shared.wait(deadline, Process::ended).unwrap_or(Err(not_yet)))
    }

    /// [`Handle::listen`] in a thread: the message is taken when it comes, whether anyone waits for it or not.
    ///
    /// # Panics
    /// If the system makes no thread.
    pub fn listen<T: DeserializeOwned + Send + 'static>(
        self,
        timeout: impl Into<Option<Duration>>,
    ) -> Background<Result<Option<T>, ListenError>> {
        let process = self.target.process().clone();
        let deadline = timeout.into().and_then(|timeout| Instant::now().checked_add(timeout));
        Background::spawn(move || process.listen(deadline).map(|message| read(message?)).transpose())
    }
}

impl<W: Skprocess> Call<Configured<W>, InBackground>
where
    W::Output: Send,
{
    /// [`Start::run`](crate::Start::run) in a thread. The process is started before this returns.
    ///
    /// # Errors
    /// If it cannot be started.
    ///
    /// # Panics
    /// If the system makes no thread.
    pub fn run(self) -> Result<Background<Result<W::Output, ProcessError>>, ProcessError> {
        let (deadline, not_yet) = (self.deadline(), self.not_yet());
        let handle = self.target.start_to_run()?;
        Ok(Background::spawn(move || {
            let process = handle.process();
            let outcome = process.shared.wait(deadline, Process::outcome);
            process.read::<W>(Some(outcome.unwrap_or(Err(not_yet))))
        }))
    }
}
