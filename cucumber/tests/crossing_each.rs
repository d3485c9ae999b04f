//! Handles that have no test beside the others: each one crosses open, and works on the other side as it did here.
#![cfg(unix)] // sockets with paths, programs of Unix: `open.rs` has what crosses anywhere
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

mod support;

use std::io::{Read, Write};
use std::net::UdpSocket;
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use cucumber::cucumber;
use serde::Serialize;
use serde::de::DeserializeOwned;
use support::Scratch;

/// There and back with all handles; what is waited for on the other side is there already.
fn round<T: Serialize + DeserializeOwned>(value: &T) -> T {
    let encoded = cucumber::encode(value).unwrap();
    cucumber::decode(&encoded.bytes, encoded.attachments).unwrap()
}

/// Waits no longer than this for what should be there.
const LIMIT: Option<Duration> = Some(Duration::from_secs(30));

#[cucumber]
struct Datagrams {
    inet: UdpSocket,
    unix: UnixDatagram,
}

#[test]
fn datagrams_arrive_at_a_socket_that_has_crossed() {
    let (unix, sender) = UnixDatagram::pair().unwrap();
    let here = Datagrams { inet: UdpSocket::bind("127.0.0.1:0").unwrap(), unix };
    here.inet.set_read_timeout(LIMIT).unwrap();
    here.unix.set_read_timeout(LIMIT).unwrap();
    let address = here.inet.local_addr().unwrap();
    let back = round(&here);
    drop(here);
    UdpSocket::bind("127.0.0.1:0").unwrap().send_to(b"inet", address).unwrap();
    sender.send(b"unix").unwrap();
    let mut received = [0; 8];
    assert_eq!(back.inet.recv(&mut received).unwrap(), 4);
    assert_eq!(&received[..4], b"inet");
    assert_eq!(back.unix.recv(&mut received).unwrap(), 4);
    assert_eq!(&received[..4], b"unix");
}

#[cucumber]
struct Door {
    listener: UnixListener,
    guest: UnixStream,
}

#[test]
fn a_unix_listener_crosses_open_and_in_plain_bytes_by_its_path() {
    let folder = Scratch::new("door");
    let path = folder.0.join("door.sock");
    let listener = UnixListener::bind(&path).unwrap();
    let guest = UnixStream::connect(&path).unwrap();
    let (mut host, _) = listener.accept().unwrap();
    let mut back = round(&Door { listener, guest });
    back.guest.write_all(b"knock").unwrap();
    host.set_read_timeout(LIMIT).unwrap();
    let mut heard = [0; 5];
    host.read_exact(&mut heard).unwrap();
    assert_eq!(&heard, b"knock");
    let mut other = UnixStream::connect(&path).unwrap();
    let (mut inside, _) = back.listener.accept().unwrap();
    inside.set_read_timeout(LIMIT).unwrap();
    other.write_all(b"again").unwrap();
    inside.read_exact(&mut heard).unwrap();
    assert_eq!(&heard, b"again");

    // The stream alone, in bytes that may outlive the process: connected anew to where it was.
    #[cucumber]
    struct Guest(UnixStream);
    let bytes = cucumber::to_bytes(&Guest(back.guest)).unwrap();
    let mut anew: Guest = cucumber::from_bytes(&bytes).unwrap();
    let (mut host, _) = back.listener.accept().unwrap();
    host.set_read_timeout(LIMIT).unwrap();
    anew.0.write_all(b"three").unwrap();
    host.read_exact(&mut heard).unwrap();
    assert_eq!(&heard, b"three");
}

#[cucumber]
struct Streams {
    stdin: Option<ChildStdin>,
    stdout: Option<ChildStdout>,
    stderr: Option<ChildStderr>,
}

/// Is not left behind, whatever becomes of the test.
struct Kept(Child);

impl Drop for Kept {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn the_streams_of_a_child_cross_where_the_child_cannot() {
    // Ends by itself, should a stream stay open somewhere.
    let mut command = Command::new("timeout");
    command.args(["30", "sh", "-c", "cat; echo done >&2"]);
    let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = Kept(command.spawn().unwrap());
    let (stdin, stdout) = (child.0.stdin.take(), child.0.stdout.take());
    let streams = Streams { stdin, stdout, stderr: child.0.stderr.take() };
    let mut back = round(&streams);
    drop(streams);
    back.stdin.take().unwrap().write_all(b"what is said").unwrap();
    let (mut said, mut complained) = (String::new(), String::new());
    back.stdout.unwrap().read_to_string(&mut said).unwrap();
    back.stderr.unwrap().read_to_string(&mut complained).unwrap();
    assert_eq!((said.as_str(), complained.as_str()), ("what is said", "done\n"));
}
