//! The operating system, made safe: nothing outside this folder and `shm` needs `unsafe`.
//!
//! A file is Linux's, and other systems' as far as they are like it; where they are not, theirs has its name, in `macos` or
//! `windows`, and the same names inside.
#![expect(
    unsafe_code,
    reason = "the system calls that no safe wrapper offers are made here, each with its proof"
)]

#[cfg_attr(windows, path = "windows/attachment.rs")]
mod attachment;
#[cfg_attr(target_os = "macos", path = "macos/caches.rs")]
#[cfg_attr(windows, path = "windows/caches.rs")]
mod caches;
#[cfg_attr(target_os = "macos", path = "macos/child.rs")]
#[cfg_attr(windows, path = "windows/child.rs")]
mod child;
mod clock;
#[cfg_attr(target_os = "macos", path = "macos/event.rs")]
#[cfg_attr(windows, path = "windows/event.rs")]
mod event;
#[cfg_attr(windows, path = "windows/file.rs")]
mod file;
#[cfg_attr(target_os = "macos", path = "macos/futex.rs")]
#[cfg_attr(windows, path = "windows/futex.rs")]
pub(crate) mod futex;
#[cfg_attr(windows, path = "windows/handle.rs")]
mod handle;
#[cfg_attr(target_os = "macos", path = "macos/image.rs")]
#[cfg_attr(windows, path = "windows/image.rs")]
mod image;
#[cfg_attr(windows, path = "windows/mapping.rs")]
mod mapping;
#[cfg_attr(target_os = "macos", path = "macos/memory.rs")]
#[cfg_attr(windows, path = "windows/memory.rs")]
mod memory;
#[cfg_attr(windows, path = "windows/passing.rs")]
mod passing;
#[cfg_attr(target_os = "macos", path = "macos/poller.rs")]
#[cfg_attr(windows, path = "windows/poller.rs")]
mod poller;
#[cfg_attr(windows, path = "windows/process.rs")]
mod process;
#[cfg_attr(windows, path = "windows/signals.rs")]
mod signals;
#[cfg_attr(windows, path = "windows/socket.rs")]
mod socket;
#[cfg_attr(windows, path = "windows/spawn.rs")]
mod spawn;
#[cfg_attr(windows, path = "windows/startup.rs")]
pub(crate) mod startup;
#[cfg_attr(windows, path = "windows/tags.rs")]
mod tags;
#[cfg_attr(target_os = "macos", path = "macos/threads.rs")]
#[cfg_attr(windows, path = "windows/threads.rs")]
mod threads;
#[cfg_attr(target_os = "macos", path = "macos/timer.rs")]
#[cfg_attr(windows, path = "windows/timer.rs")]
mod timer;
mod trust;
#[cfg_attr(windows, path = "windows/wait.rs")]
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
#[cfg(any(not(target_os = "linux"), locks_by_process))]
#[cfg_attr(windows, path = "windows/owner.rs")]
mod owner;
#[cfg(target_os = "macos")]
#[path = "macos/queue.rs"]
mod queue;

// What only Windows needs: arguments as one text, streams that can be waited for, and the end of workers with their parent.
#[cfg(windows)]
#[path = "windows/command_line.rs"]
mod command_line;
#[cfg(windows)]
#[path = "windows/job.rs"]
mod job;
#[cfg(windows)]
#[path = "windows/watch.rs"]
mod watch;

// What sleeping at shared memory is made of on Windows, and what has it become memory.
#[cfg(windows)]
#[path = "windows/doze.rs"]
mod doze;
#[cfg(windows)]
#[path = "windows/sleepers.rs"]
mod sleepers;
#[cfg(windows)]
#[path = "windows/touch.rs"]
mod touch;

pub(crate) use attachment::{attachment_of, deserialize_fd, fd_of};
pub(crate) use caches::share_a_cache;
pub(crate) use child::{Child, Exited};
pub(crate) use clock::{Nanos, later, now};
pub(crate) use event::Event;
pub(crate) use file::{
    file_length, longest_file, null_device, read, read_at, read_exact_at, set_file_length, write_at,
};
/// What is open in this process, and can be passed on to others. Whoever stands above names these here.
pub(crate) use handle::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
pub(crate) use handle::{capture_pipe, is_open};
pub(crate) use image::Image;
pub(crate) use mapping::Mapping;
pub(crate) use memory::{
    check_filled, fixed_length, fixed_memory, length_of, memory_file, punch, random, unnamed_file,
};
pub(crate) use passing::{HANDLES_ARE_BYTES, Parcel, Transit, description_length, let_arrive, unpack};
pub(crate) use poller::{Poller, Ready, WAKER, Waker};
pub(crate) use process::{ProcessId, abort, exit_at_once, kill_at_once, parent};
pub(crate) use signals::{die_with_parent, on_stack_overflow, restore_for_worker};
pub(crate) use socket::{
    Incoming, MOST_FDS, channel_from_parent, hang_up, hung_up_before, receive, send, socket_pair,
    tag_socket_pair, take_tag_socket,
};
pub(crate) use spawn::{Program, Spawn, environment};
pub(crate) use tags::{TagsIn, TagsOut};
pub(crate) use threads::{name_process, name_thread, process_namespace, start_thread};
pub(crate) use timer::Alarm;
pub(crate) use trust::function_trust;
pub(crate) use wait::{wait_until_readable_or_set, wait_until_writable};

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
#[cfg(windows)]
pub(crate) use memory::memory_identity;
#[cfg(target_os = "linux")]
pub(crate) use memory::{sealed_file, sealed_length, working_directory};
#[cfg(any(not(target_os = "linux"), locks_by_process))]
pub(crate) use owner::{process_exists, process_number};
#[cfg(target_os = "linux")]
pub(crate) use socket::{leads_to_parent, packet_socket_pair, wait_until_readable};
#[cfg(all(target_os = "linux", not(locks_by_process)))]
pub(crate) use threads::thread_exists;

#[cfg(target_os = "macos")]
use handle::pipe;
#[cfg(unix)]
use handle::retry;
