//! Forked children.

use std::time::{Duration, Instant};

/// A forked child. Killed and reaped when dropped.
#[derive(Debug)]
pub(crate) struct Child {
    pub(crate) pid: i32,
    reaped: bool,
}

impl Child {
    /// Runs `body` in a copy of this process that ends with it.
    ///
    /// The body must not print, nor fail other than by returning `false`.
    pub(crate) fn fork(body: impl FnOnce() -> bool) -> Child {
        // SAFETY: the C library's `fork` leaves a child whose only thread may allocate; the bodies keep to
        // memory and shared segments, and end in `_exit`.
        let pid = unsafe { libc::fork() };
        assert!(pid >= 0, "fork: {}", std::io::Error::last_os_error());
        if pid == 0 {
            // Killed, the tests leave nobody behind.
            let _ = rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL));
            let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(body));
            // SAFETY: ends this process, without running what belongs to the parent.
            unsafe { libc::_exit(if matches!(done, Ok(true)) { 0 } else { 1 }) };
        }
        Child { pid, reaped: false }
    }

    pub(crate) fn kill(&self) {
        // SAFETY: the child is not reaped yet, so the number is still its own.
        unsafe { libc::kill(self.pid, libc::SIGKILL) };
    }

    pub(super) fn poll(&mut self, flags: i32) -> Option<i32> {
        let mut status = 0;
        // SAFETY: `status` is ours to write; the child is not reaped yet.
        let pid = unsafe { libc::waitpid(self.pid, &raw mut status, flags) };
        (pid == self.pid).then(|| {
            self.reaped = !libc::WIFSTOPPED(status);
            status
        })
    }

    /// Waits for the end; `true` if the body said so.
    pub(crate) fn succeeds_within(mut self, time: Duration) -> bool {
        let start = Instant::now();
        while start.elapsed() < time {
            if let Some(status) = self.poll(libc::WNOHANG) {
                return libc::WIFEXITED(status) && libc::WEXITSTATUS(status) == 0;
            }
            std::thread::sleep(Duration::from_micros(200));
        }
        false
    }

    /// Kills and reaps.
    pub(crate) fn end(self) {}
}

impl Drop for Child {
    fn drop(&mut self) {
        if !self.reaped {
            self.kill();
            self.poll(0);
        }
    }
}
