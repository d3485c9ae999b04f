//! The kernel's list of the locks that a thread holds.
//!
//! When a thread ends, however it ends, the kernel walks the list that the thread registered and marks every
//! futex word on it that holds the thread's number as left by a dead owner. glibc registers such a list
//! for its own robust mutexes, and a thread can have one only: so we link into glibc's.
//!
//! What is read back from shared memory is not believed. Our nodes lie there, so another process
//! could scribble over their links; each thread keeps private [`Record`]s of its nodes, and a link
//! read from shared memory counts only if it names a node that was already behind ours.

use std::cell::Cell;
use std::marker::PhantomData;
use std::ptr;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release, SeqCst};
use std::sync::atomic::{AtomicIsize, AtomicU32, AtomicU64, AtomicUsize, compiler_fence};

use super::fault::{Fault, Result};
use super::layout::{NODE_TO_PREV, NODE_TO_WORD};

mod death;
mod generation;
mod record;

pub(crate) use death::{WAKES_AT_DEATH, is_nobody, mark_if_dead};
pub(crate) use generation::generation;

use record::Record;

/// The kernel's `struct robust_list_head`.
#[repr(C)]
struct Head {
    list: AtomicUsize,
    offset: AtomicIsize,
    pending: AtomicUsize,
}

/// A head of our own, for a thread whose C library registered none.
#[repr(C)]
struct OwnHead {
    /// glibc has the back link there, and so have we.
    prev: AtomicUsize,
    head: Head,
}

/// How many nodes one thread can have on the list at once.
const NODES: usize = 16;
/// As far as the kernel walks.
const LIST_LIMIT: usize = 2048;

struct Me {
    generation: Cell<u64>,
    tid: Cell<u32>,
    head: Cell<*const Head>,
    records: [Record; NODES],
    count: Cell<usize>,
}

thread_local! {
    static ME: Me = const {
        Me {
            generation: Cell::new(0),
            tid: Cell::new(0),
            head: Cell::new(ptr::null()),
            records: [const { Record::empty() }; NODES],
            count: Cell::new(0),
        }
    };
    static OWN_HEAD: OwnHead = const {
        OwnHead {
            prev: AtomicUsize::new(0),
            head: Head {
                list: AtomicUsize::new(0),
                offset: AtomicIsize::new(NODE_TO_WORD),
                pending: AtomicUsize::new(0),
            },
        }
    };
}

/// The calling thread, as the kernel knows it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Thread {
    me: *const Me,
    /// Which of the processes that descend from each other by forks this is.
    pub(crate) generation: u64,
    pub(crate) tid: u32,
    not_send: PhantomData<*const ()>,
}

impl Thread {
    /// The calling thread; found once, and again after a fork of any kind.
    #[inline(always)]
    pub(crate) fn current() -> Result<Thread> {
        ME.with(|me| {
            let generation = generation()?;
            if me.generation.get() != generation {
                me.refresh(generation)?;
            }
            Ok(Thread { me, generation, tid: me.tid.get(), not_send: PhantomData })
        })
    }

    #[inline(always)]
    fn me(&self) -> &Me {
        // SAFETY:
        // - it came from a thread local of this thread: `Thread` cannot leave it;
        // - the thread local has no destructor, so it is there until the thread ends;
        // - nobody makes a unique reference to it.
        unsafe { &*self.me }
    }

    #[inline(always)]
    fn head(&self) -> &Head {
        // SAFETY: `refresh` stored the address of the list head that the kernel knows for this thread; it is
        // part of the thread's own static storage and lives as long as the thread. It holds words
        // only, which the thread and the kernel on its behalf write.
        unsafe { &*self.me().head.get() }
    }

    /// Where the head is; in a forked child of this thread, too.
    #[cfg(test)]
    pub(crate) fn head_address(&self) -> usize {
        ptr::from_ref(self.head()) as usize
    }

    /// Names the node that is about to be taken or given up: the kernel looks there too.
    #[inline(always)]
    pub(crate) fn pend(&self, node: usize) {
        self.head().pending.store(node, Relaxed);
        compiler_fence(SeqCst);
    }

    /// The node named last is on the list, or off it, for certain.
    #[inline(always)]
    pub(crate) fn settle(&self) {
        compiler_fence(SeqCst);
        self.head().pending.store(0, Relaxed);
        compiler_fence(SeqCst);
    }

    /// Whether this thread has `node` on its list.
    #[cold]
    pub(crate) fn holds(&self, node: usize) -> bool {
        self.find(node).is_some()
    }

    /// How many nodes of ours this thread has on its list.
    pub(crate) fn held(&self) -> usize {
        self.me().count.get()
    }

