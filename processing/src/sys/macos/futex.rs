//! Words in memory that threads of several processes sleep at. The system has had this since macOS 14.4.

use std::sync::atomic::AtomicU32;
use std::time::Duration;

/// Sleeps while the word is `expected`, until it is woken; may return for no reason.
pub(crate) fn wait(word: &AtomicU32, expected: u32, at_most: Option<Duration>) {
    let (place, value) = (word.as_ptr().cast(), u64::from(expected));
    let flags = libc::OS_SYNC_WAIT_ON_ADDRESS_SHARED;
    let Some(time) = at_most else {
        // SAFETY: the word is there as long as the borrow, is aligned, and is of the size that is given.
        unsafe { libc::os_sync_wait_on_address(place, value, size_of::<u32>(), flags) };
        return;
    };
    // None at all would be an error.
    let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX).max(1);
    let clock = libc::OS_CLOCK_MACH_ABSOLUTE_TIME;
    // SAFETY: as above.
    unsafe {
        libc::os_sync_wait_on_address_with_timeout(place, value, size_of::<u32>(), flags, clock, nanos)
    };
}

/// Wakes one sleeper, or all for more than one, and says whether there were any.
pub(crate) fn wake(word: &AtomicU32, count: u32) -> u32 {
    let place = word.as_ptr().cast();
    let flags = libc::OS_SYNC_WAKE_BY_ADDRESS_SHARED;
    let code = if count == 1 {
        // SAFETY: the word is there as long as the borrow; nothing is read or written.
        unsafe { libc::os_sync_wake_by_address_any(place, size_of::<u32>(), flags) }
    } else {
        // SAFETY: as above.
        unsafe { libc::os_sync_wake_by_address_all(place, size_of::<u32>(), flags) }
    };
    u32::from(code == 0)
}

/// Wakes all of them.
pub(crate) fn wake_all(word: &AtomicU32) {
    wake(word, u32::MAX);
}
