//! Who kills and stops workers.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustix::process::Signal;
use tests::processes::{descendants, watch};

/// Numbers without a pattern, the same for the same seed.
#[derive(Debug)]
pub(crate) struct Lots(u64);

impl Lots {
    pub(crate) fn new(seed: u64) -> Self {
        Lots(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// From 0, and less than that.
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % limit
    }
}

pub(crate) struct Killer {
    lots: Lots,
    kills: u64,
}

impl Killer {
    pub(crate) fn new(seed: u64) -> Self {
        Killer { lots: Lots::new(seed), kills: 0 }
    }

    /// Kills and stops somebody now and then, until it is over; how many it has killed.
    pub(crate) fn run(mut self, over: &AtomicBool) -> u64 {
        while !over.load(Ordering::Relaxed) {
            // This is the time between two deaths.
            std::thread::sleep(Duration::from_micros(500 + self.lots.below(20_000)));
            let all = descendants(std::process::id());
            let Some(&pid) = all.get(self.lots.below(all.len().max(1) as u64) as usize) else { continue };
            let victim = watch(pid);
            // The number may have become another's in between, but not since there is a handle of it.
            if !descendants(std::process::id()).contains(&pid) {
                continue;
            }
            if self.lots.below(5) > 0 {
                self.kills += u64::from(victim.kill());
            } else if victim.signal(Signal::STOP) {
                std::thread::sleep(Duration::from_micros(self.lots.below(5_000)));
                let _ = victim.signal(Signal::CONT);
            }
        }
        self.kills
    }
}
