//! What a worker does about its parent's end, Ctrl-C and faults.

use std::io;
use std::ptr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicPtr, AtomicU32, Ordering};

use windows_sys::Win32::Foundation::{ERROR_ACCESS_DENIED, EXCEPTION_STACK_OVERFLOW};
use windows_sys::Win32::System::Console::{CTRL_BREAK_EVENT, CTRL_C_EVENT, SetConsoleCtrlHandler};
use windows_sys::Win32::System::Diagnostics::Debug::{
    AddVectoredExceptionHandler, EXCEPTION_CONTINUE_SEARCH, EXCEPTION_POINTERS, GetErrorMode,
    SEM_NOGPFAULTERRORBOX, SetErrorMode,
};
use windows_sys::Win32::System::Threading::{GetCurrentThreadId, SetThreadStackGuarantee};

use super::handle::done;
use super::process::{exit_at_once, open, own_start, start_of};
use super::watch::Watch;
use super::{AsFd, ProcessId};

/// Ends this process when its parent has ended. `false` if that has happened already.
///
/// So does the job that it is in; this holds also where the system has none.
pub(crate) fn die_with_parent(parent: ProcessId) -> bool {
    static WATCH: OnceLock<Option<Watch>> = OnceLock::new();
    let process = match open(parent.number(), 0) {
        Ok(process) => process,
        // It is there, and nothing else can be found out about it. The channel's end still tells.
        Err(error) if error.raw_os_error() == Some(ERROR_ACCESS_DENIED.cast_signed()) => return true,
        Err(_) => return false,
    };
    // Its number may be another's by now: one that began after this process did.
    if let (Ok(theirs), Ok(own)) = (start_of(process.as_fd()), own_start())
        && theirs > own
    {
        return false;
    }
    WATCH.get_or_init(|| Watch::new(process, None, || exit_at_once()).ok());
    true
}

/// Has Ctrl-C be the parent's business, and the end of this process be without a question to whoever sits before it.
pub(crate) fn restore_for_worker() -> io::Result<()> {
    // It is handled, by doing nothing, and not ignored: what is ignored stays so in programs that a hook starts, which would
    // then outlive all of us. Without a console there is nothing to handle.
    // SAFETY: the function is of the right kind, and stays for ever.
    let _ = done(unsafe { SetConsoleCtrlHandler(Some(on_interrupt), 1) });
    // SAFETY: has no requirement.
    let mode = unsafe { GetErrorMode() };
    // SAFETY: has no requirement.
    unsafe { SetErrorMode(mode | SEM_NOGPFAULTERRORBOX) };
    watch_for_overflow();
    Ok(())
}

unsafe extern "system" fn on_interrupt(event: u32) -> i32 {
    i32::from(event == CTRL_C_EVENT || event == CTRL_BREAK_EVENT)
}

static NOTICE: AtomicPtr<()> = AtomicPtr::new(ptr::null_mut());
static FIRST_THREAD: AtomicU32 = AtomicU32::new(0);

/// Has `notice` called when the stack of a worker's first thread is used up.
pub(crate) fn on_stack_overflow(notice: fn()) {
    NOTICE.store(notice as *mut (), Ordering::Release);
}

/// Tells a stack overflow from any other fault.
fn watch_for_overflow() {
    // How much of the stack is kept for whoever is told of its end.
    let mut room = 64 * 1024;
    // SAFETY: the size is where it is looked for.
    unsafe { SetThreadStackGuarantee(&raw mut room) };
    // SAFETY: has no requirement.
    FIRST_THREAD.store(unsafe { GetCurrentThreadId() }, Ordering::Relaxed);
    // SAFETY: the function stays for ever, is of the right kind, and keeps to what may be done where a fault was.
    unsafe { AddVectoredExceptionHandler(0, Some(on_fault)) };
}

unsafe extern "system" fn on_fault(about: *mut EXCEPTION_POINTERS) -> i32 {
    // SAFETY: the system passes a struct that is there during the call.
    let record = unsafe { (*about).ExceptionRecord };
    // SAFETY: as above.
    let code = unsafe { (*record).ExceptionCode };
    // SAFETY: has no requirement.
    let thread = unsafe { GetCurrentThreadId() };
    let notice = NOTICE.load(Ordering::Acquire);
    let is_ours = code == EXCEPTION_STACK_OVERFLOW && thread == FIRST_THREAD.load(Ordering::Relaxed);
    if is_ours && !notice.is_null() {
        // SAFETY: only `on_stack_overflow` stores there, and what it stores is a `fn()`.
        let notice: fn() = unsafe { std::mem::transmute::<*mut (), fn()>(notice) };
        notice();
    }
    EXCEPTION_CONTINUE_SEARCH
}
