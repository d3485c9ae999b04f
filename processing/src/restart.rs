//! Whether a process that failed may go on.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::config::Restart;

/// The failures of one process that still count.
#[derive(Debug, Default)]
pub(crate) struct Failures(VecDeque<Instant>);

/// More failures than `restart` allows.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TooMany(pub(crate) u32);

impl Failures {
    /// Counts one more, and says how long to wait before the next attempt.
    pub(crate) fn add(&mut self, now: Instant, restart: &Restart) -> Result<Duration, TooMany> {
        // Without a limit only the wait depends on the count, and that stops growing long before this.
        const MOST: usize = 4096;
        if self.0.len() == MOST {
            self.0.pop_front();
        }
        self.0.push_back(now);
        while self.0.front().is_some_and(|&first| now.saturating_duration_since(first) > restart.within) {
            self.0.pop_front();
        }
        let count = u32::try_from(self.0.len()).unwrap_or(u32::MAX);
        match restart.limit {
            Some(limit) if count > limit => Err(TooMany(count)),
            _ => Ok(restart.delay(count)),
        }
    }
}

/// How long to wait between attempts.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Pause {
    pub(crate) delay: Duration,
    /// By how many times longer before each further one.
    pub(crate) backoff: f64,
}

impl Pause {
    pub(crate) const NONE: Pause = Pause { delay: Duration::ZERO, backoff: 1.0 };

    /// How long after so many attempts.
    pub(crate) fn after(self, attempts: u32) -> Duration {
        const LONGEST: Duration = Duration::from_secs(3600);
        let factor = self.backoff.powi(i32::try_from(attempts.saturating_sub(1)).unwrap_or(i32::MAX));
        Duration::try_from_secs_f64(self.delay.as_secs_f64() * factor).unwrap_or(LONGEST).min(LONGEST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_recent_failures_count() {
        let restart =
            Restart { limit: Some(2), within: Duration::from_secs(10), backoff: Duration::from_millis(100) };
        let (mut failures, start) = (Failures::default(), Instant::now());
        let at = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(failures.add(at(0), &restart), Ok(Duration::from_millis(100)));
        assert_eq!(failures.add(at(5), &restart), Ok(Duration::from_millis(200)));
        assert_eq!(failures.add(at(12), &restart), Ok(Duration::from_millis(200)));
        assert_eq!(failures.add(at(13), &restart), Err(TooMany(3)));
    }
}
