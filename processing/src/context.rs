//! What a hook can reach while it runs: the other side of the process, and its own settings.

use std::cell::RefCell;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, Instant};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::attendant::Attendant;
use crate::channel::{
    Inbox, ListenError, Look, Mailbox, Message, Outbox, Pace, Packet, TellError, mark, post, read, spare,
    wait_for_news,
};
use crate::chaos;
use crate::protocol::{Event, Request};
use crate::shm::fault::Fault;
use crate::shm::mail::{Lane, Mail};
use crate::shm::status::Status;
use crate::shm::{Bell, Page};
use crate::sys::{Nanos, OwnedFd, later};
use crate::{Config, Phase, ProcessError, Timers};

/// The process that the current thread belongs to, seen from inside.
///
/// The hooks' `self` has the same methods; this is for everything else in a worker: threads that a hook has spawned,
/// and functions that know nothing of the struct.
///
/// ```no_run
/// std::thread::spawn(|| {
///     let process = processing::Context::current().expect("only called in a worker");
///     process.tell("half way there").ok();
/// });
/// ```
#[derive(Clone, Debug)]
pub struct Context(pub(crate) Arc<Inner>);

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) status: Arc<Page<Status>>,
    pub(crate) bell: Bell,
    /// None for a task of a pool: nobody has a handle to it.
    parent: Option<Parent>,
    state: Mutex<State>,
    changed: Condvar,
}

/// The ways to whoever has the handle.
#[derive(Debug)]
pub(crate) struct Parent {
    mail: Page<Mail>,
    outbox: Mutex<Outbox>,
    /// Held by whoever is putting a message into the ring: how far the parent is known to have read.
    telling: Mutex<u64>,
    /// The settings have changed since anything was told. They go by the control channel, so the next message does too:
    /// the parent must know of them before it can hear and answer it.
    changed_settings: AtomicBool,
    /// Who is to listen to the control channel, until somebody waits for what comes there.
    attendance: Mutex<Option<(Attendant, Inbox)>>,
}

impl Parent {
    pub(crate) fn new(mail: Page<Mail>, socket: Arc<OwnedFd>, attendance: (Attendant, Inbox)) -> Self {
        Parent {
            mail,
            outbox: Mutex::new(Outbox::new(socket)),
            telling: Mutex::new(0),
            changed_settings: AtomicBool::new(false),
            attendance: Mutex::new(Some(attendance)),
        }
    }
}

#[derive(Debug)]
struct State {
    config: Config,
    mailbox: Mailbox,
    verdict: Option<Verdict>,
    /// Why the iteration is being tried again.
    last_failure: Option<ProcessError>,
}

/// What becomes of a process whose hook has failed.
#[derive(Debug)]
pub(crate) enum Verdict {
    Retry(Duration, ProcessError),
    GiveUp(ProcessError),
}

/// The process that this worker runs. A worker is made for one process and ends with it; one of a pool runs one after
/// the other.
static CURRENT: RwLock<Option<Context>> = RwLock::new(None);

thread_local! {
    /// The process that this thread runs, if it is a task: in a program without workers there can be one in each.
    static HERE: RefCell<Option<Context>> = const { RefCell::new(None) };
}

impl Context {
    /// The process that this worker runs; `None` in a program that is not a worker.
    #[must_use]
    pub fn current() -> Option<Context> {
        // The thread may be on its way out, with its locals gone.
        let here = HERE.try_with(|here| here.borrow().clone()).ok().flatten();
        here.or_else(|| CURRENT.read().unwrap_or_else(PoisonError::into_inner).clone())
    }

    /// Makes it the process of this worker.
    pub(crate) fn new(status: Arc<Page<Status>>, bell: Bell, parent: Parent, config: Config) -> Self {
        let context = Context::make(status, bell, Some(parent), config);
        *CURRENT.write().unwrap_or_else(PoisonError::into_inner) = Some(context.clone());
        context
    }

    /// Makes it the process of this thread, and of this worker if it is one, until the guard is dropped.
    pub(crate) fn of_task(status: Arc<Page<Status>>, bell: Bell, config: Config) -> (Self, Visit) {
        let in_worker = !matches!(bell, Bell::Nobody);
        let context = Context::make(status, bell, None, config);
        if in_worker {
            *CURRENT.write().unwrap_or_else(PoisonError::into_inner) = Some(context.clone());
        }
        let before = HERE.replace(Some(context.clone()));
        (context, Visit { before, in_worker })
    }

    fn make(status: Arc<Page<Status>>, bell: Bell, parent: Option<Parent>, config: Config) -> Self {
        let state = State { config, mailbox: Mailbox::default(), verdict: None, last_failure: None };
        Context(Arc::new(Inner { status, bell, parent, state: Mutex::new(state), changed: Condvar::new() }))
    }

