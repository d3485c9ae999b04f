//! Words in memory that threads of several processes sleep at.
//!
//! The system has a call for that which does not reach other processes, so for a word of shared memory it is done here:
//! [`sleepers`](super::sleepers) has who sleeps where, and the steps; what they sleep at are events.

use std::cell::Cell;
use std::ptr;
use std::sync::LazyLock;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::sync::atomic::{AtomicU32, AtomicUsize, fence};
use std::time::Duration;

use windows_sys::Win32::System::Threading::{INFINITE, WaitOnAddress, WakeByAddressAll, WakeByAddressSingle};

use super::doze::millis;
use super::mapping::View;
use super::sleepers::SLOTS;
use super::{process_exists, process_number};

/// How long somebody sleeps who cannot be woken, before it looks again.
const UNHEARD: Duration = Duration::from_millis(1);

/// Sleeps while the word is `expected`, until it is woken; may return for no reason.
pub(crate) fn wait(word: &AtomicU32, expected: u32, at_most: Option<Duration>) {
    match View::of(word.as_ptr().addr()) {
        Some((view, offset)) => {
            if sleep(&view, word, offset, expected, at_most).is_none() {
                std::thread::sleep(at_most.map_or(UNHEARD, |time| time.min(UNHEARD)));
            }
        }
        None => {
            let time = at_most.map_or(INFINITE, millis);
            // SAFETY: both words are there as long as the borrows, and of the size that is given.
            unsafe {
                WaitOnAddress(word.as_ptr().cast(), (&raw const expected).cast(), size_of::<u32>(), time)
            };
        }
    }
}

/// Sleeps at a word of shared memory; `None` if nobody could have woken it.
fn sleep(view: &View, word: &AtomicU32, offset: u64, expected: u32, at_most: Option<Duration>) -> Option<()> {
    static ME: LazyLock<Option<u32>> = LazyLock::new(|| process_number().ok());
    if word.load(Relaxed) != expected {
        return Some(());
    }
    let seat = view.table().take((*ME)?, FIRST.get(), process_exists)?;
    FIRST.set(seat.index());
    // Before anybody can want to wake it.
    let doze = view.doze(seat.index())?;
    seat.announce(offset);
    // Who changes the word from here on finds the seat.
    if word.load(SeqCst) == expected {
        doze.sleep(at_most);
    }
    Some(())
}

thread_local! {
    /// The slot to try first: the last one, or one that no other thread begins with.
    static FIRST: Cell<usize> = {
        static THREADS: AtomicUsize = AtomicUsize::new(0);
        // Processes begin at different places.
        let own = std::process::id() as usize / 4 * 61;
        Cell::new(own.wrapping_add(THREADS.fetch_add(1, Relaxed)) % SLOTS)
    };
}

/// Wakes those who sleep there, and says how many.
///
/// All of them, not `count`: one may be gone without anybody knowing, and to wake that one alone would be to wake nobody.
pub(crate) fn wake(word: &AtomicU32, count: u32) -> u32 {
    let Some((view, offset)) = View::of(word.as_ptr().addr()) else {
        let place = ptr::from_ref(word).cast();
        if count == 1 {
            // SAFETY: only the address counts, and the word is there as long as the borrow.
            unsafe { WakeByAddressSingle(place) };
        } else {
            // SAFETY: as above.
            unsafe { WakeByAddressAll(place) };
        }
        // The system does not say.
        return count;
    };
    // The change of the word is before the look for sleepers.
    fence(SeqCst);
    let mut woken = 0;
    for sleeper in view.table().at(offset) {
        if view.doze(sleeper.index).is_some_and(|doze| doze.wake().is_ok()) {
            sleeper.forget();
            woken += 1;
        }
    }
    woken
}

/// Wakes all of them.
pub(crate) fn wake_all(word: &AtomicU32) {
    wake(word, u32::MAX);
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU64;
    use std::time::Instant;

    use super::super::mapping::Mapping;
    use super::super::{fixed_memory, random};
    use super::*;

    /// A word of a mapping, that another mapping of the same memory has, too.
    fn word(mapping: &Mapping) -> &AtomicU32 {
        // SAFETY: the mapping is longer than that, begins at a page, and stays as long as it is borrowed; all who look at
        // it use atomics.
        unsafe { AtomicU32::from_ptr(mapping.start().wrapping_add(128).cast()) }
    }

    #[test]
    fn a_changed_word_keeps_nobody_and_time_runs_out() {
        let memory = fixed_memory("test", 4096).unwrap();
        let (mapping, own) = (Mapping::new(&memory, 4096).unwrap(), AtomicU32::new(0));
        for word in [word(&mapping), &own] {
            wait(word, 1, None);
            let start = Instant::now();
            wait(word, 0, Some(Duration::from_millis(30)));
            assert!(start.elapsed() >= Duration::from_millis(25));
            wait(word, 0, Some(Duration::ZERO));
        }
        assert_eq!(wake(word(&mapping), 1), 0, "nobody is there any more");
    }

    #[test]
    fn a_sleeper_is_woken_by_any_mapping_of_its_memory() {
        let memory = fixed_memory("test", 4096).unwrap();
        let [one, other] = [(); 2].map(|()| Mapping::new(&memory, 4096).unwrap());
        std::thread::scope(|scope| {
            let sleeper = scope.spawn(|| {
                while word(&one).load(SeqCst) == 0 {
                    wait(word(&one), 0, None);
                }
            });
            std::thread::sleep(Duration::from_millis(50));
            word(&other).store(1, SeqCst);
            wake_all(word(&other));
            sleeper.join().unwrap();
        });
    }

    #[test]
    fn garbage_in_the_table_harms_nobody() {
        let memory = fixed_memory("test", 4096).unwrap();
        let mapping = Mapping::new(&memory, 4096).unwrap();
        let table = mapping.start().wrapping_sub(super::super::mapping::STRETCH).cast::<AtomicU64>();
        for round in 0..20 {
            for at in 0..super::super::mapping::STRETCH / 8 {
                let value = if round % 4 == 0 { u64::MAX } else { random().unwrap() };
                // SAFETY: as `word` has it; the table lies before it in the same view.
                let place = unsafe { table.add(at) };
                // SAFETY: as above.
                unsafe { &*place }.store(value, Relaxed);
            }
            let start = Instant::now();
            wait(word(&mapping), 0, Some(Duration::from_millis(2)));
            wake_all(word(&mapping));
            assert!(start.elapsed() < Duration::from_secs(20));
        }
    }
}
