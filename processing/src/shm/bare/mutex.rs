//! Mutexes of others, around a number in shared memory: the robust one of the C library, and raw_sync's.

use std::sync::atomic::Ordering::Relaxed;

use super::Bare;
use crate::shm::segment::Segment;

/// Where the C library's mutex is in the segment.
const ROBUST: u64 = 1024;
/// Where raw_sync's is.
#[cfg(feature = "bench")]
const RAW_SYNC: u64 = 2048;

/// Makes both, once, before anybody else has the segment.
pub(super) fn make(segment: &Segment) {
    const { assert!(size_of::<libc::pthread_mutex_t>() <= 1024) };
    let mutex = segment.address(ROBUST) as *mut libc::pthread_mutex_t;
    let mut kind = std::mem::MaybeUninit::<libc::pthread_mutexattr_t>::uninit();
    // SAFETY: the place to write is our own.
    unsafe { libc::pthread_mutexattr_init(kind.as_mut_ptr()) };
    // SAFETY: it was made just now.
    unsafe { libc::pthread_mutexattr_setpshared(kind.as_mut_ptr(), libc::PTHREAD_PROCESS_SHARED) };
    // SAFETY: as before.
    unsafe { libc::pthread_mutexattr_setrobust(kind.as_mut_ptr(), libc::PTHREAD_MUTEX_ROBUST) };
    // SAFETY: the segment is longer than a page, nothing else uses its room there, and nobody has it yet.
    unsafe { libc::pthread_mutex_init(mutex, kind.as_ptr()) };
    #[cfg(feature = "bench")]
    {
        use raw_sync::locks::LockInit;
        let place = segment.address(RAW_SYNC) as *mut u8;
        // SAFETY: as above; the data that it guards is none, so the pointer to it is not followed.
        let made = unsafe { raw_sync::locks::Mutex::new(place, std::ptr::null_mut()) };
        debug_assert!(made.is_ok());
    }
}

impl Bare {
    /// Adds 1 under the C library's robust mutex.
    #[inline]
    pub fn add_robust(&self) {
        let mutex = self.0.address(ROBUST) as *mut libc::pthread_mutex_t;
        // SAFETY: `make` has made it, and the segment stays mapped as long as `self`.
        if unsafe { libc::pthread_mutex_lock(mutex) } == 0 {
            let word = self.word();
            word.store(word.load(Relaxed) + 1, Relaxed);
            // SAFETY: as before, and this thread has it.
            unsafe { libc::pthread_mutex_unlock(mutex) };
        }
    }

    /// Adds 1 so many times, each under raw_sync's mutex.
    #[cfg(feature = "bench")]
    pub fn add_raw_sync(&self, times: u64) {
        use raw_sync::locks::LockInit;
        let place = self.0.address(RAW_SYNC) as *mut u8;
        // SAFETY: `make` has made it, the segment stays mapped as long as `self`, and the data that it guards is none.
        let Ok((lock, _)) = (unsafe { raw_sync::locks::Mutex::from_existing(place, std::ptr::null_mut()) })
        else {
            return;
        };
        let word = self.word();
        for _ in 0..times {
            if let Ok(_guard) = lock.lock() {
                word.store(word.load(Relaxed) + 1, Relaxed);
            }
        }
    }
}