    /// Sends a message to the process that called `start`.
    ///
    /// What was told before a crash still arrives.
    ///
    /// # Errors
    /// If the value cannot cross, or the other side is gone; in a task of a pool there is none. Also if nobody listens
    /// there and all the room is taken, in memory and on the disk: [`TellError::Full`].
    pub fn tell<T: Serialize + ?Sized>(&self, message: &T) -> Result<(), TellError> {
        let parent = self.0.parent.as_ref().ok_or(TellError::NoPeer)?;
        let message = Message::encode_into(spare::take(), message).map_err(TellError::Value)?;
        self.chaos();
        let mut known = parent.telling.lock().unwrap_or_else(PoisonError::into_inner);
        if parent.mail.is_full() {
            return Err(TellError::Full(std::io::ErrorKind::StorageFull.into()));
        }
        let told = if message.fds.is_empty() && !parent.changed_settings.swap(false, Relaxed) {
            let mut sent = 0;
            let put = self.put(&parent.mail, |lane| post(lane, &message.bytes, &mut sent, &mut known));
            spare::give(message.bytes);
            put
        } else {
            // In this order: where there is a mark, the message has been sent.
            self.send(Event::Message(message))
                .and_then(|()| self.put(&parent.mail, |lane| mark(lane, &mut known)))
        };
        told.map_err(TellError::Channel)?;
        self.chaos();
        Ok(())
    }

    /// Puts something into the ring to the parent, and waits for room as often as it takes.
    fn put(&self, mail: &Mail, mut put: impl FnMut(&Lane) -> Result<bool, Fault>) -> std::io::Result<()> {
        let lane = &mail.up;
        let mut pace = Pace::default();
        loop {
            let (ticket, saw) = (lane.room.ticket(), lane.ring.read.position());
            let done = put(lane)?;
            if mail.owes_news() {
                self.send(Event::Look)?;
            }
            if done {
                return Ok(());
            }
            while lane.ring.read.position() == saw && !pace.over {
                pace.step();
            }
            if pace.over {
                // The parent takes in what the ring holds when nobody listens there. It cannot fail to: this process
                // would end with it.
                self.send(Event::Look)?;
                lane.sleep_for_room(saw, ticket);
            }
            pace = Pace::default();
        }
    }

    /// Takes the next message that was told to this process, waiting for it as long as it takes (`None`) or so long.
    ///
    /// `Ok(None)` says that the time is over, or that the process has been asked to stop.
    ///
    /// # Errors
    /// If the next message is not a `T`; it has been taken all the same. In a task of a pool: always, as there is nobody
    /// who could tell it anything.
    pub fn listen<T: DeserializeOwned>(
        &self,
        timeout: impl Into<Option<Duration>>,
    ) -> Result<Option<T>, ListenError> {
        let deadline = timeout.into().and_then(|timeout| Instant::now().checked_add(timeout));
        let parent = self.0.parent.as_ref().ok_or(ListenError::NoPeer)?;
        self.attend();
        let heard = wait_for_news(&parent.mail.down, deadline, || self.look(&parent.mail));
        let Some(message) = heard.unwrap_or(Ok(None))? else { return Ok(None) };
        self.chaos();
        read(message).map(Some)
    }

    /// Whether there is a message, or a reason to wait for none.
    fn look(&self, mail: &Mail) -> Look<Result<Option<Message>, ListenError>> {
        let status = &self.0.status;
        let found = {
            let mut state = self.0.state();
            let found = state.mailbox.next(&mail.down);
            if let Ok(Look::Found(_)) = found {
                status.set_listened(status.listened() + 1);
            }
            found
        };
        let failed = |error| Look::Found(Err(ListenError::Channel(error)));
        match mail.owes_room().map_err(std::io::Error::from) {
            Ok(false) => {}
            // A message that was taken is not lost for that.
            Ok(true) => _ = self.send(Event::Look),
            Err(error) => return failed(error),
        }
        match found {
            Ok(Look::Found(message)) => Look::Found(Ok(Some(message))),
            Ok(Look::Again) => Look::Again,
            Ok(Look::Nothing(_)) if status.is_stopping() => Look::Found(Ok(None)),
            Ok(Look::Nothing(saw)) => Look::Nothing(saw),
            Err(fault) => failed(fault.into()),
        }
    }

    /// A point at which something may go wrong on purpose, unless that would be the end of the process: the last hooks
    /// are not repeated, whatever lives are left.
    pub(crate) fn chaos(&self) {
        let status = &self.0.status;
        if status.phase().is_some_and(Phase::is_retried) {
            chaos::point(|| status.deadline());
        }
    }

    /// Asks this process to end after the hook that is running.
    pub fn stop(&self) {
        self.0.status.stop();
        self.0.wake();
    }

