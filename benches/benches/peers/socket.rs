//! The least there is: a socket pair, one end of which is the child's standard input.

use std::io::{ErrorKind, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::{Child, Command};

pub(crate) struct Stream {
    socket: UnixStream,
    child: Child,
}

impl Stream {
    pub(crate) fn start() -> Self {
        let (ours, theirs) = UnixStream::pair().expect("a socket pair");
        let child = Command::new("/proc/self/exe")
            .env(crate::CHILD, "socket")
            .stdin(OwnedFd::from(theirs))
            .spawn()
            .expect("it starts");
        Stream { socket: ours, child }
    }

    pub(crate) fn round(&mut self, message: &[u8]) -> Vec<u8> {
        send(&mut self.socket, message);
        receive(&mut self.socket).expect("the child lives")
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.socket.shutdown(std::net::Shutdown::Both).expect("it was open");
        self.child.wait().expect("it was not waited for");
    }
}

/// What the child does.
pub(crate) fn echo() {
    let socket = std::io::stdin().as_fd().try_clone_to_owned().expect("a descriptor");
    let mut socket = UnixStream::from(socket);
    while let Some(message) = receive(&mut socket) {
        send(&mut socket, &message);
    }
}

fn send(socket: &mut UnixStream, message: &[u8]) {
    let mut framed = (message.len() as u64).to_le_bytes().to_vec();
    framed.extend_from_slice(message);
    socket.write_all(&framed).expect("the other side lives");
}

/// `None` at the end of the stream.
fn receive(socket: &mut UnixStream) -> Option<Vec<u8>> {
    let mut length = [0; 8];
    match socket.read_exact(&mut length) {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => return None,
        Err(error) => panic!("the other side lives: {error}"),
    }
    let mut message = vec![0; u64::from_le_bytes(length) as usize];
    socket.read_exact(&mut message).expect("the rest of the message");
    Some(message)
}
