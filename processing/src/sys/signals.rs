//! What a worker does about signals.

use std::cell::UnsafeCell;
use std::io;
use std::mem::MaybeUninit;
use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};

use super::spawn::signal_set;

/// Has the system end this process when the thread that started it is gone, which is one that lives as long as the
/// parent does. `false` if the parent is gone already.
pub(crate) fn die_with_parent(parent: super::ProcessId) -> bool {
    // Where the system refuses, or knows of no such thing, the channel's end still tells.
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL));
    // The parent may have died before the line above: then this process has been given to another one.
    rustix::process::getppid() == Some(parent)
}

/// Brings signals to where `main` would have found them, except that Ctrl-C is the parent's business.
pub(crate) fn restore_for_worker() -> io::Result<()> {
    for stream in 0..3 {
        open_if_closed(stream)?;
    }
    // As the runtime has it in every program: a write to a closed pipe is an error, not the end.
    // SAFETY: ignoring a signal runs no code of ours.
    if unsafe { libc::signal(libc::SIGPIPE, libc::SIG_IGN) } == libc::SIG_ERR {
        return Err(io::Error::last_os_error());
    }
    // Ctrl-C goes to the whole group, and the parent decides what it means. It is handled, by doing nothing, and not
    // ignored: what is ignored stays so in programs that a hook starts, which would then outlive all of us.
    handle(libc::SIGINT, libc::SA_RESTART, on_interrupt as *const () as usize)?;
    let nothing = signal_set(|_| {});
    // SAFETY: the set is a whole one; no other thread depends on this thread's mask.
    if unsafe { libc::sigprocmask(libc::SIG_SETMASK, &raw const nothing, ptr::null_mut()) } != 0 {
        return Err(io::Error::last_os_error());
    }
    watch_for_overflow()
}

