//! By what a process is known as the owner of a lock: 29 bits.
//!
//! They are its number, and some of when it began, as numbers are given out again. Needed where a lock's owner is a process
//! (`shm/robust/by_process.rs`): on macOS, and on Linux for tests.

use std::io;

/// No number of a process has more bits.
const PID_BITS: u32 = if cfg!(target_os = "linux") { 22 } else { 17 };
const START_BITS: u32 = 29 - PID_BITS;

/// Why it is not known when a process began.
enum Unknown {
    /// There is none of this number, or it has ended and was not waited for yet.
    Gone,
    /// The system does not say.
    Untold,
}

/// By what this process is known.
#[expect(clippy::unnecessary_wraps, reason = "elsewhere there are numbers that do not fit")]
pub(crate) fn process_number() -> io::Result<u32> {
    let pid = std::process::id() & ((1 << PID_BITS) - 1);
    Ok(pid | bits_of_start(pid).unwrap_or_default() << PID_BITS)
}

/// Whether there is a process that is known by this number. Where the system does not say, there is.
pub(crate) fn process_exists(number: u32) -> bool {
    match bits_of_start(number & ((1 << PID_BITS) - 1)) {
        Ok(start) => start == number >> PID_BITS,
        Err(Unknown::Gone) => false,
        Err(Unknown::Untold) => true,
    }
}

fn bits_of_start(pid: u32) -> Result<u32, Unknown> {
    Ok((start(pid)?.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - START_BITS)) as u32)
}

/// When a process began, by some clock.
#[cfg(target_os = "macos")]
fn start(pid: u32) -> Result<u64, Unknown> {
    use std::mem::MaybeUninit;
    let mut about = MaybeUninit::<libc::proc_bsdinfo>::uninit();
    let size = size_of::<libc::proc_bsdinfo>() as libc::c_int;
    // SAFETY: the place is as long as is said.
    let got = unsafe {
        libc::proc_pidinfo(pid.cast_signed(), libc::PROC_PIDTBSDINFO, 0, about.as_mut_ptr().cast(), size)
    };
    if got != size {
        let is_gone = io::Error::last_os_error().raw_os_error() == Some(libc::ESRCH);
        return Err(if is_gone { Unknown::Gone } else { Unknown::Untold });
    }
    // SAFETY: the call has written all of it.
    let about = unsafe { about.assume_init() };
    Ok(about.pbi_start_tvsec.wrapping_mul(1_000_000).wrapping_add(about.pbi_start_tvusec))
}

/// When a process began, by some clock.
#[cfg(target_os = "linux")]
fn start(pid: u32) -> Result<u64, Unknown> {
    let about = match std::fs::read_to_string(format!("/proc/{pid}/stat")) {
        Ok(about) => about,
        // The process may have gone while it was being asked about.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(Unknown::Gone),
        Err(error) if error.raw_os_error() == Some(libc::ESRCH) => return Err(Unknown::Gone),
        Err(_) => return Err(Unknown::Untold),
    };
    // Behind its name, which may hold anything: its state first, and its start as the twentieth.
    let mut fields = about.rsplit(')').next().unwrap_or_default().split_ascii_whitespace();
    if matches!(fields.next(), Some("Z" | "X")) {
        return Err(Unknown::Gone);
    }
    fields.nth(18).and_then(|start| start.parse().ok()).ok_or(Unknown::Untold)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shm::testing::Child;

    #[test]
    fn a_process_exists_until_it_ends() {
        let own = process_number().unwrap();
        assert!(process_exists(own));
        let other_start = own ^ 1 << PID_BITS;
        assert!(!process_exists(other_start), "its number was given to this process");
        let child = Child::fork(|| {
            loop {
                std::thread::park();
            }
        });
        let number = child.pid.cast_unsigned();
        let number = number | bits_of_start(number).unwrap_or_default() << PID_BITS;
        assert!(process_exists(number) && number != own);
        child.end();
        assert!(!process_exists(number));
    }
}
