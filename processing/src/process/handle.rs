//! What the program that started a process can do with it.

use std::fmt;
use std::io::ErrorKind;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::output::OutputLine;
use super::state::{Sent, Shared, State};
use crate::channel::{ListenError, Look, Message, Pace, TellError, read, scope, wait_for_news};
use crate::error::{Failure, Position};
use crate::lifecycle::Skprocess;
use crate::protocol::Request;
use crate::reactor::{self, ActorId};
use crate::{Phase, ProcessError, Timers};

/// A process that was started.
///
/// All of it works while the process runs, and what can be read stays readable after it is gone. Every method takes
/// `&self`, so a handle can be used from several threads.
///
/// Dropping the handle stops the process: it is asked to end, and killed if it has not done so within 5 seconds.
/// [`detach`](Handle::detach) lets it go on instead, for as long as this program lives.
///
/// ```
/// use std::time::Duration;
/// use processing::prelude::*;
/// # #[skprocess] struct Echo {}
/// # #[skprocess] impl Echo {
/// #     fn run(&mut self) { if let Ok(Some(text)) = self.listen::<String>(None) { self.tell(&text.to_uppercase()).ok(); } }
/// # }
/// let echo = Echo {}.start()?;
/// echo.tell("hello")?;
/// let answer = echo.listen::<String>(Duration::from_secs(10))?;
/// assert_eq!(answer.as_deref(), Some("HELLO"));
/// echo.stop();
/// echo.wait()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Handle<W> {
    process: Process,
    detached: bool,
    of: PhantomData<fn() -> W>,
}

/// A process, whatever its type: what the waiting calls share.
#[derive(Clone, Debug)]
pub(crate) struct Process {
    pub(crate) shared: Arc<Shared>,
    pub(crate) actor: ActorId,
}

impl<W: Skprocess> Handle<W> {
    pub(crate) fn new(process: Process) -> Self {
        Handle { process, detached: false, of: PhantomData }
    }

    pub(crate) fn process(&self) -> &Process {
        &self.process
    }

    /// Waits until the process is over and returns what its `result` hook returned, or its `error` hook in its stead.
    ///
    /// Can be asked for any number of times.
    ///
    /// # Errors
    /// Why it failed, if it did; or if its value cannot be read here.
    pub fn result(&self) -> Result<W::Output, ProcessError> {
        let outcome = self.process.shared.wait(None, Process::outcome);
        self.process.read::<W>(outcome)
    }

    /// Waits until the process is over and its worker gone.
    ///
    /// # Errors
    /// Why it failed, if it did.
    pub fn wait(&self) -> Result<(), ProcessError> {
        let ended = self.process.shared.wait(None, Process::ended);
        ended.unwrap_or(Ok(()))
    }

    /// Tells the process something; it has it by [`listen`](Skprocess::listen).
    ///
    /// Never waits for the process to listen: what it has not listened to is kept for it, also for a worker that
    /// replaces one that died. It takes 32 MiB of memory at most; the rest is in a file without a name.
    ///
    /// # Errors
    /// If the value cannot cross, or the process is over; or if all the room is taken, in memory and on the disk:
    /// [`TellError::Full`].
    pub fn tell<T: Serialize + ?Sized>(&self, message: &T) -> Result<(), TellError> {
        let message = Message::encode(message).map_err(TellError::Value)?;
        self.process.tell(message)
    }

    /// Takes the next message that the process told, waiting no longer than `timeout`, or as long as it takes if that
    /// is `None`. `Ok(None)` says that the time is over.
    ///
    /// What the process told before it ended can still be listened to.
    ///
    /// # Errors
    /// If the next message is not a `T` (it is taken all the same, and is in the error), or if the process is over and
    /// has left no more messages: at once, also in the midst of waiting.
    pub fn listen<T: DeserializeOwned>(
        &self,
        timeout: impl Into<Option<Duration>>,
    ) -> Result<Option<T>, ListenError> {
        let deadline = timeout.into().and_then(|timeout| Instant::now().checked_add(timeout));
        self.process.listen(deadline).map(|message| read(message?)).transpose()
    }

