//! The fork server where there is none: every worker is this program, started again.

use std::ffi::CString;
use std::io;
use std::sync::Once;

use crate::config::StartMethod;
use crate::reactor::{ActorId, Io};
use crate::sys::{BorrowedFd, Child, OwnedFd};
use crate::trace;

pub(super) type StartTemplate<'a> = dyn Fn(BorrowedFd<'_>) -> io::Result<Child> + 'a;

pub(super) struct Surroundings<'a> {
    #[expect(dead_code, reason = "nobody is told")]
    pub(super) environment: &'a [CString],
    #[expect(dead_code, reason = "nobody is told")]
    pub(super) streams: [Option<BorrowedFd<'a>>; 3],
}

/// A copy of a template, of which there is none.
pub(super) enum Taken {}

/// A copy that waits for its first packet.
pub(super) struct Ready {
    pub(super) child: Child,
    pub(super) socket: OwnedFd,
    pub(super) watch: ActorId,
}

/// Whoever wished for one is told, once.
pub(super) fn prepare(method: StartMethod, _environment: &[CString], _start: &StartTemplate<'_>) {
    static TOLD: Once = Once::new();
    if method == StartMethod::ForkServer {
        TOLD.call_once(|| trace::no_fork_server("this system has none"));
    }
}

pub(super) fn is_ready(_method: StartMethod) -> bool {
    false
}

pub(super) fn take(_surroundings: &Surroundings<'_>) -> Option<Taken> {
    None
}

impl Taken {
    pub(super) fn ready(self) -> Option<Ready> {
        match self {}
    }
}

/// Nobody makes any.
pub(crate) fn make_ahead(_watch: ActorId, _io: &mut Io<'_>) {}
