//! Processes: this one, who started it, and how it ends.

use std::ffi::c_void;
use std::io;
use std::num::NonZeroU32;
use std::os::windows::io::AsRawHandle as _;
use std::ptr;

use windows_sys::Win32::Foundation::{NTSTATUS, WAIT_OBJECT_0};
use windows_sys::Win32::System::Threading::{
    GetCurrentProcess, OpenProcess, PROCESS_BASIC_INFORMATION, PROCESS_QUERY_LIMITED_INFORMATION,
    PROCESS_SYNCHRONIZE, TerminateProcess, WaitForSingleObject,
};

use super::child::KILLED;
use super::handle::made;
use super::{BorrowedFd, OwnedFd, owner};

/// Names a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ProcessId(NonZeroU32);

impl ProcessId {
    pub(super) fn number(self) -> u32 {
        self.0.get()
    }
}

#[link(name = "ntdll", kind = "raw-dylib")]
unsafe extern "system" {
    /// `windows-sys` has it with the driver kit only.
    fn NtQueryInformationProcess(
        process: *mut c_void,
        class: i32,
        about: *mut c_void,
        size: u32,
        written: *mut u32,
    ) -> NTSTATUS;
}

/// Who has started this process. It may have ended, and its number been given to another one.
pub(crate) fn parent() -> Option<ProcessId> {
    const BASIC_INFORMATION: i32 = 0;
    // SAFETY: numbers and pointers, for which zeroes are valid.
    let mut about: PROCESS_BASIC_INFORMATION = unsafe { std::mem::zeroed() };
    // SAFETY: has no requirement.
    let own = unsafe { GetCurrentProcess() };
    // SAFETY: the place is of that class, and as long as is said; nobody asks how much of it was written.
    let status = unsafe {
        NtQueryInformationProcess(
            own,
            BASIC_INFORMATION,
            (&raw mut about).cast(),
            size_of::<PROCESS_BASIC_INFORMATION>() as u32,
            ptr::null_mut(),
        )
    };
    let number = u32::try_from(about.InheritedFromUniqueProcessId).ok().filter(|_| status >= 0)?;
    NonZeroU32::new(number).map(ProcessId)
}

/// A process of this number, with these rights and those to ask about it; an error if there is none, or it has ended.
pub(super) fn open(number: u32, rights: u32) -> io::Result<OwnedFd> {
    let rights = rights | PROCESS_SYNCHRONIZE | PROCESS_QUERY_LIMITED_INFORMATION;
    // SAFETY: any number may be asked for.
    let process = unsafe { OpenProcess(rights, 0, number) };
    // SAFETY: the call has made it, for us alone.
    let process = unsafe { made(process) }?;
    if has_ended(super::AsFd::as_fd(&process)) {
        return Err(io::ErrorKind::NotFound.into());
    }
    Ok(process)
}

pub(super) fn has_ended(process: BorrowedFd<'_>) -> bool {
    // SAFETY: the handle is open, as it is borrowed.
    unsafe { WaitForSingleObject(process.as_raw_handle(), 0) == WAIT_OBJECT_0 }
}

/// When a process began, in units of 100 ns.
pub(super) fn start_of(process: BorrowedFd<'_>) -> io::Result<u64> {
    owner::start(process.as_raw_handle())
}

/// When this one began.
pub(super) fn own_start() -> io::Result<u64> {
    // SAFETY: has no requirement.
    owner::start(unsafe { GetCurrentProcess() })
}

/// Ends this process without another word: no destructor, no buffered output.
pub(crate) fn exit_at_once() -> ! {
    end(0)
}

/// Ends this process as somebody else would: its parent sees that it was killed.
pub(crate) fn kill_at_once() -> ! {
    end(KILLED)
}

/// Ends this process as a failure that nothing can be done about: its parent sees an abort.
pub(crate) fn abort() -> ! {
    std::process::abort()
}

/// Not `ExitProcess`, which first waits for locks that another thread may hold.
fn end(code: u32) -> ! {
    // SAFETY: has no requirement.
    let own = unsafe { GetCurrentProcess() };
    // SAFETY: the handle always stands for this process, of which nothing is used afterwards.
    unsafe { TerminateProcess(own, code) };
    std::process::abort()
}
