//! The primitives alone, for benches to compare with.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::lock::futex::Robust;
use super::lock::{acquire, release};
use super::robust::Thread;
use super::segment::Segment;
use crate::sys::OwnedFd;

mod lane;
mod mutex;

pub use lane::BarePipe;

/// A number in shared memory, with a robust lock beside it and nothing else.
#[derive(Debug)]
pub struct Bare(Segment);

const COUNTER: u64 = 256;

impl Bare {
    /// A number that is 0.
    ///
    /// # Panics
    ///
    /// When the system has no memory.
    #[must_use]
    #[expect(clippy::new_without_default, clippy::expect_used, reason = "for benches only")]
    pub fn new() -> Bare {
        let segment = Segment::create("bare", 1 << 16, 1 << 16).expect("memory");
        mutex::make(&segment);
        Bare(segment)
    }

    #[expect(clippy::expect_used, reason = "for benches only")]
    fn word(&self) -> &AtomicU64 {
        self.0.word(COUNTER).expect("in bounds")
    }

    /// The number.
    #[must_use]
    pub fn get(&self) -> u64 {
        self.word().load(SeqCst)
    }

    /// Adds 1 with one atomic instruction.
    #[inline]
    pub fn add(&self) {
        self.word().fetch_add(1, SeqCst);
    }

    /// Adds 1 under the lock, if that works.
    #[inline]
    pub fn add_locked(&self) {
        let Ok(thread) = Thread::current() else { return };
        let robust = Robust::lock(&self.0, thread);
        if acquire(robust.word, &robust, thread.tid, None).is_ok() {
            let word = self.word();
            word.store(word.load(Relaxed) + 1, Relaxed);
            release(robust.word, &robust, thread.tid);
        }
    }
}

impl Serialize for Bare {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let file = self.0.file().try_clone_to_owned().map_err(serde::ser::Error::custom)?;
        cucumber::scope::serialize(Box::new(file), serializer)
    }
}

impl<'de> Deserialize<'de> for Bare {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Bare, D::Error> {
        let file: OwnedFd = cucumber::scope::deserialize(deserializer)?;
        Segment::attach(file).map(Bare).map_err(serde::de::Error::custom)
    }
}
