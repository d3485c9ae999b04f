//! Shared memory as a place in this process, and which memory an address of this process belongs to.
//!
//! In front of what is mapped lies a [`Table`] of those who sleep at its words, for `futex`: in the section's first
//! stretch, which nobody else sees. So whoever has a word finds the table, by the address of the word.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::os::windows::io::AsRawHandle as _;
use std::ptr::NonNull;
use std::sync::{Arc, OnceLock, PoisonError, RwLock, Weak};

use windows_sys::Win32::System::Memory::{
    FILE_MAP_READ, FILE_MAP_WRITE, MEM_COMMIT, MEMORY_MAPPED_VIEW_ADDRESS, MapViewOfFile, PAGE_READWRITE,
    UnmapViewOfFile, VirtualAlloc,
};

use super::OwnedFd;
use super::doze::Doze;
use super::memory::is_set_aside;
use super::sleepers::{SLOTS, Table};
use super::touch;

/// How long the first stretch is: the unit of the addresses at which sections are mapped.
pub(super) const STRETCH: usize = 1 << 16;
const _: () = assert!(size_of::<Table>() <= STRETCH);

/// A piece of memory as it is mapped here, for as long as this lives.
///
/// It begins at a page, and is as long as was asked for. Others may write to it at any time.
#[derive(Debug)]
pub(crate) struct Mapping(Arc<View>);

/// A section as it is mapped: the first stretch, and what was asked for.
pub(super) struct View {
    base: NonNull<u8>,
    /// What its memory is known by in all processes, as it was when it was mapped.
    key: [u64; 2],
    /// What the sleepers in each slot sleep at, made when it is needed.
    dozes: OnceLock<Box<[OnceLock<Doze>]>>,
}

// SAFETY: the view is mapped for the whole process and stays until this is dropped; all that is reached by `base` are
// atomics.
unsafe impl Send for View {}
// SAFETY: as above.
unsafe impl Sync for View {}

/// Where a view ends, and whether its parts become memory as they are touched.
struct Known {
    end: usize,
    is_set_aside: bool,
    view: Weak<View>,
}

/// The views of this process, by where they begin. Whoever holds this lock touches none of them.
static VIEWS: RwLock<BTreeMap<usize, Known>> = RwLock::new(BTreeMap::new());

impl Mapping {
    /// The first `length` bytes of what [`fixed_memory`](super::fixed_memory) made here or elsewhere.
    pub(crate) fn new(memory: &OwnedFd, length: usize) -> io::Result<Self> {
        let is_set_aside = is_set_aside(memory)?;
        if is_set_aside {
            touch::prepare()?;
        }
        let whole = STRETCH.checked_add(length).ok_or(io::ErrorKind::OutOfMemory)?;
        // SAFETY: the handle is open, as it is borrowed; the system refuses one that is no section, or a shorter one, or
        // one that may not be written.
        let base =
            unsafe { MapViewOfFile(memory.as_raw_handle(), FILE_MAP_READ | FILE_MAP_WRITE, 0, 0, whole) };
        let base = NonNull::new(base.Value.cast::<u8>()).ok_or_else(io::Error::last_os_error)?;
        let mut view = View { base, key: [0; 2], dozes: OnceLock::new() };
        if is_set_aside {
            // SAFETY: the stretch lies in a view of ours, and making memory of what is memory already changes nothing.
            let made = unsafe { VirtualAlloc(base.as_ptr().cast(), STRETCH, MEM_COMMIT, PAGE_READWRITE) };
            if made.is_null() {
                return Err(io::Error::last_os_error());
            }
        }
        view.key = view.table().key();
        let start = base.addr().get();
        let view = Arc::new(view);
        let known = Known { end: start + whole, is_set_aside, view: Arc::downgrade(&view) };
        VIEWS.write().unwrap_or_else(PoisonError::into_inner).insert(start, known);
        Ok(Mapping(view))
    }

    /// The same; most of it may never be touched.
    pub(crate) fn sparse(memory: &OwnedFd, length: usize) -> io::Result<Self> {
        Mapping::new(memory, length)
    }

    /// Where it begins.
    #[inline]
    pub(crate) fn start(&self) -> *mut u8 {
        self.0.base.as_ptr().wrapping_add(STRETCH)
    }

    /// What this memory is known by.
    pub(super) fn key(&self) -> [u64; 2] {
        self.0.key
    }

    /// For the maker, before anybody else has the memory.
    pub(super) fn set_key(&self, key: [u64; 2]) {
        self.0.table().set_key(key);
    }
}

impl View {
    /// The view in which this address lies, and how far from its beginning.
    pub(super) fn of(address: usize) -> Option<(Arc<View>, u64)> {
        let views = VIEWS.read().unwrap_or_else(PoisonError::into_inner);
        let (start, known) = views.range(..=address).next_back()?;
        let view = if address < known.end { known.view.upgrade() } else { None }?;
        Some((view, (address - start) as u64))
    }

    /// Who sleeps at the words of this memory.
    pub(super) fn table(&self) -> &Table {
        // SAFETY:
        // - aligned: a view begins at a page, and no atomic asks for more;
        // - in bounds: the view is at least one stretch long, which a table fits into;
        // - initialised: the stretch is memory since the view was made; new memory is zeroes, and any bits are a `Table`;
        // - aliasing: a `Table` holds only atomics, so others may write meanwhile; the view is there as long as `self`.
        unsafe { self.base.cast::<Table>().as_ref() }
    }

    /// What the owner of this slot sleeps at; `None` if the system refuses.
    pub(super) fn doze(&self, slot: usize) -> Option<&Doze> {
        let dozes = self.dozes.get_or_init(|| (0..SLOTS).map(|_| OnceLock::new()).collect());
        let place = dozes.get(slot)?;
        if place.get().is_none() {
            let [low, high] = self.key;
            // If somebody was faster, this one is closed again: both are the same to the system.
            let _ = place.set(Doze::open(&format!("{high:016x}{low:016x}-{slot}"))?);
        }
        place.get()
    }
}

/// The view around this address, if its parts become memory as they are touched: where it begins and ends.
pub(super) fn set_aside_around(address: usize) -> Option<(usize, usize)> {
    let views = VIEWS.read().unwrap_or_else(PoisonError::into_inner);
    let (start, known) = views.range(..=address).next_back()?;
    (known.is_set_aside && address < known.end).then_some((*start, known.end))
}

impl Drop for View {
    fn drop(&mut self) {
        // Before the system can give the addresses to another view.
        VIEWS.write().unwrap_or_else(PoisonError::into_inner).remove(&self.base.addr().get());
        let base = MEMORY_MAPPED_VIEW_ADDRESS { Value: self.base.as_ptr().cast() };
        // SAFETY: the view was mapped by `Mapping::new`, is unmapped here alone, and nobody borrows from `self` any more.
        unsafe { UnmapViewOfFile(base) };
    }
}

impl fmt::Debug for View {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("View").field("base", &self.base).finish_non_exhaustive()
    }
}
