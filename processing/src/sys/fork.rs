//! A copy of this process, made by the bare system call.
//!
//! The C library's `fork` cannot make a sibling, and the bare call does not tell the C library. What that keeps of the
//! thread it runs on, and what the kernel keeps of it, is put right here: the thread's number, the address that is
//! cleared at its end, and the list of its robust locks. Its other locks need nothing: the process that is copied has
//! one thread only, so nobody else can hold them.

use std::io;
use std::ptr;
use std::sync::atomic::AtomicU32;

/// What is known of the only thread of this process, and has to be told anew in a copy.
#[derive(Debug)]
pub(crate) struct Forker {
    /// Where the C library keeps the thread's number.
    tid: usize,
    /// The head of the thread's list of robust locks, and how long it is.
    robust_list: (usize, usize),
}

/// Which of the two one is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Forked {
    /// The process that called.
    Original,
    /// The new one.
    Copy,
}

/// Where the bare call takes its arguments in an order that [`Forker::fork`] knows.
const IS_KNOWN: bool = cfg!(all(
    target_env = "gnu",
    any(
        target_arch = "x86_64",
        target_arch = "aarch64",
        target_arch = "riscv64",
        target_arch = "loongarch64"
    )
));

impl Forker {
    /// Looks at the calling thread. An error says why it cannot be copied.
    pub(crate) fn new() -> io::Result<Self> {
        let unsupported = |what: &str| io::Error::new(io::ErrorKind::Unsupported, what.to_owned());
        if !IS_KNOWN {
            return Err(unsupported(
                "this C library or processor is not known well enough to fork behind its back",
            ));
        }
        let mut tid: usize = 0;
        // SAFETY: the request writes one address, and `tid` is as large as that.
        if unsafe { libc::prctl(libc::PR_GET_TID_ADDRESS, &raw mut tid) } != 0 {
            return Err(io::Error::last_os_error());
        }
        let place = ptr::with_exposed_provenance::<u32>(tid);
        if place.is_null() || !place.is_aligned() {
            return Err(unsupported("the C library has not said where it keeps a thread's number"));
        }
        // SAFETY: the kernel writes a word of this process there when the thread ends, so there is one; it is aligned,
        // and nobody writes it while the thread, which is this one, runs.
        if unsafe { place.read() } != rustix::thread::gettid().as_raw_nonzero().get().cast_unsigned() {
            return Err(unsupported(
                "the C library keeps something else where the thread's number should be",
            ));
        }
        let (mut head, mut length) = (0_usize, 0_usize);
        // SAFETY: asks about the calling thread, and both results have somewhere to go.
        let failed = unsafe { libc::syscall(libc::SYS_get_robust_list, 0, &raw mut head, &raw mut length) };
        if failed != 0 {
            return Err(io::Error::last_os_error());
        }
        let first = ptr::with_exposed_provenance::<usize>(head);
        if first.is_null() {
            return Err(unsupported("the C library keeps no list of robust locks"));
        }
        // SAFETY: the head that was registered for this thread begins with the address of its first entry.
        if unsafe { first.read() } != head {
            return Err(unsupported("a robust lock is held"));
        }
        let forker = Forker { tid, robust_list: (head, length) };
        if forker.has_one_thread() { Ok(forker) } else { Err(unsupported("it has more than one thread")) }
    }

    /// Whether this process has one thread only: a copy has no other, so whatever those were at would never be done.
    pub(crate) fn has_one_thread(&self) -> bool {
        // Each thread is a folder there, and two names more lead to the folder that holds them.
        rustix::fs::stat("/proc/self/task").is_ok_and(|task| task.st_nlink == 3)
    }

    /// Makes a copy of this process that is not its child but its sibling: a child of whoever started this one.
    ///
    /// Its number is in `pid` before it runs, whatever becomes of this process.
    pub(crate) fn fork(&self, pid: &AtomicU32) -> io::Result<Forked> {
        let flags = libc::CLONE_PARENT
            | libc::CLONE_PARENT_SETTID
            | libc::CLONE_CHILD_SETTID
            | libc::CLONE_CHILD_CLEARTID
            | libc::SIGCHLD;
        // SAFETY:
        // - without CLONE_VM the copy has memory of its own, so it may go on with the same stack;
        // - `pid` is a word that the kernel may write, as an atomic is written by others;
        // - `self.tid` was checked to be where the C library keeps this thread's number, and is where it would have the
        //   number of the copy's only thread written, and cleared at its end, by a `fork` of its own;
        // - the last two are in one order or the other, by the processor: one of them is the place for a thread's own
        //   storage, which is not looked at without CLONE_SETTLS;
        // - there is no other thread, so no lock of the allocator or of the standard library is held in the copy.
        let made = unsafe {
            libc::syscall(libc::SYS_clone, flags as usize, 0_usize, pid.as_ptr(), self.tid, self.tid)
        };
        match made {
            0 => {
                let (head, length) = self.robust_list;
                // SAFETY: the head is that of this thread, copied with everything else, and its list is empty, as `new`
                // has seen and nothing has changed since.
                unsafe { libc::syscall(libc::SYS_set_robust_list, head, length) };
                Ok(Forked::Copy)
            }
            1.. => Ok(Forked::Original),
            _ => Err(io::Error::last_os_error()),
        }
    }
}
