//! Holding the lock, and being in the middle of a change: what happens when either ends.

use std::marker::PhantomData;
use std::sync::Arc;

use super::super::fault::{Fault, Result};
use super::super::lock;
use super::super::lock::futex::Robust;
use super::super::robust::{Thread, generation};
use super::super::writer::{Mark, Writer};
use super::{ACTIVE, DEPTH, Store};

/// The lock, held by this thread.
pub(super) struct Held<'s> {
    pub(super) store: &'s Store,
    pub(super) thread: Thread,
}

impl Held<'_> {
    /// Gives the lock up, like a drop, but where the compiler can see what there is to do.
    #[inline(always)]
    pub(super) fn release(self) {
        std::mem::ManuallyDrop::new(self).give_up();
    }

    /// Gives the lock up, unless this is a copy of its owner in a forked child.
    #[inline(always)]
    pub(super) fn give_up(&self) {
        if same_process(&self.thread) {
            let robust = Robust::lock(&self.store.segment, self.thread);
            lock::release(robust.word, &robust, self.thread.tid);
        }
    }
}

impl Drop for Held<'_> {
    #[inline(always)]
    fn drop(&mut self) {
        self.give_up();
    }
}

/// A change in progress: taken back unless it is done.
pub(super) struct Attempt<'a> {
    pub(super) writer: Writer<'a>,
    pub(super) done: bool,
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        if !self.done && same_process(&self.writer.thread) {
            // If not even that works the entries stay in force, and the next owner tries.
            let _ = self.writer.rollback();
        }
    }
}

/// A part of a transaction: taken back unless it is done.
pub(super) struct Part<'a> {
    pub(super) writer: Writer<'a>,
    pub(super) mark: Mark,
    pub(super) done: bool,
}

impl Drop for Part<'_> {
    fn drop(&mut self) {
        if !self.done && same_process(&self.writer.thread) {
            let _ = self.writer.rollback_to(self.mark);
        }
    }
}

#[inline(always)]
fn same_process(thread: &Thread) -> bool {
    generation().is_ok_and(|generation| generation == thread.generation)
}

/// A transaction, or a part of one, that its owner has not yet decided about. Dropped, it is taken back.
#[derive(Debug)]
pub(crate) struct Transaction {
    pub(super) store: Arc<Store>,
    pub(super) thread: Thread,
    /// Where the part began; `None` for the whole.
    pub(super) mark: Option<Mark>,
    pub(super) open: bool,
    pub(super) not_send: PhantomData<*const ()>,
}

impl Transaction {
    /// Makes everything done since the beginning count; of a part, once the whole does.
    pub(crate) fn commit(mut self) -> Result<()> {
        self.close(true)
    }

    /// Takes back everything done since the beginning.
    pub(crate) fn cancel(mut self) -> Result<()> {
        self.close(false)
    }

    fn close(&mut self, keep: bool) -> Result<()> {
        if !std::mem::take(&mut self.open) || !same_process(&self.thread) {
            return Ok(());
        }
        let (generation, depth) = DEPTH.get();
        DEPTH.set((generation, depth.saturating_sub(1)));
        let Some(mark) = self.mark else { return self.close_whole(keep) };
        if keep { Ok(()) } else { self.store.join(|writer| writer.rollback_to(mark)) }
    }

    fn close_whole(&self, keep: bool) -> Result<()> {
        let held = Held { store: &self.store, thread: self.thread };
        let tx = ACTIVE.with(|active| {
            let mut active = active.try_borrow_mut().map_err(|_| Fault::Reentrant)?;
            let index = active.iter().rposition(|(store, _)| std::ptr::eq(*store, Arc::as_ptr(&self.store)));
            Ok::<_, Fault>(index.map(|index| active.remove(index).1))
        })?;
        let Some(mut tx) = tx else { return Ok(()) };
        let mut attempt = Attempt { writer: self.store.writer(&mut tx, self.thread), done: false };
        let result = if keep { attempt.writer.commit() } else { attempt.writer.rollback() };
        attempt.done = result.is_ok();
        drop(attempt);
        drop(held);
        result
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        let _ = self.close(false);
    }
}
