//! Times, and what was promised about them.

use std::fmt;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

/// How long something took, again and again; and beside it how late the machine is by itself.
#[derive(Debug, Default)]
pub(crate) struct Times {
    all: Vec<Duration>,
    floor: Vec<Duration>,
}

impl Times {
    /// Adds one, and has a look at how late a plain sleep ends on this machine right now.
    pub(crate) fn add(&mut self, time: Duration) {
        const NAP: Duration = Duration::from_millis(1);
        self.all.push(time);
        let begin = Instant::now();
        std::thread::sleep(NAP);
        self.floor.push(begin.elapsed().saturating_sub(NAP));
    }

    /// What was promised: 99 of 100 within the limit. The lateness of a plain sleep is the machine's own, and an error
    /// comes by way of three of those: the alarm, the end of the worker, and the thread that waits.
    pub(crate) fn within(&self, limit: Duration) -> Result<()> {
        let (slow, floor) = (percentile(&self.all, 99), percentile(&self.floor, 99));
        ensure!(slow <= limit + 3 * floor, "{self}, and not within {limit:?}");
        Ok(())
    }
}

impl fmt::Display for Times {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [median, slow] = [50, 99].map(|percent| millis(percentile(&self.all, percent)));
        let floor = millis(percentile(&self.floor, 99));
        let count = self.all.len();
        write!(f, "median {median}, p99 {slow} of {count} (a plain sleep is {floor} late)")
    }
}

fn percentile(times: &[Duration], percent: usize) -> Duration {
    let mut times = times.to_vec();
    times.sort_unstable();
    times[(times.len() - 1) * percent / 100]
}

pub(crate) fn millis(time: Duration) -> String {
    let millis = time.as_secs_f64() * 1e3;
    match millis {
        ..10.0 => format!("{millis:.2} ms"),
        ..1000.0 => format!("{millis:.0} ms"),
        _ => format!("{:.2} s", millis / 1e3),
    }
}
