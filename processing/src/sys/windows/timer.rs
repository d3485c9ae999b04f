//! An alarm that one process sets and another hears.

use std::io;
use std::os::windows::io::AsRawHandle as _;
use std::ptr;

use windows_sys::Win32::System::Threading::{
    CancelWaitableTimer, CreateWaitableTimerExW, SetWaitableTimer, TIMER_ALL_ACCESS,
};

use super::handle::{done, made};
use super::{AsFd, BorrowedFd, Nanos, OwnedFd, now};

/// A timer shared by a worker and its parent. It rings once each time that it is set: whoever hears it makes it silent.
#[derive(Debug)]
pub(crate) struct Alarm(OwnedFd);

/// So many nanoseconds are a unit of the timer.
const UNIT: u64 = 100;

impl Alarm {
    pub(crate) fn new() -> io::Result<Self> {
        // SAFETY: no attributes and no name are both allowed.
        let timer = unsafe { CreateWaitableTimerExW(ptr::null(), ptr::null(), 0, TIMER_ALL_ACCESS) };
        // SAFETY: the call has made it, for us alone.
        unsafe { made(timer) }.map(Alarm)
    }

    pub(crate) fn from_fd(handle: OwnedFd) -> Self {
        Alarm(handle)
    }

    /// What the worker is given of it.
    pub(crate) fn to_pass(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }

    /// Rings at this instant, or at once if it has passed.
    pub(crate) fn set(&self, at: Nanos) -> io::Result<()> {
        let left = at.0.saturating_sub(now().0).div_ceil(UNIT);
        // Below zero: from now on.
        let due = -(left.clamp(1, i64::MAX.unsigned_abs() / 4).cast_signed());
        // SAFETY: the timer is open, and the time is where it is looked for; nothing is called when it rings.
        done(unsafe { SetWaitableTimer(self.0.as_raw_handle(), &raw const due, 0, None, ptr::null(), 0) })
    }

    /// Does not ring after all; what has rung unheard is forgotten.
    pub(crate) fn clear(&self) -> io::Result<()> {
        // Only setting it forgets that it has rung.
        self.set(Nanos(u64::MAX))?;
        // SAFETY: the timer is open.
        done(unsafe { CancelWaitableTimer(self.0.as_raw_handle()) })
    }

    /// Forgets that it has rung, and nothing else: hearing it has done that.
    #[expect(clippy::unused_self, reason = "elsewhere there is something to do")]
    pub(crate) fn heard(&self) {}
}

impl AsFd for Alarm {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
