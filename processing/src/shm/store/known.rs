//! Making stores, and finding those that this process has already.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use super::super::fault::{Fault, Result};
use super::super::layout::{KIND, Layout, MAGIC, MAGIC_VALUE, MIXED, NAMESPACE, SEED, SMALLEST, TOP};
use super::super::segment::Segment;
use super::Store;
use crate::sys::{self, OwnedFd};

/// The stores of this process, so that one that arrives twice is mapped once: the same thread must find
/// itself the owner of a lock whichever way it came by it.
static KNOWN: Mutex<BTreeMap<Identity, Weak<Store>>> = Mutex::new(BTreeMap::new());

/// Device and number of a memory file.
pub(super) type Identity = (u64, u64);

impl Store {
    /// A new store, of at most `largest` bytes.
    pub(crate) fn create(kind: u64, largest: u64) -> Result<Arc<Store>> {
        let segment = Segment::create("processing-share", largest, SMALLEST)?;
        let layout = Layout::of(segment.len()).ok_or(Fault::Corrupt("length"))?;
        let words = [
            (KIND, kind),
            (SEED, sys::random()?),
            (NAMESPACE, sys::process_namespace().unwrap_or_default()),
            (TOP, layout.heap),
            (MAGIC, MAGIC_VALUE),
        ];
        for (at, value) in words {
            segment.word(at)?.store(value, Relaxed);
        }
        Store::know(segment, layout)
    }

    /// The store behind a descriptor that another process passed.
    pub(crate) fn attach(file: OwnedFd, kind: u64) -> Result<Arc<Store>> {
        let identity = Segment::identity(&file)?;
        let known =
            KNOWN.lock().unwrap_or_else(PoisonError::into_inner).get(&identity).and_then(Weak::upgrade);
        let store = match known {
            Some(store) => store,
            None => {
                let segment = Segment::attach(file)?;
                let layout = Layout::of(segment.len()).ok_or(Fault::Corrupt("length"))?;
                if sys::process_namespace() != Some(segment.word(NAMESPACE)?.load(Relaxed)) {
                    segment.word(MIXED)?.store(1, Relaxed);
                }
                Store::know(segment, layout)?
            }
        };
        if store.segment.word(MAGIC)?.load(Relaxed) != MAGIC_VALUE {
            return Err(Fault::Corrupt("not a share"));
        }
        if store.segment.word(KIND)?.load(Relaxed) != kind {
            return Err(Fault::Corrupt("a share of another type"));
        }
        Ok(store)
    }

    fn know(segment: Segment, layout: Layout) -> Result<Arc<Store>> {
        let identity = Segment::identity(&segment.file().try_clone_to_owned()?)?;
        let store = Arc::new(Store { segment, layout, identity });
        let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(other) = known.get(&identity).and_then(Weak::upgrade) {
            return Ok(other);
        }
        known.insert(identity, Arc::downgrade(&store));
        Ok(store)
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
        if known.get(&self.identity).is_some_and(|known| known.strong_count() == 0) {
            known.remove(&self.identity);
        }
    }
}
