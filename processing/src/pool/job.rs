//! One call over a pool, as the pool sees it: tasks that wait, and what became of the others.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar};
use std::task::Waker;
use std::time::{Duration, Instant};

use super::body::{Body, Bytes, Files};
use super::error::PoolError;
use super::protocol::{Answer, Before, Verdict};
use super::task::{Task, TaskFailure};
use crate::ProcessError;
use crate::channel::Packet;
use crate::error::{Failure, Position};
use crate::restart::Pause;

/// How a call treats its tasks.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Rules {
    /// How many attempts a task has.
    pub(crate) lives: u32,
    /// After how many workers that it ended a task is given up, whatever its lives.
    pub(crate) poison_after: u32,
    /// Whether an `Err` that the function returned counts as a failed attempt.
    pub(crate) retries_errors: bool,
    pub(crate) pause: Pause,
    /// The least time between the beginnings of two tasks.
    pub(crate) spacing: Option<Duration>,
    pub(crate) task_timeout: Option<Duration>,
    /// How many tasks go to a worker at once, if not as many as suit.
    pub(crate) chunk: Option<usize>,
}

impl Rules {
    /// Those of a pool whose builder was told nothing.
    pub(super) const PLAIN: Self = Rules {
        lives: 1,
        poison_after: 3,
        retries_errors: false,
        pause: Pause::NONE,
        spacing: None,
        task_timeout: None,
        chunk: None,
    };
}

/// What the tasks of a call are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Function,
    Process { has_error_hook: bool },
}

/// How long the last tasks took, all in all.
///
/// The mean of many: a worker that had to wait for a processor makes a few of them look slow.
#[derive(Debug, Default)]
struct Memory {
    busy: Duration,
    tasks: u32,
}

impl Memory {
    /// What is older than that many tasks, or than that much work, counts half.
    const MOST_TASKS: u32 = 1024;
    const MOST_WORK: Duration = Duration::from_millis(20);

    /// Adds some, and says how long one takes.
    fn learn(&mut self, busy: Duration, tasks: u32) -> Option<Duration> {
        if tasks == 0 || busy.is_zero() {
            return None;
        }
        self.busy += busy;
        self.tasks += tasks;
        let pace = self.busy / self.tasks;
        while self.tasks > 1 && (self.tasks > Self::MOST_TASKS || self.busy > Self::MOST_WORK) {
            (self.busy, self.tasks) = (self.busy / 2, self.tasks / 2);
        }
        Some(pace)
    }
}

/// What a task came to.
pub(super) type Outcome = Result<Body, Box<PoolError>>;

#[derive(Debug)]
pub(super) struct Job {
    pub(super) id: u64,
    pub(super) name: &'static str,
    pub(super) packet: Arc<Packet>,
    pub(super) rules: Rules,
    pub(super) kind: Kind,
    pub(super) queue: VecDeque<Task>,
    /// Tasks that failed and wait until they are tried again.
    pub(super) resting: Vec<(Instant, Task)>,
    /// What nobody has fetched yet.
    pub(super) done: VecDeque<(usize, Outcome)>,
    /// How long a task takes, once that is known.
    pub(super) pace: Option<Duration>,
    memory: Memory,
    /// No task begins before that.
    pub(super) not_before: Option<Instant>,
    /// Whether a result has been too big for the socket.
    pub(super) has_big_results: bool,
    pub(super) changed: Arc<Condvar>,
    pub(super) task: Option<Waker>,
    /// Whoever waits has to be woken.
    pub(super) has_news: bool,
}

impl Job {
    pub(super) fn new(id: u64, name: &'static str, kind: Kind, packet: Packet, rules: Rules) -> Self {
        Job {
            id,
            name,
            packet: Arc::new(packet),
            rules,
            kind,
            queue: VecDeque::new(),
            resting: Vec::new(),
            done: VecDeque::new(),
            pace: None,
            memory: Memory::default(),
            not_before: None,
            has_big_results: false,
            changed: Arc::new(Condvar::new()),
            task: None,
            has_news: false,
        }
    }

    pub(super) fn finish(&mut self, index: usize, outcome: Outcome) {
        self.done.push_back((index, outcome));
        self.has_news = true;
    }

