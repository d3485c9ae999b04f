//! A process at rest: its struct, as the state files hold it.
//!
//! There are two state files. The first begins with the state that the process was started with; checkpoints go to
//! the one that is not in force, and the status page says which one is. The settings are not in them: what a hook has
//! changed stays in force, also where its iteration is repeated.

use std::io;

use serde::{Deserialize, Serialize};

use crate::channel::write_all_at;
use crate::sys::{self, OwnedFd};
use crate::{Config, ProcessError};

/// How many state files there are.
pub(crate) const FILES: usize = 2;

/// What the first packet to a worker that runs a process says.
///
/// Its descriptors are the status page with the mail behind it, the alarm, the state files, and those of the handles
/// inside the state.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Job {
    /// The settings as they are in force.
    pub(crate) config: Config,
    /// If the process is over but for its `error` hook: why.
    pub(crate) ending: Option<ProcessError>,
    /// Why the iteration that comes first is a repetition, if it is one.
    pub(crate) last_failure: Option<ProcessError>,
}

/// Writes a state file anew and says how long it has become. What was in it before is gone, and so is its memory.
pub(crate) fn write(file: &OwnedFd, process: &[u8]) -> io::Result<u64> {
    sys::set_file_length(file, 0)?;
    write_all_at(file, process, 0)?;
    Ok(process.len() as u64)
}
