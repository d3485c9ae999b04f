//! A process at rest: its settings and its struct, as the state files hold them.
//!
//! | bytes | what |
//! |---|---|
//! | 0–3 | length of the encoded settings, little-endian |
//! | 4… | the settings, then the struct |
//!
//! There are two state files. The first begins with the state that the process was started with; checkpoints go to
//! the one that is not in force, and the status page says which one is.

use std::io;
use std::os::fd::OwnedFd;

use rustix::fs::ftruncate;
use serde::{Deserialize, Serialize};

use crate::channel::write_all_at;
use crate::{Config, ProcessError};

/// What the first packet to a worker that runs a process says.
///
/// Its descriptors are the status page, the alarm, the state files, and those of the handles inside the state.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Job {
    /// How many state files there are: two if there will be checkpoints.
    pub(crate) files: usize,
    /// If the process is over but for its `error` hook: why.
    pub(crate) ending: Option<ProcessError>,
}

/// Writes a state file anew and says how long it has become. What was in it before is gone, and so is its memory.
pub(crate) fn write(file: &OwnedFd, config: &Config, process: &[u8]) -> io::Result<u64> {
    let config = cucumber::to_bytes(config).map_err(io::Error::other)?;
    let mut head = (config.len() as u32).to_le_bytes().to_vec();
    head.extend_from_slice(&config);
    ftruncate(file, 0)?;
    write_all_at(file, &head, 0)?;
    write_all_at(file, process, head.len() as u64)?;
    Ok((head.len() + process.len()) as u64)
}

/// Takes the bytes of a state file apart.
pub(crate) fn unpack(bytes: &[u8]) -> cucumber::Result<(Config, &[u8])> {
    let parts = bytes.split_first_chunk().and_then(|(length, rest)| {
        let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
        rest.split_at_checked(length)
    });
    let (config, process) =
        parts.ok_or_else(|| <cucumber::Error as serde::de::Error>::custom("the state file is cut short"))?;
    Ok((cucumber::from_bytes(config)?, process))
}
