//! Makes memory of a part of a section when it is touched first.
//!
//! A long section is only set aside ([`fixed_memory`](super::fixed_memory)). The system has the part that is touched made
//! memory by a call, once for all processes that have it mapped. So the fault of the first touch is caught, the call made,
//! and the instruction tried again: nobody above sees any of it. Where there is no memory left, the fault is a fault,
//! as it is on systems that have no such call.

use std::io;
use std::sync::OnceLock;

use windows_sys::Win32::Foundation::EXCEPTION_ACCESS_VIOLATION;
use windows_sys::Win32::System::Diagnostics::Debug::{
    AddVectoredExceptionHandler, EXCEPTION_CONTINUE_EXECUTION, EXCEPTION_CONTINUE_SEARCH, EXCEPTION_POINTERS,
};
use windows_sys::Win32::System::Memory::{MEM_COMMIT, PAGE_READWRITE, VirtualAlloc};

use super::mapping::set_aside_around;

/// How much is made memory at once: a fault costs as much as some thousand bytes do.
const PART: usize = 1 << 20;

/// Has faults caught from now on.
pub(super) fn prepare() -> io::Result<()> {
    static IS_THERE: OnceLock<bool> = OnceLock::new();
    // Before other handlers: theirs are for faults that are mistakes.
    // SAFETY: the function stays for ever, is of the right kind, and keeps to what may be done where a fault was.
    let is_there =
        *IS_THERE.get_or_init(|| !unsafe { AddVectoredExceptionHandler(1, Some(caught)) }.is_null());
    if is_there { Ok(()) } else { Err(io::Error::other("faults cannot be caught")) }
}

/// Called in the thread that faulted, at any of its instructions. It allocates nothing, and waits only for a lock whose
/// owners touch no shared memory.
unsafe extern "system" fn caught(about: *mut EXCEPTION_POINTERS) -> i32 {
    // SAFETY: the system passes a struct that is there during the call.
    let record = unsafe { (*about).ExceptionRecord };
    // SAFETY: as above.
    let record = unsafe { &*record };
    // The first of the two says what was tried: 0 to read, 1 to write.
    let [0 | 1, address] = record.ExceptionInformation[..2] else { return EXCEPTION_CONTINUE_SEARCH };
    if record.ExceptionCode == EXCEPTION_ACCESS_VIOLATION && record.NumberParameters >= 2 && make(address) {
        EXCEPTION_CONTINUE_EXECUTION
    } else {
        EXCEPTION_CONTINUE_SEARCH
    }
}

/// Makes memory of what is around this address, if that is a section's part that was set aside.
fn make(address: usize) -> bool {
    let Some((start, end)) = set_aside_around(address) else { return false };
    let from = start + (address - start) / PART * PART;
    let length = PART.min(end - from);
    // SAFETY: the range lies in a view of this process, which somebody looks at just now; what is memory already stays
    // as it is.
    !unsafe { VirtualAlloc(std::ptr::without_provenance(from), length, MEM_COMMIT, PAGE_READWRITE) }.is_null()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU64;
    use std::sync::atomic::Ordering::Relaxed;

    use windows_sys::Win32::System::Memory::{PAGE_NOACCESS, VirtualProtect};

    use super::super::fixed_memory;
    use super::super::mapping::Mapping;
    use super::*;

    /// Wine lets a part be touched that is not memory yet. So the fault is made by another way, in two parts at once.
    #[test]
    fn what_is_touched_is_there() {
        const LENGTH: usize = 16 << 20;
        let memory = fixed_memory("test", LENGTH as u64).unwrap();
        let mapping = Mapping::new(&memory, LENGTH).unwrap();
        let close = |at: usize, length: usize| {
            let (from, mut before) = (mapping.start().wrapping_add(at).cast(), 0);
            // SAFETY: the range lies in the mapping, which nobody else has.
            let made = unsafe { VirtualAlloc(from, length, MEM_COMMIT, PAGE_READWRITE) };
            assert!(!made.is_null());
            // SAFETY: as above.
            assert_ne!(unsafe { VirtualProtect(from, length, PAGE_NOACCESS, &raw mut before) }, 0);
        };
        close(5 << 20, 3 << 20);
        close(LENGTH - 4096, 4096);
        for at in [5 << 20, (7 << 20) + 8, LENGTH - 8, 11 << 20] {
            let place = mapping.start().wrapping_add(at).cast::<AtomicU64>();
            // SAFETY: aligned, in the mapping, and an atomic for all who look at it.
            let word = unsafe { &*place };
            assert_eq!(word.fetch_add(at as u64, Relaxed), 0);
            assert_eq!(word.load(Relaxed), at as u64);
        }
    }

    #[test]
    fn other_faults_are_not_caught() {
        let memory = fixed_memory("test", 4096).unwrap();
        let short = Mapping::new(&memory, 4096).unwrap();
        assert!(!make(short.start().addr()) && !make(0) && !make(usize::MAX));
        let memory = fixed_memory("test", 8 << 20).unwrap();
        let long = Mapping::new(&memory, 8 << 20).unwrap();
        let (first, last) = (long.start().addr(), long.start().addr() + (8 << 20) - 1);
        assert!(make(first) && make(last));
    }
}