    /// Asks the process to end after the hook that is running; `onfinish` and `result` still follow. Does not wait.
    pub fn stop(&self) {
        self.process.stop();
    }

    /// Ends the process at once, without any further hook, and returns when its worker is gone.
    ///
    /// Its result is [`ProcessError::Killed`] unless it had one already. What it told can still be listened to.
    pub fn kill(&self) {
        let Process { shared, actor } = &self.process;
        shared.lock().kill = true;
        reactor::wake(*actor);
        shared.wait(None, |state| state.over.then_some(()));
    }

    /// Whether the process still has a worker, or will have one again.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        !self.process.shared.lock().over
    }

    /// The worker's process id; of the last one, if it is gone.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.process.shared.lock().pid
    }

    /// The iteration that is being done, from 0; after the last one, how many were completed.
    #[must_use]
    pub fn current_run(&self) -> u64 {
        self.process.shared.status.run()
    }

    /// The hook that is running, or ran last; `None` before the first.
    #[must_use]
    pub fn phase(&self) -> Option<Phase> {
        self.process.shared.status.phase()
    }

    /// How many more failures the process can survive.
    #[must_use]
    pub fn lives_left(&self) -> u32 {
        self.process.shared.status.lives_left()
    }

    /// How long the hooks have taken so far.
    #[must_use]
    pub fn timers(&self) -> Timers {
        self.process.shared.status.timers.read()
    }

    /// Why the process failed, if it did; also when its `error` hook made a value of that.
    #[must_use]
    pub fn failure(&self) -> Option<ProcessError> {
        self.process.shared.lock().failure.clone()
    }

    /// Takes the lines that the worker has written to captured streams since the last call.
    ///
    /// The newest 10 000 are kept; which streams are captured, the settings say (`config.stdout(Stream::Capture)`).
    #[must_use]
    pub fn output(&self) -> Vec<OutputLine> {
        self.process.shared.lock().take_output()
    }

    /// Lets go of the process without stopping it. It still ends with this program.
    pub fn detach(mut self) {
        self.detached = true;
    }
}

