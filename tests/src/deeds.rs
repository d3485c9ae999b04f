//! Ways to fail.

use std::time::Duration;

#[cfg(unix)]
use rustix::process::Signal;
use serde::{Deserialize, Serialize};

/// What a hook does wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Deed {
    /// Returns `Err` of a `std::io::Error`.
    Io,
    /// Returns `Err` of an error with two causes.
    Chain,
    /// Panics with a literal.
    PanicStr,
    /// Panics with a formatted text.
    PanicString,
    /// Panics with a value that is no text.
    PanicAny,
    /// Panics while it unwinds, which aborts.
    PanicTwice,
    /// `std::process::abort`.
    Abort,
    /// SIGKILL, as the kernel sends it for want of memory.
    Sigkill,
    /// SIGSEGV.
    Sigsegv,
    /// SIGTERM.
    #[cfg(unix)]
    Sigterm,
    /// `_exit(0)`, behind the runtime's back.
    ExitZero,
    /// `_exit(3)`.
    ExitThree,
    /// `std::process::exit(0)`.
    StdExit,
    /// Uses more memory than there may be.
    #[cfg(unix)]
    OutOfMemory,
    /// Calls itself without end.
    StackOverflow,
    /// Computes without end.
    Spin,
    /// Waits in a system call without end.
    Block,
    /// Catches whatever comes, and begins again.
    CatchEverything,
}

impl Deed {
    /// Those that a hook's limit has to end.
    pub const ENDLESS: [Deed; 3] = [Deed::Spin, Deed::Block, Deed::CatchEverything];

    /// Those that end the worker.
    pub const DEADLY: &[Deed] = &[
        Deed::Abort,
        Deed::Sigkill,
        Deed::Sigsegv,
        #[cfg(unix)]
        Deed::Sigterm,
        Deed::ExitZero,
        Deed::ExitThree,
        Deed::StdExit,
        #[cfg(unix)]
        Deed::OutOfMemory,
        // Wine ends the thread alone.
        #[cfg(unix)]
        Deed::StackOverflow,
        Deed::PanicTwice,
    ];

    /// Those that the worker survives.
    pub const SURVIVED: [Deed; 5] =
        [Deed::Io, Deed::Chain, Deed::PanicStr, Deed::PanicString, Deed::PanicAny];

    /// Does it. Returns only an error.
    ///
    /// # Errors
    /// Those that are errors.
    ///
    /// # Panics
    /// Those that are panics.
    pub fn commit(self) -> anyhow::Result<()> {
        match self {
            Deed::Io => return Err(std::io::Error::other("the disk is on fire").into()),
            Deed::Chain => {
                let inner = std::io::Error::other("the disk is on fire");
                return Err(anyhow::Error::new(inner).context("cannot read").context("cannot go on"));
            }
            Deed::PanicStr => panic!("a plain panic"),
            Deed::PanicString => panic!("a panic with the number {}", 42),
            Deed::PanicAny => std::panic::panic_any(42_u64),
            Deed::PanicTwice => {
                let _again = PanicsInDrop;
                panic!("the first panic");
            }
            Deed::Abort => std::process::abort(),
            Deed::Sigkill => system::die_killed(),
            Deed::Sigsegv => system::die_of_a_fault(),
            #[cfg(unix)]
            Deed::Sigterm => system::raise(Signal::TERM),
            Deed::ExitZero => signal_hook::low_level::exit(0),
            Deed::ExitThree => signal_hook::low_level::exit(3),
            Deed::StdExit => exit(),
            #[cfg(unix)]
            Deed::OutOfMemory => system::use_up_memory(),
            Deed::StackOverflow => {
                std::hint::black_box(call_without_end(1));
            }
            Deed::Spin => spin(),
            Deed::Block => loop {
                std::thread::sleep(Duration::from_secs(3600));
            },
            Deed::CatchEverything => loop {
                let _ = std::panic::catch_unwind(|| {
                    spin_a_little();
                    std::panic::resume_unwind(Box::new(()));
                });
            },
        }
        unreachable!("{self:?} was survived");
    }
}

struct PanicsInDrop;

impl Drop for PanicsInDrop {
    fn drop(&mut self) {
        panic!("the second panic");
    }
}

/// Has none of the deaths of this process leave a file.
///
/// # Panics
/// If the system sets no such limit.
pub fn leave_no_core_files() {
    #[cfg(unix)]
    system::leave_no_core_files();
}

#[expect(clippy::exit, reason = "this is the deed")]
fn exit() -> ! {
    std::process::exit(0)
}

#[expect(unconditional_recursion, reason = "this is the deed")]
fn call_without_end(depth: u64) -> u64 {
    let frame = std::hint::black_box([depth; 64]);
    call_without_end(depth + 1) + frame[0]
}

fn spin() {
    let mut number = 0_u64;
    loop {
        number = std::hint::black_box(number.wrapping_add(1));
    }
}

fn spin_a_little() {
    for number in 0..1_000_000_u64 {
        std::hint::black_box(number);
    }
}

#[cfg(unix)]
mod system {
    use rustix::process::{Resource, Rlimit, Signal, getpid, kill_process, setrlimit};

    pub(super) fn die_killed() {
        raise(Signal::KILL);
    }

    pub(super) fn die_of_a_fault() {
        raise(Signal::SEGV);
    }

    pub(super) fn raise(signal: Signal) {
        kill_process(getpid(), signal).expect("a signal to oneself");
        // It may reach another thread first.
        super::spin();
    }

    pub(super) fn leave_no_core_files() {
        setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) }).expect("a lower limit");
    }

    pub(super) fn use_up_memory() {
        let limit = 1 << 30;
        setrlimit(Resource::As, Rlimit { current: Some(limit), maximum: Some(limit) })
            .expect("a lower limit");
        let mut hoard = Vec::new();
        loop {
            hoard.push(Vec::<u8>::with_capacity(1 << 28));
            std::hint::black_box(&hoard);
        }
    }
}

/// There are no signals: who dies of what would be one ends with a code that says so.
#[cfg(windows)]
mod system {
    use crate::processes::KILLED;

    const ACCESS_VIOLATION: u32 = 0xC000_0005;

    pub(super) fn die_killed() {
        signal_hook::low_level::exit(KILLED.cast_signed());
    }

    pub(super) fn die_of_a_fault() {
        signal_hook::low_level::exit(ACCESS_VIOLATION.cast_signed());
    }
}
