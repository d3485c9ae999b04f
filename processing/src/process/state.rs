//! What the handle and the supervisor of a process both know.

use std::collections::VecDeque;
use std::io::ErrorKind;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{self, Poll};
use std::time::Instant;

use super::output::OutputLine;
use crate::channel::{Look, Mailbox, Message, Outbox, Packet, Postbag, TellError};
use crate::shm::Page;
use crate::shm::fault::Fault;
use crate::shm::mail::Mail;
use crate::shm::status::Status;
use crate::spawn::Launched;
use crate::{Config, ProcessError, reactor};

/// How many captured lines are kept for a program that does not ask for them.
const MOST_LINES: usize = 10_000;

/// One process, whichever worker it is in.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(super) worker: &'static str,
    pub(super) status: Page<Status>,
    pub(super) mail: Page<Mail>,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
pub(crate) struct State {
    /// How the first start went, once that is known.
    pub(super) started: Option<std::io::Result<()>>,
    /// The way to the worker; none between two workers.
    pub(super) outbox: Option<Outbox>,
    /// The last worker's.
    pub(super) pid: u32,
    /// What the worker tells.
    pub(super) mailbox: Mailbox,
    /// Whether the mailbox was full, and the worker has been told so.
    refuses: bool,
    /// What it is told, and may have to be told again.
    postbag: Postbag,
    /// Somebody who listened found no messages but nonsense.
    pub(super) garbled: bool,
    /// Whether a worker that is lost may be replaced, and is then told again.
    keeps: bool,
    /// Whether a worker that replaces another listens again from the last checkpoint on.
    pub(super) rolls_back: bool,
    /// Why the process failed; also if its `error` hook makes a value of that.
    pub(super) failure: Option<ProcessError>,
    /// What the process came to.
    pub(super) outcome: Option<Result<Arc<Message>, ProcessError>>,
    /// Whether the last worker has been reaped.
    pub(super) over: bool,
    /// Somebody has asked for the end.
    pub(super) kill: bool,
    /// Nobody holds the handle any more.
    pub(super) abandoned: bool,
    output: VecDeque<OutputLine>,
    tasks: Vec<task::Waker>,
}

impl Shared {
    pub(super) fn new(worker: &'static str, status: Page<Status>, mail: Page<Mail>, config: &Config) -> Self {
        let mut state = State::default();
        state.follow(config);
        Shared { worker, status, mail, state: Mutex::new(state), changed: Condvar::new() }
    }

