//! Which processes there are.
//!
//! A process is known by 29 bits: its number, and some of when it began, as numbers are given out again.

use std::ffi::CStr;
use std::mem::MaybeUninit;

/// No number of a process is higher.
const PID_BITS: u32 = 17;
const START_BITS: u32 = 12;

/// By what this process is known.
pub(crate) fn process_number() -> u32 {
    let pid = std::process::id() & ((1 << PID_BITS) - 1);
    pid | start_of(pid).unwrap_or_default() << PID_BITS
}

/// Whether there is a process that is known by this number. Where the system does not say, there is.
pub(crate) fn thread_exists(number: u32) -> bool {
    match start_of(number & ((1 << PID_BITS) - 1)) {
        Ok(start) => start == number >> PID_BITS,
        Err(libc::ESRCH) => false,
        Err(_) => true,
    }
}

/// Some bits of when a process began; `ESRCH` if there is none, or it has ended and was not waited for yet.
fn start_of(pid: u32) -> Result<u32, i32> {
    let mut about = MaybeUninit::<libc::proc_bsdinfo>::uninit();
    let size = size_of::<libc::proc_bsdinfo>() as libc::c_int;
    // SAFETY: the place is as long as is said.
    let got = unsafe {
        libc::proc_pidinfo(pid.cast_signed(), libc::PROC_PIDTBSDINFO, 0, about.as_mut_ptr().cast(), size)
    };
    if got != size {
        return Err(std::io::Error::last_os_error().raw_os_error().unwrap_or_default());
    }
    // SAFETY: the call has written all of it.
    let about = unsafe { about.assume_init() };
    let micros = about.pbi_start_tvsec.wrapping_mul(1_000_000).wrapping_add(about.pbi_start_tvusec);
    Ok((micros.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - START_BITS)) as u32)
}

/// There is one namespace of process numbers.
#[expect(clippy::unnecessary_wraps, reason = "elsewhere there are many")]
pub(crate) fn process_namespace() -> Option<u64> {
    Some(0)
}

/// A process is called by its program's name here, and so a worker already is.
pub(crate) fn name_process(_name: &CStr) {}