    /// An attempt has failed: there will be another one, or it was the last.
    pub(super) fn failed(&mut self, mut task: Task, error: ProcessError, ended_worker: bool, is_final: bool) {
        if let Some(Before::Last(first)) = task.before.take().map(|before| *before) {
            // Only its `error` hook was left, and has said something else, or has ended its worker too.
            let last = if ended_worker { first } else { error };
            return self.finish_failed(&task, last, task.deaths > 1);
        }
        task.attempts += 1;
        task.deaths += u32::from(ended_worker);
        if !is_final && task.attempts < self.rules.lives && task.deaths < self.rules.poison_after {
            if self.kind != Kind::Function {
                task.before = Some(Box::new(Before::Failed(error)));
            }
            return self.again(task);
        }
        if ended_worker && self.kind == (Kind::Process { has_error_hook: true }) {
            task.before = Some(Box::new(Before::Last(error)));
            return self.queue.push_front(task);
        }
        self.finish_failed(&task, error, ended_worker && task.deaths > 1);
    }

    fn finish_failed(&mut self, task: &Task, error: ProcessError, is_poison: bool) {
        let error = if is_poison {
            PoolError::poison(task.index, task.attempts, error)
        } else {
            PoolError::failed(task.index, task.attempts, error)
        };
        self.finish(task.index, Err(Box::new(error)));
    }

    fn again(&mut self, task: Task) {
        let pause = self.rules.pause.after(task.attempts);
        if pause.is_zero() {
            self.queue.push_front(task);
        } else {
            self.resting.push((Instant::now() + pause, task));
        }
    }

    /// Takes in what a worker answered for a task.
    pub(super) fn settle(&mut self, mut task: Task, answer: Answer, pid: u32, files: &Files) {
        let Answer { verdict, body, scratch, fds, .. } = answer;
        let body = body.or_else(|| Some(Body { bytes: Bytes::In(task.scratch.take()?, scratch), fds }));
        let Some(body) = body else {
            let failure = Failure::text("its result was said to be in a file that it was not given");
            let at = Box::new(self.position(&task, pid));
            let error = ProcessError::Value { at, failure: Box::new(failure) };
            return self.failed(task, error, false, true);
        };
        self.has_big_results |= body.is_big();
        match verdict {
            Verdict::ErrValue if self.rules.retries_errors && task.attempts + 1 < self.rules.lives => {
                task.attempts += 1;
                self.again(task);
            }
            Verdict::Value | Verdict::ErrValue => {
                let index = task.index;
                task.recycle(files);
                self.finish(index, Ok(body));
            }
            Verdict::Failed | Verdict::GaveUp => {
                let at = self.position(&task, pid);
                let error = match body.decode::<TaskFailure>().0 {
                    Ok(failure) => failure.into_error(at),
                    Err(error) => {
                        let failure = Failure::with_cause("its failure cannot be read", &error);
                        ProcessError::Value { at: Box::new(at), failure: Box::new(failure) }
                    }
                };
                self.failed(task, error, false, verdict == Verdict::GaveUp);
            }
        }
    }

    /// Where a task was, for its error.
    pub(super) fn position(&self, task: &Task, pid: u32) -> Position {
        Position {
            worker: self.name.to_owned(),
            phase: None,
            run: task.attempts.into(),
            lives_left: self.rules.lives.saturating_sub(task.attempts + 1),
            pid,
        }
    }

    /// Takes in how long some tasks took.
    pub(super) fn learn(&mut self, busy: Duration, tasks: u32) {
        self.pace = self.memory.learn(busy, tasks).or(self.pace);
    }

    /// Drops what waits and stands behind this item in the input.
    pub(super) fn drop_behind(&mut self, index: usize) {
        self.queue.retain(|task| task.index < index);
        self.resting.retain(|(_, task)| task.index < index);
    }

    /// Moves those to the queue that have rested.
    pub(super) fn rested(&mut self, now: Instant) {
        let mut place = 0;
        while place < self.resting.len() {
            if self.resting[place].0 <= now {
                let (_, task) = self.resting.swap_remove(place);
                self.queue.push_front(task);
            } else {
                place += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MICRO: Duration = Duration::from_micros(1);

    #[test]
    fn one_slow_start_among_many_tasks_hardly_counts() {
        let mut memory = Memory::default();
        assert_eq!(memory.learn(50 * MICRO, 1), Some(50 * MICRO));
        memory.learn(1000 * MICRO, 1000);
        assert!(memory.learn(4000 * MICRO, 10).unwrap() < 8 * MICRO);
    }

    #[test]
    fn tasks_that_have_become_slow_are_noticed_soon() {
        let mut memory = Memory::default();
        memory.learn(1000 * MICRO, 1000);
        let paces = (0..12).filter_map(|_| memory.learn(10_000 * MICRO, 1));
        assert!(paces.last().unwrap() > 5_000 * MICRO);
    }

    #[test]
    fn nothing_teaches_nothing() {
        let mut memory = Memory::default();
        assert_eq!((memory.learn(MICRO, 0), memory.learn(Duration::ZERO, 3)), (None, None));
    }
}
