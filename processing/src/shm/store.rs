//! A segment with state in it: who may touch it, and how.

use std::cell::{Cell, RefCell};
use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::Ordering::{Acquire, Relaxed};
use std::time::{Duration, Instant};

use super::fault::{Fault, Result};
use super::layout::{INITIAL, Layout, MAGIC, MIXED, ROOT, STOPPED};
use super::lock::futex::Robust;
use super::lock::{self, TID, Taken};
use super::log::{self, Commit};
use super::notify::Wake;
use super::planted::{Mistake, makes};
use super::robust::{Thread, is_nobody};
use super::segment::Segment;
use super::view::View;
use super::writer::{Tx, Writer};
use crate::sys::OwnedFd;

mod known;
#[cfg(test)]
mod tests;
mod transaction;
mod word;

use known::Identity;
pub(crate) use transaction::Transaction;
use transaction::{Attempt, Held, Part};

/// A segment, laid out, and mapped once in this process.
#[derive(Debug)]
pub(crate) struct Store {
    segment: Segment,
    layout: Layout,
    identity: Identity,
}

/// How long a thread that holds one store's lock waits for another's. Two threads that wait for each other
/// would do so for ever, and nobody can see both.
const PATIENCE_WITH_TWO: Duration = Duration::from_secs(2);
/// How long a thread waits before it looks whether anybody has the lock, and how often after that.
const PATIENCE: Duration = Duration::from_millis(250);
/// How often a reader tries its luck before it takes the lock.
const GAMBLES: u32 = 8;

thread_local! {
    /// How many transactions this thread is in, and of which generation of the process that count is.
    static DEPTH: Cell<(u64, usize)> = const { Cell::new((0, 0)) };
    static ACTIVE: RefCell<Vec<(*const Store, Tx)>> = const { RefCell::new(Vec::new()) };
}

impl Store {
    /// The file behind the store, for passing it on.
    pub(crate) fn file(&self) -> Result<OwnedFd> {
        Ok(self.segment.file().try_clone_to_owned()?)
    }

    #[cfg(test)]
    pub(crate) fn segment(&self) -> &Segment {
        &self.segment
    }

    #[cfg(all(test, unix))]
    pub(crate) fn layout(&self) -> &Layout {
        &self.layout
    }

