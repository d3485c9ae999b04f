//! How often a task is tried, and how soon.

use std::time::Duration;

use super::job::Rules;
use crate::restart::Pause;

/// How often a task that fails is tried, and how soon again.
///
/// ```
/// use std::time::Duration;
/// use processing::{Pool, Retry};
///
/// fn flaky(x: u32) -> Result<u32, String> {
///     let attempt = processing::CurrentTask::get().map_or(0, |task| task.attempt);
///     if attempt < 2 { Err(format!("attempt {attempt} failed")) } else { Ok(x) }
/// }
///
/// let pool = Pool::new(2)?;
/// let values = pool.retry(Retry::times(3).delay(Duration::from_millis(1)).backoff(2.0)).try_map(flaky, [1, 2])?;
/// assert_eq!(values, [1, 2]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[must_use = "this only says how; hand it to `retry`"]
pub struct Retry {
    times: u32,
    pause: Pause,
}

impl Retry {
    /// So many attempts in all; at least one.
    pub const fn times(times: u32) -> Self {
        Retry { times: if times == 0 { 1 } else { times }, pause: Pause::NONE }
    }

    /// Waits so long before the second attempt; without this, not at all.
    pub const fn delay(mut self, delay: Duration) -> Self {
        self.pause.delay = delay;
        self
    }

    /// Waits this many times longer before each further attempt; without this, as long as before the second.
    pub const fn backoff(mut self, factor: f64) -> Self {
        self.pause.backoff = factor;
        self
    }

    pub(crate) fn apply(self, rules: &mut Rules) {
        rules.lives = self.times;
        rules.retries_errors = true;
        rules.pause = self.pause;
    }
}

impl From<u32> for Retry {
    fn from(times: u32) -> Self {
        Retry::times(times)
    }
}
