//! One copy of the template, until it is a worker.

use std::ffi::CString;
use std::io;
use std::sync::Arc;

use super::Surroundings;
use crate::spawn::wish::Wish;
use crate::sys::{self, AsFd, Child, Exited, OwnedFd};

/// A copy that has been asked for. Until its first packet comes it does nothing but what it is told here.
pub(super) struct Copy {
    /// Our end of its channel.
    socket: OwnedFd,
    /// The environment that the template had then.
    environment: Arc<[CString]>,
    /// None as long as it is not known to have been made.
    child: Option<Child>,
}

impl Copy {
    pub(super) fn new(socket: OwnedFd, environment: Arc<[CString]>) -> Self {
        Copy { socket, environment, child: None }
    }

    pub(super) fn is_made(&self) -> bool {
        self.child.is_some()
    }

    pub(super) fn is_made_as(&mut self, child: Child) {
        self.child = Some(child);
    }

    /// The process, if it is known to have been made.
    pub(super) fn child(&self) -> Option<&Child> {
        self.child.as_ref()
    }

    /// Nothing if somebody has killed it while it waited.
    pub(super) fn if_alive(self) -> Option<Self> {
        match self.child.as_ref().map(Child::exited) {
            Some(Exited::With(_)) => None,
            Some(Exited::NotYet) | None => Some(self),
        }
    }

    /// Tells it where it is, as this program is now. It may not have been made yet.
    pub(super) fn tell(&self, surroundings: &Surroundings<'_>) -> io::Result<()> {
        let directory = sys::working_directory()?;
        let differs = *self.environment != *surroundings.environment;
        let environment = differs.then(|| sys::environment_file(surroundings.environment)).transpose()?;
        let wish = Wish {
            channel: None,
            directory: Some(directory.as_fd()),
            streams: surroundings.streams,
            environment: environment.as_ref().map(AsFd::as_fd),
        };
        wish.send(self.socket.as_fd())
    }

    /// Ends it. One that is not known to have been made sees that its channel is closed.
    pub(super) fn discard(self) {
        self.child.iter().for_each(Child::discard);
    }

    pub(super) fn into_parts(self) -> Option<(Child, OwnedFd)> {
        Some((self.child?, self.socket))
    }
}
