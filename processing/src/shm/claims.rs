//! Which tasks a pool's worker may begin, and which it has begun.
//!
//! The parent numbers the tasks that it sends to one worker from 0. The range of those that may still be begun is one
//! word, so every change of it is one atomic step:
//!
//! | step | by | changes |
//! |---|---|---|
//! | offer | parent | `first..end` to `first..end + n`, then sends them |
//! | claim | worker | `first..end` to `task + 1..end`, if the task is in the range; else it was taken back |
//! | revoke | parent | `first..end` to `end..end`: nothing that was offered can be begun any more |
//!
//! After a worker's death `first - 1` is the last task that it began, so it alone pays for it; and a task that is to be
//! ended with its worker can be told from the next one: after a revocation there is no next one.
//!
//! # The time limit of a task
//!
//! `deadline` is when the running task is to be ended, or 0. A timer that both sides can set rings at the parent. It is
//! not set for every task: `armed` says when it will ring, and where that is not after the deadline it is left as it is.
//! Whoever hears it looks at the deadline and sets it again. The worker writes `deadline` and then looks at `armed`; the
//! parent changes `armed` and then looks at `deadline`; one of them sees what the other one did.

use std::sync::atomic::{AtomicU64, Ordering};

use super::page::Shared;
use crate::sys::Nanos;

/// See the module's page.
#[repr(C)]
#[derive(Debug)]
pub(crate) struct Claims {
    /// The first task that may be begun in the upper half, the end of the range in the lower.
    range: AtomicU64,
    deadline: AtomicU64,
    /// 0 if it will not ring.
    armed: AtomicU64,
}

// SAFETY: all fields are atomics in `repr(C)`, and zero is a valid value for each.
unsafe impl Shared for Claims {}

fn pack(first: u32, end: u32) -> u64 {
    u64::from(first) << 32 | u64::from(end)
}

fn unpack(range: u64) -> (u32, u32) {
    ((range >> 32) as u32, range as u32)
}

impl Claims {
    /// Makes the page ready for another worker, while there is none.
    pub(crate) fn reset(&self) {
        self.range.store(0, Ordering::SeqCst);
        self.deadline.store(0, Ordering::SeqCst);
        self.armed.store(0, Ordering::SeqCst);
    }

    /// Allows `count` more tasks to be begun, after those before `end`.
    pub(crate) fn offer(&self, end: u32, count: u32) {
        let _ = self.range.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |range| {
            let (first, _) = unpack(range);
            Some(pack(first, end.wrapping_add(count)))
        });
    }

    /// The worker is about to begin this task. `false` if it may not any more.
    pub(crate) fn claim(&self, task: u32) -> bool {
        let claimed = self.range.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |range| {
            let (first, end) = unpack(range);
            (first <= task && task < end).then(|| pack(task + 1, end))
        });
        claimed.is_ok()
    }

    /// Takes back everything before `end` that has not been begun; the first of it.
    ///
    /// What the other process wrote is not believed further than `end`.
    pub(crate) fn revoke(&self, end: u32) -> u32 {
        let before = self.range.swap(pack(end, end), Ordering::SeqCst);
        unpack(before).0.min(end)
    }

    /// The first task that has not been begun, at most `end`.
    pub(crate) fn first(&self, end: u32) -> u32 {
        unpack(self.range.load(Ordering::SeqCst)).0.min(end)
    }

    /// The worker: the task that begins has to be done by then. Whether the timer has to be set.
    pub(crate) fn set_deadline(&self, at: Nanos) -> bool {
        let at = at.0.max(1);
        self.deadline.store(at, Ordering::SeqCst);
        let armed = self.armed.load(Ordering::SeqCst);
        let rings_too_late = armed == 0 || armed > at;
        if rings_too_late {
            self.armed.store(at, Ordering::SeqCst);
        }
        rings_too_late
    }

    /// The worker: the task is done.
    pub(crate) fn clear_deadline(&self) {
        self.deadline.store(0, Ordering::SeqCst);
    }

    /// The parent: the timer has rung. When the running task is to be ended, if it has a limit; the timer has to be
    /// set again to that unless it has passed.
    pub(crate) fn rung(&self) -> Option<Nanos> {
        self.armed.store(0, Ordering::SeqCst);
        self.deadline()
    }

    /// The parent: the timer is set again, to `at`. An earlier deadline, if there is one by now: then it has to be set
    /// to that.
    pub(crate) fn set_again(&self, at: Nanos) -> Option<Nanos> {
        self.armed.store(at.0, Ordering::SeqCst);
        self.deadline().filter(|deadline| *deadline < at)
    }

    /// When the running task is to be ended, if it has a limit.
    pub(crate) fn deadline(&self) -> Option<Nanos> {
        Some(Nanos(self.deadline.load(Ordering::SeqCst))).filter(|deadline| deadline.0 != 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shm::Page;

    #[test]
    fn tasks_are_begun_in_order_and_once() {
        let claims = Page::<Claims>::new("test").unwrap();
        assert!(!claims.claim(0));
        claims.offer(0, 3);
        assert!(claims.claim(0) && !claims.claim(0) && claims.claim(1));
        assert_eq!(claims.first(3), 2);
    }

    #[test]
    fn what_was_taken_back_is_never_begun() {
        let claims = Page::<Claims>::new("test").unwrap();
        claims.offer(0, 4);
        assert!(claims.claim(0));
        assert_eq!(claims.revoke(4), 1);
        assert!(!claims.claim(1) && !claims.claim(3));
        claims.offer(4, 2);
        assert!(!claims.claim(3) && claims.claim(4));
    }

    #[test]
    fn a_worker_and_its_parent_never_both_own_a_task() {
        let claims = Page::<Claims>::new("test").unwrap();
        for round in 0..2_000 {
            let (start, end) = (round * 8, round * 8 + 8);
            claims.offer(start, 8);
            let (begun, taken) = std::thread::scope(|scope| {
                let worker = scope.spawn(|| (start..end).filter(|&task| claims.claim(task)).count() as u32);
                let taken = end - claims.revoke(end);
                (worker.join().unwrap(), taken)
            });
            assert_eq!(begun + taken, 8);
        }
    }

    #[test]
    fn nonsense_in_the_page_is_bounded() {
        let claims = Page::<Claims>::new("test").unwrap();
        claims.range.store(u64::MAX, Ordering::SeqCst);
        assert_eq!((claims.first(5), claims.revoke(5)), (5, 5));
    }

    #[test]
    fn a_deadline_is_always_watched_by_one_side() {
        let claims = Page::<Claims>::new("test").unwrap();
        assert!(claims.set_deadline(Nanos(5)));
        assert!(!claims.set_deadline(Nanos(9)));
        assert_eq!(claims.rung(), Some(Nanos(9)));
        assert_eq!(claims.set_again(Nanos(9)), None);
        claims.clear_deadline();
        assert_eq!(claims.rung(), None);
        assert!(claims.set_deadline(Nanos(12)));
    }

    #[test]
    fn an_earlier_deadline_is_not_missed() {
        let claims = Page::<Claims>::new("test").unwrap();
        assert!(claims.set_deadline(Nanos(100)));
        claims.clear_deadline();
        assert!(claims.set_deadline(Nanos(20)));
        assert_eq!(claims.rung(), Some(Nanos(20)));
        assert!(claims.set_deadline(Nanos(10)));
        assert_eq!(claims.set_again(Nanos(20)), Some(Nanos(10)));
    }
}
