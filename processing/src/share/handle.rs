//! `Share` itself.

use std::fmt;
use std::hash::Hasher;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use super::error::{ShareError, raise};
use super::operations::operations;
use super::place::Place;
use super::shareable::Shareable;
use crate::shm::layout::LARGEST;
use crate::shm::store::Store;

/// A value that any number of processes share.
///
/// It derefs to the handle of its type, so that fields, operators and methods are used as on a plain value; each use is
/// one atomic operation. Clones, and what arrives when a share is sent to another process, are the same share.
///
/// ```
/// use processing::{Share, Shareable};
///
/// #[derive(Shareable, Default)]
/// struct State { counter: u64, names: Vec<String> }
///
/// let mut share = Share::new(State::default())?;
/// share.counter += 1;
/// share.transaction(|state| {
///     state.counter += 1;
///     state.names.push(format!("number {}", state.counter));
/// });
/// assert_eq!(share.counter, 2);
/// assert_eq!(share.names, ["number 2"]);
/// # Ok::<(), processing::ShareError>(())
/// ```
pub struct Share<T: Shareable> {
    handle: T::Handle,
    root: Place,
    initial: u64,
    /// The version up to which `changed` has reported changes.
    seen: AtomicU32,
}

/// Tells stores of different types apart.
pub(super) fn kind_of<T: 'static>() -> u64 {
    #[expect(deprecated, reason = "its successor promises no stable function, and all processes must agree")]
    let mut hasher = std::hash::SipHasher::new();
    hasher.write(std::any::type_name::<T>().as_bytes());
    hasher.finish()
}

impl<T: Shareable> Share<T> {
    /// Shares `value`.
    ///
    /// # Errors
    ///
    /// When the system has no memory for it, or the value cannot be encoded.
    pub fn new(value: T) -> Result<Share<T>, ShareError> {
        Share::with_limit(value, LARGEST)
    }

    /// Shares `value`, in at most `bytes` bytes of memory (rounded up to a megabyte and to a power of two). Operations
    /// that need more fail.
    ///
    /// ```
    /// use processing::Share;
    ///
    /// let share = Share::with_limit(Vec::<String>::new(), 1 << 20)?;
    /// let error = (0..).find_map(|_| share.try_push("x".repeat(10_000)).err());
    /// assert!(error.is_some_and(|error| error.is_full()));
    /// # Ok::<(), processing::ShareError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When the system has no memory for it, or the value cannot be encoded or does not fit.
    pub fn with_limit(value: T, bytes: u64) -> Result<Share<T>, ShareError> {
        let largest = bytes.clamp(1 << 20, LARGEST).next_power_of_two();
        let store = Store::create(kind_of::<T>(), largest)?;
        let make = || {
            store.write(|writer| {
                let root = writer.allocate_zeroed(T::WORDS.max(1) * 8)?;
                value.store(writer, root)?;
                Ok::<_, ShareError>(root)
            })
        };
        let (root, initial) = (make()?, make()?);
        store.set_roots(root, initial)?;
        Ok(Share::at(store, root, initial))
    }

    /// The share in a store that exists.
    pub(crate) fn of(store: Arc<Store>) -> Result<Share<T>, ShareError> {
        let (root, initial) = store.roots()?;
        // Also of one that is stopped: whoever receives it may start it.
        store.look_over(|view| {
            view.block(root)?;
            view.block(initial).map(drop)
        })?;
        Ok(Share::at(store, root, initial))
    }

    fn at(store: Arc<Store>, root: u64, initial: u64) -> Share<T> {
        let seen = AtomicU32::new(store.version().unwrap_or_default());
        let root = Place { store, at: root };
        Share { handle: T::handle(root.again()), root, initial, seen }
    }

    pub(super) fn store(&self) -> &Arc<Store> {
        &self.root.store
    }

    /// Runs `body` as one operation: others see all of it or nothing, and it sees nothing of what others do meanwhile.
    ///
    /// If `body` panics, or its process is killed inside it, it has not happened. Using the share inside its own
    /// transaction joins it, and so does a transaction inside a transaction, which can be taken back by itself.
    ///
    /// ```
    /// use processing::Share;
    ///
    /// let share = Share::new((1_u32, 2_u32))?;
    /// let sum = share.transaction(|pair| {
    ///     pair.0 += 10;
    ///     pair.1 -= 1;
    ///     pair.0.get() + pair.1.get()
    /// });
    /// assert_eq!(sum, 12);
    /// # Ok::<(), processing::ShareError>(())
    /// ```
    ///
    /// # Panics
    ///
    /// With a [`ShareError`] as the payload, when the share is stopped, full or corrupt.
    #[track_caller]
    pub fn transaction<R>(&self, body: impl FnOnce(&mut T::Handle) -> R) -> R {
        let run = || {
            let transaction = self.store().begin()?;
            let result = body(&mut T::handle(self.root.again()));
            transaction.commit()?;
            Ok::<_, ShareError>(result)
        };
        run().unwrap_or_else(raise)
    }

