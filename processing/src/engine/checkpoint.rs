//! Committing a process's state, so that a worker which replaces this one can resume from it.

use std::io;

use serde::Serialize;

use crate::channel::{Message, read_all_at};
use crate::context::Context;
use crate::error::Failure;
use crate::protocol::Event;
use crate::shm::status::Checkpoint;
use crate::snapshot;
use crate::sys::OwnedFd;

/// The two state files. The status page says which one is in force; the other one is written next.
#[derive(Debug)]
pub(super) struct Checkpoints {
    files: [OwnedFd; 2],
    /// The number of the last set of handles that was sent to the parent.
    handles: u64,
}

/// Reads the state that is in force.
pub(super) fn load(files: &[OwnedFd], at: &Checkpoint) -> io::Result<Vec<u8>> {
    let missing = || io::Error::new(io::ErrorKind::NotFound, "the state file that is in force is missing");
    let file = usize::try_from(at.slot).ok().and_then(|slot| files.get(slot)).ok_or_else(missing)?;
    read_all_at(file, 0, at.length)
}

impl Checkpoints {
    pub(super) fn new(files: Vec<OwnedFd>, handles: u64) -> Option<Self> {
        Some(Checkpoints { files: files.try_into().ok()?, handles })
    }

    /// Writes the state to the file that is not in force, then puts it in force: a kill in between changes nothing.
    pub(super) fn commit<W: Serialize>(
        &mut self,
        context: &Context,
        process: &W,
        run: u64,
    ) -> Result<(), Failure> {
        let status = &context.0.status;
        let message = Message::encode_untyped(process).map_err(|error| {
            let error = error.with_root("worker");
            Failure::with_cause("the state cannot be committed; `checkpoint = off` does without", &error)
        })?;
        let cannot = |error: &(dyn std::error::Error + 'static)| {
            Failure::with_cause("the state cannot be committed", error)
        };
        let slot = (status.checkpoint().slot + 1) & 1;
        let length =
            snapshot::write(&self.files[slot as usize], &message.bytes).map_err(|error| cannot(&error))?;
        let had_handles = self.handles;
        if !message.fds.is_empty() || had_handles > 0 {
            // The parent keeps them for the next worker; it has them before the checkpoint is in force.
            self.handles += 1;
            context.send(Event::Handles(self.handles, message)).map_err(|error| cannot(&error))?;
        }
        status.commit(Checkpoint { slot, length, run, listened: status.listened(), handles: self.handles });
        Ok(())
    }
}
