//! Waiting for many descriptors at once.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd};
use std::time::Duration;

use rustix::event::kqueue::{EventFilter, EventFlags, UserDefinedFlags, UserFlags};
use rustix::io::Errno;

use super::queue::Queue;

/// A set of descriptors that one thread waits for.
#[derive(Debug)]
pub(crate) struct Poller(Queue);

/// Wakes the thread that waits; from any thread.
#[derive(Debug)]
pub(crate) struct Waker(Queue);

/// Something to do for the descriptor that was added with this token.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ready {
    pub(crate) token: u64,
    pub(crate) readable: bool,
    pub(crate) writable: bool,
}

/// What a woken wait reports for its [`Waker`].
pub(crate) const WAKER: u64 = u64::MAX;

fn wake(flags: UserFlags) -> EventFilter {
    EventFilter::User { ident: 0, flags, user_flags: UserDefinedFlags::new(0) }
}

impl Poller {
    pub(crate) fn new() -> io::Result<(Self, Waker)> {
        let queue = Queue::new()?;
        // Cleared when it is taken: one wake-up each time.
        queue.change(wake(UserFlags::empty()), EventFlags::ADD | EventFlags::CLEAR, WAKER)?;
        let waker = Waker(queue.try_clone()?);
        Ok((Poller(queue), waker))
    }

    /// Reports this descriptor under this token whenever it can be read, or its other side is gone; under no other any
    /// more.
    pub(crate) fn add(&self, fd: impl AsFd, token: u64) -> io::Result<()> {
        let number = fd.as_fd().as_raw_fd();
        self.forget(EventFilter::Write(number))?;
        Ok(self.0.change(EventFilter::Read(number), EventFlags::ADD, token)?)
    }

    /// Reports when it can be written to as well, or no longer does.
    pub(crate) fn want_write(&self, fd: impl AsFd, token: u64, wanted: bool) -> io::Result<()> {
        let writing = EventFilter::Write(fd.as_fd().as_raw_fd());
        if wanted { Ok(self.0.change(writing, EventFlags::ADD, token)?) } else { self.forget(writing) }
    }

    /// Forgets this descriptor.
    pub(crate) fn remove(&self, fd: impl AsFd) {
        let number = fd.as_fd().as_raw_fd();
        // It may have been removed already; either way it is gone now.
        let _ = self.forget(EventFilter::Read(number));
        let _ = self.forget(EventFilter::Write(number));
    }

    fn forget(&self, filter: EventFilter) -> io::Result<()> {
        match self.0.change(filter, EventFlags::DELETE, 0) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Sleeps until something is ready, the waker is used or the time is over.
    pub(crate) fn wait(&self, timeout: Option<Duration>, ready: &mut Vec<Ready>) -> io::Result<()> {
        // Whoever waits for longer looks at the clock again.
        const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);
        let mut space = [const { MaybeUninit::uninit() }; 64];
        let events = match self.0.take(&mut space, timeout.map(|timeout| timeout.min(LONGEST))) {
            Ok(events) => events,
            Err(Errno::INTR) => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        ready.extend(events.iter().map(|event| {
            let is_over = event.flags().intersects(EventFlags::EOF | EventFlags::ERROR);
            let is_for_writing = matches!(event.filter(), EventFilter::Write(_));
            Ready {
                token: event.udata().addr() as u64,
                readable: is_over || !is_for_writing,
                writable: is_over || is_for_writing,
            }
        }));
        Ok(())
    }
}

impl Waker {
    pub(crate) fn wake(&self) {
        // It was added before there was a waker, so it is there; the queue lives as long as the program.
        let _ = self.0.change(wake(UserFlags::TRIGGER), EventFlags::empty(), WAKER);
    }
}