    /// Whether there is room for another node.
    ///
    /// # Errors
    ///
    /// Refuses when the thread holds more locks than the private records can describe.
    #[inline(always)]
    pub(crate) fn reserve(&self) -> Result<()> {
        if self.me().count.get() + 1 > NODES - 2 {
            return Err(Fault::Os(rustix::io::Errno::NOLCK.into()));
        }
        Ok(())
    }

    /// Takes `word` and links its node, if nobody has the word and this thread has nothing on its list: what an
    /// operation on one word needs, in as few steps as can be. The node stays pending meanwhile, which the kernel sees as
    /// one and the same.
    #[inline(always)]
    pub(crate) fn take_alone(
        &self,
        word: &AtomicU32,
        node: usize,
        next: &AtomicU64,
        prev: &AtomicU64,
    ) -> bool {
        let (me, head) = (self.me(), self.head());
        let at_head = ptr::from_ref(&head.list) as usize;
        // A look at the word first, as an attempt takes its line away from the owner's core.
        if me.count.get() != 0 || head.list.load(Relaxed) != at_head || word.load(Relaxed) != 0 {
            return false;
        }
        self.pend(node);
        if word.compare_exchange(0, self.tid, Acquire, Relaxed).is_err() {
            self.settle();
            return false;
        }
        next.store(at_head as u64, Relaxed);
        prev.store(at_head as u64, Relaxed);
        let record = &me.records[0];
        record.node.set(node);
        record.tail.set(at_head);
        record.count.set(0);
        me.count.set(1);
        compiler_fence(SeqCst);
        head.list.store(node, Relaxed);
        compiler_fence(SeqCst);
        true
    }

    /// Gives up what [`take_alone`](Thread::take_alone) took, with nothing done in between; `false` if somebody sleeps
    /// there and the word is still this thread's.
    #[inline(always)]
    pub(crate) fn give_up_alone(&self, word: &AtomicU32) -> bool {
        let (me, head) = (self.me(), self.head());
        compiler_fence(SeqCst);
        head.list.store(ptr::from_ref(&head.list) as usize, Relaxed);
        me.count.set(0);
        compiler_fence(SeqCst);
        let is_done = word.compare_exchange(self.tid, 0, Release, Relaxed).is_ok();
        if is_done {
            self.settle();
        }
        is_done
    }

    /// Puts `node` at the front of the list. `next` and `prev` are its links in shared memory.
    #[inline(always)]
    pub(crate) fn link(&self, node: usize, next: &AtomicU64, prev: &AtomicU64) {
        let (me, head) = (self.me(), self.head());
        let at_head = ptr::from_ref(&head.list) as usize;
        let first = head.list.load(Relaxed);
        next.store(first as u64, Relaxed);
        prev.store(at_head as u64, Relaxed);
        // `reserve` made sure that there is one.
        let Some(record) = me.records.get(me.count.get()) else { return };
        record.node.set(node);
        record.tail.set(first);
        record.count.set(0);
        if first != at_head {
            self.describe(record, at_head);
            set_prev(first, node);
        }
        me.count.set(me.count.get() + 1);
        compiler_fence(SeqCst);
        head.list.store(node, Relaxed);
        compiler_fence(SeqCst);
    }

    /// Notes which foreign nodes stand behind a new one.
    #[cold]
    fn describe(&self, record: &Record, at_head: usize) {
        let mut at = record.tail.get();
        while at != at_head && self.find(plain(at)).is_none() && record.add(at) {
            at = next_of(at);
        }
        record.tail.set(at);
    }

    /// Takes `node` off the list.
    #[inline(always)]
    pub(crate) fn unlink(&self, node: usize, next: &AtomicU64) {
        let (me, head) = (self.me(), self.head());
        let at_head = ptr::from_ref(&head.list) as usize;
        let only = &me.records[0];
        if me.count.get() == 1
            && only.node.get() == node
            && only.tail.get() == at_head
            && only.count.get() == 0
        {
            // Nothing of ours, and nothing foreign, was ever behind it.
            if head.list.load(Relaxed) == node {
                compiler_fence(SeqCst);
                head.list.store(at_head, Relaxed);
                compiler_fence(SeqCst);
                me.count.set(0);
                return;
            }
        }
        self.unlink_among_others(node, next, at_head);
    }

