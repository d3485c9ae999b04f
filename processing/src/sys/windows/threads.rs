//! What this process is called, and among which others.

use std::ffi::CStr;
use std::io;

use windows_sys::Win32::System::Threading::{GetCurrentThread, SetThreadDescription};

use super::command_line::wide;

/// There is one namespace of process numbers.
#[expect(clippy::unnecessary_wraps, reason = "elsewhere there are many")]
pub(crate) fn process_namespace() -> Option<u64> {
    Some(0)
}

/// A process is called by its program's name here, and so a worker already is.
pub(crate) fn name_process(_name: &CStr) {}

/// What the calling thread is called in lists of threads.
pub(crate) fn name_thread(name: &CStr) {
    let mut name = wide(name.to_bytes());
    name.push(0);
    // SAFETY: has no requirement.
    let thread = unsafe { GetCurrentThread() };
    // SAFETY: the name ends with a zero, and is copied. It is only a convenience.
    unsafe { SetThreadDescription(thread, name.as_ptr()) };
}

/// A thread that runs `body`, for the rest of this process.
pub(crate) fn start_thread<F: Fn() + Sync>(stack: usize, body: &'static F) -> io::Result<()> {
    std::thread::Builder::new().stack_size(stack).spawn(body).map(drop)
}
