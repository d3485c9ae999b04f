//! What a panic or a used-up stack leaves behind for the parent.

use std::any::Any;
use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, OnceLock};

use crate::context::Context;
use crate::error::{Failure, PanicReport, own_backtrace, panic_message};
use crate::shm::Page;
use crate::shm::status::Status;
use crate::sys;

/// The status page, for those who have no context at hand: the panic hook and a signal handler.
static STATUS: OnceLock<Arc<Page<Status>>> = OnceLock::new();

thread_local! {
    /// The last panic of this thread.
    static LAST: Cell<Option<PanicReport>> = const { Cell::new(None) };
}

/// From here on panics are written to the status page before anything else happens: they may be the last thing that
/// does, where they abort. Then the hook that was there before goes on.
pub(crate) fn watch(status: &Arc<Page<Status>>) {
    if STATUS.set(Arc::clone(status)).is_err() {
        return;
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
}

/// What a caught panic says.
#[expect(clippy::mem_forget, reason = "what panics in its own `drop` cannot be dropped any other way")]
pub(super) fn failure(payload: Box<dyn Any + Send>, context: &Context) -> Failure {
    // One that was raised anew, as of a thread that was joined, has not passed our hook: what that saw last is another.
    let report = LAST.take().filter(|report| report.message == panic_message(&*payload));
    let failure = Failure::from_panic(&*payload, report);
    if let Err(second) = panic::catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        std::mem::forget(second);
        LAST.take();
    }
    // It did not end the process, so it is not the reason if something else does.
    context.0.status.panic.clear();
    failure
}

/// Leaves the reason for an abort where the parent finds it.
pub(super) fn leave_word(context: &Context, message: String) {
    context.0.status.panic.write(&PanicReport { message, location: None, backtrace: None });
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
