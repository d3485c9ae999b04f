//! Hears of the end of a template, and has it make a copy ahead.

use std::sync::{Arc, TryLockError};
use std::time::{Duration, Instant};

use super::{NURSERY, lock};
use crate::reactor::{Actor, ActorId, Io, Source};
use crate::sys::{Child, Exited, OwnedFd, Ready};

/// How long after a copy has been taken the next one is made: by then that one has its processor for itself no more,
/// or many are wanted, who ask by themselves.
const PAUSE: Duration = Duration::from_millis(1);

/// The template has ended.
const EXIT: Source = 0;
/// It has made a copy ahead.
const ANSWER: Source = 1;
/// That copy has ended.
const AHEAD: Source = 2;

pub(super) struct Watch {
    child: Arc<Child>,
    socket: Arc<OwnedFd>,
    is_watching: bool,
    over: bool,
}

/// A copy has been taken: the template is to make the next one in a while.
pub(crate) fn make_ahead(watch: ActorId, io: &mut Io<'_>) {
    io.wake_other_at(watch, Instant::now() + PAUSE);
}

impl Actor for Watch {
    fn wake(&mut self, io: &mut Io<'_>) {
        if !self.is_watching && io.watch(&*self.child, EXIT).is_err() {
            // Nobody would hear of its end.
            self.child.discard();
            self.end();
        }
        self.is_watching = true;
    }

    fn ready(&mut self, source: Source, _ready: Ready, io: &mut Io<'_>) {
        match source {
            EXIT => {
                if let Exited::With(_) = self.child.exited() {
                    io.forget(&*self.child);
                    self.end();
                }
            }
            // Whoever asks next would read it as well.
            ANSWER => {
                io.forget(&*self.socket);
                self.look(false, io);
            }
            // There is no other before a worker has been started: whatever ended this one might end that as well.
            _ => self.look(false, io),
        }
    }

    fn due(&mut self, io: &mut Io<'_>) {
        self.look(true, io);
    }

    fn is_over(&self) -> bool {
        self.over
    }
}

impl Watch {
    pub(super) fn new(child: Arc<Child>, socket: Arc<OwnedFd>) -> Self {
        Watch { child, socket, is_watching: false, over: false }
    }

    /// Looks what has become of the copy that was made ahead; if there is none, one may be asked for.
    fn look(&self, may_ask: bool, io: &mut Io<'_>) {
        let mut nursery = match NURSERY.try_lock() {
            Ok(nursery) => nursery,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            // Somebody waits for a copy. This thread has others to look after.
            Err(TryLockError::WouldBlock) => return io.wake_at(Instant::now() + PAUSE),
        };
        let is_mine = |child: &Arc<Child>| Arc::ptr_eq(child, &self.child);
        if !nursery.template.as_ref().is_some_and(|template| is_mine(&template.child)) {
            return;
        }
        if nursery.hear_of_ahead() && may_ask {
            nursery.make_ahead();
        }
        let Some(ahead) = nursery.template.as_ref().and_then(|template| template.ahead.as_ref()) else {
            return;
        };
        // Without it a copy that somebody has killed is found to be so when it is needed.
        let _ = match ahead.child() {
            Some(child) => io.watch(child, AHEAD),
            None => io.watch(&*self.socket, ANSWER),
        };
    }

    fn end(&mut self) {
        self.over = true;
        let mut nursery = lock();
        if nursery.template.as_ref().is_some_and(|template| Arc::ptr_eq(&template.child, &self.child)) {
            nursery.retire();
        }
    }
}
