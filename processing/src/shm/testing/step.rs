//! A child that is led through something instruction by instruction, to be killed after any of them.
//!
//! A single step is dear, above all in a virtual machine. So one child is stepped through all of it, and notes the way;
//! those that follow run to a breakpoint on it.

use std::collections::HashMap;
use std::mem::offset_of;
use std::ptr;

use super::Child;

/// A moment: the instruction that comes next, and how often it has come before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moment {
    at: usize,
    before: u32,
}

/// The moments that a child went through.
#[derive(Debug, Default)]
pub(super) struct Way {
    seen: HashMap<usize, u32>,
    last: usize,
}

impl Way {
    /// The moment at which the instruction `at` comes next; `None` if it is one that repeats itself, and has not ended.
    pub(super) fn moment(&mut self, at: usize) -> Option<Moment> {
        if std::mem::replace(&mut self.last, at) == at {
            return None;
        }
        let count = self.seen.entry(at).or_default();
        *count += 1;
        Some(Moment { at, before: *count - 1 })
    }
}

/// A forked child that stands before an instruction of its body. Killed when dropped.
#[derive(Debug)]
pub(crate) struct Stepped {
    child: Child,
}

/// How an x86 processor spells a breakpoint.
const BREAKPOINT: u64 = 0xcc;

impl Stepped {
    /// Forks a child that calls `ready`, and stops before the first instruction of `body`.
    pub(crate) fn before(ready: impl FnOnce(), body: impl FnOnce()) -> Stepped {
        let child = Child::fork(|| {
            ready();
            // SAFETY: lets the parent trace this process; no memory is involved.
            unsafe { libc::ptrace(libc::PTRACE_TRACEME, 0, ptr::null_mut::<u8>(), ptr::null_mut::<u8>()) };
            stop();
            body();
            stop();
            true
        });
        let mut stepped = Stepped { child };
        assert_eq!(stepped.stopped_by(), Some(libc::SIGSTOP), "the child stops by itself");
        stepped
    }

    /// Has the child do its next instruction; `false` once the body is over.
    pub(super) fn step(&mut self) -> bool {
        self.go_on(libc::PTRACE_SINGLESTEP)
    }

    /// Runs the child to a moment that another one went through, or to the end of the body, and kills it there.
    pub(crate) fn dies_at(mut self, moment: Moment) {
        let mut left = moment.before + u32::from(self.place() != moment.at);
        if self.place() == moment.at {
            if left == 0 {
                return;
            }
            self.step();
            left -= 1;
        }
        let code = self.peek(moment.at);
        while left > 0 {
            self.poke(moment.at, code & !0xff | BREAKPOINT);
            if !self.go_on(libc::PTRACE_CONT) {
                return;
            }
            // The processor has the breakpoint behind it already.
            self.poke(moment.at, code);
            self.set_place(moment.at);
            left -= 1;
            if left > 0 {
                // An instruction that repeats itself takes several steps.
                while self.step() && self.place() == moment.at {}
            }
        }
    }

    /// Lets the child run; `true` if a step or a breakpoint has stopped it.
    fn go_on(&mut self, how: libc::c_uint) -> bool {
        // SAFETY: the child is traced by this thread, and stopped; no memory is involved.
        let code = unsafe { libc::ptrace(how, self.child.pid, ptr::null_mut::<u8>(), ptr::null_mut::<u8>()) };
        assert_eq!(code, 0, "{}", std::io::Error::last_os_error());
        self.stopped_by() == Some(libc::SIGTRAP)
    }

    /// The address of the instruction that comes next.
    pub(super) fn place(&self) -> usize {
        let register = offset_of!(libc::user_regs_struct, rip);
        // SAFETY: reads a register of the stopped child.
        let place = unsafe {
            libc::ptrace(libc::PTRACE_PEEKUSER, self.child.pid, register as *mut u8, ptr::null_mut::<u8>())
        };
        place as usize
    }

    fn set_place(&self, place: usize) {
        let register = offset_of!(libc::user_regs_struct, rip);
        // SAFETY: writes a register of the stopped child.
        unsafe { libc::ptrace(libc::PTRACE_POKEUSER, self.child.pid, register as *mut u8, place as *mut u8) };
    }

    /// A word of the child's memory.
    pub(super) fn peek(&self, address: usize) -> u64 {
        // SAFETY: reads the memory of the stopped child; a bad address is an error, which reads as all ones.
        let word = unsafe {
            libc::ptrace(libc::PTRACE_PEEKDATA, self.child.pid, address as *mut u8, ptr::null_mut::<u8>())
        };
        word.cast_unsigned()
    }

    fn poke(&self, address: usize, word: u64) {
        // SAFETY: writes the memory of the stopped child, which is its own copy.
        unsafe {
            libc::ptrace(libc::PTRACE_POKEDATA, self.child.pid, address as *mut u8, word as usize as *mut u8)
        };
    }

    /// The signal that the child is stopped by; `None` if it ended.
    fn stopped_by(&mut self) -> Option<i32> {
        let status = self.child.poll(libc::WUNTRACED)?;
        libc::WIFSTOPPED(status).then(|| libc::WSTOPSIG(status))
    }
}

fn stop() {
    // SAFETY: stops this process until its tracer goes on.
    unsafe { libc::raise(libc::SIGSTOP) };
}

/// Keeps this thread, and the children that it forks from now on, on one processor: a step is a switch between two of
/// them, which is several times as fast where nobody has to be woken elsewhere.
///
/// Tests that run at the same time say different numbers, and share the processors that there are.
pub(crate) fn stay_on_one_processor(number: usize) {
    use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
    let allowed = sched_getaffinity(None).expect("a thread may ask");
    let all: Vec<usize> = (0..CpuSet::MAX_CPU).filter(|&processor| allowed.is_set(processor)).collect();
    let mut one = CpuSet::new();
    one.set(all[number % all.len()]);
    sched_setaffinity(None, &one).expect("a processor that this thread is on");
}
