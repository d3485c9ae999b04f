//! A process that was started here, and how it ended.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::event::kqueue::{EventFilter, EventFlags, ProcessEvents, UserDefinedFlags, UserFlags};
use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};

use super::queue::Queue;
use crate::error::Exit;

/// A process that we have made and will reap.
///
/// Its number is its own until it has been reaped, which only this does: so nothing is sent to it afterwards. (Where
/// somebody else in this program waits for every child, it may have been given to another process; no handle says so
/// here.)
#[derive(Debug)]
pub(crate) struct Child {
    pid: Pid,
    /// Holds its end, once that has come.
    end: Queue,
    exit: Mutex<Option<Exit>>,
}

/// Whether a process has ended.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Exited {
    NotYet,
    With(Exit),
}

impl Child {
    /// A child of this process that has just been made, and that nothing else of ours waits for.
    pub(crate) fn new(pid: i32) -> io::Result<Self> {
        let pid = Pid::from_raw(pid).ok_or_else(|| io::Error::other("the new process has no id"))?;
        let end = watch(pid).inspect_err(|_| {
            // Nobody would notice its end, so it must not live.
            let _ = kill_process(pid, Signal::KILL);
            while let Err(Errno::INTR) = waitpid(Some(pid), WaitOptions::empty()) {}
        })?;
        Ok(Child { pid, end, exit: Mutex::new(None) })
    }

    fn lock(&self) -> MutexGuard<'_, Option<Exit>> {
        self.exit.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn pid(&self) -> u32 {
        self.pid.as_raw_nonzero().get().unsigned_abs()
    }

    /// Ends it.
    pub(crate) fn kill(&self) {
        if self.lock().is_none() {
            // The only failure left is that it has ended already.
            let _ = kill_process(self.pid, Signal::KILL);
        }
    }

    /// Ends it, and sees to it that nothing of it stays.
    pub(crate) fn discard(&self) {
        self.kill();
        self.reap();
    }

    /// Waits for the end of a process that has been killed, so that it does not stay as a zombie. At once if it has
    /// been reaped.
    pub(crate) fn reap(&self) {
        self.wait(WaitOptions::empty());
    }

    /// Whether it has ended, and how. Reaps it, so that no zombie stays.
    pub(crate) fn exited(&self) -> Exited {
        self.wait(WaitOptions::NOHANG).map_or(Exited::NotYet, Exited::With)
    }

    fn wait(&self, options: WaitOptions) -> Option<Exit> {
        let mut exit = self.lock();
        while exit.is_none() {
            match waitpid(Some(self.pid), options) {
                Ok(None) => break,
                Err(Errno::INTR) => {}
                Ok(Some((_, status))) => {
                    *exit = match (status.exit_status(), status.terminating_signal()) {
                        (Some(code), _) => Some(Exit::Code(code)),
                        (None, Some(signal)) => Some(Exit::Signal(signal)),
                        // Stopped, which is not asked for.
                        (None, None) => continue,
                    };
                }
                // This program ignores SIGCHLD, or waits for every child: someone else reaped it.
                Err(_) => *exit = Some(Exit::Unknown),
            }
        }
        *exit
    }
}

/// A queue that has something in it as soon as this process has ended.
fn watch(pid: Pid) -> io::Result<Queue> {
    let queue = Queue::new()?;
    let end = EventFilter::Proc { pid, flags: ProcessEvents::EXIT };
    match queue.change(end, EventFlags::ADD, 0) {
        // It has ended already.
        Err(Errno::SRCH) => {
            for flags in [UserFlags::empty(), UserFlags::TRIGGER] {
                let ended = EventFilter::User { ident: 0, flags, user_flags: UserDefinedFlags::new(0) };
                queue.change(ended, EventFlags::ADD, 0)?;
            }
        }
        watched => watched?,
    }
    Ok(queue)
}

impl AsFd for Child {
    /// Readable once the process has ended.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.end.as_fd()
    }
}
