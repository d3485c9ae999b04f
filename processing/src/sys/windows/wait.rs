//! Waiting for one socket.

use std::io;
use std::time::{Duration, Instant};

use windows_sys::Win32::Networking::WinSock::{
    POLLRDNORM, POLLWRNORM, SOCKET_ERROR, WSAGetLastError, WSAPOLLFD, WSAPoll,
};

use super::socket::socket_of;
use super::{AsFd, BorrowedFd, Event, OwnedFd};

/// Waits until the socket takes something, or the other side is gone; `false` if there is neither by then.
pub(crate) fn wait_until_writable(socket: &OwnedFd, deadline: Option<Instant>) -> io::Result<bool> {
    any(&mut [entry(socket.as_fd(), POLLWRNORM)], deadline)
}

/// Waits until there is something to read, the other side is gone or the event is set; `false` if there is nothing of that
/// by then.
pub(crate) fn wait_until_readable_or_set(
    socket: &OwnedFd,
    event: &Event,
    deadline: Option<Instant>,
) -> io::Result<bool> {
    any(&mut [entry(socket.as_fd(), POLLRDNORM), entry(event.as_fd(), POLLRDNORM)], deadline)
}

/// Sleeps until the other side is gone, or the event is set, which makes it `false`.
///
/// That the *process* of the other side is gone is also seen to by `die_with_parent`.
pub(crate) fn hung_up_before(socket: BorrowedFd<'_>, event: &Event) -> bool {
    // Nothing is asked for of the socket: a hang-up is reported all the same, and data is not.
    let mut entries = [entry(socket, 0), entry(event.as_fd(), POLLRDNORM)];
    any(&mut entries, None).is_err() || entries[0].revents != 0
}

/// Whether the other side of a socket is known to be gone.
pub(super) fn is_hung_up(socket: BorrowedFd<'_>) -> bool {
    poll(&mut [entry(socket, 0)], Some(Duration::ZERO)).is_ok_and(|ready| ready > 0)
}

pub(super) fn entry(socket: BorrowedFd<'_>, events: i16) -> WSAPOLLFD {
    WSAPOLLFD { fd: socket_of(socket), events, revents: 0 }
}

fn any(entries: &mut [WSAPOLLFD], deadline: Option<Instant>) -> io::Result<bool> {
    loop {
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        let ready = poll(entries, left)? > 0;
        // What is left may be longer than one call can wait.
        if ready || left.is_some_and(|left| left < LONGEST) {
            return Ok(ready);
        }
    }
}

const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// Waits until one of these is ready, or the time is over, which is a day at most; how many are.
pub(super) fn poll(entries: &mut [WSAPOLLFD], at_most: Option<Duration>) -> io::Result<usize> {
    // Rounded up: who wakes too early would come back at once, again and again.
    let millis = at_most.map_or(-1, |time| time.min(LONGEST).as_nanos().div_ceil(1_000_000) as i32);
    // SAFETY: the entries are as many as is said; sockets that are not there are reported as such.
    let ready = unsafe { WSAPoll(entries.as_mut_ptr(), entries.len() as u32, millis) };
    if ready == SOCKET_ERROR {
        // SAFETY: has no requirement.
        return Err(io::Error::from_raw_os_error(unsafe { WSAGetLastError() }));
    }
    Ok(ready.unsigned_abs() as usize)
}
