//! Locks beside the C library's own robust mutexes, in raw clones, and under false links.

use std::cell::UnsafeCell;
use std::mem::MaybeUninit;

use super::super::super::layout::LOCK_NODE;
use super::super::super::testing::Random;
use super::*;

/// A robust mutex of the C library's.
struct Mutex(Box<UnsafeCell<libc::pthread_mutex_t>>);

impl Mutex {
    fn new() -> Mutex {
        let mutex = Box::new(UnsafeCell::new(libc::PTHREAD_MUTEX_INITIALIZER));
        let mut attributes = MaybeUninit::<libc::pthread_mutexattr_t>::uninit();
        let attributes = attributes.as_mut_ptr();
        // SAFETY: the place is ours to initialise.
        assert_eq!(unsafe { libc::pthread_mutexattr_init(attributes) }, 0);
        // SAFETY: initialised above.
        assert_eq!(unsafe { libc::pthread_mutexattr_setrobust(attributes, libc::PTHREAD_MUTEX_ROBUST) }, 0);
        // SAFETY: the box keeps the mutex where it is.
        assert_eq!(unsafe { libc::pthread_mutex_init(mutex.get(), attributes) }, 0);
        Mutex(mutex)
    }

    fn lock(&self) {
        // SAFETY: initialised, and not moved since.
        assert_eq!(unsafe { libc::pthread_mutex_lock(self.0.get()) }, 0);
    }

    fn unlock(&self) {
        // SAFETY: locked by this thread.
        assert_eq!(unsafe { libc::pthread_mutex_unlock(self.0.get()) }, 0);
    }
}

/// The nodes on the list of this thread, front first.
fn list() -> Vec<usize> {
    let (mut head, mut size) = (std::ptr::null_mut::<usize>(), 0usize);
    // SAFETY: both places are ours.
    unsafe { libc::syscall(libc::SYS_get_robust_list, 0, &raw mut head, &raw mut size) };
    let mut nodes = Vec::new();
    // SAFETY: the head is this thread's.
    let mut at = unsafe { *head };
    while at & !1 != head as usize {
        nodes.push(at & !1);
        // SAFETY: a node on the list of this thread.
        at = unsafe { *((at & !1) as *const usize) };
        assert!(nodes.len() < 100);
    }
    nodes
}

#[test]
fn any_order_of_ours_and_theirs_leaves_a_whole_list() {
    enum Any<'a> {
        Ours(Robust<'a>),
        Theirs(&'a Mutex),
    }
    impl Any<'_> {
        fn lock(&self) {
            match self {
                Any::Ours(robust) => drop(acquire(robust.word, robust, robust.thread.tid, None).unwrap()),
                Any::Theirs(mutex) => mutex.lock(),
            }
        }
        fn unlock(&self) {
            match self {
                Any::Ours(robust) => release(robust.word, robust, robust.thread.tid),
                Any::Theirs(mutex) => mutex.unlock(),
            }
        }
    }
    let (segments, mutexes) = ([segment(), segment(), segment()], [Mutex::new(), Mutex::new(), Mutex::new()]);
    let thread = Thread::current().unwrap();
    let locks: Vec<_> = segments
        .iter()
        .map(|segment| Any::Ours(Robust::lock(segment, thread)))
        .chain(mutexes.iter().map(Any::Theirs))
        .collect();
    let mut random = Random::new(7);
    let mut held: Vec<usize> = Vec::new();
    for _ in 0..20_000 {
        let index = random.below(locks.len() as u64) as usize;
        if let Some(place) = held.iter().position(|&other| other == index) {
            locks[index].unlock();
            held.remove(place);
        } else {
            locks[index].lock();
            held.push(index);
        }
        assert_eq!(list().len(), held.len());
    }
    for index in held {
        locks[index].unlock();
    }
    assert!(list().is_empty());
    for segment in &segments {
        assert_eq!(segment.header().lock.load(Relaxed), 0);
    }
}

#[test]
fn a_false_link_is_not_followed() {
    let (one, two) = (segment(), segment());
    let thread = Thread::current().unwrap();
    let (first, second) = (Robust::lock(&one, thread), Robust::lock(&two, thread));
    acquire(first.word, &first, thread.tid, None).unwrap();
    acquire(second.word, &second, thread.tid, None).unwrap();
    for segment in [&one, &two] {
        segment.word(LOCK_NODE).unwrap().store(0xdead_beef_0000, Relaxed);
        segment.word(LOCK_NODE - 8).unwrap().store(0xdead_beef_0000, Relaxed);
    }
    release(first.word, &first, thread.tid);
    release(second.word, &second, thread.tid);
    assert!(list().is_empty());
}

#[test]
fn a_raw_clone_starts_with_a_list_of_its_own() {
    let segment = segment();
    let ready = segment.word(512).unwrap();
    with_lock(&segment, |_| ());
    // SAFETY: like `fork`, without the C library hearing of it; the child keeps to the segment and `_exit`.
    let pid = unsafe { libc::syscall(libc::SYS_clone, libc::SIGCHLD, 0, 0, 0, 0) };
    if pid == 0 {
        with_lock(&segment, |_| {
            ready.store(1, Relaxed);
            loop {
                std::hint::spin_loop();
            }
        });
    }
    while ready.load(Relaxed) == 0 {
        std::thread::yield_now();
    }
    // SAFETY: our child, not reaped yet.
    unsafe { libc::kill(pid as i32, libc::SIGKILL) };
    let mut status = 0;
    // SAFETY: as above.
    unsafe { libc::waitpid(pid as i32, &raw mut status, 0) };
    assert!(with_lock(&segment, |taken| taken).after_death);
}
