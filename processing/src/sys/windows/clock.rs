//! The counter that all processes of this machine see.

use std::sync::OnceLock;

use windows_sys::Win32::System::Performance::{QueryPerformanceCounter, QueryPerformanceFrequency};

/// So many nanoseconds since about when this machine was started.
pub(super) fn nanos() -> u64 {
    static FREQUENCY: OnceLock<u64> = OnceLock::new();
    let frequency = *FREQUENCY.get_or_init(|| {
        let mut frequency = 0;
        // SAFETY: the result has somewhere to go. It never fails, and never changes.
        unsafe { QueryPerformanceFrequency(&raw mut frequency) };
        frequency.unsigned_abs().max(1)
    });
    let mut ticks = 0;
    // SAFETY: as above.
    unsafe { QueryPerformanceCounter(&raw mut ticks) };
    let (seconds, rest) = (ticks.unsigned_abs() / frequency, ticks.unsigned_abs() % frequency);
    seconds * 1_000_000_000 + (u128::from(rest) * 1_000_000_000 / u128::from(frequency)) as u64
}
