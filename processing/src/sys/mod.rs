//! The operating system, made safe: nothing outside this folder and `shm` needs `unsafe`.
#![expect(
    unsafe_code,
    reason = "the system calls that no safe wrapper offers are made here, each with its proof"
)]

mod child;
mod clock;
mod image;
mod poller;
mod signals;
mod socket;
pub(crate) mod startup;
mod timer;

pub(crate) use child::{Child, Exited, Program, Spawn, environment};
pub(crate) use clock::{Nanos, later, now};
pub(crate) use image::{Image, function_trust};
pub(crate) use poller::{Poller, Ready, WAKER, Waker};
pub(crate) use signals::{die_with_parent, on_stack_overflow, restore_for_worker};
pub(crate) use socket::{
    Incoming, MOST_FDS, channel_from_parent, receive, send, socket_pair, wait_for_hangup,
};
pub(crate) use timer::Alarm;

use std::io;
use std::os::fd::OwnedFd;

/// Memory with no name, for a value that is too big for a socket: gone with its last descriptor.
pub(crate) fn memory_file(name: &str) -> io::Result<OwnedFd> {
    use rustix::fs::{MemfdFlags, memfd_create};
    // Kernels before 6.3 do not know NOEXEC_SEAL, so it is not asked for.
    Ok(memfd_create(name, MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?)
}

/// A pipe whose read end never blocks, for a captured stream.
pub(crate) fn capture_pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    let (read, write) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?;
    rustix::io::ioctl_fionbio(&read, true)?;
    Ok((read, write))
}

/// Ends this process without another word: no destructor, no buffered output.
pub(crate) fn exit_at_once() -> ! {
    // SAFETY: has no requirement; nothing of this process is used afterwards.
    unsafe { libc::_exit(0) }
}

/// Ends this process as somebody else would: its parent sees SIGKILL.
pub(crate) fn kill_at_once() -> ! {
    // To oneself it is always allowed, and nothing can hold it up.
    let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
    std::process::abort()
}

/// Ends this process as a failure that nothing can be done about: its parent sees SIGABRT.
pub(crate) fn abort() -> ! {
    std::process::abort()
}
