//! Waiting for one socket.

use std::io;
use std::time::Instant;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::{Event, OwnedFd};

/// Waits until the socket takes something, or the other side is gone; `false` if there is neither by then.
pub(crate) fn wait_until_writable(socket: &OwnedFd, deadline: Option<Instant>) -> io::Result<bool> {
    any(&mut [PollFd::new(socket, PollFlags::OUT)], deadline)
}

/// Waits until there is something to read, the other side is gone or the event is set; `false` if there is nothing of that
/// by then.
pub(crate) fn wait_until_readable_or_set(
    socket: &OwnedFd,
    event: &Event,
    deadline: Option<Instant>,
) -> io::Result<bool> {
    any(&mut [PollFd::new(socket, PollFlags::IN), PollFd::new(event, PollFlags::IN)], deadline)
}

fn any(at: &mut [PollFd<'_>], deadline: Option<Instant>) -> io::Result<bool> {
    loop {
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        let left = left.map(|left| Timespec {
            tv_sec: left.as_secs().try_into().unwrap_or(i64::MAX),
            tv_nsec: left.subsec_nanos().into(),
        });
        match poll(at, left.as_ref()) {
            Ok(count) => return Ok(count != 0),
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}
