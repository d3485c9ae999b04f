//! What a death could leave behind: all that a child has changed which others, or the kernel on their behalf, look at.

use std::sync::atomic::Ordering::Relaxed;

use super::super::layout::{ENTRY, LOG, META, SPAN, TOP};
use super::super::log::Commit;
use super::super::robust::Thread;
use super::super::store::Store;
use super::Stepped;
use super::step::{Moment, Way};

/// The way through an operation.
#[derive(Debug)]
pub(crate) struct Moments {
    /// All of it.
    pub(crate) every: Vec<Moment>,
    /// Where there was something new to be seen, in the memory or on the list of locks. A death between two of these
    /// leaves the same as one at the first.
    pub(crate) changes: Vec<Moment>,
}

impl Stepped {
    /// Goes through the whole body, and notes the way.
    pub(crate) fn moments(mut self, store: &Store) -> Moments {
        let head = Thread::current().map(|thread| thread.head_address()).unwrap_or_default();
        let (mut way, mut moments) = (Way::default(), Moments { every: Vec::new(), changes: Vec::new() });
        let (mut last, mut highest) = (None, 0);
        loop {
            // Also above what has become the top: until the commit it may be needed again.
            let top = store.segment().word(TOP).map(|top| top.load(Relaxed)).unwrap_or_default();
            highest = highest.max(top.min(store.layout().len));
            let now = Some(self.imprint(store, head, highest));
            if let Some(moment) = way.moment(self.place()) {
                moments.every.push(moment);
                if now != last {
                    moments.changes.push(moment);
                    last = now;
                }
            }
            if !self.step() {
                return moments;
            }
        }
    }

    fn imprint(&self, store: &Store, head: usize, top: u64) -> u64 {
        let (segment, layout) = (store.segment(), store.layout());
        let entries = u64::from(Commit::load(segment).entries) + 1;
        let table = top.saturating_sub(layout.heap) / SPAN * META;
        let spans = (layout.heap..top).step_by(SPAN as usize).map(|span| (span, 2048));
        let parts = [(0, 1024), (LOG, entries * ENTRY), (layout.meta, table)];
        // The list of locks, and what is pending.
        let mut hash = self.peek(head).rotate_left(32) ^ self.peek(head + 16);
        for (at, len) in parts.into_iter().chain(spans) {
            for word in segment.words(at, len / 8).unwrap_or_default() {
                hash = (hash ^ word.load(Relaxed)).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(23);
            }
        }
        hash
    }
}
