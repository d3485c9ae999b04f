//! Pauses that grow, and differ from process to process.

use std::hash::{BuildHasher, RandomState};
use std::time::{Duration, Instant};

const FIRST: Duration = Duration::from_millis(25);
const LONGEST: Duration = Duration::from_secs(2);

pub(super) struct Backoff {
    next: Duration,
}

impl Backoff {
    pub(super) fn new() -> Self {
        Self { next: FIRST }
    }

    /// How long to wait before the next attempt, if there is time for one.
    pub(super) fn next(&mut self, deadline: Option<Instant>) -> Option<Duration> {
        let left = deadline?.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return None;
        }
        // Somewhere in the upper half, so that a thousand workers do not knock all at once.
        let random = RandomState::new().hash_one(0u8) % 1024;
        let pause = self.next / 2 + (self.next / 2).mul_f64(random as f64 / 1024.0);
        self.next = (self.next * 2).min(LONGEST);
        Some(pause.min(left))
    }
}
