//! How long to look before sleeping.

use std::time::{Duration, Instant};

/// How a waiter passes its time: at first it looks again and again, then it lets others run in between, then it sleeps.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    spins: u32,
    since: Option<Instant>,
    pub(crate) over: bool,
}

/// About two microseconds.
const SPINS: u32 = 60;
const YIELDS: Duration = Duration::from_micros(50);

impl Pace {
    /// Passes a moment. Once that was the last one, it is time to look once more and to sleep.
    #[inline]
    pub(crate) fn step(&mut self) {
        if self.spins < SPINS {
            self.spins += 1;
            std::hint::spin_loop();
        } else {
            self.over = self.since.get_or_insert_with(Instant::now).elapsed() >= YIELDS;
            std::thread::yield_now();
        }
    }
}