    /// Whether the process has been asked to stop.
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        self.0.status.is_stopping()
    }

    /// The iteration that is being done, from 0.
    #[must_use]
    pub fn current_run(&self) -> u64 {
        self.0.status.run()
    }

    /// How many more failures this process can survive.
    #[must_use]
    pub fn lives_left(&self) -> u32 {
        self.0.status.lives_left()
    }

    /// Why the iteration that is being done is a repetition; `None` if this is its first attempt.
    ///
    /// What was listened to in an attempt that cost the worker its life is delivered again, and may be what broke it:
    /// here is where to find out.
    #[must_use]
    pub fn last_failure(&self) -> Option<ProcessError> {
        self.0.state().last_failure.clone()
    }

    pub(crate) fn set_last_failure(&self, failure: Option<ProcessError>) {
        self.0.state().last_failure = failure;
    }

    /// How long the hooks have taken so far.
    #[must_use]
    pub fn timers(&self) -> Timers {
        self.0.status.timers.read()
    }

    /// The settings as they are in force.
    #[must_use]
    pub fn config(&self) -> Config {
        self.0.state().config.clone()
    }

    /// Changes the settings from here on.
    pub fn set_config(&self, config: Config) {
        let old = std::mem::replace(&mut self.0.state().config, config.clone());
        if old == config {
            return;
        }
        if old.lives != config.lives {
            self.0.status.set_lives(config.lives.max(1));
        }
        // If the parent is gone, so is this process in a moment.
        let _ = self.send(Event::Settings(config));
        if let Some(parent) = &self.0.parent {
            parent.changed_settings.store(true, Relaxed);
        }
    }

    pub(crate) fn send(&self, event: Event) -> std::io::Result<()> {
        let Some(parent) = &self.0.parent else { return Ok(()) };
        let packet = event.pack()?;
        let mut outbox = parent.outbox.lock().unwrap_or_else(PoisonError::into_inner);
        outbox.push(Arc::new(packet));
        // The socket blocks here, so all of it is sent; or nothing, if there is no descriptor left for a large body.
        let sent = outbox.flush().map(|_| ());
        if sent.is_err() {
            outbox.take_back();
        }
        outbox.settle();
        sent
    }

    /// Waits for the parent's word on a failure.
    pub(crate) fn verdict(&self) -> Verdict {
        self.attend();
        let mut state = self.0.state();
        loop {
            // Not without end: this process ends with its parent.
            match state.verdict.take() {
                Some(verdict) => return verdict,
                None => state = self.0.wait(state, None),
            }
        }
    }

    /// Sleeps, unless the process is asked to stop.
    pub(crate) fn pause(&self, time: Duration) {
        self.attend();
        let deadline = later(time);
        let mut state = self.0.state();
        while !self.is_stopping() {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            state = self.0.wait(state, Some(left));
        }
    }

    /// A hook with a limit begins, or gets another one: the parent ends the worker `hard` after `start`.
    pub(crate) fn set_limit(&self, phase: Phase, start: Nanos, limit: Duration, hard: Duration) {
        let hard = start.after(hard);
        self.0.status.enter(phase, start, Some((limit, hard)));
        self.0.bell.set(hard);
    }

    fn receive(&self, packet: Packet) -> std::io::Result<()> {
        let request = Request::unpack(packet)?;
        let mut state = self.0.state();
        match request {
            Request::Message(message) => state.mailbox.add(message),
            Request::Stop => self.0.status.stop(),
            Request::Retry(after, error) => state.verdict = Some(Verdict::Retry(after, error)),
            Request::GiveUp(error) => state.verdict = Some(Verdict::GiveUp(error)),
            Request::Start(..) => {}
        }
        drop(state);
        self.0.wake();
        Ok(())
    }

    /// Has the attendant listen to the parent from now on, whatever the hooks are doing. A process that waits for nothing
    /// that the parent may say needs none of it: a stop is on the status page as well.
    fn attend(&self) {
        let Some(parent) = &self.0.parent else { return };
        let attendance = parent.attendance.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some((attendant, mut inbox)) = attendance else { return };
        let context = self.clone();
        attendant.set_to(move || {
            loop {
                let heard = inbox.next().ok().flatten().map(|packet| context.receive(packet));
                if !matches!(heard, Some(Ok(()))) {
                    crate::sys::exit_at_once();
                }
            }
        });
    }
}

/// A process runs as a task; what goes on after it does so without it.
#[derive(Debug)]
pub(crate) struct Visit {
    before: Option<Context>,
    in_worker: bool,
}

impl Drop for Visit {
    fn drop(&mut self) {
        HERE.set(self.before.take());
        if self.in_worker {
            *CURRENT.write().unwrap_or_else(PoisonError::into_inner) = None;
        }
    }
}

impl Inner {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State>, time: Option<Duration>) -> MutexGuard<'a, State> {
        match time {
            None => self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
            Some(time) => self.changed.wait_timeout(state, time).unwrap_or_else(PoisonError::into_inner).0,
        }
    }

    fn wake(&self) {
        // Whoever is between its look and its sleep holds the lock, so it cannot miss this.
        drop(self.state());
        self.changed.notify_all();
        if let Some(parent) = &self.parent {
            parent.mail.down.news.ring();
        }
    }
}
