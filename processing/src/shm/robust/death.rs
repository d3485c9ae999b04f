//! What the kernel does when an owner dies, in the words of the other `robust`.

use std::sync::atomic::AtomicU32;

use super::Thread;
use crate::sys;

/// Whether the system wakes a sleeper when a writer dies that owes it a wake-up.
pub(crate) const WAKES_AT_DEATH: bool = true;

/// Whether a lock that `me` has not taken belongs to nobody, whatever its word says.
pub(crate) fn is_nobody(owner: u32, me: Thread) -> bool {
    owner == me.tid || !sys::thread_exists(owner)
}

/// The kernel marks the words of the dead by itself.
#[inline]
pub(crate) fn mark_if_dead(_word: &AtomicU32, _seen: u32) {}
