//! The processes of Windows: whether they are there, and their end.
#![expect(
    unsafe_code,
    reason = "no library at hand ends a process with a code, or waits for one that is no child"
)]

use std::os::windows::io::{AsRawHandle as _, FromRawHandle as _, OwnedHandle};
use std::time::Duration;

use windows_sys::Win32::Foundation::WAIT_OBJECT_0;
use windows_sys::Win32::System::Threading::{
    OpenProcess, PROCESS_SYNCHRONIZE, PROCESS_TERMINATE, TerminateProcess, WaitForSingleObject,
};

/// With this code ends what is killed.
pub const KILLED: u32 = 0xDEAD_0009;

/// A process that may be gone already, by a handle that never means another one.
#[derive(Debug)]
pub struct Watched {
    /// Its number, which another process may have by now.
    pub pid: u32,
    handle: Option<OwnedHandle>,
}

/// Takes hold of a process.
#[must_use]
pub fn watch(pid: u32) -> Watched {
    // SAFETY: any number may be asked for.
    let handle = unsafe { OpenProcess(PROCESS_SYNCHRONIZE | PROCESS_TERMINATE, 0, pid) };
    // SAFETY: the call has made it, for us alone.
    let handle = (!handle.is_null()).then(|| unsafe { OwnedHandle::from_raw_handle(handle) });
    Watched { pid, handle }
}

impl Watched {
    /// Ends it at once; `false` if it has ended already.
    #[must_use]
    pub fn kill(&self) -> bool {
        // SAFETY: the handle is open.
        let end = |handle: &OwnedHandle| unsafe { TerminateProcess(handle.as_raw_handle(), KILLED) } != 0;
        self.handle.as_ref().is_some_and(end)
    }

    /// Waits until it has ended; `false` if it has not by then.
    #[must_use]
    pub fn ends_within(&self, limit: Duration) -> bool {
        let millis = u32::try_from(limit.as_millis()).expect("a time that a test may take");
        // SAFETY: the handle is open.
        let wait = |handle: &OwnedHandle| unsafe { WaitForSingleObject(handle.as_raw_handle(), millis) };
        self.handle.as_ref().is_none_or(|handle| wait(handle) == WAIT_OBJECT_0)
    }
}

/// Whether there is such a process that has not ended.
#[must_use]
pub fn exists(pid: u32) -> bool {
    !watch(pid).ends_within(Duration::ZERO)
}

/// Ends a process at once that may be gone.
pub fn kill(pid: u32) {
    let _ = watch(pid).kill();
}
