//! How long the hooks took, counted where the parent can see it while they run.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use super::Versioned;
use crate::Phase;
use crate::timing::{Timer, Timers};

/// Sixteen buckets for each power of two of nanoseconds, up to 2^48 (78 hours).
pub(crate) const BUCKETS: usize = 45 * 16;

/// One stopwatch a hook, and one for the whole iteration.
#[repr(C)]
#[derive(Debug)]
pub(crate) struct Stopwatches([Stopwatch; 7]);

/// What is timed.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Lap {
    Hook(Phase),
    FullRun,
}

#[repr(C)]
#[derive(Debug)]
struct Stopwatch {
    /// Count, total, least, most and most recent in nanoseconds; then mean and sum of squared deviations as `f64`.
    summary: Versioned<7>,
    buckets: [AtomicU32; BUCKETS],
}

impl Stopwatches {
    pub(crate) fn add(&self, lap: Lap, time: Duration) {
        self.watch(lap).add(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX));
    }

    /// Forgets everything.
    pub(crate) fn clear(&self) {
        for watch in &self.0 {
            let [count, ..] = watch.summary.read();
            if count > 0 {
                watch.buckets.iter().for_each(|bucket| bucket.store(0, Ordering::Relaxed));
                watch.summary.write([0; 7]);
            }
        }
    }

    pub(crate) fn most_recent(&self, lap: Lap) -> Option<Duration> {
        let [count, _, _, _, recent, ..] = self.watch(lap).summary.read();
        (count > 0).then(|| Duration::from_nanos(recent))
    }

    pub(crate) fn read(&self) -> Timers {
        let of = |phase| self.watch(Lap::Hook(phase)).read();
        Timers {
            prerun: of(Phase::Prerun),
            run: of(Phase::Run),
            postrun: of(Phase::Postrun),
            onfinish: of(Phase::OnFinish),
            result: of(Phase::Result),
            error: of(Phase::Error),
            full_run: self.watch(Lap::FullRun).read(),
        }
    }

    fn watch(&self, lap: Lap) -> &Stopwatch {
        match lap {
            Lap::Hook(phase) => &self.0[phase.index()],
            Lap::FullRun => &self.0[6],
        }
    }
}

impl Stopwatch {
    fn add(&self, nanos: u64) {
        let [count, total, least, most, _, mean, squares] = self.summary.read();
        let (mut mean, mut squares) = (f64::from_bits(mean), f64::from_bits(squares));
        let (count, first) = (count + 1, count == 0);
        // Welford's method: exact in one pass, where a sum of squares would lose all its digits.
        let distance = nanos as f64 - mean;
        mean += distance / count as f64;
        squares += distance * (nanos as f64 - mean);
        let least = if first { nanos } else { least.min(nanos) };
        let total = total.saturating_add(nanos);
        self.summary.write([count, total, least, most.max(nanos), nanos, mean.to_bits(), squares.to_bits()]);
        let bucket = &self.buckets[bucket(nanos)];
        // One writer, so no addition can get lost; a full bucket stays full.
        bucket.store(bucket.load(Ordering::Relaxed).saturating_add(1), Ordering::Relaxed);
    }

    fn read(&self) -> Timer {
        let [count, total, least, most, recent, mean, squares] = self.summary.read();
        let buckets = self.buckets.iter().enumerate();
        let filled = buckets.map(|(index, count)| (middle(index), count.load(Ordering::Relaxed)));
        Timer {
            count,
            total: Duration::from_nanos(total),
            least: Duration::from_nanos(least),
            most: Duration::from_nanos(most),
            recent: Duration::from_nanos(recent),
            mean: f64::from_bits(mean),
            squares: f64::from_bits(squares),
            buckets: filled.filter(|&(_, count)| count > 0).collect(),
        }
    }
}

/// Below 16 each number has its own bucket; from there on the four bits after the leading one choose it.
pub(crate) fn bucket(nanos: u64) -> usize {
    if nanos < 16 {
        return nanos as usize;
    }
    let octave = nanos.ilog2() as usize;
    let part = (nanos >> (octave - 4)) & 15;
    ((octave - 3) * 16 + part as usize).min(BUCKETS - 1)
}

/// The middle of what falls into a bucket: at most 1/32 away from anything in it.
pub(crate) fn middle(bucket: usize) -> u64 {
    if bucket < 16 {
        return bucket as u64;
    }
    let (octave, part) = (bucket / 16 + 3, (bucket % 16) as u64);
    let width = 1_u64 << (octave - 4);
    (16 + part) * width + width / 2
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shm::Page;
    use crate::shm::status::Status;

    #[test]
    fn every_time_is_close_to_its_bucket() {
        for shift in 0..48 {
            for nanos in [1_u64 << shift, (1 << shift) + (1 << shift) / 3, (2 << shift) - 1] {
                let off = middle(bucket(nanos)).abs_diff(nanos);
                assert!(off <= nanos / 32 + 1, "{nanos} is told as {}", middle(bucket(nanos)));
            }
        }
        assert_eq!(bucket(u64::MAX), BUCKETS - 1);
    }

    #[test]
    fn sums_are_exact() {
        let page = Page::<Status>::new("test").unwrap();
        for millis in [2, 4, 4, 4, 5, 5, 7, 9] {
            page.timers.add(Lap::Hook(Phase::Run), Duration::from_millis(millis));
        }
        let run = page.timers.read().run;
        assert_eq!(run.num_times(), 8);
        assert_eq!(run.total(), Duration::from_millis(40));
        assert_eq!(run.mean(), Some(Duration::from_millis(5)));
        assert_eq!((run.min(), run.max()), (Some(Duration::from_millis(2)), Some(Duration::from_millis(9))));
        assert_eq!(run.most_recent(), Some(Duration::from_millis(9)));
        let stdev = run.stdev().unwrap().as_secs_f64();
        assert!((stdev - 0.002_138_089_935).abs() < 1e-9, "{stdev}");
        assert_eq!(page.timers.read().prerun.mean(), None);
    }
}
