//! Words in memory that threads of several processes sleep at.

use std::sync::atomic::AtomicU32;
use std::time::Duration;

use rustix::thread::futex;

/// Sleeps while the word is `expected`, until it is woken; may return for no reason.
#[inline]
pub(crate) fn wait(word: &AtomicU32, expected: u32, at_most: Option<Duration>) {
    let time = at_most.map(|time| futex::Timespec {
        tv_sec: time.as_secs().try_into().unwrap_or(i64::MAX),
        tv_nsec: time.subsec_nanos().into(),
    });
    // Being woken, a changed word, a signal and the time running out all mean: look again.
    let _ = futex::wait(word, futex::Flags::empty(), expected, time.as_ref());
}

/// Wakes up to `count` sleepers and says how many that were.
#[inline]
pub(crate) fn wake(word: &AtomicU32, count: u32) -> u32 {
    futex::wake(word, futex::Flags::empty(), count).unwrap_or(0) as u32
}

/// Wakes all of them.
#[inline]
pub(crate) fn wake_all(word: &AtomicU32) {
    wake(word, i32::MAX as u32);
}
