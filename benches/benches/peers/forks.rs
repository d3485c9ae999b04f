//! The least that a fork server can be: it is sent one end of a socket pair, and its copy answers there.

use std::io::{IoSlice, IoSliceMut, Read, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::{Child, Command};

use fork::Fork;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags, recvmsg, sendmsg,
};
use rustix::process::{WaitOptions, wait};

pub(crate) struct ForkServer {
    socket: UnixStream,
    child: Child,
}

impl ForkServer {
    pub(crate) fn start() -> Self {
        let (socket, theirs) = UnixStream::pair().expect("a socket pair");
        let mut command = Command::new("/proc/self/exe");
        let command = command.env(crate::CHILD, "fork server").stdin(OwnedFd::from(theirs));
        ForkServer { socket, child: command.spawn().expect("it starts") }
    }

    /// Has a copy made, and waits for what it has to say of a number.
    pub(crate) fn ask(&self, number: u64) -> u64 {
        let (mut ours, theirs) = UnixStream::pair().expect("a socket pair");
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut ancillary = SendAncillaryBuffer::new(&mut space);
        let fds = [theirs.as_fd()];
        assert!(ancillary.push(SendAncillaryMessage::ScmRights(&fds)));
        sendmsg(&self.socket, &[IoSlice::new(&[0])], &mut ancillary, SendFlags::NOSIGNAL)
            .expect("the server lives");
        ours.write_all(&number.to_le_bytes()).expect("there is room");
        drop(theirs);
        let mut answer = [0; 8];
        ours.read_exact(&mut answer).expect("the copy answers");
        u64::from_le_bytes(answer)
    }
}

impl Drop for ForkServer {
    fn drop(&mut self) {
        self.socket.shutdown(std::net::Shutdown::Both).expect("it was open");
        self.child.wait().expect("it was not waited for");
    }
}

/// What the server does.
pub(crate) fn serve() {
    let channel = std::io::stdin().as_fd().try_clone_to_owned().expect("a descriptor");
    while let Some(socket) = next(&channel) {
        if let Fork::Child = fork::fork().expect("a copy") {
            return answer(UnixStream::from(socket));
        }
        while let Ok(Some(_)) = wait(WaitOptions::NOHANG) {}
    }
}

fn answer(mut socket: UnixStream) {
    let mut number = [0; 8];
    socket.read_exact(&mut number).expect("a number");
    let twice = 2 * u64::from_le_bytes(number);
    socket.write_all(&twice.to_le_bytes()).expect("somebody waits");
}

fn next(channel: &OwnedFd) -> Option<OwnedFd> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    recvmsg(channel, &mut [IoSliceMut::new(&mut [0])], &mut ancillary, RecvFlags::CMSG_CLOEXEC).ok()?;
    ancillary.drain().find_map(|message| match message {
        RecvAncillaryMessage::ScmRights(mut fds) => fds.next(),
        _ => None,
    })
}
