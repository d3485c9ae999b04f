//! The socket between a worker and its parent: bytes and descriptors.

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{BorrowedFd, FromRawFd, IntoRawFd, OwnedFd, RawFd};
#[cfg(target_os = "linux")]
use std::time::{Duration, Instant};

#[cfg(target_os = "linux")]
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, SocketFlags, SocketType, recvmsg, sendmsg, socketpair,
};

use super::retry;

#[cfg(target_os = "macos")]
pub(crate) use super::queue::hung_up_before;

/// The other side's end is an error of the call, and no signal; a socket of another system has that for a property.
#[cfg(target_os = "linux")]
const SEND: SendFlags = SendFlags::NOSIGNAL;
#[cfg(target_os = "macos")]
const SEND: SendFlags = SendFlags::empty();

/// No program that is started from here inherits what is received; elsewhere that is seen to afterwards.
#[cfg(target_os = "linux")]
const RECEIVE: RecvFlags = RecvFlags::CMSG_CLOEXEC;
#[cfg(target_os = "macos")]
const RECEIVE: RecvFlags = RecvFlags::empty();

/// How many descriptors the system takes with one piece.
pub(crate) const MOST_FDS: usize = 253;

/// Two connected sockets; the first one never blocks.
pub(crate) fn socket_pair() -> io::Result<(OwnedFd, OwnedFd)> {
    pair(SocketType::STREAM)
}

/// The same, with an edge between any two pieces that are sent.
#[cfg(target_os = "linux")]
pub(crate) fn packet_socket_pair() -> io::Result<(OwnedFd, OwnedFd)> {
    pair(SocketType::SEQPACKET)
}

/// Two connected sockets for pieces of one length, each of which is sent whole or not at all.
#[cfg(target_os = "linux")]
pub(crate) fn tag_socket_pair() -> io::Result<(OwnedFd, OwnedFd)> {
    connected(SocketType::SEQPACKET)
}

/// The same by a stream. It takes a piece only when it has room for some thousand bytes, so it never takes half of one.
#[cfg(target_os = "macos")]
pub(crate) fn tag_socket_pair() -> io::Result<(OwnedFd, OwnedFd)> {
    connected(SocketType::STREAM)
}

fn pair(kind: SocketType) -> io::Result<(OwnedFd, OwnedFd)> {
    let (parent, worker) = connected(kind)?;
    rustix::io::ioctl_fionbio(&parent, true)?;
    Ok((parent, worker))
}

#[cfg(target_os = "linux")]
fn connected(kind: SocketType) -> io::Result<(OwnedFd, OwnedFd)> {
    Ok(socketpair(AddressFamily::UNIX, kind, SocketFlags::CLOEXEC, None)?)
}

/// They are marked only after they were made: a program that another thread starts just then inherits them.
#[cfg(target_os = "macos")]
fn connected(kind: SocketType) -> io::Result<(OwnedFd, OwnedFd)> {
    let (one, other) = socketpair(AddressFamily::UNIX, kind, SocketFlags::empty(), None)?;
    for end in [&one, &other] {
        rustix::io::fcntl_setfd(end, rustix::io::FdFlags::CLOEXEC)?;
        rustix::net::sockopt::set_socket_nosigpipe(end, true)?;
    }
    Ok((one, other))
}

/// Sends as many of the bytes as fit, and all of the descriptors with the first of them.
pub(crate) fn send(socket: BorrowedFd<'_>, bytes: &[u8], fds: &[BorrowedFd<'_>]) -> io::Result<usize> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST_FDS))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    if !fds.is_empty() && !ancillary.push(SendAncillaryMessage::ScmRights(fds)) {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "more descriptors than fit with one piece"));
    }
    let sent = retry(|| sendmsg(socket, &[IoSlice::new(bytes)], &mut ancillary, SEND))?;
    Ok(sent)
}

/// What one call of [`receive`] brought.
#[derive(Debug)]
pub(crate) enum Incoming {
    /// So many bytes.
    Bytes(usize),
    /// The other side is gone, and everything it sent has been received.
    End,
}

/// Receives what is there; descriptors are appended to `fds`, closed on exec.
pub(crate) fn receive(
    socket: BorrowedFd<'_>,
    buffer: &mut [u8],
    fds: &mut Vec<OwnedFd>,
) -> io::Result<Incoming> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST_FDS))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let message = match retry(|| recvmsg(socket, &mut [IoSliceMut::new(buffer)], &mut ancillary, RECEIVE)) {
        Ok(message) => message,
        // The other side died with bytes of ours unread.
        Err(error) if error.kind() == io::ErrorKind::ConnectionReset => return Ok(Incoming::End),
        Err(error) => return Err(error),
    };
    for piece in ancillary.drain() {
        if let RecvAncillaryMessage::ScmRights(received) = piece {
            let first = fds.len();
            fds.extend(received);
            keep_from_programs(&fds[first..])?;
        }
    }
    Ok(if message.bytes == 0 { Incoming::End } else { Incoming::Bytes(message.bytes) })
}

