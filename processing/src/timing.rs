//! How long the hooks took.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The timers of one process: one for each hook, and one for the full iteration.
///
/// Had from [`Handle::timers`](crate::Handle::timers) at any time, also while a hook runs and after the worker is
/// gone. A hook that failed, or was ended at its limit, is not counted.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Timers {
    /// The `prerun` hook.
    pub prerun: Timer,
    /// The `run` hook.
    pub run: Timer,
    /// The `postrun` hook.
    pub postrun: Timer,
    /// The `onfinish` hook.
    pub onfinish: Timer,
    /// The `result` hook.
    pub result: Timer,
    /// The `error` hook.
    pub error: Timer,
    /// `prerun`, `run` and `postrun` together, once for each completed iteration.
    pub full_run: Timer,
}

/// What is known of how long something took.
///
/// Counts, sums, extremes, mean and deviation are exact. Percentiles and the median come from buckets of fixed width
/// on a logarithmic scale: they are at most 3.2 % off (one part in 32), and never outside the extremes. So a timer takes the same
/// memory however long the process lives.
///
/// ```
/// use processing::Timer;
/// let never_used = Timer::default();
/// assert_eq!(never_used.num_times(), 0);
/// assert_eq!(never_used.mean(), None);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Timer {
    pub(crate) count: u64,
    pub(crate) total: Duration,
    pub(crate) least: Duration,
    pub(crate) most: Duration,
    pub(crate) recent: Duration,
    pub(crate) mean: f64,
    pub(crate) squares: f64,
    pub(crate) buckets: Vec<(u64, u32)>,
}

impl Timer {
    /// How often it was timed.
    #[must_use]
    pub fn num_times(&self) -> u64 {
        self.count
    }

    /// How long it took in all.
    #[must_use]
    pub fn total(&self) -> Duration {
        self.total
    }

    /// How long it took on average; `None` if it was never timed.
    #[must_use]
    pub fn mean(&self) -> Option<Duration> {
        (self.count > 0).then(|| Duration::from_nanos(self.mean.round() as u64))
    }

    /// Half of the times were no longer than this; `None` if it was never timed.
    #[must_use]
    pub fn median(&self) -> Option<Duration> {
        self.percentile(50.0)
    }

    /// The standard deviation of the sample; `None` if it was timed less than twice.
    #[must_use]
    pub fn stdev(&self) -> Option<Duration> {
        (self.count > 1)
            .then(|| Duration::from_nanos((self.squares / (self.count - 1) as f64).sqrt().round() as u64))
    }

    /// The shortest time; `None` if it was never timed.
    #[must_use]
    pub fn min(&self) -> Option<Duration> {
        (self.count > 0).then_some(self.least)
    }

    /// The longest time; `None` if it was never timed.
    #[must_use]
    pub fn max(&self) -> Option<Duration> {
        (self.count > 0).then_some(self.most)
    }

    /// The last time; `None` if it was never timed.
    #[must_use]
    pub fn most_recent(&self) -> Option<Duration> {
        (self.count > 0).then_some(self.recent)
    }

    /// So many percent of the times were no longer than this; `None` if it was never timed.
    ///
    /// # Panics
    /// If `percent` is not between 0 and 100.
    #[must_use]
    pub fn percentile(&self, percent: f64) -> Option<Duration> {
        assert!((0.0..=100.0).contains(&percent), "a percentile lies between 0 and 100, not at {percent}");
        if self.count == 0 {
            return None;
        }
        let in_buckets: u64 = self.buckets.iter().map(|&(_, count)| u64::from(count)).sum();
        let rank = (percent / 100.0 * in_buckets as f64).ceil().max(1.0) as u64;
        let mut seen = 0;
        let found = self.buckets.iter().find(|&&(_, count)| {
            seen += u64::from(count);
            seen >= rank
        });
        let time = found.map_or(self.most, |&(nanos, _)| Duration::from_nanos(nanos));
        // Not `clamp`, which panics where the least is not less: a worker may have written anything.
        Some(time.max(self.least).min(self.most))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_follow_the_buckets() {
        let timer = Timer {
            count: 100,
            least: Duration::from_nanos(1),
            most: Duration::from_nanos(1000),
            buckets: vec![(10, 90), (1000, 10)],
            ..Timer::default()
        };
        assert_eq!(timer.median(), Some(Duration::from_nanos(10)));
        assert_eq!(timer.percentile(90.0), Some(Duration::from_nanos(10)));
        assert_eq!(timer.percentile(91.0), Some(Duration::from_nanos(1000)));
        assert_eq!(timer.percentile(0.0), Some(Duration::from_nanos(10)));
    }
}
