//! A process that was started here, and how it ended.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use rustix::process::{
    Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, pidfd_open, pidfd_send_signal, waitid,
};

use crate::error::Exit;

/// A process that we have made and will reap.
#[derive(Debug)]
pub(crate) struct Child {
    pid: Pid,
    handle: OwnedFd,
}

/// Whether a process has ended.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Exited {
    NotYet,
    With(Exit),
}

impl Child {
    /// A child of this process that has just been made, and that nothing else of ours waits for.
    pub(crate) fn new(pid: i32) -> io::Result<Self> {
        let pid = Pid::from_raw(pid).ok_or_else(|| io::Error::other("the new process has no id"))?;
        match pidfd_open(pid, PidfdFlags::empty()) {
            Ok(handle) => Ok(Child { pid, handle }),
            // Somebody who waits for every child has reaped it already, and the number may be another's by now.
            Err(rustix::io::Errno::SRCH) => Err(rustix::io::Errno::SRCH.into()),
            Err(error) => {
                // Without a handle nobody would notice its end, so it must not live.
                let _ = rustix::process::kill_process(pid, Signal::KILL);
                let options = rustix::process::WaitOptions::empty();
                while let Err(rustix::io::Errno::INTR) = rustix::process::waitpid(Some(pid), options) {}
                Err(error.into())
            }
        }
    }

    /// Whether it has been stopped by a signal, and so does nothing for now.
    pub(crate) fn is_stopped(&self) -> bool {
        let options = WaitIdOptions::STOPPED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        matches!(waitid(WaitId::PidFd(self.handle.as_fd()), options), Ok(Some(_)))
    }

    pub(crate) fn pid(&self) -> u32 {
        self.pid.as_raw_nonzero().get().unsigned_abs()
    }

    /// Ends it. It is this process that is meant, even if its number has been given to another since.
    pub(crate) fn kill(&self) {
        // The only failure left is that it has ended already.
        let _ = pidfd_send_signal(&self.handle, Signal::KILL);
    }

    /// Ends it, and sees to it that nothing of it stays.
    pub(crate) fn discard(&self) {
        self.kill();
        self.reap();
    }

    /// Waits for the end of a process that has been killed, so that it does not stay as a zombie. At once if it has
    /// been reaped.
    pub(crate) fn reap(&self) {
        while let Err(rustix::io::Errno::INTR) =
            waitid(WaitId::PidFd(self.handle.as_fd()), WaitIdOptions::EXITED)
        {}
    }

    /// Whether it has ended, and how. Reaps it, so that no zombie stays.
    pub(crate) fn exited(&self) -> Exited {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG;
        match waitid(WaitId::PidFd(self.handle.as_fd()), options) {
            Ok(None) | Err(rustix::io::Errno::INTR | rustix::io::Errno::AGAIN) => Exited::NotYet,
            Ok(Some(status)) => Exited::With(match (status.exit_status(), status.terminating_signal()) {
                (Some(code), _) => Exit::Code(code),
                (None, Some(signal)) => Exit::Signal(signal),
                (None, None) => Exit::Unknown,
            }),
            // This program ignores SIGCHLD, or waits for every child: someone else reaped it.
            Err(_) => Exited::With(self.exit_told_by_handle()),
        }
    }

    /// How a process ended that someone else has reaped; kernels from 6.15 on remember.
    fn exit_told_by_handle(&self) -> Exit {
        #[repr(C)]
        #[derive(Default)]
        struct PidfdInfo {
            mask: u64,
            cgroup: u64,
            ids: [u32; 11],
            exit_code: i32,
        }
        const WANT_EXIT: u64 = 1 << 3;
        const PIDFD_GET_INFO: libc::c_ulong = 0xC040_FF0B;
        let mut info = PidfdInfo { mask: WANT_EXIT, ..PidfdInfo::default() };
        // SAFETY: the request's number says that it writes 64 bytes, and that is how large `PidfdInfo` is.
        let failed = unsafe { libc::ioctl(self.handle.as_raw_fd(), PIDFD_GET_INFO, &raw mut info) };
        const { assert!(size_of::<PidfdInfo>() == 64) };
        if failed != 0 || info.mask & WANT_EXIT == 0 {
            return Exit::Unknown;
        }
        match info.exit_code & 0x7f {
            0 => Exit::Code((info.exit_code >> 8) & 0xff),
            signal => Exit::Signal(signal),
        }
    }
}

impl AsFd for Child {
    /// Readable once the process has ended.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.handle.as_fd()
    }
}
