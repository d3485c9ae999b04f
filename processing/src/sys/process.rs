//! This process: who started it, and how it ends.

/// Names a process.
pub(crate) use rustix::process::Pid as ProcessId;

/// Who has started this process; none that can be seen from here, perhaps.
pub(crate) fn parent() -> Option<ProcessId> {
    rustix::process::getppid()
}

/// Ends this process without another word: no destructor, no buffered output.
pub(crate) fn exit_at_once() -> ! {
    // SAFETY: has no requirement; nothing of this process is used afterwards.
    unsafe { libc::_exit(0) }
}

/// Ends this process as somebody else would: its parent sees SIGKILL.
pub(crate) fn kill_at_once() -> ! {
    // To oneself it is always allowed, and nothing can hold it up.
    let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
    std::process::abort()
}

/// Ends this process as a failure that nothing can be done about: its parent sees SIGABRT.
pub(crate) fn abort() -> ! {
    std::process::abort()
}