    /// There is a worker that goes on behind so many messages: those after that it is told again, and from here on it
    /// can be told others. In one step, or they would change places.
    pub(super) fn take(&self, mut launched: Launched, listened: u64) -> Launched {
        self.change(|state| {
            state.outbox = launched.outbox.take();
            state.pid = launched.child.pid();
            state.tell_again(listened);
        });
        launched
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the state and wakes everyone who waits for that.
    pub(super) fn change<R>(&self, change: impl FnOnce(&mut State) -> R) -> R {
        let mut state = self.lock();
        let result = change(&mut state);
        let tasks = std::mem::take(&mut state.tasks);
        drop(state);
        self.changed.notify_all();
        self.mail.up.news.ring();
        tasks.into_iter().for_each(reactor::wake_task);
        result
    }

    /// Sleeps until `look` finds what it looks for, or the time is over.
    pub(crate) fn wait<R>(
        &self,
        deadline: Option<Instant>,
        mut look: impl FnMut(&mut State) -> Option<R>,
    ) -> Option<R> {
        let mut state = self.lock();
        loop {
            if let Some(found) = look(&mut state) {
                return Some(found);
            }
            state = match deadline {
                None => self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(deadline) => {
                    let left = deadline.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        return None;
                    }
                    self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }

    /// The same for a task.
    pub(crate) fn poll<R>(
        &self,
        cx: &mut task::Context<'_>,
        mut look: impl FnMut(&mut State) -> Option<R>,
    ) -> Poll<R> {
        let mut state = self.lock();
        match look(&mut state) {
            Some(found) => Poll::Ready(found),
            None => {
                if !state.tasks.iter().any(|task| task.will_wake(cx.waker())) {
                    state.tasks.push(cx.waker().clone());
                }
                Poll::Pending
            }
        }
    }
}

impl State {
    /// Takes a message for the worker.
    pub(super) fn tell(&mut self, packet: Packet, shared: &Shared) -> Result<Sent, TellError> {
        if self.keeps {
            self.postbag.forget_until(self.resume_from(&shared.status));
        }
        let packet = Arc::new(packet);
        let all_was_put = self.postbag.is_put();
        self.postbag.push(Arc::clone(&packet)).map_err(TellError::Full)?;
        let Some(outbox) = &mut self.outbox else { return Ok(Sent::All) };
        let mut sent = true;
        if !packet.fds.is_empty() {
            // The reactor was told when the outbox began to wait, and sends all there is: to tell it again for each
            // message would leave it no time for anybody else.
            let is_waiting = outbox.is_waiting();
            outbox.push(Arc::clone(&packet));
            let flushed = if is_waiting { Ok(true) } else { outbox.flush() };
            match flushed {
                Ok(all) => sent = all,
                // Whoever replaces it is told again.
                Err(error) if is_gone(&error) && self.keeps => return Ok(Sent::All),
                Err(error) => {
                    if outbox.take_back() {
                        // Who hears of an error may try again, so it must not be sent later as well.
                        self.postbag.take_back(&packet);
                    }
                    return Err(TellError::Channel(error));
                }
            }
        }
        Ok(match sent {
            false => Sent::Outbox,
            // The worker has been asked to say when there is room.
            true if !all_was_put => Sent::All,
            true => Sent::Postbag,
        })
    }

    /// Puts what has to wait into the ring, as far as there is room; `false` if that is not all of it. Where that is
    /// `final`, the worker is asked to say when there is more room.
    pub(super) fn post(&mut self, mail: &Mail, is_final: bool) -> Result<bool, Fault> {
        // Between two workers the ring is nobody's.
        if self.outbox.is_none() || self.postbag.flush(&mail.down, self.keeps)? {
            return Ok(true);
        }
        if !is_final {
            return Ok(false);
        }
        mail.call_for_room();
        self.postbag.flush(&mail.down, self.keeps)
    }

    /// Takes in what the worker has told, so that there is room in the ring again; if there is none here any more, the
    /// worker is told so.
    pub(super) fn take_in(&mut self, mail: &Mail) -> Result<(), Fault> {
        self.mailbox.drain(&mail.up)?;
        if self.mailbox.is_full() {
            self.refuses = true;
            mail.set_full(true);
        }
        Ok(())
    }

    /// Takes the next message that the worker told.
    pub(super) fn heard(&mut self, mail: &Mail) -> Result<Look<Message>, Fault> {
        let next = self.mailbox.next(&mail.up);
        if self.refuses && !self.mailbox.is_full() {
            self.refuses = false;
            mail.set_full(false);
        }
        next
    }

    /// The worker is gone: what it told is taken in, and what it was told is forgotten, unless another worker
    /// may need it.
    pub(super) fn part(&mut self, mail: &Mail) {
        // Beyond what is no message there is none either.
        let _ = self.mailbox.drain(&mail.up);
        self.mailbox.forget_unfinished();
        if !self.keeps {
            self.postbag.clear();
        }
        self.outbox = None;
        self.garbled = false;
        mail.clear();
    }

    /// Takes over what the settings say about replacing workers.
    pub(super) fn follow(&mut self, config: &Config) {
        // What was put before anything was kept is gone, so whoever has begun to keep it goes on.
        self.keeps |= config.lives > 1;
        self.rolls_back = config.checkpoint_every().is_some();
    }

    /// The first message that the next worker would be told.
    pub(super) fn resume_from(&self, status: &Status) -> u64 {
        let done = if self.rolls_back { status.checkpoint().listened } else { status.listened() };
        // What was told before anything was kept cannot be told again.
        done.max(self.postbag.first())
    }

    /// Tells a worker that replaces another what that one had not done with.
    pub(super) fn tell_again(&mut self, from: u64) {
        self.postbag.forget_until(from);
        self.postbag.rewind();
        if let Some(outbox) = &mut self.outbox {
            self.postbag.with_descriptors().for_each(|packet| outbox.push(Arc::clone(packet)));
        }
    }

    /// What the process came to; the first word counts.
    pub(super) fn conclude(&mut self, outcome: Result<Arc<Message>, ProcessError>) {
        if self.failure.is_none() {
            self.failure = outcome.as_ref().err().cloned();
        }
        self.outcome.get_or_insert(outcome);
    }

    pub(super) fn add_output(&mut self, line: OutputLine) {
        if self.output.len() == MOST_LINES {
            self.output.pop_front();
        }
        self.output.push_back(line);
    }

    pub(super) fn take_output(&mut self) -> Vec<OutputLine> {
        self.output.drain(..).collect()
    }

    pub(super) fn last_words(&self, count: usize) -> Vec<String> {
        let errors = self.output.iter().rev().filter(|line| line.is_error());
        let mut words: Vec<String> = errors.take(count).map(|line| line.text().to_owned()).collect();
        words.reverse();
        words
    }
}

/// What is left to do for a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sent {
    /// Nothing here.
    All,
    /// It has to be put into the ring.
    Postbag,
    /// The socket is full: the reactor has to send the rest.
    Outbox,
}

fn is_gone(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::BrokenPipe | ErrorKind::ConnectionReset)
}
