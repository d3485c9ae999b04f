//! Other processes for the tests of this module, and ways to kill them.

#[cfg(windows)]
mod again;
#[cfg(unix)]
mod forked;
#[cfg(unix)]
mod step;
#[cfg(unix)]
mod watched;

#[cfg(windows)]
pub(crate) use again::{Child, role, scribble};
#[cfg(unix)]
pub(crate) use forked::Child;
#[cfg(unix)]
pub(crate) use step::{Moment, Stepped, stay_on_one_processor};
#[cfg(unix)]
pub(crate) use watched::Moments;

/// Writes a word into memory, as any process that has it can.
#[cfg(unix)]
pub(crate) fn scribble(memory: impl crate::sys::AsFd, at: u64, word: u64) {
    crate::sys::write_at(memory, &word.to_le_bytes(), at).unwrap();
}

/// A small generator, so that a failure can be repeated.
#[derive(Clone, Debug)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        (self.next() >> 16) % bound
    }
}
