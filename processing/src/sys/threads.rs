//! Which threads there are.

use std::ffi::CStr;

use rustix::io::Errno;
use rustix::process::{Pid, test_kill_process};

/// Whether there is a thread of this number, in the namespace of this process.
#[cfg_attr(all(locks_by_process, not(test)), expect(dead_code, reason = "nobody names threads then"))]
pub(crate) fn thread_exists(number: u32) -> bool {
    let number = i32::try_from(number).ok().and_then(Pid::from_raw);
    // Whoever may not signal it is told so, and not that there is none.
    number.is_some_and(|number| test_kill_process(number) != Err(Errno::SRCH))
}

/// Tells namespaces of process numbers apart; `None` where that is not to be found out.
pub(crate) fn process_namespace() -> Option<u64> {
    rustix::fs::stat("/proc/self/ns/pid").ok().map(|stat| stat.st_ino)
}

/// What this process, which has one thread, is called in lists of processes: it was started by a path that ends in `exe`.
pub(crate) fn name_process(name: &CStr) {
    // Only a convenience.
    let _ = rustix::thread::set_name(name);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_exist_as_long_as_they_live() {
        let number = || rustix::thread::gettid().as_raw_nonzero().get().cast_unsigned();
        assert!(thread_exists(number()));
        let other = std::thread::spawn(move || {
            let own = number();
            (own, thread_exists(own))
        });
        let (other, existed) = other.join().expect("it ends");
        assert!(existed);
        // The system may take a moment over the rest.
        while thread_exists(other) {
            std::thread::yield_now();
        }
        assert!(!thread_exists(0) && !thread_exists(0x3fff_ffff));
        assert!(process_namespace().is_some());
    }
}
