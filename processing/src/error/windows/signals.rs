//! There are no signals here. How a process ends goes by the numbers of those that Linux would have ended it by.

/// Somebody has pressed Ctrl-C.
pub(crate) const INTERRUPT: i32 = 2;
/// An instruction that is none, or not allowed.
pub(crate) const ILLEGAL: i32 = 4;
/// A breakpoint that nobody has asked for.
pub(crate) const TRAP: i32 = 5;
/// What `abort` ends a process by.
pub(crate) const ABORT: i32 = 6;
/// A division by zero, and its like.
pub(crate) const ARITHMETIC: i32 = 8;
/// Another process has ended it.
pub(crate) const KILL: i32 = 9;
/// Memory that is not there, or not for this; a stack that was used up.
pub(crate) const ACCESS: i32 = 11;

pub(super) fn name(signal: i32) -> Option<&'static str> {
    Some(match signal {
        INTERRUPT => "Ctrl-C",
        ILLEGAL => "an illegal instruction",
        TRAP => "a breakpoint",
        ABORT => "an abort",
        ARITHMETIC => "an arithmetic exception",
        KILL => "another process",
        ACCESS => "an access violation",
        _ => return None,
    })
}
