//! Calls that return futures.

use std::future::poll_fn;
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

use serde::de::DeserializeOwned;

use super::{Asynced, Call};
use crate::channel::{ListenError, read};
use crate::lifecycle::Skprocess;
use crate::process::{Handle, Process, State};
use crate::start::Configured;
use crate::{ProcessError, reactor};

impl<W: Skprocess> Call<&Handle<W>, Asynced> {
    /// [`Handle::result`] as a future.
    ///
    /// # Errors
    /// As there, or [`ProcessError::NotYet`] at the limit; the process goes on.
    pub fn result(self) -> impl Future<Output = Result<W::Output, ProcessError>> + Send + use<W> {
        let (process, deadline, not_yet) = (self.target.process().clone(), self.deadline(), self.not_yet());
        async move {
            let outcome = wait(&process, deadline, Process::outcome).await;
            process.read::<W>(Some(outcome.unwrap_or(Err(not_yet))))
        }
    }

    /// [`Handle::wait`] as a future.
    ///
    /// # Errors
    /// As there, or [`ProcessError::NotYet`] at the limit; the process goes on.
    pub fn wait(self) -> impl Future<Output = Result<(), ProcessError>> + Send + use<W> {
        let (process, deadline, not_yet) = (self.target.process().clone(), self.deadline(), self.not_yet());
        async move { wait(&process, deadline, Process::ended).await.unwrap_or(Err(not_yet)) }
    }

    /// [`Handle::listen`] as a future. A message is only taken by a poll that returns it, so dropping it loses none.
    ///
    /// # Errors
    /// As there.
    pub fn listen<T: DeserializeOwned>(
        self,
        timeout: impl Into<Option<Duration>>,
    ) -> impl Future<Output = Result<Option<T>, ListenError>> + Send {
        let process = self.target.process().clone();
        let deadline = timeout.into().and_then(|timeout| Instant::now().checked_add(timeout));
        async move {
            let heard = wait(&process, deadline, |state| process.told_to_task(state)).await;
            heard.map(|message| read(message?)).transpose()
        }
    }
}

impl<W: Skprocess + Send> Call<Configured<W>, Asynced> {
    /// [`Start::run`](crate::Start::run) as a future: the process is started by its first poll, and stopped if the
    /// future is dropped.
    ///
    /// # Errors
    /// As there, or [`ProcessError::NotYet`] at the limit.
    pub async fn run(self) -> Result<W::Output, ProcessError> {
        let (deadline, not_yet) = (self.deadline(), self.not_yet());
        let handle = self.target.start_to_run()?;
        let process = handle.process();
        let outcome = wait(process, deadline, Process::outcome).await;
        process.read::<W>(Some(outcome.unwrap_or(Err(not_yet))))
    }
}

/// Waits as a task for what `look` looks for; `None` once the time is over.
async fn wait<R>(
    process: &Process,
    deadline: Option<Instant>,
    mut look: impl FnMut(&mut State) -> Option<R>,
) -> Option<R> {
    let mut asked: Option<Waker> = None;
    poll_fn(|cx| {
        if let Poll::Ready(found) = process.shared.poll(cx, &mut look) {
            return Poll::Ready(Some(found));
        }
        let Some(deadline) = deadline else { return Poll::Pending };
        if deadline <= Instant::now() {
            return Poll::Ready(None);
        }
        let known = asked.as_ref().is_some_and(|waker| waker.will_wake(cx.waker()));
        if !known {
            // The reactor runs: it has started this process.
            let _ = reactor::wake_task_at(deadline, cx.waker().clone());
            asked = Some(cx.waker().clone());
        }
        Poll::Pending
    })
    .await
}
