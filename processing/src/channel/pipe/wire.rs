//! The socket beside the rings: it carries descriptors, wakes sleepers, and tells when the other end is gone.
//!
//! Packets are a tag and descriptors. A packet without descriptors says: look again.

use std::collections::VecDeque;
use std::io;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::task::Waker;
use std::time::{Duration, Instant};

use crate::reactor::{self, Actor, ActorId, Io, Source};
use crate::sys::{self, AsFd, Event, MOST_FDS, OwnedFd, Ready, TagsIn, TagsOut};

/// This end's socket, and what has come through it.
pub(super) struct Wire {
    state: Mutex<State>,
    outgoing: TagsOut,
    /// A thread of this process came back from the socket.
    changed: Condvar,
    /// Rung for the thread that sleeps at the socket, when another one has emptied it.
    bell: Event,
    /// What the state says of the other end, for those in a hurry.
    gone: AtomicBool,
}

struct State {
    /// `None` once this end is closed or moved.
    socket: Option<Arc<OwnedFd>>,
    /// Somebody sleeps at the socket; the others sleep until it comes back.
    leader: bool,
    /// How often somebody came back.
    turn: u64,
    /// The other end is gone.
    gone: bool,
    handles: VecDeque<Handles>,
    incoming: TagsIn,
    tasks: Vec<Waker>,
    /// Watches the socket on behalf of tasks.
    watch: Option<ActorId>,
}

/// Descriptors that came in: where in the ring their message begins, and they themselves.
pub(super) type Handles = (u64, Vec<OwnedFd>);

/// What the tag of a packet without a message is.
const WAKE: u64 = u64::MAX;

