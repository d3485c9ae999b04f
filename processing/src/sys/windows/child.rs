//! A process that was started here, and how it ended.

use std::os::windows::io::AsRawHandle as _;

use windows_sys::Win32::Foundation::{
    STATUS_ACCESS_VIOLATION, STATUS_BREAKPOINT, STATUS_CONTROL_C_EXIT, STATUS_FLOAT_DIVIDE_BY_ZERO,
    STATUS_ILLEGAL_INSTRUCTION, STATUS_IN_PAGE_ERROR, STATUS_INTEGER_DIVIDE_BY_ZERO, STATUS_INTEGER_OVERFLOW,
    STATUS_PRIVILEGED_INSTRUCTION, STATUS_STACK_BUFFER_OVERRUN, STATUS_STACK_OVERFLOW,
};
use windows_sys::Win32::System::Threading::{GetExitCodeProcess, TerminateProcess, WaitForSingleObject};

use super::process::has_ended;
use super::{AsFd, BorrowedFd, OwnedFd};
use crate::error::{Exit, signals};

/// With this code ends what is killed; no other program is likely to have it.
pub(super) const KILLED: u32 = 0xDEAD_0009;

/// A process that we have made.
#[derive(Debug)]
pub(crate) struct Child {
    process: OwnedFd,
    pid: u32,
}

/// Whether a process has ended.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Exited {
    NotYet,
    With(Exit),
}

impl Child {
    pub(crate) fn new(process: OwnedFd, pid: u32) -> Self {
        Child { process, pid }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.pid
    }

    /// Ends it. It is this process that is meant, even if its number has been given to another since.
    pub(crate) fn kill(&self) {
        // SAFETY: the handle is open. The only failure left is that it has ended already.
        unsafe { TerminateProcess(self.process.as_raw_handle(), KILLED) };
    }

    /// Ends it, and sees to it that nothing of it stays.
    pub(crate) fn discard(&self) {
        self.kill();
        self.reap();
    }

    /// Waits for the end of a process that has been killed.
    pub(crate) fn reap(&self) {
        // A driver may hold it up for longer, and nothing depends on it.
        const MOST: u32 = 10_000;
        // SAFETY: the handle is open.
        unsafe { WaitForSingleObject(self.process.as_raw_handle(), MOST) };
    }

    /// Whether it has ended, and how.
    pub(crate) fn exited(&self) -> Exited {
        if !has_ended(self.process.as_fd()) {
            return Exited::NotYet;
        }
        let mut code = 0;
        // SAFETY: the handle is open, and the result has somewhere to go.
        let told = unsafe { GetExitCodeProcess(self.process.as_raw_handle(), &raw mut code) } != 0;
        Exited::With(if told { exit(code) } else { Exit::Unknown })
    }
}

fn exit(code: u32) -> Exit {
    match code.cast_signed() {
        _ if code == KILLED => Exit::Signal(signals::KILL),
        STATUS_CONTROL_C_EXIT => Exit::Signal(signals::INTERRUPT),
        STATUS_ILLEGAL_INSTRUCTION | STATUS_PRIVILEGED_INSTRUCTION => Exit::Signal(signals::ILLEGAL),
        STATUS_BREAKPOINT => Exit::Signal(signals::TRAP),
        // So it ends itself with `abort`.
        STATUS_STACK_BUFFER_OVERRUN => Exit::ABORTED,
        STATUS_INTEGER_DIVIDE_BY_ZERO | STATUS_INTEGER_OVERFLOW | STATUS_FLOAT_DIVIDE_BY_ZERO => {
            Exit::Signal(signals::ARITHMETIC)
        }
        STATUS_ACCESS_VIOLATION | STATUS_IN_PAGE_ERROR | STATUS_STACK_OVERFLOW => {
            Exit::Signal(signals::ACCESS)
        }
        code => Exit::Code(code),
    }
}

impl AsFd for Child {
    /// Ready once the process has ended.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.process.as_fd()
    }
}
