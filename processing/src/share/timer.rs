//! A shared stopwatch.

use std::fmt;
use std::ops::Deref;
use std::time::{Duration, Instant};

use super::error::ShareError;
use super::operations::operations;
use super::place::Place;
use super::shareable::{ShareHandle, Shareable};
use crate::Timer;
use crate::shm::status::timers::{BUCKETS, bucket, middle};
use crate::shm::view::View;
use crate::shm::writer::Writer;

/// A stopwatch that many processes add to. Derefs to the [`Timer`] it makes up.
///
/// ```
/// use std::time::Duration;
/// use processing::{Share, Shareable, share::SharedTimer};
///
/// #[derive(Shareable, Default)]
/// struct State { queries: SharedTimer }
///
/// let share = Share::new(State::default())?;
/// share.queries.add(Duration::from_millis(20));
/// share.queries.add(Duration::from_millis(40));
/// assert_eq!(share.queries.get().mean(), Some(Duration::from_millis(30)));
/// let answer = share.queries.time(|| 6 * 7);
/// assert_eq!((answer, share.queries.num_times()), (42, 3));
/// # Ok::<(), processing::ShareError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SharedTimer {
    timer: Timer,
}

impl Deref for SharedTimer {
    type Target = Timer;

    fn deref(&self) -> &Timer {
        &self.timer
    }
}

/// Stands for a [`SharedTimer`].
pub struct TimerHandle {
    place: Place,
}

// The words: count, total, least, most and most recent in nanoseconds; mean and sum of squared deviations as `f64`;
// then the buckets, two to a word.
const SUMMARY: u64 = 7;

impl TimerHandle {
    operations! {
        /// Counts something that took `time`.
        fn add | try_add(&self, time: Duration) {
            let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
            self.place.write(|writer, at| {
                let word = |index: u64| at + index * 8;
                let count = writer.load(at)?.saturating_add(1);
                let total = writer.load(word(1))?.saturating_add(nanos);
                let least = if count == 1 { nanos } else { writer.load(word(2))?.min(nanos) };
                let most = writer.load(word(3))?.max(nanos);
                let mean = f64::from_bits(writer.load(word(5))?);
                let squares = f64::from_bits(writer.load(word(6))?);
                // Welford's method: exact in one pass, where a sum of squares would lose all its digits.
                let distance = nanos as f64 - mean;
                let mean = mean + distance / count as f64;
                let squares = squares + distance * (nanos as f64 - mean);
                let summary = [count, total, least, most, nanos, mean.to_bits(), squares.to_bits()];
                for (index, value) in (0..).zip(summary) {
                    writer.set(word(index), value)?;
                }
                let (place, shift) = bucket_at(at, bucket(nanos));
                let pair = writer.load(place)?;
                let counted = ((pair >> shift) as u32).saturating_add(1);
                writer.set(place, pair & !(0xffff_ffff << shift) | u64::from(counted) << shift)?;
                Ok(())
            })
        }

        /// The timer as it is now.
        fn get | try_get(&self) -> Timer {
            Ok(self.try_snapshot()?.timer)
        }

        /// How often something was counted.
        fn num_times | try_num_times(&self) -> u64 {
            self.place.read(|view, at| Ok(view.load(at)?))
        }

        /// The average; `None` if nothing was counted.
        fn mean | try_mean(&self) -> Option<Duration> {
            Ok(self.try_get()?.mean())
        }

        /// Forgets everything.
        fn clear | try_clear(&self) {
            self.place.write(SharedTimer::free)
        }
    }

    /// Runs `body` and counts how long it took. If it panics nothing is counted.
    ///
    /// # Panics
    ///
    /// With a [`ShareError`] as the payload, when the share is stopped or corrupt.
    #[track_caller]
    pub fn time<R>(&self, body: impl FnOnce() -> R) -> R {
        let start = Instant::now();
        let result = body();
        self.add(start.elapsed());
        result
    }
}

/// The word that a bucket's count is in, and how far up.
fn bucket_at(at: u64, bucket: usize) -> (u64, u32) {
    (at + (SUMMARY + bucket as u64 / 2) * 8, (bucket as u32 % 2) * 32)
}

impl ShareHandle for TimerHandle {
    type Plain = SharedTimer;

    fn place(&self) -> &Place {
        &self.place
    }
}

impl Shareable for SharedTimer {
    type Handle = TimerHandle;

    const WORDS: u64 = SUMMARY + BUCKETS as u64 / 2;

    fn handle(place: Place) -> TimerHandle {
        TimerHandle { place }
    }

    fn load(view: &View<'_>, at: u64) -> Result<SharedTimer, ShareError> {
        let mut summary = [0; SUMMARY as usize];
        for (index, value) in (0..).zip(&mut summary) {
            *value = view.load(at + index * 8)?;
        }
        let mut buckets = Vec::new();
        for index in 0..BUCKETS {
            let (place, shift) = bucket_at(at, index);
            let count = (view.load(place)? >> shift) as u32;
            if count != 0 {
                buckets.push((middle(index), count));
            }
        }
        view.check()?;
        let [count, total, least, most, recent, mean, squares] = summary;
        let timer = Timer {
            count,
            total: Duration::from_nanos(total),
            least: Duration::from_nanos(least),
            most: Duration::from_nanos(most),
            recent: Duration::from_nanos(recent),
            mean: f64::from_bits(mean),
            squares: f64::from_bits(squares),
            buckets,
        };
        Ok(SharedTimer { timer })
    }

    fn store(&self, writer: &mut Writer<'_>, at: u64) -> Result<(), ShareError> {
        let nanos = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        let timer = &self.timer;
        let summary = [
            timer.count,
            nanos(timer.total),
            nanos(timer.least),
            nanos(timer.most),
            nanos(timer.recent),
            timer.mean.to_bits(),
            timer.squares.to_bits(),
        ];
        SharedTimer::free(writer, at)?;
        for (index, value) in (0..).zip(summary) {
            writer.set(at + index * 8, value)?;
        }
        for &(time, count) in &timer.buckets {
            let (place, shift) = bucket_at(at, bucket(time));
            let pair = writer.load(place)?;
            writer.set(place, pair | u64::from(count) << shift)?;
        }
        Ok(())
    }

    fn free(writer: &mut Writer<'_>, at: u64) -> Result<(), ShareError> {
        for word in 0..Self::WORDS {
            writer.set(at + word * 8, 0)?;
        }
        Ok(())
    }
}

impl fmt::Debug for TimerHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.get().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Share;

    #[test]
    fn it_counts_like_a_timer() {
        let share = Share::new((SharedTimer::default(), 5_u8)).unwrap();
        for millis in [2, 4, 4, 4, 5, 5, 7, 9] {
            share.0.add(Duration::from_millis(millis));
        }
        let timer = share.0.get();
        assert_eq!((timer.num_times(), timer.total()), (8, Duration::from_millis(40)));
        assert_eq!(
            (timer.min(), timer.max()),
            (Some(Duration::from_millis(2)), Some(Duration::from_millis(9)))
        );
        assert!((timer.stdev().unwrap().as_secs_f64() - 0.002_138_089_935).abs() < 1e-9);
        assert!(timer.median().unwrap().abs_diff(Duration::from_millis(4)) < Duration::from_micros(200));
        let whole = share.snapshot();
        share.assign(whole.clone());
        assert_eq!(share.snapshot(), whole);
        share.clear();
        assert_eq!((share.0.mean(), share.1.get()), (None, 5));
    }
}
