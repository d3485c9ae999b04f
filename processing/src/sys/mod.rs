//! The operating system, made safe: nothing outside this folder and `shm` needs `unsafe`.
#![expect(
    unsafe_code,
    reason = "the system calls that no safe wrapper offers are made here, each with its proof"
)]

mod child;
mod circumstances;
mod clock;
mod descriptors;
mod environment;
mod fork;
mod image;
mod poller;
mod signals;
mod socket;
pub(crate) mod startup;
mod threads;
mod timer;

pub(crate) use child::{Child, Exited, Program, Spawn};
pub(crate) use circumstances::{Circumstances, Observer};
pub(crate) use clock::{Nanos, later, now};
pub(crate) use descriptors::{
    close_all_but, flush_streams, is_closed_on_exec, is_open, open_descriptors, place_streams,
};
pub(crate) use environment::{Environment, environment, environment_file};
pub(crate) use fork::{Forked, Forker};
pub(crate) use image::{Image, function_trust};
pub(crate) use poller::{Poller, Ready, WAKER, Waker};
pub(crate) use signals::{die_with_parent, on_stack_overflow, restore_for_worker};
pub(crate) use socket::{
    Incoming, MOST_FDS, channel_from_parent, leads_to_parent, packet_socket_pair, receive, send, socket_pair,
    wait_for_hangup, wait_until_readable,
};
pub(crate) use threads::{process_namespace, thread_exists};
pub(crate) use timer::Alarm;

use std::io;
use std::os::fd::OwnedFd;

/// Memory with no name, for a value that is too big for a socket: gone with its last descriptor.
pub(crate) fn memory_file(name: &str) -> io::Result<OwnedFd> {
    use rustix::fs::{MemfdFlags, memfd_create};
    // Kernels before 6.3 do not know NOEXEC_SEAL, so it is not asked for.
    Ok(memfd_create(name, MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?)
}

/// This process's working directory, as a place to go to.
pub(crate) fn working_directory() -> io::Result<OwnedFd> {
    use rustix::fs::{Mode, OFlags};
    Ok(rustix::fs::open(".", OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?)
}

/// Memory with no name that nobody can change any more.
pub(crate) fn sealed_file(name: &str, bytes: &[u8]) -> io::Result<OwnedFd> {
    use rustix::fs::{SealFlags, fcntl_add_seals};
    let mut file = std::fs::File::from(memory_file(name)?);
    io::Write::write_all(&mut file, bytes)?;
    fcntl_add_seals(&file, SealFlags::SEAL | SealFlags::WRITE | SealFlags::GROW | SealFlags::SHRINK)?;
    Ok(file.into())
}

/// How long a file is that [`sealed_file`] made; an error if it can still be changed.
pub(crate) fn sealed_length(file: &OwnedFd) -> io::Result<u64> {
    use rustix::fs::{SealFlags, fcntl_get_seals, fstat};
    if !fcntl_get_seals(file)?.contains(SealFlags::WRITE | SealFlags::GROW | SealFlags::SHRINK) {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "shared memory that can still be changed"));
    }
    u64::try_from(fstat(file)?.st_size).map_err(io::Error::other)
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
