//! Sockets in plain bytes: what they are bound to again, and how.
#![cfg(target_os = "linux")] // sockets with paths
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

mod support;

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, UdpSocket};
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use std::path::Path;
use std::time::{Duration, Instant};

use cucumber::cucumber;
use support::Scratch;

#[test]
fn a_name_that_is_left_over_is_taken_over_and_no_other() {
    #[cucumber]
    struct Server {
        listener: UnixListener,
        mailbox: UnixDatagram,
    }
    let folder = Scratch::new("names");
    let (name, box_name) = (folder.0.join("listener"), folder.0.join("mailbox"));
    let listener = UnixListener::bind(&name).unwrap();
    listener.set_nonblocking(true).unwrap();
    let server = Server { listener, mailbox: UnixDatagram::bind(&box_name).unwrap() };
    let bytes = cucumber::to_bytes(&server).unwrap();
    let again = || cucumber::from_bytes::<Server>(&bytes);
    let refused = |path: &str| {
        let error = again().err().unwrap();
        assert!(error.to_string().contains("in use"), "{error}");
        assert_eq!(error.path(), path);
    };

    // Somebody is there still; also if nobody has the time to answer.
    refused("listener");
    let knocks: Vec<UnixStream> = (0..).map_while(|_| knock(&name)).collect();
    assert!(!knocks.is_empty());
    refused("listener");
    let Server { listener, mailbox } = server;
    drop((listener, knocks));
    refused("mailbox");
    drop(mailbox);

    let back = again().unwrap();
    assert_eq!(back.listener.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
    back.listener.set_nonblocking(false).unwrap();
    let mut client = UnixStream::connect(&name).unwrap();
    client.write_all(b"hi").unwrap();
    let mut word = [0; 2];
    back.listener.accept().unwrap().0.read_exact(&mut word).unwrap();
    assert_eq!(&word, b"hi");

    // What is no socket stays, whatever it is called.
    drop(back);
    std::fs::remove_file(&name).unwrap();
    std::fs::write(&name, "kept").unwrap();
    refused("listener");
    assert_eq!(std::fs::read_to_string(&name).unwrap(), "kept");
}

/// One more who wants to be let in, as long as there is room for those who wait.
fn knock(name: &Path) -> Option<UnixStream> {
    use rustix::net::{self, AddressFamily, SocketAddrUnix, SocketType};

    let socket = net::socket(AddressFamily::UNIX, SocketType::STREAM, None).unwrap();
    rustix::io::ioctl_fionbio(&socket, true).unwrap();
    net::connect(&socket, &SocketAddrUnix::new(name).unwrap()).is_ok().then(|| UnixStream::from(socket))
}

#[test]
fn what_does_not_block_does_not_block_there_either() {
    #[cucumber]
    struct Ends {
        listener: TcpListener,
        socket: UdpSocket,
    }
    let ends = |non_blocking: bool| {
        let ends = Ends {
            listener: TcpListener::bind("127.0.0.1:0").unwrap(),
            socket: UdpSocket::bind("127.0.0.1:0").unwrap(),
        };
        ends.listener.set_nonblocking(non_blocking).unwrap();
        ends.socket.set_nonblocking(non_blocking).unwrap();
        ends
    };
    let bytes = cucumber::to_bytes(&ends(true)).unwrap();
    let back: Ends = cucumber::from_bytes(&bytes).unwrap();
    assert_eq!(back.listener.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
    assert_eq!(back.socket.recv(&mut [0]).unwrap_err().kind(), ErrorKind::WouldBlock);

    let bytes = cucumber::to_bytes(&ends(false)).unwrap();
    let back: Ends = cucumber::from_bytes(&bytes).unwrap();
    back.socket.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
    let begin = Instant::now();
    assert!(back.socket.recv(&mut [0]).is_err());
    assert!(begin.elapsed() >= Duration::from_millis(40));
}
