//! A ring that spins, yields and then sleeps at a futex, and knows nothing of death: the floor that pipes are compared with.

use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst};
use std::sync::atomic::{AtomicU8, AtomicU32, fence};
use std::time::{Duration, Instant};

use rustix::thread::futex;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::super::page::{Page, Shared};
use crate::sys::{AsFd, OwnedFd};

const ROOM: usize = 1 << 18;
const PIECE: usize = ROOM / 4;
const SPINS: u32 = 60;
const YIELDS: Duration = Duration::from_micros(50);

/// How many bytes were moved, and whether somebody sleeps until there are more.
#[repr(C, align(128))]
struct Count {
    moved: AtomicU32,
    asleep: AtomicU32,
}

impl Count {
    #[inline]
    fn advance(&self, by: usize) {
        self.moved.store(self.moved.load(Relaxed).wrapping_add(by as u32), Release);
        fence(SeqCst);
        if self.asleep.load(Relaxed) != 0 && self.asleep.swap(0, AcqRel) != 0 {
            let _ = futex::wake(&self.moved, futex::Flags::empty(), 1);
        }
    }

    #[inline]
    fn wait_while(&self, seen: u32) {
        for _ in 0..SPINS {
            if self.moved.load(Acquire) != seen {
                return;
            }
            std::hint::spin_loop();
        }
        let since = Instant::now();
        while since.elapsed() < YIELDS {
            if self.moved.load(Acquire) != seen {
                return;
            }
            std::thread::yield_now();
        }
        while self.moved.load(Acquire) == seen {
            self.asleep.swap(1, AcqRel);
            fence(SeqCst);
            let _ = futex::wait(&self.moved, futex::Flags::empty(), seen, None);
        }
    }
}

#[repr(C)]
struct Lane {
    written: Count,
    read: Count,
    data: [AtomicU8; ROOM],
}

impl Lane {
    fn write(&self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let written = self.written.moved.load(Relaxed);
            let (read, at) = (self.read.moved.load(Acquire), written as usize % ROOM);
            let room = ROOM - written.wrapping_sub(read) as usize;
            let count = bytes.len().min(room).min(ROOM - at).min(PIECE);
            if count == 0 {
                self.read.wait_while(read);
                continue;
            }
            let to = self.data[at..at + count].as_ptr().cast::<u8>().cast_mut();
            // SAFETY:
            // - in bounds: `to` points to `count` bytes of the ring, as the slice has just shown, and `bytes` has as many;
            // - writable: they are atomics, and the mapping is for writing;
            // - alone: the reader, which is this same code, does not touch them before `written` has moved on.
            unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), to, count) };
            self.written.advance(count);
            bytes = &bytes[count..];
        }
    }

    fn read(&self, mut bytes: &mut [u8]) {
        while !bytes.is_empty() {
            let read = self.read.moved.load(Relaxed);
            let (written, at) = (self.written.moved.load(Acquire), read as usize % ROOM);
            let count = bytes.len().min(written.wrapping_sub(read) as usize).min(ROOM - at).min(PIECE);
            if count == 0 {
                self.written.wait_while(written);
                continue;
            }
            let from = self.data[at..at + count].as_ptr().cast::<u8>();
            // SAFETY:
            // - in bounds: `from` points to `count` bytes of the ring, as the slice has just shown, and `bytes` has as many;
            // - alone: the writer, which is this same code, does not touch them before `read` has moved on.
            unsafe { std::ptr::copy_nonoverlapping(from, bytes.as_mut_ptr(), count) };
            self.read.advance(count);
            bytes = &mut bytes[count..];
        }
    }
}

#[repr(C)]
struct Lanes {
    down: Lane,
    up: Lane,
}

// SAFETY: atomics and structs of atomics only, in `repr(C)`; zero counts and flags are an empty ring.
unsafe impl Shared for Lanes {}

/// A ring each way, and nothing else. The end that is decoded is the other one.
#[derive(Debug)]
pub struct BarePipe {
    page: Page<Lanes>,
    is_first: bool,
}

impl BarePipe {
    /// Two empty rings.
    ///
    /// # Panics
    ///
    /// When the system has no memory.
    #[must_use]
    #[expect(clippy::new_without_default, clippy::expect_used, reason = "for benches only")]
    pub fn new() -> BarePipe {
        BarePipe { page: Page::new("bare").expect("memory"), is_first: true }
    }

    fn lanes(&self) -> (&Lane, &Lane) {
        let Lanes { down, up } = &*self.page;
        if self.is_first { (down, up) } else { (up, down) }
    }

    /// Sends a message; a short one as a whole.
    pub fn send(&self, message: &[u8]) {
        let (out, length) = (self.lanes().0, message.len() as u64);
        if let Ok(message) = <&[u8; 8]>::try_from(message) {
            let mut whole = [0; 16];
            whole[..8].copy_from_slice(&length.to_le_bytes());
            whole[8..].copy_from_slice(message);
            return out.write(&whole);
        }
        out.write(&length.to_le_bytes());
        out.write(message);
    }

    /// Receives the next message into a buffer.
    pub fn recv(&self, message: &mut Vec<u8>) {
        let (into, mut length) = (self.lanes().1, [0; 8]);
        into.read(&mut length);
        message.resize(u64::from_le_bytes(length) as usize, 0);
        into.read(message);
    }
}

impl Serialize for BarePipe {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let file = self.page.as_fd().try_clone_to_owned().map_err(serde::ser::Error::custom)?;
        cucumber::scope::serialize(Box::new(file), serializer)
    }
}

impl<'de> Deserialize<'de> for BarePipe {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<BarePipe, D::Error> {
        let file: OwnedFd = cucumber::scope::deserialize(deserializer)?;
        let page = Page::open(file).map_err(serde::de::Error::custom)?;
        Ok(BarePipe { page, is_first: false })
    }
}
