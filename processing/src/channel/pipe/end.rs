//! One end of a pipe, whatever goes through it: two rings and a wire.

use std::collections::VecDeque;
use std::sync::atomic::AtomicU8;
use std::sync::atomic::Ordering::{Acquire, Release};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::error::{Kind, PipeError};
use super::turn::Sending;
use super::wire::{Handles, Wire};
use crate::channel::{Message, Pace, spare};
use crate::shm::Page;
use crate::shm::fault::Fault;
use crate::shm::ring::{CHUNK, Chunk, Ring, Rings};
use crate::sys::OwnedFd;

/// Which end it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Anchor,
    Point,
}

/// One end of a pipe.
pub(super) struct End {
    side: Side,
    /// What comes in are values without frames, each to be left in a buffer of its own.
    bare: bool,
    memory: Page<Rings>,
    pub(super) wire: Arc<Wire>,
    status: AtomicU8,
    pub(super) sending: Mutex<Sending>,
    /// Whoever was sending is done.
    pub(super) sent: Condvar,
    receiving: Mutex<Receiving>,
    /// This end was to leave, and that is decided.
    decided: Condvar,
}

const OPEN: u8 = 0;
const CLOSED: u8 = 1;
const MOVED: u8 = 2;

struct Receiving {
    /// How many threads are at it. Each chunk is taken by one of them, the message by whoever takes its last one.
    threads: u32,
    /// A message that takes this end along is being encoded: until that is done, nobody receives. Else what is received
    /// meanwhile would be here and on its way, in parts perhaps.
    leaving: bool,
    /// When the system was last asked for the other end.
    seen: Option<Instant>,
    partial: Option<Partial>,
}

/// A message of which not everything has come.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub(super) struct Partial {
    bytes: Vec<u8>,
    /// Where in the ring it began, and how many descriptors belong to it.
    tag: u64,
    handles: u16,
}

/// What an end is made of, for passing it on.
pub(super) struct Parts {
    pub(super) memory: OwnedFd,
    pub(super) socket: OwnedFd,
    pub(super) handles: Vec<Handles>,
    pub(super) partial: Option<Partial>,
    pub(super) aborted: bool,
}

/// How long a call may take.
#[derive(Clone, Copy, Debug)]
pub(super) enum Patience {
    None,
    Until(Instant),
    Endless,
}

impl Patience {
    pub(super) fn of(time: Duration) -> Patience {
        Instant::now().checked_add(time).map_or(Patience::Endless, Patience::Until)
    }

    fn deadline(self) -> Option<Instant> {
        match self {
            Patience::None => Some(Instant::now()),
            Patience::Until(deadline) => Some(deadline),
            Patience::Endless => None,
        }
    }
}

