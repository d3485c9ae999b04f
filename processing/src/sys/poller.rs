//! Waiting for many descriptors at once.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::event::{EventfdFlags, Timespec, eventfd};
use rustix::io::Errno;

/// A set of descriptors that one thread waits for.
#[derive(Debug)]
pub(crate) struct Poller(OwnedFd);

/// Wakes the thread that waits; from any thread.
#[derive(Debug)]
pub(crate) struct Waker(OwnedFd);

/// Something to do for the descriptor that was added with this token.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ready {
    pub(crate) token: u64,
    pub(crate) readable: bool,
    pub(crate) writable: bool,
}

/// What a woken wait reports for its [`Waker`].
pub(crate) const WAKER: u64 = u64::MAX;

impl Poller {
    pub(crate) fn new() -> io::Result<(Self, Waker)> {
        let epoll = epoll::create(CreateFlags::CLOEXEC)?;
        let wake = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        // Edge-triggered: one wake-up a write, and nobody has to read the counter back.
        epoll::add(&epoll, &wake, EventData::new_u64(WAKER), EventFlags::IN | EventFlags::ET)?;
        Ok((Poller(epoll), Waker(wake)))
    }

    /// Reports this descriptor under this token whenever it can be read, or its other side is gone; under no other any
    /// more.
    pub(crate) fn add(&self, fd: impl AsFd, token: u64) -> io::Result<()> {
        let token = EventData::new_u64(token);
        match epoll::add(&self.0, &fd, token, EventFlags::IN) {
            Err(Errno::EXIST) => Ok(epoll::modify(&self.0, &fd, token, EventFlags::IN)?),
            added => Ok(added?),
        }
    }

    /// Reports when it can be written to as well, or no longer does.
    pub(crate) fn want_write(&self, fd: impl AsFd, token: u64, wanted: bool) -> io::Result<()> {
        let flags = if wanted { EventFlags::IN | EventFlags::OUT } else { EventFlags::IN };
        Ok(epoll::modify(&self.0, fd, EventData::new_u64(token), flags)?)
    }

    /// Forgets this descriptor; needed where another process holds it open too.
    pub(crate) fn remove(&self, fd: impl AsFd) {
        // It may have been removed already; either way it is gone now.
        let _ = epoll::delete(&self.0, fd);
    }

    /// Sleeps until something is ready, the waker is used or the time is over.
    pub(crate) fn wait(&self, timeout: Option<Duration>, ready: &mut Vec<Ready>) -> io::Result<()> {
        // No longer than the oldest of the system calls can express, which some sandboxes insist on. Whoever waits for
        // longer looks at the clock again.
        const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);
        let timeout = timeout.map(|timeout| timeout.min(LONGEST)).map(|timeout| Timespec {
            tv_sec: timeout.as_secs().cast_signed(),
            tv_nsec: timeout.subsec_nanos().into(),
        });
        let mut space = [MaybeUninit::<Event>::uninit(); 64];
        let events = match epoll::wait(&self.0, &mut space, timeout.as_ref()) {
            Ok((events, _)) => events,
            Err(Errno::INTR) => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        let over = EventFlags::HUP | EventFlags::ERR | EventFlags::RDHUP;
        ready.extend(events.iter().map(|event| {
            let (token, flags) = (event.data.u64(), { event.flags });
            Ready {
                token,
                readable: flags.intersects(EventFlags::IN | over),
                writable: flags.intersects(EventFlags::OUT | over),
            }
        }));
        Ok(())
    }
}

impl Waker {
    pub(crate) fn wake(&self) {
        // The only failure is a counter that is full, and then a wake-up is under way already.
        let _ = rustix::io::write(&self.0, &1_u64.to_ne_bytes());
    }
}