#[cfg(target_os = "linux")]
#[expect(clippy::unnecessary_wraps, reason = "elsewhere there is something to do")]
#[inline]
fn keep_from_programs(_fds: &[OwnedFd]) -> io::Result<()> {
    Ok(())
}

#[cfg(target_os = "macos")]
fn keep_from_programs(fds: &[OwnedFd]) -> io::Result<()> {
    fds.iter().try_for_each(|fd| Ok(rustix::io::fcntl_setfd(fd, rustix::io::FdFlags::CLOEXEC)?))
}

/// Sleeps until the other side is gone, or the event is set, which makes it `false`.
#[cfg(target_os = "linux")]
pub(crate) fn hung_up_before(socket: BorrowedFd<'_>, event: &super::Event) -> bool {
    loop {
        // Nothing is asked for of the socket: a hang-up is reported all the same, and data is not.
        let socket = PollFd::from_borrowed_fd(socket, PollFlags::empty());
        let mut entries = [socket, PollFd::new(event, PollFlags::IN)];
        match poll(&mut entries, None) {
            Ok(_) if entries[0].revents().is_empty() => return false,
            Err(rustix::io::Errno::INTR) => {}
            _ => return true,
        }
    }
}

/// Waits until there is something to read, or the other side is gone; `false` if there is neither by then.
#[cfg(target_os = "linux")]
pub(crate) fn wait_until_readable(socket: BorrowedFd<'_>, limit: Duration) -> io::Result<bool> {
    let end = Instant::now() + limit;
    loop {
        let left = end.saturating_duration_since(Instant::now());
        let left = Timespec { tv_sec: left.as_secs().cast_signed(), tv_nsec: left.subsec_nanos().into() };
        match poll(&mut [PollFd::from_borrowed_fd(socket, PollFlags::IN)], Some(&left)) {
            Ok(ready) => return Ok(ready > 0),
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// From now on neither side can send anything, whoever else has a copy.
pub(crate) fn hang_up(socket: &OwnedFd) {
    // The only failure left is that it has been done already.
    let _ = rustix::net::shutdown(socket, rustix::net::Shutdown::Both);
}

/// Takes over a socket for tags, perhaps from another process, and has calls fail that would have to wait.
pub(crate) fn take_tag_socket(socket: OwnedFd) -> io::Result<OwnedFd> {
    rustix::io::ioctl_fionbio(&socket, true)?;
    Ok(socket)
}

/// Takes over the descriptor that the parent has left open for this process, if it really is a socket whose other
/// side is our parent.
pub(crate) fn channel_from_parent(fd: RawFd) -> io::Result<OwnedFd> {
    let strange = |what| io::Error::new(io::ErrorKind::InvalidInput, what);
    if fd <= 2 {
        return Err(strange("it names a standard stream"));
    }
    // SAFETY: only whether such a descriptor is open is asked here, and the answer is checked.
    if unsafe { libc::fcntl(fd, libc::F_GETFD) } < 0 {
        return Err(strange("no such descriptor is open"));
    }
    // SAFETY:
    // - open: just asked; no other thread runs yet, so it cannot have been closed since;
    // - owned: the parent opened this number for this process and named it in the marker, which nothing else reads.
    let socket = unsafe { OwnedFd::from_raw_fd(fd) };
    if !leads_to_parent(&socket) {
        // Somebody else's descriptor: it is left as it was found.
        let _ = socket.into_raw_fd();
        return Err(strange("it does not lead to the parent of this process"));
    }
    rustix::io::fcntl_setfd(&socket, rustix::io::FdFlags::CLOEXEC)?;
    Ok(socket)
}

/// Whether it is a socket whose other end our parent was the last to use.
#[cfg(target_os = "macos")]
fn leads_to_parent(socket: &OwnedFd) -> bool {
    use std::os::fd::AsRawFd;
    let mut pid: libc::pid_t = 0;
    let mut size = size_of::<libc::pid_t>() as libc::socklen_t;
    // SAFETY: the descriptor is open, as it is borrowed; both places to write are our own, and the one is as long as the
    // other says.
    let code = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::SOL_LOCAL,
            libc::LOCAL_PEERPID,
            (&raw mut pid).cast(),
            &raw mut size,
        )
    };
    code == 0
        && rustix::process::Pid::from_raw(pid).is_some_and(|pid| Some(pid) == rustix::process::getppid())
}

/// Whether it is a socket that our parent has made.
#[cfg(target_os = "linux")]
pub(crate) fn leads_to_parent(socket: &OwnedFd) -> bool {
    rustix::net::sockopt::socket_peercred(socket)
        .is_ok_and(|peer| Some(peer.pid) == rustix::process::getppid())
}
