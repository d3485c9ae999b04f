//! Telling a process from those that were forked off it.

use std::ptr;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed};
use std::sync::atomic::{AtomicPtr, AtomicU64};

use super::super::fault::Result;

/// A page that the kernel empties in the child of every fork, also of one that no library hears of.
static PAGE: AtomicPtr<u64> = AtomicPtr::new(ptr::null_mut());
/// The generation given out last. A child inherits it, so its own is always greater.
static GENERATIONS: AtomicU64 = AtomicU64::new(0);

/// A number that differs between a process and its forked children.
#[inline(always)]
pub(crate) fn generation() -> Result<u64> {
    let page = PAGE.load(Acquire);
    if !page.is_null() {
        // SAFETY: `make_page` leaked the page, so it stays; it is only used as this atomic.
        let generation = unsafe { AtomicU64::from_ptr(page) }.load(Relaxed);
        if generation != 0 {
            return Ok(generation);
        }
    }
    new_generation()
}

#[cold]
fn new_generation() -> Result<u64> {
    let mut page = PAGE.load(Acquire);
    if page.is_null() {
        page = make_page()?;
    }
    // SAFETY: as in `generation`.
    let word = unsafe { AtomicU64::from_ptr(page) };
    let new = GENERATIONS.fetch_add(1, Relaxed) + 1;
    match word.compare_exchange(0, new, AcqRel, Acquire) {
        Ok(_) => Ok(new),
        Err(other) => Ok(other),
    }
}

fn make_page() -> Result<*mut u64> {
    let mut map = memmap2::MmapMut::map_anon(4096)?;
    let page = map.as_mut_ptr();
    // SAFETY: the page is ours alone and holds nothing yet that a fork could lose.
    unsafe { rustix::mm::madvise(page.cast(), 4096, rustix::mm::Advice::LinuxWipeOnFork) }?;
    match PAGE.compare_exchange(ptr::null_mut(), page.cast(), AcqRel, Acquire) {
        Ok(_) => {
            // The page is part of the process from now on.
            let _ = std::mem::ManuallyDrop::new(map);
            Ok(page.cast())
        }
        Err(other) => Ok(other),
    }
}
