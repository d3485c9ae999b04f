//! The lock's word as a futex in a segment, registered with the kernel.

use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicU32, AtomicU64};
use std::time::Duration;

use super::super::layout::{LOCK_NODE, WAKE_NODE};
use super::super::robust::{Thread, mark_if_dead};
use super::super::segment::Segment;
use super::{Register, Word};
use crate::sys::futex;

impl Word for AtomicU32 {
    const START: u32 = 5;
    /// With the pauses of [`Word::pause`], about 600 turns of a spinning loop.
    const ROUNDS: u32 = 14;

    #[inline(always)]
    fn load(&self) -> u32 {
        AtomicU32::load(self, Relaxed)
    }

    #[inline(always)]
    fn swap_if(&self, old: u32, new: u32) -> Result<(), u32> {
        self.compare_exchange(old, new, Acquire, Relaxed).map(drop)
    }

    #[inline(always)]
    fn release_if(&self, old: u32, new: u32) -> bool {
        self.compare_exchange(old, new, Release, Relaxed).is_ok()
    }

    fn release(&self, new: u32) {
        self.store(new, Release);
    }

    fn sleep(&self, expected: u32, at_most: Duration) {
        futex::wait(self, expected, Some(at_most));
        mark_if_dead(self, expected);
    }

    fn wake(&self, count: u32) -> u32 {
        futex::wake(self, count)
    }

    fn pause(&self, round: u32) {
        for _ in 0..(1 << round.min(6)) {
            std::hint::spin_loop();
        }
    }
}

/// A futex word in a segment, and its place on the list of the thread that uses it.
#[derive(Debug)]
pub(crate) struct Robust<'s> {
    pub(crate) word: &'s AtomicU32,
    pub(crate) thread: Thread,
    node: usize,
    next: &'s AtomicU64,
    prev: &'s AtomicU64,
}

impl<'s> Robust<'s> {
    /// The lock of a segment.
    #[inline(always)]
    pub(crate) fn lock(segment: &'s Segment, thread: Thread) -> Robust<'s> {
        let header = segment.header();
        let node = segment.address(LOCK_NODE);
        Robust { word: &header.lock, thread, node, next: &header.lock_next, prev: &header.lock_prev }
    }

    /// The sleepers' word of a segment.
    #[inline(always)]
    pub(crate) fn wake(segment: &'s Segment, thread: Thread) -> Robust<'s> {
        let header = segment.header();
        let node = segment.address(WAKE_NODE);
        Robust { word: &header.wake, thread, node, next: &header.wake_next, prev: &header.wake_prev }
    }

    /// Whether the calling thread holds this word.
    #[inline(always)]
    pub(crate) fn is_mine(&self) -> bool {
        self.thread.holds(self.node)
    }
}

impl Register for Robust<'_> {
    #[inline(always)]
    fn pend(&self) {
        self.thread.pend(self.node);
    }

    #[inline(always)]
    fn link(&self) {
        self.thread.link(self.node, self.next, self.prev);
    }

    #[inline(always)]
    fn unlink(&self) {
        self.thread.unlink(self.node, self.next);
    }

    #[inline(always)]
    fn settle(&self) {
        self.thread.settle();
    }
}