    /// Like [`transaction`](Share::transaction), but if `body` returns an error, nothing has happened.
    ///
    /// ```
    /// use processing::{Share, ShareError};
    ///
    /// let share = Share::new(5_i64)?;
    /// let result = share.try_transaction(|balance| {
    ///     *balance -= 7;
    ///     if *balance < 0 { return Err("not enough".into()) }
    ///     Ok::<_, Box<dyn std::error::Error>>(())
    /// });
    /// assert!(result.is_err());
    /// assert_eq!(*share, 5);
    /// # Ok::<(), processing::ShareError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// What `body` returns; and when the share is stopped, full or corrupt.
    pub fn try_transaction<R, E: From<ShareError>>(
        &self,
        body: impl FnOnce(&mut T::Handle) -> Result<R, E>,
    ) -> Result<R, E> {
        let transaction = self.store().begin().map_err(ShareError::from)?;
        let result = body(&mut T::handle(self.root.again()))?;
        transaction.commit().map_err(ShareError::from)?;
        Ok(result)
    }

    operations! {
        /// The whole state as it is now, as a plain value.
        fn snapshot | try_snapshot(&self) -> T {
            self.root.read(|view, at| T::load(view, at))
        }

        /// Resets the state to what it was at first.
        fn clear | try_clear(&self) {
            self.root.write(|writer, at| {
                let initial = T::load(writer, self.initial)?;
                T::free(writer, at)?;
                initial.store(writer, at)
            })
        }
    }

    /// Waits until `condition` holds for the state. The thread sleeps while nothing changes.
    ///
    /// ```
    /// use processing::Share;
    ///
    /// let share = Share::new(0_u32)?;
    /// let other = share.clone();
    /// let thread = std::thread::spawn(move || (0..5).for_each(|_| { other.add(1); }));
    /// share.wait_until(|count| *count >= 5)?;
    /// # thread.join().unwrap();
    /// # Ok::<(), processing::ShareError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When the share is stopped, also while waiting, or corrupt, and inside a transaction.
    pub fn wait_until(&self, condition: impl FnMut(&T::Handle) -> bool) -> Result<(), ShareError> {
        self.wait(None, condition)
    }

    /// Like [`wait_until`](Share::wait_until), for at most `time`.
    ///
    /// # Errors
    ///
    /// As `wait_until`, and when the time is over ([`ShareError::is_timeout`]).
    pub fn wait_until_for(
        &self,
        time: Duration,
        condition: impl FnMut(&T::Handle) -> bool,
    ) -> Result<(), ShareError> {
        self.wait(Instant::now().checked_add(time), condition)
    }

    fn wait(
        &self,
        deadline: Option<Instant>,
        mut condition: impl FnMut(&T::Handle) -> bool,
    ) -> Result<(), ShareError> {
        self.store().wait_until(deadline, || Ok::<_, ShareError>(condition(&self.handle).then_some(())))
    }

    /// Waits until the state changes: after this share was made or received, or after `changed` last returned. A change
    /// in between is not missed.
    ///
    /// ```
    /// use std::time::Duration;
    /// use processing::Share;
    ///
    /// let share = Share::new(0_u32)?;
    /// share.set(1);
    /// share.changed()?;
    /// assert!(share.changed_for(Duration::from_millis(1)).unwrap_err().is_timeout());
    /// # Ok::<(), processing::ShareError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When the share is stopped, also while waiting, or corrupt, and inside a transaction.
    pub fn changed(&self) -> Result<(), ShareError> {
        self.wait_changed(None)
    }

    /// Like [`changed`](Share::changed), for at most `time`.
    ///
    /// # Errors
    ///
    /// As `changed`, and when the time is over ([`ShareError::is_timeout`]).
    pub fn changed_for(&self, time: Duration) -> Result<(), ShareError> {
        self.wait_changed(Instant::now().checked_add(time))
    }

    fn wait_changed(&self, deadline: Option<Instant>) -> Result<(), ShareError> {
        let version = self.store().wait_until(deadline, || {
            let version = self.store().version()?;
            Ok::<_, ShareError>((version != self.seen.load(Relaxed)).then_some(version))
        })?;
        self.seen.store(version, Relaxed);
        Ok(())
    }

    /// Makes every operation, of every process, fail until [`start`](Share::start). Operations in progress end first.
    ///
    /// # Errors
    ///
    /// Inside a transaction, and when the share is corrupt.
    pub fn stop(&self) -> Result<(), ShareError> {
        Ok(self.store().set_stopped(true)?)
    }

    /// Makes operations work again, on the state as it was.
    ///
    /// # Errors
    ///
    /// Inside a transaction, and when the share is corrupt.
    pub fn start(&self) -> Result<(), ShareError> {
        Ok(self.store().set_stopped(false)?)
    }

    /// Whether operations work.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.store().is_stopped().is_ok_and(|stopped| !stopped)
    }
}

impl<T: Shareable> Clone for Share<T> {
    fn clone(&self) -> Share<T> {
        Share::at(Arc::clone(self.store()), self.root.at, self.initial)
    }
}

impl<T: Shareable> Deref for Share<T> {
    type Target = T::Handle;

    #[inline]
    fn deref(&self) -> &T::Handle {
        &self.handle
    }
}

impl<T: Shareable> DerefMut for Share<T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T::Handle {
        &mut self.handle
    }
}

impl<T: Shareable> fmt::Debug for Share<T>
where
    T::Handle: fmt::Debug,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_running() {
            f.debug_tuple("Share").field(&self.handle).finish()
        } else {
            f.write_str("Share(stopped)")
        }
    }
}
