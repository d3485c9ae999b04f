//! The operating system, made safe: nothing outside this folder and `shm` needs `unsafe`.
#![expect(
    unsafe_code,
    reason = "the system calls that no safe wrapper offers are made here, each with its proof"
)]

#[cfg_attr(target_os = "macos", path = "macos/caches.rs")]
mod caches;
#[cfg_attr(target_os = "macos", path = "macos/child.rs")]
mod child;
mod clock;
#[cfg_attr(target_os = "macos", path = "macos/event.rs")]
mod event;
mod file;
#[cfg_attr(target_os = "macos", path = "macos/futex.rs")]
pub(crate) mod futex;
#[cfg_attr(target_os = "macos", path = "macos/image.rs")]
mod image;
#[cfg_attr(target_os = "macos", path = "macos/memory.rs")]
mod memory;
#[cfg_attr(target_os = "macos", path = "macos/poller.rs")]
mod poller;
mod signals;
mod socket;
mod spawn;
pub(crate) mod startup;
#[cfg_attr(target_os = "macos", path = "macos/threads.rs")]
mod threads;
#[cfg_attr(target_os = "macos", path = "macos/timer.rs")]
mod timer;
mod trust;
mod wait;

// The fork server is for Linux alone, and with it all that only this needs.
#[cfg(target_os = "linux")]
mod circumstances;
#[cfg(target_os = "linux")]
mod descriptors;
#[cfg(target_os = "linux")]
mod environment;
#[cfg(target_os = "linux")]
mod fork;
#[cfg(any(target_os = "macos", locks_by_process))]
mod owner;
#[cfg(target_os = "macos")]
#[path = "macos/queue.rs"]
mod queue;

pub(crate) use caches::share_a_cache;
pub(crate) use child::{Child, Exited};
pub(crate) use clock::{Nanos, later, now};
pub(crate) use event::Event;
pub(crate) use file::{
    file_length, longest_file, null_device, read, read_at, read_exact_at, set_file_length, write_at,
};
pub(crate) use image::Image;
pub(crate) use memory::{
    check_filled, fixed_length, fixed_memory, length_of, memory_file, punch, random, unnamed_file,
};
pub(crate) use poller::{Poller, Ready, WAKER, Waker};
pub(crate) use signals::{die_with_parent, on_stack_overflow, restore_for_worker};
pub(crate) use socket::{
    Incoming, MOST_FDS, channel_from_parent, hang_up, hung_up_before, never_block, parent, receive, send,
    socket_pair, tag_socket_pair,
};
pub(crate) use spawn::{Program, Spawn, environment};
pub(crate) use threads::{name_process, name_thread, process_namespace, start_thread};
pub(crate) use timer::Alarm;
pub(crate) use trust::function_trust;
pub(crate) use wait::{wait_until_readable_or_set, wait_until_writable};

/// Names a process.
pub(crate) use rustix::process::Pid as ProcessId;
/// What is open in this process, and can be passed on to others. Whoever stands above names these here.
pub(crate) use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};

#[cfg(target_os = "linux")]
pub(crate) use circumstances::{Circumstances, Observer};
#[cfg(target_os = "linux")]
pub(crate) use descriptors::{
    close_all_but, flush_streams, is_closed_on_exec, open_descriptors, place_streams,
};
#[cfg(target_os = "linux")]
pub(crate) use environment::{Environment, environment_file};
#[cfg(target_os = "linux")]
pub(crate) use fork::{Forked, Forker};
#[cfg(target_os = "linux")]
pub(crate) use memory::{sealed_file, sealed_length, working_directory};
#[cfg(any(target_os = "macos", locks_by_process))]
pub(crate) use owner::{process_exists, process_number};
#[cfg(target_os = "linux")]
pub(crate) use socket::{leads_to_parent, packet_socket_pair, wait_until_readable};
#[cfg(all(target_os = "linux", not(locks_by_process)))]
pub(crate) use threads::thread_exists;

use std::io;

/// Whether there is such a descriptor: a standard stream may have been closed by this program or whoever started it.
pub(crate) fn is_open(fd: BorrowedFd<'_>) -> bool {
    rustix::io::fcntl_getfd(fd).is_ok()
}

/// A pipe whose read end never blocks, for a captured stream.
pub(crate) fn capture_pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    let (read, write) = pipe()?;
    rustix::io::ioctl_fionbio(&read, true)?;
    Ok((read, write))
}

/// A pipe that no program which is started from here inherits.
#[cfg(target_os = "linux")]
fn pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    Ok(rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?)
}

/// The same. It is marked only after it was made: a program that another thread starts just then inherits it.
#[cfg(target_os = "macos")]
fn pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    let (read, write) = rustix::pipe::pipe()?;
    for end in [&read, &write] {
        rustix::io::fcntl_setfd(end, rustix::io::FdFlags::CLOEXEC)?;
    }
    Ok((read, write))
}

fn retry<T>(mut call: impl FnMut() -> rustix::io::Result<T>) -> io::Result<T> {
    loop {
        match call() {
            Err(rustix::io::Errno::INTR) => {}
            other => return Ok(other?),
        }
    }
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
