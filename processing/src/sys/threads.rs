//! Which threads there are.

use std::ffi::{CStr, c_void};
use std::io;
use std::mem::MaybeUninit;
use std::ptr;

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
    name_thread(name);
}

/// What the calling thread is called in lists of threads.
pub(crate) fn name_thread(name: &CStr) {
    // Only a convenience.
    let _ = rustix::thread::set_name(name);
}

/// A thread that runs `body`, for the rest of this process, and costs little before that does anything: one of the
/// standard library's allocates before and after, for which the C library gives each thread a heap of its own.
///
/// A panic in it ends the process.
pub(crate) fn start_thread<F: Fn() + Sync>(stack: usize, body: &'static F) -> io::Result<()> {
    extern "C" fn begin<F: Fn() + Sync>(body: *mut c_void) -> *mut c_void {
        // SAFETY: what is passed to this thread, below, is a `&'static F` of this very `F`, and an `F` may be used by
        // many threads.
        let body = unsafe { &*body.cast::<F>() };
        body();
        ptr::null_mut()
    }

    let checked = |code| if code == 0 { Ok(()) } else { Err(io::Error::from_raw_os_error(code)) };
    let mut attributes = MaybeUninit::uninit();
    // SAFETY: initialises what it is given.
    checked(unsafe { libc::pthread_attr_init(attributes.as_mut_ptr()) })?;
    // SAFETY: the call above has succeeded.
    let mut attributes = unsafe { attributes.assume_init() };
    // SAFETY: `attributes` is initialised.
    let sized = checked(unsafe { libc::pthread_attr_setstacksize(&raw mut attributes, stack) });
    let started = sized.and_then(|()| {
        let mut thread = MaybeUninit::uninit();
        let body = ptr::from_ref(body).cast_mut().cast::<c_void>();
        // SAFETY:
        // - `attributes` is initialised, and the thread's name has somewhere to go;
        // - `begin` gets the `body` that it is made for, which is there for ever and only read.
        checked(unsafe { libc::pthread_create(thread.as_mut_ptr(), &raw const attributes, begin::<F>, body) })
    });
    // SAFETY: initialised above and used no more.
    unsafe { libc::pthread_attr_destroy(&raw mut attributes) };
    started
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number() -> u32 {
        rustix::thread::gettid().as_raw_nonzero().get().cast_unsigned()
    }

    #[test]
    fn a_thread_runs_what_it_is_given() {
        let (sender, receiver) = std::sync::mpsc::channel();
        start_thread(1 << 20, Box::leak(Box::new(move || sender.send(number()).expect("it waits"))))
            .expect("it starts");
        assert_ne!(receiver.recv().expect("it runs"), number());
    }

    #[test]
    fn threads_exist_as_long_as_they_live() {
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
