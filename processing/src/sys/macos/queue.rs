//! The system's queue of events: descriptors, processes, times.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::ptr;
use std::time::Duration;

use rustix::event::kqueue::{Event, EventFilter, EventFlags, kevent, kqueue};
use rustix::io::{Errno, FdFlags};

/// A queue; readable, as a descriptor, while there is something in it.
#[derive(Debug)]
pub(super) struct Queue(OwnedFd);

impl Queue {
    pub(super) fn new() -> io::Result<Self> {
        let queue = kqueue()?;
        rustix::io::fcntl_setfd(&queue, FdFlags::CLOEXEC)?;
        Ok(Queue(queue))
    }

    /// The same one, for another thread.
    pub(super) fn try_clone(&self) -> io::Result<Self> {
        Ok(Queue(rustix::io::fcntl_dupfd_cloexec(&self.0, 0)?))
    }

    /// Changes what it is about: `filter` from now on, or once, or no more, as the flags say.
    ///
    /// What it says of a descriptor ends when that is closed.
    pub(super) fn change(&self, filter: EventFilter, flags: EventFlags, token: u64) -> Result<(), Errno> {
        let change = [Event::new(filter, flags, ptr::without_provenance_mut(token as usize))];
        let mut none: [Event; 0] = [];
        loop {
            // SAFETY: the callers name descriptors that are open now; one that is closed leaves the queue by that, so the
            // queue never tells of another one in its place.
            match unsafe { kevent(&self.0, &change, &mut none[..], Some(Duration::ZERO)) } {
                Err(Errno::INTR) => {}
                done => return done.map(drop),
            }
        }
    }

    /// Takes out what is in it; sleeps for it, if there is nothing, up to so long.
    pub(super) fn take<'s>(
        &self,
        space: &'s mut [MaybeUninit<Event>],
        at_most: Option<Duration>,
    ) -> Result<&'s mut [Event], Errno> {
        // SAFETY: nothing is changed.
        unsafe { kevent(&self.0, &[], space, at_most) }.map(|(taken, _)| taken)
    }
}

impl AsFd for Queue {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Sleeps until the other side of a socket is gone, or the event is set, which makes it `false`. At once where the system
/// has no room for a queue: whoever asks for this ends with that side, and must not outlive it.
pub(crate) fn hung_up_before(socket: BorrowedFd<'_>, event: &super::Event) -> bool {
    let Ok(queue) = Queue::new() else { return true };
    // Told of news only, so that what nobody reads meanwhile wakes this no more than once.
    let flags = EventFlags::ADD | EventFlags::CLEAR;
    let event = event.as_fd().as_raw_fd();
    for what in [socket.as_raw_fd(), event] {
        if queue.change(EventFilter::Read(what), flags, 0).is_err() {
            return true;
        }
    }
    let is_set = |news: &Event| matches!(news.filter(), EventFilter::Read(what) if what == event);
    loop {
        match queue.take(&mut [MaybeUninit::uninit()], None) {
            Ok(news) if news.iter().any(is_set) => return false,
            Ok(news) if news.iter().any(|news| news.flags().contains(EventFlags::EOF)) => return true,
            Ok(_) | Err(Errno::INTR) => {}
            Err(_) => return true,
        }
    }
}
