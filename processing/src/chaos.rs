//! Workers that kill and stall themselves, so that users can prove their hooks restart-safe.
//!
//! The variable [`VARIABLE`] says how: `kill:0.01,stall:0.01,seed:42` has a worker die by SIGKILL at every hundredth
//! of its *points*, and pause at another hundredth. `docs/chaos.md` has the points and the keys. A worker's own variable
//! holds a seed made of its parent's and of how many were started before it, so that the same program does the same
//! again, whatever the worker's own workers do.

use std::ffi::CString;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::sys::{self, Nanos, now};

/// Says what is to go wrong.
pub(crate) const VARIABLE: &str = "PROCESSING_CHAOS";

/// How long a worker pauses where no limit could end it.
const PAUSE: Duration = Duration::from_millis(100);
/// How much longer it pauses than its limit allows: it has to be ended by then, or something is wrong.
const BEYOND: Duration = Duration::from_secs(5);

/// What is to go wrong, and how often.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Chaos {
    kill: f64,
    stall: f64,
    seed: u64,
}

/// In a worker: what goes wrong here, and how many points there were.
static HERE: OnceLock<(Chaos, AtomicU64)> = OnceLock::new();
/// How many workers this program has started with chaos.
static STARTED: AtomicU64 = AtomicU64::new(0);

impl Chaos {
    /// Reads the variable.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut chaos = Chaos { kill: 0.0, stall: 0.0, seed: 0 };
        for part in text.split(',').map(str::trim) {
            let (key, value) = part.split_once(':').ok_or_else(|| {
                format!("`{part}` is not like `kill:0.01`; write `kill:0.01,stall:0.01,seed:42`")
            })?;
            let share = || match value.parse::<f64>() {
                Ok(share) if (0.0..=1.0).contains(&share) => Ok(share),
                _ => Err(format!("`{part}`: the share of points is a number from 0 to 1")),
            };
            match key {
                "kill" => chaos.kill = share()?,
                "stall" => chaos.stall = share()?,
                "seed" => {
                    chaos.seed = value.parse().map_err(|_| format!("`{part}`: a seed is a whole number"))?;
                }
                _ => return Err(format!("there is no `{key}`; there are `kill`, `stall` and `seed`")),
            }
        }
        if chaos.kill + chaos.stall > 1.0 {
            return Err(
                "`kill` and `stall` are shares of the same points, and come to more than 1".to_owned()
            );
        }
        Ok(chaos)
    }

    /// The variable of the next worker that is started.
    pub(crate) fn of_next_worker(&self) -> CString {
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        let seed = scramble(self.seed ^ scramble(number));
        let Chaos { kill, stall, .. } = self;
        // No NUL in numbers and a name.
        CString::new(format!("{VARIABLE}=kill:{kill},stall:{stall},seed:{seed}")).unwrap_or_default()
    }

    /// What happens at the point of this number.
    fn at(&self, point: u64) -> Happening {
        // 53 bits are what a float has.
        let lot = (scramble(self.seed.wrapping_add(point)) >> 11) as f64 / (1_u64 << 53) as f64;
        match lot {
            lot if lot < self.kill => Happening::Kill,
            lot if lot < self.kill + self.stall => Happening::Stall,
            _ => Happening::Nothing,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Happening {
    Nothing,
    Kill,
    Stall,
}

/// In a worker that has just begun: takes note of what is to go wrong in it.
pub(crate) fn begin(text: &str) -> Result<(), String> {
    let chaos = Chaos::parse(text)?;
    HERE.get_or_init(|| (chaos, AtomicU64::new(0)));
    Ok(())
}

/// A point: nothing, a death or a pause. A limit that ends at `deadline` is overrun by the pause.
pub(crate) fn point(deadline: impl FnOnce() -> Option<Nanos>) {
    let Some((chaos, points)) = HERE.get() else { return };
    match chaos.at(points.fetch_add(1, Ordering::Relaxed)) {
        Happening::Nothing => {}
        Happening::Kill => sys::kill_at_once(),
        Happening::Stall => {
            let pause = deadline().map_or(PAUSE, |deadline| deadline.since(now()) + BEYOND);
            std::thread::sleep(pause);
        }
    }
}

/// Numbers without a pattern (SplitMix64): also for seeds and points that follow each other.
fn scramble(number: u64) -> u64 {
    let number = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_keys_are_read_and_each_may_be_missing() {
        let chaos = Chaos::parse("kill:0.01, stall:0.5,seed:42").unwrap();
        assert_eq!(chaos, Chaos { kill: 0.01, stall: 0.5, seed: 42 });
        assert_eq!(Chaos::parse("stall:1").unwrap(), Chaos { kill: 0.0, stall: 1.0, seed: 0 });
    }

    #[test]
    fn what_it_cannot_mean_is_named() {
        for (text, word) in [
            ("", "write `kill:0.01"),
            ("kill", "`kill` is not like"),
            ("kill:2", "from 0 to 1"),
            ("kill:NaN", "from 0 to 1"),
            ("stall:-0.1", "from 0 to 1"),
            ("seed:0.5", "a whole number"),
            ("kil:0.1", "there is no `kil`"),
            ("kill:0.6,stall:0.6", "more than 1"),
        ] {
            let complaint = Chaos::parse(text).unwrap_err();
            assert!(complaint.contains(word), "{text}: {complaint}");
        }
    }

    #[test]
    fn shares_are_kept_and_seeds_are_repeated() {
        let count = |seed| {
            let chaos = Chaos { kill: 0.1, stall: 0.2, seed };
            let all: Vec<_> = (0..100_000).map(|point| chaos.at(point)).collect();
            let of = |what| all.iter().filter(|happening| **happening == what).count();
            (of(Happening::Kill), of(Happening::Stall), all)
        };
        let (kills, stalls, all) = count(7);
        assert!((9_500..10_500).contains(&kills) && (19_500..20_500).contains(&stalls), "{kills} {stalls}");
        assert!(all == count(7).2 && all != count(8).2);
    }

    #[test]
    fn every_worker_has_a_seed_of_its_own() {
        let chaos = Chaos::parse("kill:0.25,seed:1").unwrap();
        let variables: Vec<_> = (0..3).map(|_| chaos.of_next_worker().into_string().unwrap()).collect();
        assert!(
            variables.iter().all(|variable| variable.starts_with("PROCESSING_CHAOS=kill:0.25,stall:0,seed:"))
        );
        assert!(variables[0] != variables[1] && variables[1] != variables[2]);
        let (_, value) = variables[0].split_once('=').unwrap();
        assert!(Chaos::parse(value).is_ok());
    }
}
