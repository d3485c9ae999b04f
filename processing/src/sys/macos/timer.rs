//! An alarm that one process sets and another hears.
//!
//! No timer of this system can be shared. So the worker says through a pipe when it is to ring, and the timer is the
//! parent's: it rings whatever the worker is doing. That costs a wake-up of the parent for each hook with a limit.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rustix::event::kqueue::{EventFilter, EventFlags};
use rustix::io::Errno;

use super::queue::Queue;
use super::{Nanos, now};

/// See the module's page.
#[derive(Debug)]
pub(crate) struct Alarm(Side);

#[derive(Debug)]
enum Side {
    /// Where it rings.
    Parent {
        /// The timer, and what the worker has said.
        queue: Queue,
        said: OwnedFd,
        to_pass: OwnedFd,
        /// When it is to ring, or 0.
        at: AtomicU64,
    },
    /// Where it is set: the end of the pipe that is written to.
    Worker(OwnedFd),
}

impl Alarm {
    pub(crate) fn new() -> io::Result<Self> {
        let (said, to_pass) = super::pipe()?;
        rustix::io::ioctl_fionbio(&said, true)?;
        let queue = Queue::new()?;
        queue.change(EventFilter::Read(said.as_raw_fd()), EventFlags::ADD, 0)?;
        Ok(Alarm(Side::Parent { queue, said, to_pass, at: AtomicU64::new(0) }))
    }

    pub(crate) fn from_fd(fd: OwnedFd) -> Self {
        Alarm(Side::Worker(fd))
    }

    /// What the worker is given of it.
    pub(crate) fn to_pass(&self) -> BorrowedFd<'_> {
        match &self.0 {
            Side::Parent { to_pass: fd, .. } | Side::Worker(fd) => fd.as_fd(),
        }
    }

    /// Rings at this instant, or at once if it has passed.
    pub(crate) fn set(&self, at: Nanos) -> io::Result<()> {
        match &self.0 {
            Side::Parent { queue, at: known, .. } => arm(queue, known, at.0.max(1)),
            // Whole, as so few bytes always are; it waits only for the parent, whose end is an error.
            Side::Worker(fd) => loop {
                match rustix::io::write(fd, &at.0.max(1).to_ne_bytes()) {
                    Err(Errno::INTR) => {}
                    written => return Ok(written.map(drop)?),
                }
            },
        }
    }

    /// Does not ring after all. The worker does not say so: then it rings for nothing, and whoever hears it sees that.
    pub(crate) fn clear(&self) -> io::Result<()> {
        match &self.0 {
            Side::Parent { queue, at, .. } => disarm(queue, at),
            Side::Worker(_) => Ok(()),
        }
    }

    /// Takes in what the worker has said, and forgets that it has rung. The parent calls this whenever the descriptor is
    /// readable; it may not have rung at all.
    pub(crate) fn heard(&self) {
        let Side::Parent { queue, said, at, .. } = &self.0 else { return };
        // A timer is over once it was taken out.
        let _ = queue.take(&mut [const { MaybeUninit::uninit() }; 4], Some(Duration::ZERO));
        let next = last_word(said).unwrap_or_else(|| at.load(Ordering::Relaxed));
        // Also where it has rung a little early, and would never ring for that again.
        let _ = if next > now().0 { arm(queue, at, next) } else { disarm(queue, at) };
    }
}

const TIMER: isize = 1;

fn arm(queue: &Queue, known: &AtomicU64, at: u64) -> io::Result<()> {
    known.store(at, Ordering::Relaxed);
    let left = Nanos(at).since(now());
    // A little late rather than early: whole seconds would be cut to those.
    let left = if left.subsec_millis() == 0 { left + Duration::from_millis(1) } else { left };
    Ok(queue.change(EventFilter::Timer { ident: TIMER, timer: Some(left) }, ONCE, 0)?)
}

const ONCE: EventFlags = EventFlags::ADD.union(EventFlags::ONESHOT);

fn disarm(queue: &Queue, known: &AtomicU64) -> io::Result<()> {
    known.store(0, Ordering::Relaxed);
    match queue.change(EventFilter::Timer { ident: TIMER, timer: None }, EventFlags::DELETE, 0) {
        Ok(()) | Err(Errno::NOENT) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// What the worker has said last, if it has said anything.
fn last_word(said: &OwnedFd) -> Option<u64> {
    let mut last = None;
    let mut words = [0; 64 * 8];
    loop {
        match rustix::io::read(said, &mut words) {
            Err(Errno::INTR) => {}
            Ok(0) | Err(_) => return last,
            Ok(count) => last = words[..count].rchunks_exact(8).next().and_then(word).or(last),
        }
    }
}

fn word(bytes: &[u8]) -> Option<u64> {
    bytes.try_into().ok().map(u64::from_ne_bytes)
}

impl AsFd for Alarm {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match &self.0 {
            Side::Parent { queue, .. } => queue.as_fd(),
            Side::Worker(fd) => fd.as_fd(),
        }
    }
}