impl Process {
    fn tell(&self, message: Message) -> Result<(), TellError> {
        let packet = Request::Message(message).pack().map_err(TellError::Channel)?;
        let ended = || TellError::Ended { worker: self.shared.worker.to_owned() };
        let sent = {
            let mut state = self.shared.lock();
            if state.outcome.is_some() || state.over {
                return Err(ended());
            }
            state.tell(packet, &self.shared)
        };
        match sent {
            Ok(Sent::All) => {}
            Ok(Sent::Postbag) => self.post(),
            Ok(Sent::Outbox) => reactor::wake(self.actor),
            // Its end has not been noticed yet.
            Err(TellError::Channel(error)) if error.kind() == ErrorKind::BrokenPipe => return Err(ended()),
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Puts what has to wait into the ring, for as long as the worker makes room for more. What is left then, the
    /// reactor puts.
    fn post(&self) {
        const LONGEST: Duration = Duration::from_millis(100);
        let ring = &self.shared.mail.down.ring;
        let (mut pace, mut begin) = (Pace::default(), None);
        loop {
            let saw = ring.read.position();
            let is_final = pace.over || begin.is_some_and(|begin: Instant| begin.elapsed() >= LONGEST);
            match self.shared.lock().post(&self.shared.mail, is_final) {
                Ok(false) if !is_final => {}
                Ok(_) => return,
                // It looks for itself, and ends the worker.
                Err(_) => return reactor::wake(self.actor),
            }
            begin.get_or_insert_with(Instant::now);
            while ring.read.position() == saw && !pace.over {
                pace.step();
            }
            if ring.read.position() != saw {
                pace = Pace::default();
            }
        }
    }

    pub(super) fn stop(&self) {
        self.shared.status.stop();
        if let Ok(packet) = Request::Stop.pack()
            && let Some(outbox) = &mut self.shared.lock().outbox
        {
            outbox.push(Arc::new(packet));
        }
        reactor::wake(self.actor);
    }

    pub(crate) fn outcome(state: &mut State) -> Option<Result<Arc<Message>, ProcessError>> {
        state.outcome.clone()
    }

    pub(crate) fn ended(state: &mut State) -> Option<Result<(), ProcessError>> {
        let outcome = state.outcome.as_ref().filter(|_| state.over)?;
        Some(outcome.as_ref().map(|_| ()).map_err(Clone::clone))
    }

    /// Waits for a message; `None` once the time is over.
    pub(crate) fn listen(&self, deadline: Option<Instant>) -> Option<Result<Message, ListenError>> {
        wait_for_news(&self.shared.mail.up, deadline, || self.told(&mut self.shared.lock()))
    }

    /// What a task finds; where that is nothing, the worker is asked to say by the socket when there is more.
    pub(crate) fn told_to_task(&self, state: &mut State) -> Option<Result<Message, ListenError>> {
        let mut has_called = false;
        loop {
            match self.told(state) {
                Look::Found(found) => return Some(found),
                Look::Again => {}
                Look::Nothing(_) if has_called => return None,
                Look::Nothing(_) => {
                    self.shared.mail.call_for_news();
                    has_called = true;
                }
            }
        }
    }

    fn told(&self, state: &mut State) -> Look<Result<Message, ListenError>> {
        let saw = match state.heard(&self.shared.mail) {
            Ok(Look::Found(message)) => return Look::Found(Ok(message)),
            Ok(Look::Again) => return Look::Again,
            Ok(Look::Nothing(saw)) => saw,
            Err(_) => {
                if !std::mem::replace(&mut state.garbled, true) {
                    reactor::wake(self.actor);
                }
                self.shared.mail.up.ring.written.position()
            }
        };
        // Not before the last worker is gone: until then it may have said more than has been read.
        if !state.over {
            return Look::Nothing(saw);
        }
        let cause = state.outcome.clone().and_then(Result::err);
        Look::Found(Err(ListenError::Ended { worker: self.shared.worker.to_owned(), cause }))
    }

    pub(crate) fn read<W: Skprocess>(
        &self,
        outcome: Option<Result<Arc<Message>, ProcessError>>,
    ) -> Result<W::Output, ProcessError> {
        let unreadable = |error: &(dyn std::error::Error + 'static)| {
            let failure = Failure::with_cause("the value of `result` was sent, but cannot be read", error);
            ProcessError::Value { at: Box::new(self.position()), failure: Box::new(failure) }
        };
        let Some(outcome) = outcome else { return Err(unreadable(&std::io::Error::other("there is none"))) };
        let message = outcome?;
        // Without the hook nothing was sent, and the output is `()`.
        let nothing = cucumber::to_bytes(&()).map_err(|error| unreadable(&error))?;
        let bytes = if message.bytes.is_empty() { &nothing } else { &message.bytes };
        let fds = message.fds.iter().map(|fd| fd.try_clone()).collect::<Result<_, _>>();
        let fds = fds.map_err(|error| unreadable(&error))?;
        cucumber::decode_with(bytes, scope(fds)).map_err(|error| unreadable(&error.with_root("result")))
    }

    fn position(&self) -> Position {
        let status = &self.shared.status;
        Position {
            worker: self.shared.worker.to_owned(),
            phase: status.phase(),
            run: status.run(),
            lives_left: status.lives_left(),
            pid: self.shared.lock().pid,
        }
    }
}

impl<W> Drop for Handle<W> {
    fn drop(&mut self) {
        if self.detached {
            return;
        }
        self.process.shared.lock().abandoned = true;
        self.process.stop();
    }
}

impl<W> fmt::Debug for Handle<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shared = &self.process.shared;
        let (pid, over) = {
            let state = shared.lock();
            (state.pid, state.over)
        };
        f.debug_struct("Handle")
            .field("worker", &shared.worker)
            .field("pid", &pid)
            .field("is_alive", &!over)
            .field("current_run", &shared.status.run())
            .finish_non_exhaustive()
    }
}
