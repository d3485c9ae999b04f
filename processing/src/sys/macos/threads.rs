//! What this process is called, and among which others.

use std::ffi::CStr;

/// There is one namespace of process numbers.
#[expect(clippy::unnecessary_wraps, reason = "elsewhere there are many")]
pub(crate) fn process_namespace() -> Option<u64> {
    Some(0)
}

/// A process is called by its program's name here, and so a worker already is.
pub(crate) fn name_process(_name: &CStr) {}
