//! One fixed piece of shared memory, seen as a struct of atomics.

use std::fmt;
use std::io;
use std::marker::PhantomData;
use std::ops::Deref;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use memmap2::{MmapOptions, MmapRaw};
use rustix::fs::{SealFlags, fcntl_add_seals, fcntl_get_seals, fstat, ftruncate};

use crate::sys;

/// A struct that may lie in memory which other processes write at any time.
///
/// # Safety
/// Every field is an atomic, an array of such or a struct of such, in `repr(C)`; and all-zero bytes are a valid value.
pub(crate) unsafe trait Shared: Sized {}

// SAFETY: an atomic, for which zero is a valid value.
unsafe impl Shared for std::sync::atomic::AtomicU32 {}

/// A `T` in memory that is shared by descriptor; it has no name and ends with its last descriptor.
pub(crate) struct Page<T> {
    map: MmapRaw,
    file: OwnedFd,
    shape: PhantomData<T>,
}

impl<T: Shared> Page<T> {
    /// A new one, all zeroes. It can neither shrink nor grow, so that no access can ever fault.
    pub(crate) fn new(name: &str) -> io::Result<Self> {
        let file = sys::memory_file(name)?;
        ftruncate(&file, size_of::<T>() as u64)?;
        fcntl_add_seals(&file, SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL)?;
        Page::map(file)
    }

    /// One that another process has made.
    pub(crate) fn open(file: OwnedFd) -> io::Result<Self> {
        let sealed = fcntl_get_seals(&file)?.contains(SealFlags::SHRINK);
        if !sealed || u64::try_from(fstat(&file)?.st_size).ok() != Some(size_of::<T>() as u64) {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "shared memory of another shape than this build's",
            ));
        }
        Page::map(file)
    }

    fn map(file: OwnedFd) -> io::Result<Self> {
        let map = MmapOptions::new().len(size_of::<T>()).map_raw(&file)?;
        Ok(Page { map, file, shape: PhantomData })
    }
}

impl<T: Shared> Deref for Page<T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY:
        // - aligned: a mapping begins at a page, and no `Shared` type asks for more than that;
        // - in bounds: the mapping is as long as `T`, and the seal keeps the file behind it as long;
        // - initialised: new pages are zero, a valid `T` by the trait's contract, and so is anything written since;
        // - aliasing: `T` holds only atomics, so others may write meanwhile; the mapping lives as long as `self`.
        unsafe { &*self.map.as_mut_ptr().cast::<T>() }
    }
}

impl<T> AsFd for Page<T> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

impl<T> fmt::Debug for Page<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Page").field("file", &self.file).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU64;

    use super::*;

    #[repr(C)]
    struct Words([AtomicU64; 4]);

    // SAFETY: an array of atomics in `repr(C)`; zero is a valid value for each.
    unsafe impl Shared for Words {}

    #[test]
    fn memory_that_can_shrink_is_not_mapped() {
        let page = Page::<Words>::new("test").unwrap();
        assert!(ftruncate(&page, 0).is_err(), "it can be made shorter");
        let unsealed = sys::memory_file("test").unwrap();
        ftruncate(&unsealed, size_of::<Words>() as u64).unwrap();
        assert!(Page::<Words>::open(unsealed).is_err());
        let longer = Page::<[AtomicWord; 8]>::new("test").unwrap();
        assert!(Page::<Words>::open(longer.as_fd().try_clone_to_owned().unwrap()).is_err());
    }

    #[repr(transparent)]
    struct AtomicWord(AtomicU64);

    // SAFETY: an array of atomics; zero is a valid value for each.
    unsafe impl Shared for [AtomicWord; 8] {}
}
