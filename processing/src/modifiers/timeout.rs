//! Calls that wait no longer than their limit.

use super::{Blocking, Call};
use crate::ProcessError;
use crate::lifecycle::Skprocess;
use crate::process::{Handle, Process};
use crate::start::Configured;

impl<W: Skprocess> Call<&Handle<W>, Blocking> {
    /// [`Handle::result`], within the limit.
    ///
    /// # Errors
    /// As there, or [`ProcessError::NotYet`] at the limit; the process goes on.
    pub fn result(self) -> Result<W::Output, ProcessError> {
        let process = self.target.process();
        let outcome = process.shared.wait(self.deadline(), Process::outcome);
        process.read::<W>(Some(outcome.unwrap_or_else(|| Err(self.not_yet()))))
    }

    /// [`Handle::wait`], within the limit.
    ///
    /// # Errors
    /// As there, or [`ProcessError::NotYet`] at the limit; the process goes on.
    pub fn wait(self) -> Result<(), ProcessError> {
        let ended = self.target.process().shared.wait(self.deadline(), Process::ended);
        ended.unwrap_or_else(|| Err(self.not_yet()))
    }
}

impl<W: Skprocess> Call<Configured<W>, Blocking> {
    /// [`Start::run`](crate::Start::run), within the limit; the process is stopped there.
    ///
    /// # Errors
    /// As there, or [`ProcessError::NotYet`] at the limit.
    pub fn run(self) -> Result<W::Output, ProcessError> {
        let deadline = self.deadline();
        let not_yet = self.not_yet();
        let handle = self.target.start_to_run()?;
        let process = handle.process();
        process.read::<W>(Some(process.shared.wait(deadline, Process::outcome).unwrap_or(Err(not_yet))))
    }
}

impl<T, M> Call<T, M> {
    pub(super) fn not_yet(&self) -> ProcessError {
        ProcessError::NotYet { limit: self.limit.unwrap_or_default() }
    }
}