/// A closed standard stream would be taken by the next file that is opened, and be written to as if it were one.
fn open_if_closed(stream: i32) -> io::Result<()> {
    // SAFETY: only asks whether such a descriptor is open.
    if unsafe { libc::fcntl(stream, libc::F_GETFD) } >= 0 {
        return Ok(());
    }
    // SAFETY: the path is a C string. The lowest free number is taken, and all below this one are in use.
    if unsafe { libc::open(c"/dev/null".as_ptr(), libc::O_RDWR) } < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// Has `handler`, a function of the kind that `flags` say, called for a signal.
fn handle(signal: i32, flags: i32, handler: usize) -> io::Result<()> {
    // SAFETY: all-zero is a valid `sigaction`: no flags, an empty mask, the default handler.
    let mut action: libc::sigaction = unsafe { MaybeUninit::zeroed().assume_init() };
    action.sa_flags = flags;
    action.sa_sigaction = handler;
    // SAFETY: both callers pass a function of the kind that their flags say, which does only what a handler may.
    if unsafe { libc::sigaction(signal, &raw const action, ptr::null_mut()) } != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

extern "C" fn on_interrupt(_signal: i32) {}

/// Where the handler runs when the stack it would have run on is used up.
struct AlternateStack(UnsafeCell<MaybeUninit<[u8; ALTERNATE_SIZE]>>);

const ALTERNATE_SIZE: usize = 64 * 1024;

// SAFETY: only the kernel writes there, for the one thread that it was given to.
unsafe impl Sync for AlternateStack {}

static ALTERNATE: AlternateStack = AlternateStack(UnsafeCell::new(MaybeUninit::uninit()));
static NOTICE: AtomicPtr<()> = AtomicPtr::new(ptr::null_mut());
static STACK_END: AtomicUsize = AtomicUsize::new(0);

/// Has `notice` called, in a signal handler, when the stack of a worker's first thread is used up.
pub(crate) fn on_stack_overflow(notice: fn()) {
    NOTICE.store(notice as *mut (), Ordering::Release);
}

/// Tells a stack overflow from any other bad access. The runtime that starts before `main` does this for programs; a
/// worker never gets that far.
fn watch_for_overflow() -> io::Result<()> {
    // The system's library looks it up in `/proc`, which a sandbox may not have: then an overflow is a bad access like
    // any other.
    let Ok(end) = lowest_stack_address() else { return Ok(()) };
    STACK_END.store(end, Ordering::Relaxed);
    let stack = libc::stack_t { ss_sp: ALTERNATE.0.get().cast(), ss_flags: 0, ss_size: ALTERNATE_SIZE };
    // SAFETY: the memory is static, so it outlives the thread, and nothing else uses it.
    if unsafe { libc::sigaltstack(&raw const stack, ptr::null_mut()) } != 0 {
        return Err(io::Error::last_os_error());
    }
    let on_bad_access = on_bad_access as *const () as usize;
    handle(libc::SIGSEGV, libc::SA_SIGINFO | libc::SA_ONSTACK, on_bad_access)?;
    handle(libc::SIGBUS, libc::SA_SIGINFO | libc::SA_ONSTACK, on_bad_access)
}

extern "C" fn on_bad_access(signal: i32, info: *mut libc::siginfo_t, _context: *mut libc::c_void) {
    // SAFETY: the kernel passes a valid `info` to a handler installed with SA_SIGINFO.
    let info = unsafe { &*info };
    // SAFETY: SIGSEGV and SIGBUS are the signals that carry an address. One that a process has sent carries something
    // else there, a number that is then compared like any other.
    let address = unsafe { info.si_addr() } as usize;
    let end = STACK_END.load(Ordering::Relaxed);
    // The kernel keeps a gap of a megabyte below a stack; one frame rarely leaps further.
    const REACH: usize = 1 << 20;
    let notice = NOTICE.load(Ordering::Acquire);
    if !notice.is_null() && (end.saturating_sub(REACH)..end.saturating_add(REACH)).contains(&address) {
        // SAFETY: only `on_stack_overflow` stores there, and what it stores is a `fn()`.
        let notice: fn() = unsafe { std::mem::transmute::<*mut (), fn()>(notice) };
        notice();
    }
    // The access is tried again after the return, and then the process ends as it would have without us.
    // SAFETY: going back to the default runs no code of ours.
    unsafe { libc::signal(signal, libc::SIG_DFL) };
    // What a process has sent is not tried again, so it is sent again: it waits until this handler returns.
    if was_sent(info.si_code) {
        // SAFETY: may be called in a handler, and has no other requirement.
        unsafe { libc::raise(signal) };
    }
}

/// Whether a process sent the signal, and not the processor.
#[cfg(target_os = "linux")]
fn was_sent(code: i32) -> bool {
    code <= 0
}

#[cfg(target_os = "macos")]
fn was_sent(code: i32) -> bool {
    const SI_USER: i32 = 0x10001;
    code <= 0 || code >= SI_USER
}

#[cfg(target_os = "macos")]
fn lowest_stack_address() -> io::Result<usize> {
    // SAFETY: has no requirement.
    let this_thread = unsafe { libc::pthread_self() };
    // SAFETY: asks about the calling thread, which exists.
    let highest = unsafe { libc::pthread_get_stackaddr_np(this_thread) } as usize;
    // SAFETY: as above.
    let size = unsafe { libc::pthread_get_stacksize_np(this_thread) };
    highest.checked_sub(size).ok_or_else(|| io::ErrorKind::InvalidData.into())
}

#[cfg(target_os = "linux")]
fn lowest_stack_address() -> io::Result<usize> {
    let mut attributes = MaybeUninit::uninit();
    // SAFETY: has no requirement.
    let this_thread = unsafe { libc::pthread_self() };
    // SAFETY: asks about the calling thread, which exists, and initialises what it is given.
    let failed = unsafe { libc::pthread_getattr_np(this_thread, attributes.as_mut_ptr()) };
    if failed != 0 {
        return Err(io::Error::from_raw_os_error(failed));
    }
    // SAFETY: the call above has succeeded.
    let mut attributes = unsafe { attributes.assume_init() };
    let (mut lowest, mut size) = (ptr::null_mut(), 0);
    // SAFETY: `attributes` is initialised, and both results have somewhere to go.
    unsafe { libc::pthread_attr_getstack(&raw const attributes, &raw mut lowest, &raw mut size) };
    // SAFETY: initialised above and used no more.
    unsafe { libc::pthread_attr_destroy(&raw mut attributes) };
    Ok(lowest as usize)
}
