//! By what a process is known as the owner of a lock: 29 bits.
//!
//! They are its number, and some of when it began, as numbers are given out again, and soon. Numbers are multiples of 4.

use std::io;
use std::os::windows::io::{AsRawHandle as _, FromRawHandle as _, OwnedHandle, RawHandle};

use windows_sys::Win32::Foundation::{ERROR_INVALID_PARAMETER, FILETIME, WAIT_OBJECT_0};
use windows_sys::Win32::System::Threading::{
    GetCurrentProcess, GetProcessTimes, OpenProcess, PROCESS_QUERY_LIMITED_INFORMATION, PROCESS_SYNCHRONIZE,
    WaitForSingleObject,
};

/// Room for a million processes and threads, which have their numbers from one supply.
const PID_BITS: u32 = 20;
const START_BITS: u32 = 29 - PID_BITS;

/// Why it is not known when a process began.
enum Unknown {
    /// There is none of this number, or it has ended.
    Gone,
    /// The system does not say.
    Untold,
}

/// By what this process is known; an error if its number has more bits than there is room for.
pub(crate) fn process_number() -> io::Result<u32> {
    // SAFETY: has no requirement.
    let start = start(unsafe { GetCurrentProcess() })?;
    compose(std::process::id(), start)
}

fn compose(pid: u32, start: u64) -> io::Result<u32> {
    let pid = pid / 4;
    if pid >= 1 << PID_BITS {
        return Err(io::Error::other("the number of this process is too high for it to own a lock"));
    }
    Ok(pid | bits_of(start) << PID_BITS)
}

/// Whether there is a process that is known by this number. Where the system does not say, there is.
pub(crate) fn process_exists(number: u32) -> bool {
    match start_of((number & ((1 << PID_BITS) - 1)) * 4) {
        Ok(start) => bits_of(start) == number >> PID_BITS,
        Err(Unknown::Gone) => false,
        Err(Unknown::Untold) => true,
    }
}

fn bits_of(start: u64) -> u32 {
    (start.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - START_BITS)) as u32
}

/// When the process of this number began.
fn start_of(pid: u32) -> Result<u64, Unknown> {
    const RIGHTS: u32 = PROCESS_SYNCHRONIZE | PROCESS_QUERY_LIMITED_INFORMATION;
    // SAFETY: any number may be asked for.
    let process = unsafe { OpenProcess(RIGHTS, 0, pid) };
    if process.is_null() {
        return Err(match io::Error::last_os_error().raw_os_error().map(i32::cast_unsigned) {
            Some(ERROR_INVALID_PARAMETER) => Unknown::Gone,
            // There is one that does not belong to us, above all (`ERROR_ACCESS_DENIED`).
            _ => Unknown::Untold,
        });
    }
    // SAFETY: the call has made this handle, for us alone.
    let process = unsafe { OwnedHandle::from_raw_handle(process) };
    // It keeps its number as long as anybody has a handle of it.
    // SAFETY: the handle is open.
    if unsafe { WaitForSingleObject(process.as_raw_handle(), 0) } == WAIT_OBJECT_0 {
        return Err(Unknown::Gone);
    }
    start(process.as_raw_handle()).map_err(|_| Unknown::Untold)
}

/// When a process began, in units of 100 ns.
pub(super) fn start(process: RawHandle) -> io::Result<u64> {
    const NEVER: FILETIME = FILETIME { dwLowDateTime: 0, dwHighDateTime: 0 };
    let (mut created, mut ended, mut kernel, mut user) = (NEVER, NEVER, NEVER, NEVER);
    // SAFETY: the handle is open, as its owner has it; all four results have somewhere to go.
    let done =
        unsafe { GetProcessTimes(process, &raw mut created, &raw mut ended, &raw mut kernel, &raw mut user) };
    if done == 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(u64::from(created.dwHighDateTime) << 32 | u64::from(created.dwLowDateTime))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_exists_until_it_ends() {
        let own = process_number().unwrap();
        assert!(process_exists(own));
        assert!(!process_exists(own ^ 1 << PID_BITS), "its number was given to this process");
        assert!(!process_exists(0));
    }

    #[test]
    fn a_number_that_has_no_room_is_an_error() {
        assert!(compose(4 << PID_BITS, 1).is_err());
        assert!(compose((4 << PID_BITS) - 4, u64::MAX).is_ok_and(|number| number < 1 << 29));
    }
}
