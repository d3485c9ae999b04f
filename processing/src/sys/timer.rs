//! An alarm that one process sets and another hears.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create, timerfd_settime,
};

use super::Nanos;

/// A timer descriptor shared by a worker and its parent.
///
/// The worker sets it when a hook with a limit begins and clears it when the hook ends; the parent, which polls it,
/// wakes only if the limit passes. So a limit costs two short system calls and no message, and holds whatever the
/// worker is doing.
#[derive(Debug)]
pub(crate) struct Alarm(OwnedFd);

impl Alarm {
    pub(crate) fn new() -> io::Result<Self> {
        let flags = TimerfdFlags::CLOEXEC | TimerfdFlags::NONBLOCK;
        Ok(Alarm(timerfd_create(TimerfdClockId::Monotonic, flags)?))
    }

    pub(crate) fn from_fd(fd: OwnedFd) -> Self {
        Alarm(fd)
    }

    /// What the worker is given of it.
    pub(crate) fn to_pass(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }

    /// Rings at this instant, or at once if it has passed.
    pub(crate) fn set(&self, at: Nanos) -> io::Result<()> {
        // All zeroes would mean "never", so an instant before the first nanosecond becomes the first one.
        self.write(at.0.max(1))
    }

    /// Does not ring after all; what has rung unheard is forgotten.
    pub(crate) fn clear(&self) -> io::Result<()> {
        self.write(0)
    }

    /// Forgets that it has rung, and nothing else: the other process may have set it again meanwhile.
    pub(crate) fn heard(&self) {
        // It fails only if it has not rung.
        let _ = rustix::io::read(&self.0, &mut [0; 8]);
    }

    fn write(&self, nanos: u64) -> io::Result<()> {
        let second = 1_000_000_000;
        let once = Timespec { tv_sec: 0, tv_nsec: 0 };
        let at = Timespec { tv_sec: (nanos / second).cast_signed(), tv_nsec: (nanos % second).cast_signed() };
        timerfd_settime(
            &self.0,
            TimerfdTimerFlags::ABSTIME,
            &Itimerspec { it_interval: once, it_value: at },
        )?;
        Ok(())
    }
}

impl AsFd for Alarm {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
