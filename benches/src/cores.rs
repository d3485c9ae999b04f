//! Keeping the two sides of a contest on cores of their own.

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// Which side of a contest a thread is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The one that measures.
    Here,
    /// The one at the other end.
    There,
}

/// Binds this thread, and those that it will start, to a core that the other side does not use, where there are two:
/// else the system puts both sides on one as it likes, and what is measured is its mood.
///
/// # Panics
/// If the system does not let it.
pub fn keep_apart(side: Side) {
    let allowed = sched_getaffinity(None).expect("a thread may ask");
    let mut cores = (0..CpuSet::MAX_CPU).filter(|&core| allowed.is_set(core));
    let (first, second) = (cores.next(), cores.next());
    let Some(core) = (if side == Side::Here { first } else { second.or(first) }) else { return };
    let mut set = CpuSet::new();
    set.set(core);
    sched_setaffinity(None, &set).expect("a core that was allowed");
}
