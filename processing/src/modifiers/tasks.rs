//! How each of a call's tasks is treated: their own limit, how often they are tried, how fast they follow each other.

use std::time::Duration;

use super::Call;
use crate::pool::{OnPool, Retry};

impl<S, M> Call<OnPool<'_, S>, M> {
    /// Limits how long each task may take. At the limit its worker is ended, whatever it is doing, and replaced; other
    /// tasks go on.
    pub fn task_timeout(self, limit: Duration) -> Self {
        self.with_target(|mut target| {
            target.rules().task_timeout = Some(limit);
            target
        })
    }

    /// How often each task is tried: once more than it may panic, overrun its limit or lose its worker. Never less than
    /// once.
    pub fn lives(self, lives: u32) -> Self {
        self.with_target(|mut target| {
            target.rules().lives = lives.max(1);
            target
        })
    }

    /// Tries tasks again that fail, also those for which the function returns an `Err` to `try_map`; to the other maps
    /// that is a value. `pool.retry(Retry::times(3).delay(d).backoff(2.0)).try_map(…)`.
    pub fn retry(self, retry: impl Into<Retry>) -> Self {
        let retry = retry.into();
        self.with_target(|mut target| {
            retry.apply(target.rules());
            target
        })
    }

    /// Lets no more than so many tasks begin in a second; they begin evenly spaced.
    ///
    /// # Panics
    /// If it is not a number above 0.
    pub fn rate_limit(self, per_second: f64) -> Self {
        let spacing = spacing(per_second);
        self.with_target(|mut target| {
            target.rules().spacing = Some(spacing);
            target
        })
    }

    /// Shows on stderr how far the call is: a bar that counts the items that are done, or, where stderr is no terminal,
    /// a line for each tenth of them (one a second, if nobody knows how many there are).
    ///
    /// ```
    /// # use processing::Pool;
    /// let pool = Pool::new(2)?;
    /// assert_eq!(pool.progress().map(|x: u32| x * 2, vec![1, 2, 3])?, [2, 4, 6]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[cfg(feature = "progress")]
    pub fn progress(self) -> Self {
        self.with_target(|mut target| {
            target.options().progress = true;
            target
        })
    }

    /// Pulls the input at most so many items ahead of what has been handed out.
    pub fn window(self, items: usize) -> Self {
        self.with_target(|mut target| {
            target.options().window = Some(items.max(1));
            target
        })
    }

    /// Sends so many tasks to a worker at once, in place of as many as suit.
    pub fn chunk(self, tasks: usize) -> Self {
        self.with_target(|mut target| {
            target.rules().chunk = Some(tasks.max(1));
            target
        })
    }
}

fn spacing(per_second: f64) -> Duration {
    let spacing = Duration::try_from_secs_f64(per_second.recip());
    match spacing {
        Ok(spacing) if per_second > 0.0 => spacing,
        _ => panic!("`rate_limit` is a number of tasks in a second and above 0, not {per_second}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_a_spacing() {
        assert_eq!(spacing(4.0), Duration::from_millis(250));
    }

    #[test]
    #[should_panic(expected = "above 0")]
    fn no_rate_is_refused() {
        let _ = spacing(0.0);
    }
}
