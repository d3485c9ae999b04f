//! What a panic or a used-up stack leaves behind for the parent.

use std::any::Any;
use std::cell::Cell;
use std::io;
use std::os::fd::AsFd;
use std::panic;
use std::sync::OnceLock;

use crate::context::Context;
use crate::error::{Failure, PanicReport, own_backtrace, panic_message};
use crate::shm::Page;
use crate::shm::status::Status;
use crate::sys;

/// The status page, for those who have no context at hand: the panic hook and a signal handler.
static STATUS: OnceLock<Page<Status>> = OnceLock::new();

thread_local! {
    /// The last panic of this thread.
    static LAST: Cell<Option<PanicReport>> = const { Cell::new(None) };
}

/// From here on panics are written to the status page before anything else happens: they may be the last thing that
/// does, where they abort. Then the hook that was there before goes on.
pub(crate) fn watch(status: &Page<Status>) -> io::Result<()> {
    let own = Page::open(status.as_fd().try_clone_to_owned()?)?;
    if STATUS.set(own).is_err() {
        return Ok(());
    }
    sys::on_stack_overflow(note_overflow);
    let before = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        let report = PanicReport {
            message: panic_message(info.payload()),
            location: info.location().map(Into::into),
            backtrace: own_backtrace(),
        };
        if let Some(status) = STATUS.get() {
            status.panic.write(&report);
        }
        // The thread may be on its way out, with its locals gone.
        let _ = LAST.try_with(|last| last.set(Some(report)));
        before(info);
    }));
    Ok(())
}

/// What a caught panic says.
pub(super) fn failure(payload: &(dyn Any + Send), context: &Context) -> Failure {
    // It did not end the process, so it is not the reason if something else does.
    context.0.status.panic.clear();
    Failure::from_panic(payload, LAST.take())
}

/// What a panic says that was caught in a worker which runs no process.
pub(crate) fn caught(payload: &(dyn Any + Send)) -> Failure {
    if let Some(status) = STATUS.get() {
        status.panic.clear();
    }
    Failure::from_panic(payload, LAST.take())
}

/// Called by a signal handler when the stack of the hooks' thread is used up.
fn note_overflow() {
    if let Some(status) = STATUS.get() {
        status.note_overflow();
    }
}
