//! A call without workers: the same code through the same codec, in the calling thread.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use cucumber::Func;

use super::body::Files;
use super::function::{Runner, Scope, Setup};
use super::job::{Job, Kind, Outcome, Rules};
use super::protocol::{Answer, Verdict};
use super::task::{CurrentTask, Task, TaskFailure};
use crate::channel::{Message, Packet};
use crate::engine::{self, Loan};
use crate::error::Failure;
use crate::shm::status::Status;
use crate::shm::{Bell, Page};

pub(super) struct Inline {
    setup: Func<Setup>,
    captures: Message,
    job: Job,
}

impl Inline {
    pub(super) fn new(
        name: &'static str,
        kind: Kind,
        setup: Func<Setup>,
        captures: Message,
        rules: Rules,
    ) -> Self {
        Inline { setup, captures, job: Job::new(0, name, kind, Packet::nothing(), rules) }
    }

    /// Made anew for each item, as the call may go on in another thread.
    fn runner(&self) -> Result<Box<dyn Runner>, Failure> {
        let captures = self.captures.try_clone().map_err(|error| {
            Failure::with_cause("the handles that it captures cannot be duplicated", &error)
        })?;
        let made = catch_unwind(AssertUnwindSafe(|| self.setup.get()(captures)));
        made.unwrap_or_else(|panic| Err(engine::caught(&*panic)))
    }

    pub(super) fn add(&mut self, tasks: &mut Vec<Task>) {
        self.job.queue.extend(tasks.drain(..));
    }

    /// Runs one task, as often as the rules say; `None` if there is none.
    pub(super) fn run_one(&mut self, files: &Files) -> Option<(usize, Outcome)> {
        loop {
            if let Some(done) = self.job.done.pop_front() {
                return Some(done);
            }
            let now = std::time::Instant::now();
            if let Some(pause) = self.job.not_before.and_then(|at| at.checked_duration_since(now)) {
                std::thread::sleep(pause);
            }
            let task = self.job.queue.pop_front().or_else(|| {
                let (until, task) = self.job.resting.pop()?;
                std::thread::sleep(until.saturating_duration_since(now));
                Some(task)
            })?;
            if let Some(spacing) = self.job.rules.spacing {
                self.job.not_before = std::time::Instant::now().checked_add(spacing);
            }
            self.run(task, files);
        }
    }

    fn run(&mut self, task: Task, files: &Files) {
        let before = CurrentTask::replace_here(Some((task.index, task.attempts)));
        let item = task.body.try_clone();
        let (lives, pause) = (self.job.rules.lives, self.job.rules.pause);
        let loan = || {
            let status = Page::<Status>::new("processing-status")?;
            status.begin_anew(lives, task.attempts);
            Ok(Loan { status: Arc::new(status), bell: Bell::Nobody, pause })
        };
        let mut scope = Scope { files, loan: &loan, before: None };
        let (verdict, result) = match (self.runner(), item) {
            (Ok(mut runner), Ok(item)) => runner.run(item, &mut scope),
            (Err(failure), _) => (Verdict::GaveUp, Err(TaskFailure::Function(failure))),
            (_, Err(error)) => {
                let failure = Failure::with_cause("the item's handles cannot be duplicated", &error);
                (Verdict::GaveUp, Err(TaskFailure::Function(failure)))
            }
        };
        CurrentTask::replace_here(before);
        let body = Some(result.unwrap_or_else(|failure| failure.encode()));
        let answer = Answer { task: 0, verdict, body, scratch: 0, fds: Vec::new() };
        self.job.settle(task, answer, std::process::id(), files);
    }
}
