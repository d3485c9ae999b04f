//! The descriptors of this process as a whole: which there are, and what becomes of those that nobody owns here.

use std::io::{self, Write};
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd, RawFd};

use rustix::stdio::{dup2_stderr, dup2_stdin, dup2_stdout};

/// The numbers of all that are open.
pub(crate) fn open_descriptors() -> io::Result<Vec<RawFd>> {
    let entries = std::fs::read_dir("/proc/self/fd")?;
    let numbers: Vec<RawFd> =
        entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect();
    // One of them was for reading the list.
    Ok(numbers.into_iter().filter(|&number| flags(number).is_some()).collect())
}

/// Whether it was opened by the program that runs here, as far as that can be told: what has come with the start of the
/// program is open across such starts.
pub(crate) fn is_closed_on_exec(number: RawFd) -> bool {
    flags(number).is_some_and(|flags| flags & libc::FD_CLOEXEC != 0)
}

fn flags(number: RawFd) -> Option<i32> {
    // SAFETY: only asks about a number, which need not be that of a descriptor.
    let flags = unsafe { libc::fcntl(number, libc::F_GETFD) };
    (flags >= 0).then_some(flags)
}

/// Closes all but the standard streams and `kept`.
///
/// For a process that has just begun, in which no value owns any other descriptor.
pub(crate) fn close_all_but(kept: &OwnedFd) -> io::Result<()> {
    let kept = kept.as_raw_fd().cast_unsigned();
    for (first, last) in [(3, kept.saturating_sub(1)), (kept.saturating_add(1).max(3), u32::MAX)] {
        if first > last {
            continue;
        }
        // SAFETY: what is closed is what has come with the start of this process, or was copied into it, and is not
        // known to any code that runs here: the callers keep nothing else.
        if unsafe { libc::syscall(libc::SYS_close_range, first, last, 0) } != 0 {
            return Err(io::Error::last_os_error());
        }
    }
    Ok(())
}

/// Has the standard streams lead where these do; the others stay.
pub(crate) fn place_streams(streams: [Option<BorrowedFd<'_>>; 3]) -> io::Result<()> {
    let [stdin, stdout, stderr] = streams;
    stdin.map_or(Ok(()), dup2_stdin)?;
    stdout.map_or(Ok(()), dup2_stdout)?;
    stderr.map_or(Ok(()), dup2_stderr)?;
    Ok(())
}

/// Writes out what the libraries of both languages have kept back.
pub(crate) fn flush_streams() {
    // What cannot be written now could not be written later either.
    let _ = io::stdout().flush();
    // SAFETY: a null stands for every stream.
    unsafe { libc::fflush(std::ptr::null_mut()) };
}