    fn view(&self, since: Option<u64>) -> View<'_> {
        View { segment: &self.segment, layout: self.layout, since }
    }

    #[inline]
    fn check_running(&self) -> Result<()> {
        match self.segment.header().words[((STOPPED - MAGIC) / 8) as usize].load(Relaxed) {
            0 => Ok(()),
            _ => Err(Fault::Stopped),
        }
    }

    /// The committed version.
    pub(crate) fn version(&self) -> Result<u32> {
        Ok(Commit::of(self.segment.header().commit.load(Acquire)).version)
    }

    /// Whether this thread is inside a transaction on this store.
    #[inline]
    pub(crate) fn is_inside(&self, thread: Thread) -> bool {
        let (generation, depth) = DEPTH.get();
        depth != 0 && generation == thread.generation && self.is_active()
    }

    #[cold]
    fn is_active(&self) -> bool {
        ACTIVE.with(|active| {
            active.try_borrow().is_ok_and(|active| active.iter().any(|(store, _)| std::ptr::eq(*store, self)))
        })
    }

    /// Takes the lock, and brings the state into order if the one before died.
    #[inline(always)]
    fn lock(&self, thread: Thread) -> Result<()> {
        let robust = Robust::lock(&self.segment, thread);
        let mut patience = PATIENCE;
        if thread.held() != 0 {
            if robust.is_mine() {
                return Err(Fault::Reentrant);
            }
            thread.reserve()?;
            patience = PATIENCE_WITH_TWO;
        }
        let taken = match lock::acquire(robust.word, &robust, thread.tid, Some(patience)) {
            Ok(taken) => taken,
            Err(_) => self.lock_at_last(thread)?,
        };
        let commit = Commit::load(&self.segment);
        if (taken.after_death && !makes(Mistake::LastChangeUncounted) || commit.entries != 0)
            && !makes(Mistake::NothingTakenBack)
        {
            self.recover(commit).inspect_err(|_| drop(Held { store: self, thread }))?;
        }
        Ok(())
    }

    /// Goes on waiting for the lock, as long as somebody has it.
    #[cold]
    fn lock_at_last(&self, thread: Thread) -> Result<Taken> {
        let robust = Robust::lock(&self.segment, thread);
        loop {
            self.check_owner(&robust)?;
            if thread.held() != 0 {
                return Err(Fault::Patience);
            }
            match lock::acquire(robust.word, &robust, thread.tid, Some(PATIENCE)) {
                Err(Fault::Patience) => {}
                taken => return taken,
            }
        }
    }

    /// Refuses a lock that belongs to nobody: the kernel marks it before an owner's number is gone, so somebody has
    /// written that number who was not to.
    fn check_owner(&self, robust: &Robust<'_>) -> Result<()> {
        let owner = robust.word.load(Relaxed) & TID;
        if owner != 0
            && is_nobody(owner, robust.thread)
            && robust.word.load(Relaxed) & TID == owner
            && self.segment.word(MIXED)?.load(Relaxed) == 0
        {
            return Err(Fault::Corrupt("owner of the lock"));
        }
        Ok(())
    }

    /// Takes the lock until what is returned is dropped.
    fn hold(&self, thread: Thread) -> Result<Held<'_>> {
        self.lock(thread)?;
        Ok(Held { store: self, thread })
    }

    /// Takes back what a dead owner had half done.
    #[cold]
    fn recover(&self, mut commit: Commit) -> Result<()> {
        let entries = commit.entries;
        // Also without entries: a change of one word may have been made and not been counted.
        log::replay(&self.segment, &self.layout, &mut commit, 0)?;
        log::trim(&self.segment, &self.layout, entries);
        Ok(())
    }

    /// Looks at the state. What `look` sees at once, in one call, belongs together.
    ///
    /// `look` may be called again, so it must do nothing but look.
    #[inline]
    pub(crate) fn read<R, E: From<Fault> + AsFault>(
        &self,
        mut look: impl FnMut(&View<'_>) -> Result<R, E>,
    ) -> Result<R, E> {
        // Whoever is in no transaction needs not even know who it is.
        if DEPTH.get().1 != 0 && self.is_inside(Thread::current()?) {
            return look(&self.view(None));
        }
        let commit = &self.segment.header().commit;
        for _ in 0..GAMBLES {
            let since = commit.load(Acquire);
            if Commit::of(since).entries == 0 {
                let view = self.view(Some(since));
                let seen = self.check_running().map_err(E::from).and_then(|()| look(&view));
                if view.check().is_ok() && !seen.as_ref().is_err_and(|error| error.is_changed()) {
                    return seen;
                }
            }
            std::hint::spin_loop();
        }
        self.read_locked(&mut look)
    }

    /// Looks at the state even if the store is stopped.
    #[cold]
    pub(crate) fn look_over<R>(&self, look: impl FnOnce(&View<'_>) -> Result<R>) -> Result<R> {
        let thread = Thread::current()?;
        let _held = if self.is_inside(thread) { None } else { Some(self.hold(thread)?) };
        look(&self.view(None))
    }

    #[cold]
    fn read_locked<R, E: From<Fault>>(
        &self,
        look: &mut dyn FnMut(&View<'_>) -> Result<R, E>,
    ) -> Result<R, E> {
        let _held = self.hold(Thread::current()?)?;
        self.check_running()?;
        look(&self.view(None))
    }

    /// Makes a change of any size, as one.
    pub(crate) fn write<R, E: From<Fault>>(
        &self,
        change: impl FnOnce(&mut Writer<'_>) -> Result<R, E>,
    ) -> Result<R, E> {
        let thread = Thread::current()?;
        if self.is_inside(thread) {
            return self.join(change);
        }
        let _held = self.hold(thread)?;
        self.check_running()?;
        self.write_held(thread, change)
    }

    /// Stops or starts the store; works in either state.
    pub(crate) fn set_stopped(&self, stopped: bool) -> Result<()> {
        let thread = Thread::current()?;
        if self.is_inside(thread) {
            return Err(Fault::Reentrant);
        }
        let _held = self.hold(thread)?;
        self.set_word(thread, self.segment.word(STOPPED)?, u64::from(stopped), false);
        Ok(())
    }

    /// Whether the store is stopped.
    pub(crate) fn is_stopped(&self) -> Result<bool> {
        Ok(self.segment.word(STOPPED)?.load(Acquire) != 0)
    }

    /// The blocks that hold the state and what it was at first.
    pub(crate) fn roots(&self) -> Result<(u64, u64)> {
        Ok((self.segment.word(ROOT)?.load(Relaxed), self.segment.word(INITIAL)?.load(Relaxed)))
    }

    /// Says where the state is. For the maker, before anybody else knows the store.
    pub(crate) fn set_roots(&self, root: u64, initial: u64) -> Result<()> {
        self.segment.word(ROOT)?.store(root, Relaxed);
        self.segment.word(INITIAL)?.store(initial, Relaxed);
        Ok(())
    }

    fn write_held<R, E: From<Fault>>(
        &self,
        thread: Thread,
        change: impl FnOnce(&mut Writer<'_>) -> Result<R, E>,
    ) -> Result<R, E> {
        let mut tx = Tx::new(Commit::load(&self.segment));
        let mut attempt = Attempt { writer: self.writer(&mut tx, thread), done: false };
        let result = change(&mut attempt.writer)?;
        attempt.writer.commit()?;
        attempt.done = true;
        Ok(result)
    }

    fn writer<'a>(&'a self, tx: &'a mut Tx, thread: Thread) -> Writer<'a> {
        Writer { view: self.view(None), tx, thread }
    }

    /// Makes a change as part of the transaction that this thread is in; taken back if it fails.
    fn join<R, E: From<Fault>>(&self, change: impl FnOnce(&mut Writer<'_>) -> Result<R, E>) -> Result<R, E> {
        self.with_active(Thread::current()?, |writer| {
            let mark = writer.tx.mark();
            let Writer { view, thread, .. } = *writer;
            let writer = Writer { view, tx: &mut *writer.tx, thread };
            let mut part = Part { writer, mark, done: false };
            let result = change(&mut part.writer);
            part.done = result.is_ok();
            result
        })
    }

    /// Calls `body` with the writer of the transaction that this thread is in.
    fn with_active<R, E: From<Fault>>(
        &self,
        thread: Thread,
        body: impl FnOnce(&mut Writer<'_>) -> Result<R, E>,
    ) -> Result<R, E> {
        ACTIVE.with(|active| {
            let mut active = active.try_borrow_mut().map_err(|_| Fault::Reentrant)?;
            let found = active.iter_mut().rfind(|(store, _)| std::ptr::eq(*store, self));
            let (_, tx) = found.ok_or(Fault::Reentrant)?;
            body(&mut self.writer(tx, thread))
        })
    }

    /// Begins a transaction, or a part of the one that this thread is in.
    pub(crate) fn begin(self: &Arc<Store>) -> Result<Transaction> {
        let thread = Thread::current()?;
        let (generation, depth) = DEPTH.get();
        if generation != thread.generation {
            // A child of a fork has a copy of its parent's transactions; they are not its own.
            ACTIVE
                .with(|active| active.try_borrow_mut().map(|mut active| active.clear()))
                .map_err(|_| Fault::Reentrant)?;
        }
        let depth = if generation == thread.generation { depth } else { 0 };
        let mark = if depth != 0 && self.is_active() {
            Some(self.join(|writer| Ok::<_, Fault>(writer.tx.mark()))?)
        } else {
            let held = self.hold(thread)?;
            self.check_running()?;
            let tx = Tx::new(Commit::load(&self.segment));
            ACTIVE
                .with(|active| active.try_borrow_mut().map(|mut active| active.push((Arc::as_ptr(self), tx))))
                .map_err(|_| Fault::Reentrant)?;
            // Given up by the end of the transaction.
            let _ = std::mem::ManuallyDrop::new(held);
            None
        };
        DEPTH.set((thread.generation, depth + 1));
        Ok(Transaction { store: Arc::clone(self), thread, mark, open: true, not_send: PhantomData })
    }

    /// Waits until `look` has an answer; it is asked under the lock, at first and after every change.
    pub(crate) fn wait_until<R, E: From<Fault>>(
        self: &Arc<Store>,
        deadline: Option<Instant>,
        mut look: impl FnMut() -> Result<Option<R>, E>,
    ) -> Result<R, E> {
        let thread = Thread::current()?;
        if self.is_inside(thread) {
            return Err(Fault::WaitInside.into());
        }
        loop {
            let transaction = self.begin()?;
            let wake = Wake::of(&self.segment, thread);
            if let Some(answer) = look()? {
                transaction.commit()?;
                return Ok(answer);
            }
            let left = match deadline {
                Some(deadline) => match deadline.checked_duration_since(Instant::now()) {
                    Some(left) if !left.is_zero() => Some(left),
                    _ => return Err(Fault::TimedOut.into()),
                },
                None => None,
            };
            // What `look` changed nobody asked for. Gone now, it is no change that we could wake ourselves by.
            self.join(|writer| writer.rollback())?;
            let value = wake.announce(Commit::load(&self.segment).version);
            transaction.cancel()?;
            wake.sleep(value, left);
        }
    }
}

/// Lets [`Store::read`] tell a torn look from a true error.
pub(crate) trait AsFault {
    /// Whether the error only means that a writer was met.
    fn is_changed(&self) -> bool;
}

impl AsFault for Fault {
    fn is_changed(&self) -> bool {
        matches!(self, Fault::Changed)
    }
}
