//! Files, sockets and pipes cross open, on every system.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

use std::fs::File;
use std::io::{BufReader, PipeReader, PipeWriter, Read, Seek, SeekFrom, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::path::PathBuf;

use cucumber::cucumber;
use serde::Serialize;
use serde::de::DeserializeOwned;

fn cross<T: Serialize + DeserializeOwned>(value: &T) -> cucumber::Result<T> {
    let encoded = cucumber::encode(value)?;
    cucumber::decode(&encoded.bytes, encoded.attachments)
}

/// A new file, gone with this.
struct Temporary(PathBuf);

impl Temporary {
    fn new(name: &str, content: &str) -> (Self, File) {
        let path = std::env::temp_dir().join(format!("cucumber-open-{}-{name}", std::process::id()));
        std::fs::write(&path, content).unwrap();
        let file = File::options().read(true).write(true).open(&path).unwrap();
        (Self(path), file)
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

#[test]
fn a_file_crosses_open_with_its_position() {
    #[cucumber]
    struct Job {
        log: Option<File>,
    }
    let (path, mut file) = Temporary::new("file", "");
    file.write_all(b"one ").unwrap();
    let job = Job { log: Some(file) };
    let back = cross(&job).unwrap();
    back.log.unwrap().write_all(b"two ").unwrap();
    job.log.unwrap().write_all(b"three").unwrap();
    assert_eq!(std::fs::read_to_string(&path.0).unwrap(), "one two three");
}

#[test]
fn sockets_and_pipes_cross_open() {
    #[cucumber]
    struct Ends {
        listener: TcpListener,
        socket: UdpSocket,
        stream: TcpStream,
        read: PipeReader,
        write: PipeWriter,
    }
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (read, write) = std::io::pipe().unwrap();
    let ends = Ends { listener, socket: UdpSocket::bind("127.0.0.1:0").unwrap(), stream, read, write };
    let address = ends.socket.local_addr().unwrap();
    let mut back = cross(&ends).unwrap();
    drop(ends);
    assert_eq!(back.socket.local_addr().unwrap(), address);
    let (mut other, _) = back.listener.accept().unwrap();
    let mut word = [0; 4];
    back.stream.write_all(b"tcp!").unwrap();
    other.read_exact(&mut word).unwrap();
    assert_eq!(&word, b"tcp!");
    back.write.write_all(b"pipe").unwrap();
    back.read.read_exact(&mut word).unwrap();
    assert_eq!(&word, b"pipe");
}

#[test]
fn a_file_in_plain_bytes_is_opened_again_or_a_clear_error() {
    #[cucumber]
    struct Job {
        log: File,
    }
    let (_path, mut log) = Temporary::new("plain", "one two");
    log.seek(SeekFrom::Start(4)).unwrap();
    let bytes = cucumber::to_bytes(&Job { log });
    if cfg!(target_os = "linux") {
        let mut back: Job = cucumber::from_bytes(&bytes.unwrap()).unwrap();
        let mut text = String::new();
        back.log.read_to_string(&mut text).unwrap();
        assert_eq!(text, "two");
    } else {
        let error = bytes.unwrap_err();
        assert_eq!(error.path(), "log");
        assert!(error.to_string().contains("use `cucumber::encode`"), "{error}");
    }
}

#[test]
fn no_byte_that_a_reader_holds_is_lost() {
    #[cucumber]
    struct Job {
        lines: BufReader<File>,
    }
    let (_path, file) = Temporary::new("reader", "one two");
    let mut job = Job { lines: BufReader::new(file) };
    let rest = |mut job: Job| {
        let mut text = String::new();
        job.lines.read_to_string(&mut text).unwrap();
        text
    };
    assert_eq!(rest(cross(&job).unwrap()), "one two");
    job.lines.seek(SeekFrom::Start(0)).unwrap();
    job.lines.read_exact(&mut [0; 4]).unwrap();
    let back = cross(&job);
    if cfg!(target_os = "linux") {
        assert_eq!(rest(back.unwrap()), "two");
    } else {
        let error = back.err().unwrap().to_string();
        assert!(error.contains("has read 3 bytes ahead"), "{error}");
    }
}
