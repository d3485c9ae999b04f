//! One item on its way through a pool.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

use serde::{Deserialize, Serialize};

use super::body::{Body, Files};
use super::protocol::Before;
use crate::ProcessError;
use crate::error::{Failure, Position};
use crate::protocol::{Failed, Fault};
use crate::sys::OwnedFd;

/// An item that is not done.
#[derive(Debug)]
pub(super) struct Task {
    /// The place of its item in the input.
    pub(super) index: usize,
    pub(super) body: Body,
    /// Where its worker can put a big result.
    pub(super) scratch: Option<OwnedFd>,
    /// How often it was begun and did not end well.
    pub(super) attempts: u32,
    /// How many of these attempts ended its worker.
    pub(super) deaths: u32,
    /// If it is a process, how it failed before; boxed, as there are many tasks and hardly one has any.
    pub(super) before: Option<Box<Before>>,
}

impl Task {
    pub(super) fn new(index: usize, body: Body) -> Self {
        Task { index, body, scratch: None, attempts: 0, deaths: 0, before: None }
    }

    /// How many descriptors go with it.
    pub(super) fn count_fds(&self) -> usize {
        self.body.fds.len() + usize::from(self.body.is_big()) + usize::from(self.scratch.is_some())
    }

    /// Gives back the memory files of a task that no worker can be reading any more.
    pub(super) fn recycle(self, files: &Files) {
        if let super::body::Bytes::In(file, _) = self.body.bytes {
            files.put(file);
        }
        if let Some(file) = self.scratch {
            files.put(file);
        }
    }
}

/// Why a task that ran has no value.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum TaskFailure {
    /// The function panicked, or what it took or returned could not cross.
    Function(Failure),
    /// A hook of a process failed, in this run.
    Hook(Failed),
    /// The `error` hook of a process has had the last word.
    Last(ProcessError),
}

impl From<Failure> for TaskFailure {
    fn from(failure: Failure) -> Self {
        TaskFailure::Function(failure)
    }
}

impl TaskFailure {
    /// The bytes that the parent reads; small, as the texts in it are.
    pub(super) fn encode(&self) -> Body {
        // Texts and numbers only, so it always encodes.
        let bytes = cucumber::to_bytes(self).unwrap_or_default();
        Body { bytes: super::body::Bytes::Here(bytes.into()), fds: Vec::new() }
    }

    pub(super) fn into_error(self, mut at: Position) -> ProcessError {
        match self {
            TaskFailure::Last(error) => error,
            TaskFailure::Function(failure) => {
                ProcessError::Hook { at: Box::new(at), failure: Box::new(failure) }
            }
            TaskFailure::Hook(Failed { phase, run, fault }) => {
                (at.phase, at.run) = (Some(phase), run);
                let at = Box::new(at);
                match fault {
                    Fault::Failure(failure) => ProcessError::Hook { at, failure },
                    Fault::Timeout(limit) => ProcessError::Timeout { at, limit },
                }
            }
        }
    }
}

/// What the code that a pool runs can know of itself.
///
/// ```
/// use processing::{CurrentTask, Pool};
///
/// let pool = Pool::new(2)?;
/// let seats = pool.map(|_: u8| CurrentTask::get().map(|task| task.worker_index), [1, 2, 3])?;
/// assert!(seats.iter().all(|seat| matches!(seat, Some(0 | 1))));
/// assert!(CurrentTask::get().is_none());      // here is no worker of a pool
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CurrentTask {
    /// The place of the item in the input, from 0.
    pub index: usize,
    /// How often this item was begun before: 0 for the first attempt.
    pub attempt: u32,
    /// Which of the pool's workers this is, from 0; a worker that replaces another has the same.
    pub worker_index: usize,
}

static RUNNING: AtomicBool = AtomicBool::new(false);
static INDEX: AtomicU64 = AtomicU64::new(0);
static ATTEMPT: AtomicU32 = AtomicU32::new(0);
static WORKER: AtomicU64 = AtomicU64::new(u64::MAX);

thread_local! {
    /// The task that this thread runs, where there are no workers: there may be one in each.
    static HERE: Cell<Option<CurrentTask>> = const { Cell::new(None) };
}

impl CurrentTask {
    /// The task that this worker of a pool is running; `None` elsewhere.
    #[must_use]
    pub fn get() -> Option<CurrentTask> {
        let here = HERE.try_with(Cell::get).ok().flatten();
        here.or_else(|| {
            RUNNING.load(Ordering::Relaxed).then(|| CurrentTask {
                index: INDEX.load(Ordering::Relaxed) as usize,
                attempt: ATTEMPT.load(Ordering::Relaxed),
                worker_index: WORKER.load(Ordering::Relaxed) as usize,
            })
        })
    }

    /// The task that this thread is about to run in the program itself, or none; what it was before.
    pub(super) fn replace_here(task: Option<(usize, u32)>) -> Option<(usize, u32)> {
        let task = task.map(|(index, attempt)| CurrentTask { index, attempt, worker_index: 0 });
        HERE.replace(task).map(|before| (before.index, before.attempt))
    }

    pub(super) fn set(index: u64, attempt: u32) {
        INDEX.store(index, Ordering::Relaxed);
        ATTEMPT.store(attempt, Ordering::Relaxed);
        RUNNING.store(true, Ordering::Relaxed);
    }

    pub(super) fn clear() {
        RUNNING.store(false, Ordering::Relaxed);
    }
}

/// Which of a pool's workers this process is, from 0; `None` if it is none.
///
/// Known to the initializer too. A worker that replaces another has the same index, so it can name a device or a
/// file that no other worker uses at the same time.
#[must_use]
pub fn worker_index() -> Option<usize> {
    usize::try_from(WORKER.load(Ordering::Relaxed)).ok().filter(|&index| index != usize::MAX)
}

pub(super) fn set_worker_index(index: usize) {
    WORKER.store(index as u64, Ordering::Relaxed);
}
