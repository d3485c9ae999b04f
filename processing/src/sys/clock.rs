//! The clock that both sides of a process share.

use std::time::{Duration, Instant};

#[cfg(unix)]
use rustix::time::{ClockId, clock_gettime};

#[cfg(windows)]
#[path = "windows/clock.rs"]
mod counter;

/// Nanoseconds of the monotonic clock: the same in every process of this machine, until it is booted again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Nanos(pub(crate) u64);

/// The instant so much later, or one that is as good as never where the clock does not reach that far.
pub(crate) fn later(delay: Duration) -> Instant {
    const AGES: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);
    let now = Instant::now();
    now.checked_add(delay).unwrap_or_else(|| now + AGES)
}

/// What the clock says now.
#[cfg(unix)]
pub(crate) fn now() -> Nanos {
    let time = clock_gettime(ClockId::Monotonic);
    // The monotonic clock begins at zero, so neither part is negative.
    Nanos(time.tv_sec.unsigned_abs() * 1_000_000_000 + time.tv_nsec.unsigned_abs())
}

/// What the clock says now.
#[cfg(windows)]
pub(crate) fn now() -> Nanos {
    Nanos(counter::nanos())
}

impl Nanos {
    pub(crate) fn since(self, earlier: Nanos) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }

    pub(crate) fn after(self, delay: Duration) -> Nanos {
        let nanos = u64::try_from(delay.as_nanos()).unwrap_or(u64::MAX);
        Nanos(self.0.saturating_add(nanos))
    }
}
