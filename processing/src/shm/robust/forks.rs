//! Telling a process from those that were forked off it, on any Unix.

use std::io;
use std::sync::OnceLock;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

use super::super::fault::{Fault, Result};

/// How often this process's line has forked.
static GENERATION: AtomicU64 = AtomicU64::new(1);

/// A number that differs between a process and its forked children.
pub(crate) fn generation() -> Result<u64> {
    static HOOK: OnceLock<i32> = OnceLock::new();
    // SAFETY: the function does nothing but count, which may be done in a child of any fork.
    match *HOOK.get_or_init(|| unsafe { libc::pthread_atfork(None, None, Some(count_fork)) }) {
        0 => Ok(GENERATION.load(Relaxed)),
        error => Err(Fault::Os(io::Error::from_raw_os_error(error))),
    }
}

extern "C" fn count_fork() {
    GENERATION.fetch_add(1, Relaxed);
}