/// A sender asks the system so often whether the other end is still there; what happens in between shows with the next
/// message.
const TRUST: Duration = Duration::from_millis(1);

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl End {
    /// A new end, at which `Received` comes in.
    pub(super) fn new<Received>(side: Side, memory: Page<Rings>, socket: OwnedFd) -> Result<End, PipeError> {
        let wire = Wire::new(socket, VecDeque::new())?;
        Ok(End::with(side, cucumber::is_bytes::<Received>(), memory, wire, None, false))
    }

    pub(super) fn of_parts<Received>(side: Side, parts: Parts) -> Result<End, PipeError> {
        let Parts { memory, socket, handles, partial, aborted } = parts;
        let (memory, wire) = (Page::open(memory)?, Wire::new(socket, handles.into())?);
        Ok(End::with(side, cucumber::is_bytes::<Received>(), memory, wire, partial, aborted))
    }

    fn with(
        side: Side,
        bare: bool,
        memory: Page<Rings>,
        wire: Wire,
        partial: Option<Partial>,
        aborted: bool,
    ) -> End {
        End {
            side,
            bare,
            memory,
            wire: Arc::new(wire),
            status: AtomicU8::new(OPEN),
            sending: Mutex::new(Sending {
                is_busy: false,
                waiting: 0,
                seen: Instant::now(),
                aborted,
                known: 0,
            }),
            sent: Condvar::new(),
            receiving: Mutex::new(Receiving { threads: 0, leaving: false, seen: None, partial }),
            decided: Condvar::new(),
        }
    }

    /// Copies of what this end is made of. Refuses while another thread sends or receives. With `leave`, nobody will until
    /// [`depart`](End::depart) or [`stay`](End::stay).
    pub(super) fn parts(&self, leave: bool) -> Result<Parts, PipeError> {
        self.check_open()?;
        let (mut sending, mut receiving) = (lock(&self.sending), lock(&self.receiving));
        if sending.is_busy || receiving.threads != 0 || receiving.leaving {
            return Err(PipeError(Kind::Os(std::io::ErrorKind::ResourceBusy.into())));
        }
        let (socket, handles) = self.wire.copy()?;
        let memory = crate::sys::AsFd::as_fd(&self.memory).try_clone_to_owned()?;
        let partial = receiving.partial.clone();
        (sending.is_busy, receiving.leaving) = (leave, leave);
        Ok(Parts { memory, socket, handles, partial, aborted: sending.aborted })
    }

    /// This end is another process's now.
    pub(super) fn depart(&self) {
        self.status.store(MOVED, Release);
        self.wire.close(false);
        self.decide();
    }

    /// This end stays, after all.
    pub(super) fn stay(&self) {
        self.decide();
        self.wire.nudge();
    }

    /// Lets those go on who waited for whether this end leaves.
    fn decide(&self) {
        lock(&self.sending).is_busy = false;
        lock(&self.receiving).leaving = false;
        self.sent.notify_all();
        self.decided.notify_all();
    }

    /// Closes this end, and every copy of it.
    pub(super) fn close(&self) {
        if self.status.swap(CLOSED, Release) == OPEN {
            self.wire.close(true);
        }
    }

    pub(super) fn is_open(&self) -> bool {
        self.status.load(Acquire) == OPEN
    }

    pub(super) fn check_open(&self) -> Result<(), PipeError> {
        match self.status.load(Acquire) {
            OPEN => Ok(()),
            CLOSED => Err(Kind::Closed.into()),
            _ => Err(Kind::Moved.into()),
        }
    }

    pub(super) fn outgoing(&self) -> &Ring {
        match self.side {
            Side::Anchor => &self.memory.down,
            Side::Point => &self.memory.up,
        }
    }

    pub(super) fn incoming(&self) -> &Ring {
        match self.side {
            Side::Anchor => &self.memory.up,
            Side::Point => &self.memory.down,
        }
    }

    /// Sends a message: its bytes, and the descriptors beside them.
    pub(super) fn send(&self, bytes: &[u8], fds: &[OwnedFd], patience: Patience) -> Result<(), PipeError> {
        self.check_open()?;
        let mut turn = self.turn(patience)?;
        let sending = &mut turn.sending;
        if self.wire.is_gone() {
            return Err(Kind::Disconnected.into());
        }
        let ring = self.outgoing();
        if sending.aborted {
            let abort = Chunk { len: 0, first: false, more: 0, abort: true, handles: 0 };
            self.wait_for_room(Chunk::size(0), &mut sending.known, patience)?;
            self.put(ring, abort, &[]);
            sending.aborted = false;
        }
        if !fds.is_empty() && self.look(sending) {
            return Err(Kind::Disconnected.into());
        }
        let handles = u16::try_from(fds.len()).map_err(|_| Kind::Handles)?;
        if matches!(patience, Patience::None) {
            // All of it or nothing.
            let sizes = bytes.chunks(CHUNK).map(|bytes| Chunk::size(bytes.len()));
            self.wait_for_room(sizes.sum(), &mut sending.known, patience)?;
        }
        let (mut chunk, mut piece) = Chunk::next_of(bytes, 0);
        chunk.handles = handles;
        self.wait_for_room(Chunk::size(piece.len()), &mut sending.known, patience)?;
        if handles != 0 {
            // If only some of them leave, what begins here must be another message than theirs.
            sending.aborted = true;
            if !self.wire.send_handles(ring.written.position(), fds, patience.deadline())? {
                return Err(too_late(patience));
            }
            sending.aborted = false;
        }
        self.put(ring, chunk, piece);
        let mut sent = piece.len();
        while chunk.more != 0 {
            (chunk, piece) = Chunk::next_of(bytes, sent);
            if let Err(error) = self.wait_for_room(Chunk::size(piece.len()), &mut sending.known, patience) {
                sending.aborted = true;
                return Err(error);
            }
            self.put(ring, chunk, piece);
            sent += piece.len();
        }
        // Not before, so that whoever waits for the message has it by now, and may even be gone with it.
        if self.look(sending) && !ring.is_read() {
            return Err(Kind::Disconnected.into());
        }
        Ok(())
    }

    /// Looks now and then whether the other end is gone.
    fn look(&self, sending: &mut Sending) -> bool {
        if sending.seen.elapsed() < TRUST {
            return false;
        }
        sending.seen = Instant::now();
        self.wire.look()
    }

    fn put(&self, ring: &Ring, chunk: Chunk, bytes: &[u8]) {
        if ring.put(chunk, bytes) {
            self.wire.wake_peer();
        }
    }

    fn wait_for_room(&self, size: u64, known: &mut u64, patience: Patience) -> Result<(), PipeError> {
        let ring = self.outgoing();
        let mut pace = Pace::default();
        loop {
            let (turn, gone) = if pace.over { self.wire.now() } else { (0, false) };
            if ring.has_room(size, known)? {
                return Ok(());
            }
            if gone {
                return Err(Kind::Disconnected.into());
            }
            if matches!(patience, Patience::None) {
                return Err(if self.wire.look() { Kind::Disconnected } else { Kind::Full }.into());
            }
            if pace.over {
                self.check_open()?;
                self.sleep(&ring.read, *known, turn, patience)?;
            } else {
                pace.step();
            }
        }
    }

    /// Sleeps until `gate` has moved on from `seen`, or something came through the wire.
    fn sleep(
        &self,
        gate: &crate::shm::ring::Gate,
        seen: u64,
        turn: u64,
        patience: Patience,
    ) -> Result<(), PipeError> {
        if !gate.announce(seen) {
            return Ok(());
        }
        match self.wire.wait(turn, patience.deadline()) {
            Ok(true) => Ok(()),
            Ok(false) => Err(too_late(patience)),
            Err(error) => Err(self.check_open().err().unwrap_or(error.into())),
        }
    }

    /// Receives a message; `None` if there is none, where the caller has no patience.
    pub(super) fn receive(&self, patience: Patience) -> Result<Option<Message>, PipeError> {
        let mut receiving = lock(&self.receiving);
        while receiving.leaving {
            // Not for long: a value is being encoded.
            if matches!(patience, Patience::None) {
                return Ok(None);
            }
            receiving = self.decided.wait(receiving).unwrap_or_else(PoisonError::into_inner);
        }
        receiving.threads += 1;
        let received = self.receive_among_others(receiving, patience);
        if !matches!(received, Ok(Some(_))) {
            lock(&self.receiving).threads -= 1;
        }
        received
    }

    /// Whoever gets a message is counted no longer, so that the lock is taken once for both.
    fn receive_among_others<'e>(
        &'e self,
        mut receiving: MutexGuard<'e, Receiving>,
        patience: Patience,
    ) -> Result<Option<Message>, PipeError> {
        self.check_open()?;
        let ring = self.incoming();
        let mut pace = Pace::default();
        loop {
            // In this order: whoever is gone has written all that it ever will.
            let (turn, gone) = if pace.over { self.wire.now() } else { (0, false) };
            let saw = match ring.next()? {
                Ok(chunk) => {
                    if let Some(message) = self.take(ring, chunk, &mut receiving)? {
                        receiving.threads -= 1;
                        return Ok(Some(message));
                    }
                    pace = Pace::default();
                    continue;
                }
                Err(_) if gone => return Err(Kind::Disconnected.into()),
                Err(_) if matches!(patience, Patience::None) => {
                    if pace.over || receiving.seen.is_some_and(|seen| seen.elapsed() < TRUST) {
                        return Ok(None);
                    }
                    receiving.seen = Some(Instant::now());
                    self.wire.look();
                    pace.over = true;
                    continue;
                }
                Err(saw) => saw,
            };
            drop(receiving);
            if pace.over {
                self.check_open()?;
                self.sleep(&ring.written, saw, turn, patience)?;
            }
            while !pace.over && ring.written.position() == saw {
                pace.step();
            }
            receiving = lock(&self.receiving);
        }
    }

    /// Takes one chunk; a message, if it was the last of one.
    fn take(
        &self,
        ring: &Ring,
        chunk: Chunk,
        receiving: &mut Receiving,
    ) -> Result<Option<Message>, PipeError> {
        let tag = ring.place();
        if chunk.first {
            let bytes = chunk.make_room(if self.bare { Vec::new() } else { spare::take() });
            receiving.partial = Some(Partial { bytes, tag, handles: chunk.handles });
        } else if chunk.abort {
            receiving.partial = None;
        }
        let mut dropped = Vec::new();
        let into = receiving.partial.as_mut().map_or(&mut dropped, |partial| &mut partial.bytes);
        if ring.take(chunk, into) {
            self.wire.wake_peer();
        }
        if chunk.more != 0 || chunk.abort {
            return Ok(None);
        }
        let Some(Partial { mut bytes, tag, handles }) = receiving.partial.take() else {
            return Err(Fault::Corrupt("a chunk without a beginning").into());
        };
        let fds = match handles {
            0 => Vec::new(),
            count => self.wire.take_handles(tag, count.into()).ok_or(Kind::Handles)?,
        };
        // The room was for whole chunks and a word.
        if self.bare && bytes.capacity() > bytes.len() + bytes.len() / 4 + 8 {
            bytes.shrink_to_fit();
        }
        Ok(Some(Message { bytes, fds }))
    }
}

fn too_late(patience: Patience) -> PipeError {
    match patience {
        Patience::None => Kind::Full.into(),
        _ => Kind::TimedOut.into(),
    }
}
