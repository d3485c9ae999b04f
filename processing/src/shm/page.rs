//! One fixed piece of shared memory, seen as a struct of atomics.

use std::fmt;
use std::io;
use std::marker::PhantomData;
use std::mem::offset_of;
use std::ops::Deref;
use std::sync::Arc;

use crate::sys::{self, AsFd, BorrowedFd, Mapping, OwnedFd};

/// A struct that may lie in memory which other processes write at any time.
///
/// # Safety
/// Every field is an atomic, an array of such or a struct of such, in `repr(C)`; and all-zero bytes are a valid value.
pub(crate) unsafe trait Shared: Sized {}

// SAFETY: an atomic, for which zero is a valid value.
unsafe impl Shared for std::sync::atomic::AtomicU32 {}

/// A `T` in memory that is shared by descriptor; it has no name and ends with its last descriptor.
pub(crate) struct Page<T> {
    whole: Arc<Whole>,
    /// Where in the mapping it lies.
    at: usize,
    shape: PhantomData<T>,
}

/// What is mapped, which may be more than one page.
struct Whole {
    map: Mapping,
    file: OwnedFd,
}

/// Two in the same memory, by one descriptor.
#[repr(C)]
#[derive(Debug)]
pub(crate) struct Both<A, B> {
    one: A,
    other: B,
}

// SAFETY: two structs that may lie in such memory, in `repr(C)`; zeroes are valid values of both.
unsafe impl<A: Shared, B: Shared> Shared for Both<A, B> {}

impl<A: Shared, B: Shared> Page<Both<A, B>> {
    /// Each by itself; the descriptor of either leads to both.
    pub(crate) fn split(self) -> (Page<A>, Page<B>) {
        let whole = Arc::clone(&self.whole);
        let one = Page { whole, at: self.at + offset_of!(Both<A, B>, one), shape: PhantomData };
        let other =
            Page { whole: self.whole, at: self.at + offset_of!(Both<A, B>, other), shape: PhantomData };
        (one, other)
    }
}

impl<T: Shared> Page<T> {
    /// A new one, all zeroes. It can neither shrink nor grow, so that no access can ever fault.
    pub(crate) fn new(name: &str) -> io::Result<Self> {
        Page::map(sys::fixed_memory(name, size_of::<T>() as u64)?)
    }

    /// One that another process has made.
    pub(crate) fn open(file: OwnedFd) -> io::Result<Self> {
        if sys::fixed_length(&file)? != sys::length_of(size_of::<T>() as u64) {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "shared memory of another shape than this build's",
            ));
        }
        Page::map(file)
    }

    fn map(file: OwnedFd) -> io::Result<Self> {
        let map = Mapping::new(&file, size_of::<T>())?;
        Ok(Page { whole: Arc::new(Whole { map, file }), at: 0, shape: PhantomData })
    }
}

impl<T: Shared> Deref for Page<T> {
    type Target = T;

    fn deref(&self) -> &T {
        let place = self.whole.map.start().wrapping_add(self.at);
        // SAFETY:
        // - aligned: a mapping begins at a page, no `Shared` type asks for more than that, and `at` is 0 or the offset of
        //   a field;
        // - in bounds: the mapping is as long as `T`, or as the struct that has it as its field at `at`, and the seal
        //   keeps the file behind it as long;
        // - initialised: new pages are zero, a valid `T` by the trait's contract, and so is anything written since;
        // - aliasing: `T` holds only atomics, so others may write meanwhile; the mapping lives as long as `self`.
        unsafe { &*place.cast::<T>() }
    }
}

impl<T> AsFd for Page<T> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.whole.file.as_fd()
    }
}

impl<T> fmt::Debug for Page<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Page").field("file", &self.whole.file).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

    use super::*;

    #[repr(C)]
    struct Words([AtomicU64; 4]);

    // SAFETY: an array of atomics in `repr(C)`; zero is a valid value for each.
    unsafe impl Shared for Words {}

    #[test]
    fn memory_that_can_shrink_is_not_mapped() {
        let page = Page::<Words>::new("test").unwrap();
        assert!(sys::set_file_length(&page, 0).is_err(), "it can be made shorter");
        let unsealed = sys::memory_file("test").unwrap();
        sys::set_file_length(&unsealed, size_of::<Words>() as u64).unwrap();
        assert!(Page::<Words>::open(unsealed).is_err());
        let longer = Page::<[AtomicWord; 1024]>::new("test").unwrap();
        assert!(Page::<Words>::open(longer.as_fd().try_clone_to_owned().unwrap()).is_err());
    }

    #[test]
    fn two_in_the_same_memory_are_two() {
        let whole = Page::<Both<AtomicU32, Words>>::new("test").unwrap();
        let again =
            Page::<Both<AtomicU32, Words>>::open(whole.as_fd().try_clone_to_owned().unwrap()).unwrap();
        let ((one, other), (same_one, same_other)) = (whole.split(), again.split());
        one.store(1, Ordering::Relaxed);
        other.0[3].store(3, Ordering::Relaxed);
        drop((one, other));
        assert_eq!(same_one.load(Ordering::Relaxed), 1);
        drop(same_one);
        assert_eq!(same_other.0.each_ref().map(|word| word.load(Ordering::Relaxed)), [0, 0, 0, 3]);
    }

    #[repr(transparent)]
    struct AtomicWord(AtomicU64);

    // SAFETY: an array of atomics; zero is a valid value for each.
    unsafe impl Shared for [AtomicWord; 1024] {}
}
