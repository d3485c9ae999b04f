//! Making a process and learning how it ended.

use std::ffi::{CStr, CString};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::ptr;

use rustix::process::{
    Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, pidfd_open, pidfd_send_signal, waitid,
};

use crate::error::Exit;

/// The program that workers run.
#[derive(Clone, Debug)]
pub(crate) struct Program(CString);

impl Program {
    /// The image of this very process: also when its file has been replaced or removed since.
    pub(crate) fn this_one() -> Self {
        Program(c"/proc/self/exe".to_owned())
    }

    pub(crate) fn at(path: &Path) -> io::Result<Self> {
        Ok(Program(CString::new(path.as_os_str().as_bytes())?))
    }
}

/// What to start, and what it finds when it starts.
pub(crate) struct Spawn<'a> {
    pub(crate) program: &'a Program,
    pub(crate) arguments: &'a [CString],
    pub(crate) environment: &'a [CString],
    /// Left open in the child under the number that it has here.
    pub(crate) channel: BorrowedFd<'a>,
    /// In place of the standard streams; `None` inherits.
    pub(crate) streams: [Option<BorrowedFd<'a>>; 3],
}

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

impl Spawn<'_> {
    /// Starts it, by `posix_spawn`: whatever this process's size, and without running any code of it in the child.
    pub(crate) fn start(&self) -> io::Result<Child> {
        let mut actions = Actions::new()?;
        for (stream, target) in self.streams.iter().zip(0..) {
            if let Some(stream) = stream {
                actions.place(stream.as_raw_fd(), target)?;
            }
        }
        actions.place(self.channel.as_raw_fd(), self.channel.as_raw_fd())?;
        let attributes = Attributes::new()?;
        let mut pid = 0;
        let arguments = pointers(self.arguments);
        let environment = pointers(self.environment);
        // SAFETY:
        // - `program` and every argument and variable are C strings that live until the call returns;
        // - both lists end with a null pointer, which `pointers` adds;
        // - `actions` and `attributes` were initialised by their constructors.
        let failed = unsafe {
            libc::posix_spawn(
                &raw mut pid,
                self.program.0.as_ptr(),
                &raw const actions.0,
                &raw const attributes.0,
                arguments.as_ptr(),
                environment.as_ptr(),
            )
        };
        check(failed)?;
        Child::new(pid)
    }
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

fn pointers(strings: &[CString]) -> Vec<*mut libc::c_char> {
    strings.iter().map(|string| CStr::as_ptr(string).cast_mut()).chain([ptr::null_mut()]).collect()
}

fn check(error: libc::c_int) -> io::Result<()> {
    if error == 0 { Ok(()) } else { Err(io::Error::from_raw_os_error(error)) }
}

/// What happens to descriptors between the start of the child and its program.
struct Actions(libc::posix_spawn_file_actions_t);

impl Actions {
    fn new() -> io::Result<Self> {
        let mut actions = MaybeUninit::uninit();
        // SAFETY: the call initialises what it is given.
        check(unsafe { libc::posix_spawn_file_actions_init(actions.as_mut_ptr()) })?;
        // SAFETY: it has succeeded.
        Ok(Actions(unsafe { actions.assume_init() }))
    }

    /// Puts `from` where `to` is, and leaves it open there: also if the two are the same.
    fn place(&mut self, from: i32, to: i32) -> io::Result<()> {
        // SAFETY: `self.0` was initialised in `new`; the numbers are only used in the child, where a wrong one is an
        // error of the spawn.
        check(unsafe { libc::posix_spawn_file_actions_adddup2(&raw mut self.0, from, to) })
    }
}

impl Drop for Actions {
    fn drop(&mut self) {
        // SAFETY: initialised in `new` and destroyed only here.
        unsafe { libc::posix_spawn_file_actions_destroy(&raw mut self.0) };
    }
}

/// With which signals blocked, ignored and handled the child starts.
struct Attributes(libc::posix_spawnattr_t);

impl Attributes {
    /// Everything as the system has it, whatever this program has done to its own signals; Ctrl-C waits until the
    /// worker has said that it does not care.
    fn new() -> io::Result<Self> {
        let mut attributes = MaybeUninit::uninit();
        // SAFETY: the call initialises what it is given.
        check(unsafe { libc::posix_spawnattr_init(attributes.as_mut_ptr()) })?;
        // SAFETY: it has succeeded.
        let mut attributes = Attributes(unsafe { attributes.assume_init() });
        let all = signal_set(|set| {
            // SAFETY: `set` points to a whole signal set.
            unsafe { libc::sigfillset(set) };
        });
        let only_interrupt = signal_set(|set| {
            // SAFETY: `set` points to a whole signal set, emptied before.
            unsafe { libc::sigaddset(set, libc::SIGINT) };
        });
        let this = &raw mut attributes.0;
        // SAFETY: `this` was initialised above, and the set is a whole one.
        check(unsafe { libc::posix_spawnattr_setsigdefault(this, &raw const all) })?;
        // SAFETY: as above.
        check(unsafe { libc::posix_spawnattr_setsigmask(this, &raw const only_interrupt) })?;
        let flags = libc::POSIX_SPAWN_SETSIGDEF | libc::POSIX_SPAWN_SETSIGMASK;
        let flags = libc::c_short::try_from(flags).map_err(io::Error::other)?;
        // SAFETY: `this` was initialised above.
        check(unsafe { libc::posix_spawnattr_setflags(this, flags) })?;
        Ok(attributes)
    }
}

impl Drop for Attributes {
    fn drop(&mut self) {
        // SAFETY: initialised in `new` and destroyed only here.
        unsafe { libc::posix_spawnattr_destroy(&raw mut self.0) };
    }
}

/// An empty signal set, changed by `fill`.
pub(super) fn signal_set(fill: impl FnOnce(*mut libc::sigset_t)) -> libc::sigset_t {
    let mut set = MaybeUninit::uninit();
    // SAFETY: the call initialises what it is given, and cannot fail.
    unsafe { libc::sigemptyset(set.as_mut_ptr()) };
    fill(set.as_mut_ptr());
    // SAFETY: initialised by `sigemptyset`.
    unsafe { set.assume_init() }
}
