//! What a worker is given to begin with.

use std::io;

use super::supervisor::Supervisor;
use crate::channel::Message;
use crate::snapshot::Job;
use crate::sys::AsFd;

impl Supervisor {
    /// Says on the status page where to go on, and returns how many messages had been listened to there.
    pub(super) fn resume(&self) -> u64 {
        let status = &self.shared.status;
        // The last worker is gone, so its part of the page is ours until the next one starts.
        let listened = self.shared.lock().resume_from(status);
        status.set_listened(listened);
        status.set_run(if self.ending.is_some() { status.run() } else { status.checkpoint().run });
        status.forget_end();
        listened
    }

    /// What the next worker is to do.
    pub(super) fn job(&self) -> io::Result<Message> {
        let status = &self.shared.status;
        let job = Job {
            config: self.config.clone(),
            ending: self.ending.clone(),
            last_failure: self.last_failure.clone(),
        };
        let bytes = cucumber::to_bytes(&job).map_err(io::Error::other)?;
        let handles = self.handles.get(&status.checkpoint().handles).map(Vec::as_slice).unwrap_or_default();
        let own = [status.as_fd(), self.alarm.to_pass()];
        let rest = self.files.iter().chain(handles).map(AsFd::as_fd);
        let fds = own.into_iter().chain(rest).map(|fd| fd.try_clone_to_owned()).collect::<io::Result<_>>()?;
        Ok(Message { bytes, fds })
    }
}
