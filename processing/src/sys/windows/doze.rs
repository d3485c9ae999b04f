//! What a thread sleeps at that another process is to wake: an event with a name.
//!
//! The name is made of what only those know who have the section, so that each of them can make the event or find it. It
//! is gone with its last handle.

use std::io;
use std::os::windows::io::{AsRawHandle as _, FromRawHandle as _, OwnedHandle};
use std::ptr;
use std::time::Duration;

use windows_sys::Win32::System::Threading::{CreateEventW, INFINITE, SetEvent, WaitForSingleObject};

/// An event that wakes one sleeper, or the next one if nobody sleeps.
#[derive(Debug)]
pub(super) struct Doze(OwnedHandle);

impl Doze {
    /// Makes it, or finds it; `None` if the system refuses.
    pub(super) fn open(name: &str) -> Option<Doze> {
        let name: Vec<u16> = format!("Local\\processing-{name}\0").encode_utf16().collect();
        // SAFETY: the name ends with a zero; no attributes are those of the process.
        let event = unsafe { CreateEventW(ptr::null(), 0, 0, name.as_ptr()) };
        // SAFETY: the call has made or opened this handle for us alone.
        (!event.is_null()).then(|| Doze(unsafe { OwnedHandle::from_raw_handle(event) }))
    }

    /// Sleeps until somebody wakes it, or has since the last time; and not for longer.
    pub(super) fn sleep(&self, at_most: Option<Duration>) {
        // SAFETY: the handle is open.
        unsafe { WaitForSingleObject(self.0.as_raw_handle(), at_most.map_or(INFINITE, millis)) };
    }

    pub(super) fn wake(&self) -> io::Result<()> {
        // SAFETY: the handle is open.
        if unsafe { SetEvent(self.0.as_raw_handle()) } == 0 {
            Err(io::Error::last_os_error())
        } else {
            Ok(())
        }
    }
}

/// Whole milliseconds, not fewer than were asked for, and never those that stand for ever.
pub(super) fn millis(time: Duration) -> u32 {
    u32::try_from(time.as_nanos().div_ceil(1_000_000)).map_or(INFINITE - 1, |time| time.min(INFINITE - 1))
}