impl Wire {
    pub(super) fn new(socket: OwnedFd, handles: VecDeque<Handles>) -> io::Result<Wire> {
        let socket = sys::take_tag_socket(socket)?;
        let state = State {
            socket: Some(Arc::new(socket)),
            leader: false,
            turn: 0,
            gone: false,
            handles,
            incoming: TagsIn::default(),
            tasks: Vec::new(),
            watch: None,
        };
        let bell = Event::new()?;
        let (state, changed, outgoing) = (Mutex::new(state), Condvar::new(), TagsOut::default());
        Ok(Wire { state, outgoing, changed, bell, gone: AtomicBool::new(false) })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What there was to know when the caller looks: a turn to wait from, and whether the other end is gone.
    pub(super) fn now(&self) -> (u64, bool) {
        let state = self.lock();
        (state.turn, state.gone)
    }

    /// Whether the other end is known to be gone.
    pub(super) fn is_gone(&self) -> bool {
        self.gone.load(Relaxed)
    }

    /// Asks the system whether the other end is gone.
    pub(super) fn look(&self) -> bool {
        let mut state = self.lock();
        if state.drain() {
            self.come_back(&mut state);
        }
        state.gone
    }

    /// Wakes the other end. If the socket is full it has reason enough to be awake.
    pub(super) fn wake_peer(&self) {
        let socket = self.lock().socket.clone();
        if let Some(socket) = socket {
            let _ = self.outgoing.send(&socket, WAKE, &[]);
        }
    }

    /// Sends the descriptors of the message that will begin at `tag`; `false` if that took too long.
    pub(super) fn send_handles(
        &self,
        tag: u64,
        fds: &[OwnedFd],
        deadline: Option<Instant>,
    ) -> io::Result<bool> {
        let Some(socket) = self.lock().socket.clone() else { return Err(io::ErrorKind::NotConnected.into()) };
        for fds in fds.chunks(MOST_FDS) {
            let fds: Vec<_> = fds.iter().map(AsFd::as_fd).collect();
            if !until_taken(&socket, deadline, || self.outgoing.send(&socket, tag, &fds))?
                || !until_taken(&socket, deadline, || self.outgoing.flush(&socket))?
            {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The descriptors of the message that began at `tag`; `None` if there are fewer than `count`.
    pub(super) fn take_handles(&self, tag: u64, count: usize) -> Option<Vec<OwnedFd>> {
        let mut state = self.lock();
        if state.drain() {
            self.come_back(&mut state);
        }
        let mut fds = Vec::new();
        while let Some((theirs, _)) = state.handles.front() {
            match theirs.cmp(&tag) {
                std::cmp::Ordering::Greater => break,
                std::cmp::Ordering::Equal => {
                    fds.extend(state.handles.pop_front().into_iter().flat_map(|(_, fds)| fds))
                }
                // Of a message that was given up before it was published.
                std::cmp::Ordering::Less => drop(state.handles.pop_front()),
            }
        }
        (fds.len() == count).then_some(fds)
    }

    /// Sleeps until something came through the socket since `turn`; `false` if that took too long.
    pub(super) fn wait(&self, turn: u64, deadline: Option<Instant>) -> io::Result<bool> {
        let mut state = self.lock();
        loop {
            if state.turn != turn || state.gone {
                return Ok(true);
            }
            let left = left(deadline);
            if left == Some(Duration::ZERO) {
                self.come_back(&mut state);
                return Ok(false);
            }
            let Some(socket) = state.socket.clone() else { return Err(io::ErrorKind::NotConnected.into()) };
            if state.leader {
                state = match left {
                    Some(left) => {
                        self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0
                    }
                    None => self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
                };
                continue;
            }
            state.leader = true;
            drop(state);
            let woken = sys::wait_until_readable_or_set(&socket, &self.bell, deadline);
            drop(socket);
            state = self.lock();
            state.leader = false;
            self.bell.clear();
            state.drain();
            self.come_back(&mut state);
            if !woken? {
                return Ok(false);
            }
        }
    }

    /// Tells everyone that something came. Whoever has emptied the socket says so, or those who sleep at it sleep on.
    fn come_back(&self, state: &mut State) {
        state.turn += 1;
        if state.leader {
            self.bell.set();
        }
        self.gone.store(state.gone, Relaxed);
        if state.gone
            && let Some(socket) = &state.socket
        {
            self.outgoing.end(socket.as_fd());
        }
        for task in state.tasks.drain(..) {
            task.wake();
        }
        self.changed.notify_all();
    }

    /// Has a task woken when something comes through the socket; `false` if something has since `turn`.
    pub(super) fn register(self: &Arc<Wire>, turn: u64, task: &Waker) -> io::Result<bool> {
        let mut state = self.lock();
        if state.turn != turn || state.gone || state.drain() {
            self.come_back(&mut state);
            return Ok(false);
        }
        let Some(socket) = &state.socket else { return Err(io::ErrorKind::NotConnected.into()) };
        if state.watch.is_none() {
            let (socket, wire) = (Arc::clone(socket), Arc::downgrade(self));
            state.watch = Some(reactor::add(|_| Box::new(Watch { socket, wire, over: false }))?);
        }
        state.tasks.push(task.clone());
        Ok(true)
    }

    /// A copy of the socket, and what came through it, for passing this end on.
    pub(super) fn copy(&self) -> io::Result<(OwnedFd, Vec<Handles>)> {
        let mut state = self.lock();
        state.drain();
        if !state.incoming.is_between() || !self.outgoing.is_between() {
            return Err(io::ErrorKind::ResourceBusy.into());
        }
        let socket = state.socket.as_ref().ok_or(io::ErrorKind::NotConnected)?.try_clone()?;
        let copy =
            |(tag, fds): &Handles| Ok((*tag, fds.iter().map(OwnedFd::try_clone).collect::<io::Result<_>>()?));
        Ok((socket, state.handles.iter().map(copy).collect::<io::Result<_>>()?))
    }

    /// Has everyone look again.
    pub(super) fn nudge(&self) {
        self.come_back(&mut self.lock());
    }

    /// Lets go of the socket. With `hang_up`, copies of it that others may have are no use any more either.
    pub(super) fn close(&self, hang_up: bool) {
        let mut state = self.lock();
        if let Some(socket) = state.socket.take() {
            if hang_up {
                sys::hang_up(&socket);
            }
            self.outgoing.end(socket.as_fd());
        }
        state.handles.clear();
        if let Some(watch) = state.watch.take() {
            reactor::wake(watch);
        }
        self.come_back(&mut state);
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.close(false);
    }
}

impl State {
    /// Receives what is there; `true` if that was anything.
    fn drain(&mut self) -> bool {
        let Some(socket) = &self.socket else { return false };
        let mut any = false;
        loop {
            match self.incoming.receive(socket.as_fd()) {
                Ok(Some((tag, fds))) => {
                    any = true;
                    if !fds.is_empty() {
                        self.handles.push_back((tag, fds));
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return any,
                Ok(None) | Err(_) => {
                    any |= !self.gone;
                    self.gone = true;
                    return any;
                }
            }
        }
    }
}

/// Does something for which the socket may have to take some more first; `false` if it does not by then.
fn until_taken(
    socket: &OwnedFd,
    deadline: Option<Instant>,
    mut send: impl FnMut() -> io::Result<()>,
) -> io::Result<bool> {
    loop {
        match send() {
            Ok(()) => return Ok(true),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                if !sys::wait_until_writable(socket, deadline)? {
                    return Ok(false);
                }
            }
            Err(error) => return Err(error),
        }
    }
}

fn left(deadline: Option<Instant>) -> Option<Duration> {
    deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()))
}

/// Watches a socket, once, for tasks that cannot sleep at it.
struct Watch {
    socket: Arc<OwnedFd>,
    wire: Weak<Wire>,
    over: bool,
}

impl Actor for Watch {
    fn wake(&mut self, io: &mut Io<'_>) {
        let closed = self.wire.upgrade().is_none_or(|wire| wire.lock().socket.is_none());
        if self.over || closed || io.watch(&self.socket, 0).is_err() {
            io.forget(&self.socket);
            self.over = true;
        }
    }

    fn ready(&mut self, _source: Source, _ready: Ready, io: &mut Io<'_>) {
        io.forget(&self.socket);
        self.over = true;
        if let Some(wire) = self.wire.upgrade() {
            let mut state = wire.lock();
            state.watch = None;
            state.drain();
            wire.come_back(&mut state);
        }
    }

    fn due(&mut self, _io: &mut Io<'_>) {}

    fn is_over(&self) -> bool {
        self.over
    }
}
