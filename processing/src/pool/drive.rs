//! One call from its caller's side: pulls the input, keeps the workers fed, and hands out what comes back.

use std::collections::VecDeque;
use std::sync::{Arc, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::body::Body;
use super::crew::Crew;
use super::dispatch::chunk_size;
use super::error::PoolError;
use super::function::Callable;
use super::inline::Inline;
use super::job::{Job, Kind, Outcome};
use super::lists::Want;
use super::options::{Options, Order};
#[cfg(feature = "progress")]
use super::progress::Progress;
use super::protocol::{Attempts, JobStart, job_packet};
use super::task::Task;
use crate::ProcessError;
use crate::error::{Failure, Position};
use crate::reactor;

/// How long the input is pulled before what there is goes to the workers.
const LONGEST_PULL: Duration = Duration::from_micros(200);

/// A call that is being made.
pub(crate) struct Drive<I> {
    crew: Arc<Crew>,
    /// Its number there; `None` once it is over.
    job: Option<u64>,
    name: &'static str,
    input: Option<I>,
    order: Order,
    window: Option<usize>,
    /// What has been pulled and not been sent yet.
    batch: Vec<Task>,
    pulled: usize,
    /// How many have come back.
    answered: usize,
    /// How many were handed out.
    returned: usize,
    /// In order of the input: what stands at the front is the next. Else what there is.
    ready: VecDeque<Option<(usize, Outcome)>>,
    pace: Option<Duration>,
    has_big_results: bool,
    inline: Option<Inline>,
    /// Why no task will ever run, told with the first item.
    refused: Option<Failure>,
    /// Who is woken at which deadline.
    asked: Option<(Instant, Waker)>,
    #[cfg(feature = "progress")]
    progress: Option<Progress>,
}

impl<I> Drive<I> {
    pub(super) fn new(
        crew: &Arc<Crew>,
        callable: Callable,
        input: I,
        order: Order,
        options: Options,
    ) -> Self {
        let Callable { name, setup, captures, kind, lives } = callable;
        let Options { mut rules, window, .. } = options;
        rules.lives = rules.lives.max(lives);
        let mut drive = Drive {
            crew: Arc::clone(crew),
            job: None,
            name,
            input: Some(input),
            order,
            window,
            batch: Vec::new(),
            pulled: 0,
            answered: 0,
            returned: 0,
            ready: VecDeque::new(),
            pace: None,
            has_big_results: false,
            inline: None,
            refused: None,
            asked: None,
            #[cfg(feature = "progress")]
            progress: None,
        };
        let captures = match captures {
            Ok(captures) => captures,
            Err(error) => {
                drive.refused = Some(Failure::with_cause("what the task captures cannot be sent", &error));
                return drive;
            }
        };
        if crew.limits.workers == 0 {
            drive.inline = Some(Inline::new(name, kind, setup, captures, rules));
            return drive;
        }
        let task_timeout = rules.task_timeout;
        let attempts = Attempts { lives: rules.lives, pause: rules.pause };
        let process = (kind != Kind::Function).then_some(attempts);
        let start = |id| JobStart { id, setup, task_timeout, process };
        let begun = crew.begin(name, kind, rules, |id| job_packet(&start(id), captures));
        match begun {
            Ok(job) => drive.job = Some(job),
            Err(error) => {
                drive.refused = Some(Failure::with_cause("the function cannot be sent to a worker", &error));
            }
        }
        drive
    }

    /// Shows on stderr how far the call is.
    #[cfg(feature = "progress")]
    pub(super) fn showing_progress(mut self) -> Self
    where
        I: Iterator,
    {
        let known = |input: &I| match input.size_hint() {
            (least, Some(most)) if least == most => Some(most),
            _ => None,
        };
        let total = self.input.as_ref().and_then(known);
        self.progress = Some(Progress::new(self.name, total));
        self
    }

    /// The first item that has not been handed out, in order of the input.
    pub(super) fn returned(&self) -> usize {
        self.returned
    }

    /// How many items have been pulled.
    pub(super) fn pulled(&self) -> usize {
        self.pulled
    }

    /// What cancels the call from elsewhere.
    pub(super) fn canceller(&self) -> impl FnOnce() + Send + use<I> {
        let (crew, job) = (Arc::clone(&self.crew), self.job);
        move || {
            if let Some(job) = job {
                crew.cancel(job, false);
            }
        }
    }

    /// Whether nothing more is wanted. What is not wanted is not begun.
    pub(super) fn is_enough(&mut self, want: Want) -> bool {
        if let Want::Before(index) = want {
            self.input = None;
            if let Some(job) = self.crew.lock().job(self.job.unwrap_or(0)) {
                job.drop_behind(index);
            }
        }
        want == Want::Nothing
    }

    /// Ends the call, whose time is over; the error for the item that was waited for.
    pub(super) fn late(&mut self, limit: Duration) -> PoolError {
        let error = PoolError::late(self.returned, self.name, limit);
        if let Some(job) = self.job.take() {
            self.crew.cancel(job, true);
        }
        self.is_gone();
        error
    }

    /// The call has been ended from elsewhere, and nothing more will come.
    fn is_gone(&mut self) {
        (self.input, self.inline, self.job) = (None, None, None);
        self.ready.clear();
        (self.answered, self.returned) = (self.pulled, self.pulled);
    }

    /// How far the input may be pulled ahead.
    fn window(&self) -> usize {
        let suits = || 2 * self.crew.limits.workers.max(1) * chunk_size(self.pace);
        self.window.unwrap_or_else(suits)
    }

    fn room(&self) -> usize {
        if self.inline.is_some() {
            // One at a time, as a loop would do it.
            return usize::from(self.answered == self.pulled && self.answered == self.returned);
        }
        self.window().saturating_sub(self.pulled - self.returned)
    }

    /// Whether the workers will soon have nothing to do, and there is room for more than a crumb.
    fn is_hungry(&self) -> bool {
        let window = self.window();
        let under_way = self.pulled - self.answered;
        self.input.is_some() && under_way <= window.div_ceil(2) && self.room() >= window.div_ceil(4)
    }

    fn keep(&mut self, index: usize, outcome: Outcome) {
        self.answered += 1;
        #[cfg(feature = "progress")]
        if let Some(progress) = &mut self.progress {
            progress.count();
        }
        match self.order {
            Order::Completion => self.ready.push_back(Some((index, outcome))),
            Order::Input => {
                let place = index - self.returned;
                if self.ready.len() <= place {
                    self.ready.resize_with(place + 1, || None);
                }
                self.ready[place] = Some((index, outcome));
            }
        }
    }

    fn take_ready(&mut self) -> Option<(usize, Outcome)> {
        self.ready.front()?.as_ref()?;
        self.returned += 1;
        self.ready.pop_front().flatten()
    }

    fn is_over(&self) -> bool {
        self.input.is_none() && self.returned == self.pulled
    }

    /// Takes over what a job has to hand out.
    fn fetch(&mut self, job: &mut Job) {
        (self.pace, self.has_big_results) = (job.pace, job.has_big_results);
        for (index, outcome) in std::mem::take(&mut job.done) {
            self.keep(index, outcome);
        }
    }

    /// Takes what has come back, without waiting.
    fn collect(&mut self) {
        if let Some(mut inline) = self.inline.take() {
            if let Some((index, outcome)) = inline.run_one(&self.crew.files) {
                self.keep(index, outcome);
            }
            self.inline = Some(inline);
            return;
        }
        let Some(id) = self.job else { return };
        let crew = Arc::clone(&self.crew);
        let mut state = crew.lock();
        match state.job(id) {
            Some(job) => self.fetch(job),
            None => self.is_gone(),
        }
    }

    /// Sleeps until something has come back. `false` if that was too late.
    fn wait(&mut self, deadline: Option<Instant>) -> bool {
        let Some(id) = self.job else { return true };
        let crew = Arc::clone(&self.crew);
        let mut state = crew.lock();
        loop {
            let Some(job) = state.job(id) else {
                self.is_gone();
                return true;
            };
            if !job.done.is_empty() {
                self.fetch(job);
                return true;
            }
            let changed = Arc::clone(&job.changed);
            state = match deadline {
                None => changed.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(deadline) => {
                    let left = deadline.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        return false;
                    }
                    changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }

    /// The value of an item, or why it has none.
    pub(super) fn read<R: DeserializeOwned>(&self, index: usize, outcome: Outcome) -> Result<R, PoolError> {
        let body = outcome.map_err(|error| *error)?;
        let (value, file) = body.decode();
        if let Some(file) = file {
            self.crew.files.put(file);
        }
        value.map_err(|error: cucumber::Error| {
            let error = error.with_root("result");
            let failure = Failure::with_cause("the value was sent, but cannot be read", &error);
            let at = self.position();
            PoolError::failed(index, 1, ProcessError::Value { at, failure: Box::new(failure) })
        })
    }

    fn position(&self) -> Box<Position> {
        Box::new(Position { worker: self.name.to_owned(), phase: None, run: 0, lives_left: 0, pid: 0 })
    }
}

/// What asking for the next result came to.
pub(super) enum Next {
    Result(usize, Outcome),
    Over,
    /// The time was over first.
    Late,
}

impl<I: Iterator> Drive<I>
where
    I::Item: Serialize,
{
    /// The next result, waiting for it no longer than until the deadline.
    pub(super) fn next(&mut self, deadline: Option<Instant>) -> Next {
        loop {
            match self.step(None) {
                Poll::Ready(next) => return next,
                Poll::Pending if !self.wait(deadline) => return Next::Late,
                Poll::Pending => {}
            }
        }
    }

    /// The same for a task.
    pub(super) fn poll_next(&mut self, cx: &mut Context<'_>, deadline: Option<Instant>) -> Poll<Next> {
        let step = self.step(Some(cx));
        match deadline {
            Some(deadline) if step.is_pending() => {
                if deadline <= Instant::now() {
                    return Poll::Ready(Next::Late);
                }
                let asked = self.asked.as_ref();
                if !asked.is_some_and(|(at, waker)| *at == deadline && waker.will_wake(cx.waker())) {
                    // A reactor that cannot be started is one that no worker can be started by either.
                    let _ = reactor::wake_task_at(deadline, cx.waker().clone());
                    self.asked = Some((deadline, cx.waker().clone()));
                }
                Poll::Pending
            }
            _ => step,
        }
    }

    /// Does what can be done without waiting.
    fn step(&mut self, cx: Option<&Context<'_>>) -> Poll<Next> {
        loop {
            if self.ready.front().is_none_or(Option::is_none) {
                self.collect();
            }
            #[cfg(feature = "progress")]
            if let Some(progress) = &mut self.progress {
                progress.show();
            }
            if self.is_hungry() {
                // At most one of these stands between a result that is ready and whoever waits for it.
                self.pull();
            }
            if let Some((index, outcome)) = self.take_ready() {
                return Poll::Ready(Next::Result(index, outcome));
            }
            if self.is_over() {
                return Poll::Ready(Next::Over);
            }
            if self.input.is_some() && self.room() > 0 {
                self.pull();
                continue;
            }
            if self.inline.is_some() {
                continue;
            }
            return if self.register(cx) { Poll::Pending } else { continue };
        }
    }

    /// Has a task woken for the next result. `false` if there is one already.
    fn register(&mut self, cx: Option<&Context<'_>>) -> bool {
        let (Some(cx), Some(id)) = (cx, self.job) else { return true };
        let crew = Arc::clone(&self.crew);
        let mut state = crew.lock();
        match state.job(id) {
            Some(job) if job.done.is_empty() => {
                job.task = Some(cx.waker().clone());
                true
            }
            _ => false,
        }
    }

    /// Pulls some of the input and sends it on its way.
    fn pull(&mut self) {
        let most = self.room().min(chunk_size(self.pace));
        let begun = Instant::now();
        for _ in 0..most {
            let Some(item) = self.input.as_mut().and_then(Iterator::next) else {
                self.input = None;
                break;
            };
            self.prepare(&item);
            if begun.elapsed() > LONGEST_PULL {
                break;
            }
        }
        if self.batch.is_empty() {
            return;
        }
        match (&mut self.inline, self.job) {
            (Some(inline), _) => inline.add(&mut self.batch),
            (None, Some(job)) => self.crew.add(job, &mut self.batch),
            (None, None) => self.batch.clear(),
        }
    }

    fn prepare(&mut self, item: &I::Item) {
        let index = self.pulled;
        self.pulled += 1;
        if let Some(failure) = &self.refused {
            let failure = Box::new(failure.clone());
            let error = ProcessError::Launch { at: self.position(), failure };
            return self.keep(index, Err(Box::new(PoolError::broken(index, error))));
        }
        match Body::encode(item, &self.crew.files) {
            Ok(body) => {
                let mut task = Task::new(index, body);
                if task.body.is_big() || self.has_big_results {
                    // Without one the worker finds a file of its own.
                    task.scratch = self.crew.files.take().ok();
                }
                self.batch.push(task);
            }
            Err(error) => {
                let error = PoolError::unsendable(index, self.name, error);
                self.keep(index, Err(Box::new(error)));
            }
        }
    }
}

impl<I> Drop for Drive<I> {
    fn drop(&mut self) {
        if let Some(job) = self.job.take() {
            self.crew.cancel(job, false);
        }
    }
}
