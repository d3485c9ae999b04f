//! Something that is no socket, watched by a thread of the system's.

use std::ffi::c_void;
use std::fmt;
use std::io;
use std::os::windows::io::AsRawHandle as _;
use std::time::Duration;

use windows_sys::Win32::Foundation::{HANDLE, INVALID_HANDLE_VALUE};
use windows_sys::Win32::System::Threading::{
    INFINITE, RegisterWaitForSingleObject, UnregisterWaitEx, WT_EXECUTEINWAITTHREAD, WT_EXECUTEONLYONCE,
};

use super::OwnedFd;
use super::handle::done;

/// Calls a function once, when a handle is ready. Dropped, it calls nothing any more.
pub(super) struct Watch {
    wait: HANDLE,
    /// What the thread calls; ours again once it does not any more.
    _call: Box<Call>,
    /// What it waits for: open for as long as it does.
    _handle: OwnedFd,
}

type Call = Box<dyn Fn() + Send + Sync>;

// SAFETY: the handle of the wait may be used by any thread, and nothing else here is bound to one.
unsafe impl Send for Watch {}
// SAFETY: as above, and a shared `Watch` lets nobody do anything.
unsafe impl Sync for Watch {}

impl Watch {
    /// Has `call` called in a thread that others wait for too: it must not wait for anything, nor drop a watch. Also when it
    /// was not ready within this time.
    pub(super) fn new(
        handle: OwnedFd,
        at_most: Option<Duration>,
        call: impl Fn() + Send + Sync + 'static,
    ) -> io::Result<Self> {
        let call: Box<Call> = Box::new(Box::new(call));
        let millis = at_most.map_or(INFINITE, |time| time.as_millis().min(u128::from(INFINITE - 1)) as u32);
        let mut wait = std::ptr::null_mut();
        // SAFETY:
        // - the handle is open, and stays so: it is dropped after the wait is over;
        // - `saw` gets the `Call` that it is made for, which is freed only after `drop` has seen to it that `saw` neither
        //   runs nor will.
        done(unsafe {
            RegisterWaitForSingleObject(
                &raw mut wait,
                handle.as_raw_handle(),
                Some(saw),
                (&raw const *call).cast(),
                millis,
                WT_EXECUTEONLYONCE | WT_EXECUTEINWAITTHREAD,
            )
        })?;
        Ok(Watch { wait, _call: call, _handle: handle })
    }
}

unsafe extern "system" fn saw(call: *mut c_void, _timed_out: bool) {
    // SAFETY: it is the `Call` that `Watch::new` has passed, and is only read.
    let call = unsafe { &*call.cast::<Call>() };
    call();
}

impl Drop for Watch {
    fn drop(&mut self) {
        // SAFETY: the wait was made in `new` and is ended only here. With this value for an event, the call returns only when
        // `saw` does not run any more; what that calls drops no watch, so it does not wait for itself.
        unsafe { UnregisterWaitEx(self.wait, INVALID_HANDLE_VALUE) };
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch").field("handle", &self._handle).finish_non_exhaustive()
    }
}
