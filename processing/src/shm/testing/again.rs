//! A test once more in another process, for a system that has no copies of processes.

use std::os::windows::io::{AsRawHandle as _, FromRawHandle as _, OwnedHandle};
use std::process::{Command, Stdio};
use std::ptr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use windows_sys::Win32::Foundation::{DUPLICATE_SAME_ACCESS, DuplicateHandle};
use windows_sys::Win32::System::Threading::{GetCurrentProcess, OpenProcess, PROCESS_DUP_HANDLE};

use crate::sys::{AsFd, Mapping, OwnedFd};

/// What the other process is told by: what it is to do, whose handle is meant, and which.
const VARIABLE: &str = "PROCESSING_TEST_ROLE";

/// This program, running one test in a role. Killed and waited for when dropped.
#[derive(Debug)]
pub(crate) struct Child {
    process: std::process::Child,
    /// Kept until then, as the other process takes its copy of it only once it runs.
    _memory: OwnedFd,
}

impl Child {
    /// Runs the test of this path (`module_path!()` and the function's name) in another process, which finds its
    /// [`role`] and this memory.
    pub(crate) fn again(test: &str, role: &str, memory: impl AsFd) -> Child {
        let test = test.split_once("::").map_or(test, |(_crate, path)| path);
        let memory = memory.as_fd().try_clone_to_owned().unwrap();
        let handle = memory.as_raw_handle() as usize;
        let process = Command::new(std::env::current_exe().unwrap())
            .args([test, "--exact", "--nocapture"])
            .env(VARIABLE, format!("{role} {} {handle}", std::process::id()))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        Child { process, _memory: memory }
    }

    /// Waits for the end; `true` if the test did not fail there.
    pub(crate) fn succeeds_within(mut self, time: Duration) -> bool {
        let start = Instant::now();
        while start.elapsed() < time {
            if let Some(status) = self.process.try_wait().unwrap() {
                return status.success();
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        false
    }

    /// Kills it, and waits until it is gone.
    pub(crate) fn end(self) {}
}

impl Drop for Child {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Writes a word into memory, as any process that has it can.
pub(crate) fn scribble(memory: impl AsFd, at: u64, word: u64) {
    let memory = memory.as_fd().try_clone_to_owned().unwrap();
    let at = usize::try_from(at).unwrap();
    let mapping = Mapping::new(&memory, at + size_of::<u64>()).unwrap();
    let place = mapping.start().wrapping_add(at).cast::<u64>();
    assert!(place.is_aligned());
    // SAFETY: the mapping is that long, and stays until the end of this; all who look at this memory use atomics.
    unsafe { AtomicU64::from_ptr(place) }.store(word, Ordering::Relaxed);
}

/// What this process is to do in the test, and the memory that the other one has; `None` in that one.
pub(crate) fn role() -> Option<(String, OwnedFd)> {
    let told = std::env::var(VARIABLE).ok()?;
    let [role, process, handle] = told.split(' ').collect::<Vec<_>>().try_into().unwrap();
    // SAFETY: any number may be asked for.
    let process = unsafe { OpenProcess(PROCESS_DUP_HANDLE, 0, process.parse().unwrap()) };
    assert!(!process.is_null(), "{}", std::io::Error::last_os_error());
    // SAFETY: the call has made this handle, for us alone.
    let process = unsafe { OwnedHandle::from_raw_handle(process) };
    let handle = ptr::without_provenance_mut(handle.parse().unwrap());
    let mut copy = ptr::null_mut();
    // SAFETY: has no requirement.
    let own = unsafe { GetCurrentProcess() };
    // SAFETY: both processes' handles are good; what is copied is checked by the system; the copy has somewhere to go.
    let copied = unsafe {
        DuplicateHandle(process.as_raw_handle(), handle, own, &raw mut copy, 0, 0, DUPLICATE_SAME_ACCESS)
    };
    assert!(copied != 0, "{}", std::io::Error::last_os_error());
    // SAFETY: the call has made this handle, for us alone.
    Some((role.to_owned(), unsafe { OwnedFd::from_raw_handle(copy) }))
}