    #[cold]
    fn unlink_among_others(&self, node: usize, next: &AtomicU64, at_head: usize) {
        let (me, head) = (self.me(), self.head());
        let Some(index) = self.find(node) else { return };
        let record = &me.records[index];
        let behind = record.behind(next.load(Relaxed) as usize);
        compiler_fence(SeqCst);
        if head.list.load(Relaxed) == node {
            head.list.store(behind, Relaxed);
            if behind != at_head {
                set_prev(behind, at_head);
            }
        } else {
            self.unlink_further_on(record, behind, at_head);
        }
        compiler_fence(SeqCst);
        let last = me.count.get() - 1;
        record.copy(&me.records[last]);
        me.count.set(last);
    }

    /// Takes a node off that is not at the front: the locks are given up out of order.
    fn unlink_further_on(&self, record: &Record, behind: usize, at_head: usize) {
        let me = self.me();
        // Whoever of ours had the node behind it has the node's followers there now.
        for other in &me.records[..me.count.get()] {
            if other.tail.get() == record.node.get() {
                other.tail.set(record.tail.get());
                for foreign in &record.foreign[..record.count.get()] {
                    other.add(foreign.get());
                }
            }
        }
        let mut at = self.head().list.load(Relaxed);
        for _ in 0..LIST_LIMIT {
            if at == at_head || at == 0 {
                return;
            }
            let raw = next_of(at);
            let following = match self.find(plain(at)) {
                // Its tail was moved on above, so the node itself is no longer among the believed.
                Some(_) if raw == record.node.get() => raw,
                Some(index) => me.records[index].behind(raw),
                None => raw,
            };
            if plain(following) == record.node.get() {
                set_next(at, behind);
                if behind != at_head {
                    set_prev(behind, plain(at));
                }
                return;
            }
            at = following;
        }
    }

    fn find(&self, node: usize) -> Option<usize> {
        let me = self.me();
        me.records[..me.count.get()].iter().rposition(|record| record.node.get() == node)
    }
}

impl Me {
    /// Finds the list anew: the thread is new, or its process is.
    #[cold]
    fn refresh(&self, generation: u64) -> Result<()> {
        let mut head: *const Head = ptr::null();
        let mut size: usize = 0;
        // SAFETY: asks for the calling thread's head (0); both places to write are our own locals.
        let code = unsafe {
            libc::syscall(libc::SYS_get_robust_list, 0, ptr::from_mut(&mut head), ptr::from_mut(&mut size))
        };
        if code != 0 {
            return Err(Fault::Os(std::io::Error::last_os_error()));
        }
        if head.is_null() {
            // A raw `clone` leaves the child's list unregistered. The C library's head is where it was in the
            // parent's thread; what is on it belongs to the parent.
            head = if self.head.get().is_null() {
                OWN_HEAD.with(|own| ptr::from_ref(&own.head))
            } else {
                self.head.get()
            };
            // SAFETY: either glibc's head for this thread or our own, both in the thread's static storage.
            let fields = unsafe { &*head };
            fields.pending.store(0, Relaxed);
            fields.list.store(ptr::from_ref(&fields.list) as usize, Relaxed);
            // SAFETY: the head was made valid just now and lives as long as the thread.
            let code = unsafe { libc::syscall(libc::SYS_set_robust_list, head, size_of::<Head>()) };
            if code != 0 {
                return Err(Fault::Os(std::io::Error::last_os_error()));
            }
        }
        // SAFETY: the kernel says that this thread registered it, so it is there until the thread ends.
        let fields = unsafe { &*head };
        if fields.offset.load(Relaxed) != NODE_TO_WORD {
            return Err(Fault::Os(rustix::io::Errno::NOTSUP.into()));
        }
        self.head.set(head);
        self.tid.set(rustix::thread::gettid().as_raw_nonzero().get() as u32);
        self.count.set(0);
        self.generation.set(generation);
        Ok(())
    }
}

/// The lowest bit of a link says that the lock behind it lends its priority.
fn plain(link: usize) -> usize {
    link & !1
}

/// What the node behind a believed link links to.
fn next_of(link: usize) -> usize {
    // SAFETY: `link` came from the list head of this thread, or from a private record, so it is a node on
    // this thread's list; whoever put it there keeps it mapped until it is taken off.
    unsafe { AtomicUsize::from_ptr(plain(link) as *mut usize) }.load(Relaxed)
}

fn set_next(link: usize, to: usize) {
    // SAFETY: as in `next_of`.
    unsafe { AtomicUsize::from_ptr(plain(link) as *mut usize) }.store(to, Relaxed);
}

fn set_prev(link: usize, to: usize) {
    // SAFETY: as in `next_of`; every node on the list has its back link in the word before.
    unsafe { AtomicUsize::from_ptr((plain(link) - NODE_TO_PREV as usize) as *mut usize) }.store(to, Relaxed);
}
