//! Noise, and where to send it: what a process does that has gone wrong.

use std::fs;
use std::io::IoSlice;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd, RawFd};

use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};
use rustix::process::{PidfdFlags, PidfdGetfdFlags, getpid, pidfd_getfd, pidfd_open};

/// Numbers without a pattern, the same in every run.
#[derive(Debug)]
pub struct Noise(pub u64);

impl Noise {
    /// One of them that is less than this.
    pub fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % limit
    }

    /// So many bytes.
    pub fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.below(256) as u8).collect()
    }

    /// Likely to be taken for something: small numbers, the largest ones, anything.
    pub fn word(&mut self) -> [u8; 8] {
        let word = match self.below(4) {
            0 => 0,
            1 => self.below(100) as u64,
            2 => u64::MAX - self.below(3) as u64,
            _ => self.0,
        };
        word.to_le_bytes()
    }

    /// Sends a piece of up to so many bytes, with or without descriptors: none of it, all of it or a part of it looks
    /// like a packet.
    ///
    /// # Panics
    /// If there is no descriptor left to send.
    pub fn shout_at(&mut self, socket: &OwnedFd, most: usize) {
        let length = self.below(most);
        let mut bytes = self.bytes(length);
        if self.below(3) > 0 {
            let body = bytes.len() as u32;
            let mut header = body.to_le_bytes().to_vec();
            header.extend([self.below(12) as u8, self.below(2) as u8, self.below(3) as u8, 0]);
            header.append(&mut bytes);
            bytes = header;
        }
        let null = || fs::File::open("/dev/null").expect("it is there");
        let files: Vec<_> = (0..self.below(3)).map(|_| null()).collect();
        let fds: Vec<_> = files.iter().map(AsFd::as_fd).collect();
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(3))];
        let mut ancillary = SendAncillaryBuffer::new(&mut space);
        if !fds.is_empty() {
            assert!(ancillary.push(SendAncillaryMessage::ScmRights(&fds)));
        }
        let flags = SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
        let _ = sendmsg(socket, &[IoSlice::new(&bytes)], &mut ancillary, flags);
    }
}

/// The descriptors of a process, and what they lead to.
#[must_use]
pub fn held(pid: u32) -> Vec<(RawFd, String)> {
    let entries = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
    let held = entries.filter_map(|entry| {
        let number = entry.file_name().to_str()?.parse().ok()?;
        Some((number, fs::read_link(entry.path()).ok()?.to_string_lossy().into_owned()))
    });
    held.collect()
}

/// The sockets that this process holds, each by a descriptor more.
///
/// # Panics
/// If the system gives no handle of this process.
#[must_use]
pub fn sockets() -> Vec<OwnedFd> {
    let own = pidfd_open(getpid(), PidfdFlags::empty()).expect("a handle");
    let is_socket = |(_, target): &(RawFd, String)| target.starts_with("socket:");
    let numbers = held(std::process::id()).into_iter().filter(is_socket).map(|(number, _)| number);
    numbers.filter_map(|number| pidfd_getfd(&own, number, PidfdGetfdFlags::empty()).ok()).collect()
}
