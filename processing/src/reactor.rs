//! The one thread that starts workers and hears from them.
//!
//! It lives as long as the program: the system ends a worker when the *thread* that started it is gone, so no other
//! thread may start one. It sleeps until a descriptor is ready, a time has come or another thread wakes it.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use crate::sys::{AsFd, Poller, Ready, WAKER, Waker};

/// Something that the reactor looks after: a process, or a seat of a pool.
pub(crate) trait Actor: Send {
    /// It has been handed to the reactor, or another thread wants its attention.
    fn wake(&mut self, io: &mut Io<'_>);

    /// One of the descriptors that it watches is ready.
    fn ready(&mut self, source: Source, ready: Ready, io: &mut Io<'_>);

    /// A time has come that it asked for; it may be one that no longer matters.
    fn due(&mut self, io: &mut Io<'_>);

    /// Whether there is nothing left to look after.
    fn is_over(&self) -> bool;
}

/// Which of its descriptors an actor means; below 16.
pub(crate) type Source = u8;

/// Names an actor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct ActorId(u64);

/// What an actor can ask of the reactor.
pub(crate) struct Io<'a> {
    poller: &'a Poller,
    id: ActorId,
    times: &'a mut Times,
}

/// When whose `due` is called.
pub(crate) type Times = BinaryHeap<Reverse<(Instant, u64)>>;

enum Command {
    Add(ActorId, Box<dyn Actor>),
    Wake(ActorId),
    At(Instant, std::task::Waker),
}

struct Reactor {
    commands: Sender<Command>,
    waker: Waker,
}

static REACTOR: OnceLock<Reactor> = OnceLock::new();

/// Hands an actor over; its `wake` is called first.
pub(crate) fn add(make: impl FnOnce(ActorId) -> Box<dyn Actor>) -> io::Result<ActorId> {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let id = ActorId(NEXT.fetch_add(1, Ordering::Relaxed));
    let reactor = reactor()?;
    reactor.send(Command::Add(id, make(id)));
    Ok(id)
}

/// Has an actor's `wake` called soon; nothing happens if it is over.
pub(crate) fn wake(id: ActorId) {
    if let Some(reactor) = REACTOR.get() {
        reactor.send(Command::Wake(id));
    }
}

/// Wakes a future's task. That is somebody else's code: its panic must not end the thread that all processes need.
pub(crate) fn wake_task(task: std::task::Waker) {
    // The panic hook has told of it already.
    let _ = catch_unwind(AssertUnwindSafe(|| task.wake()));
}

/// Wakes a future's task at this instant.
pub(crate) fn wake_task_at(when: Instant, task: std::task::Waker) -> io::Result<()> {
    reactor()?.send(Command::At(when, task));
    Ok(())
}

fn reactor() -> io::Result<&'static Reactor> {
    if let Some(reactor) = REACTOR.get() {
        return Ok(reactor);
    }
    static STARTING: Mutex<()> = Mutex::new(());
    let _one_at_a_time = STARTING.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(reactor) = REACTOR.get() {
        return Ok(reactor);
    }
    let (poller, waker) = Poller::new()?;
    let (commands, receiver) = channel();
    // Not known to anybody before it runs: where the system has no thread to give, the next start tries again.
    std::thread::Builder::new().name("processing".into()).spawn(move || Loop::new(poller, receiver).run())?;
    Ok(REACTOR.get_or_init(|| Reactor { commands, waker }))
}

impl Reactor {
    fn send(&self, command: Command) {
        // The thread never ends, so somebody receives it.
        if self.commands.send(command).is_ok() {
            self.waker.wake();
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
impl<'a> Io<'a> {
    /// Of an actor that nobody has handed over.
    pub(crate) fn of(poller: &'a Poller, times: &'a mut Times) -> Self {
        Io { poller, id: ActorId(0), times }
    }
}

impl Io<'_> {
    /// Has `ready` called whenever this descriptor can be read, and that of nobody else.
    pub(crate) fn watch(&self, fd: impl AsFd, source: Source) -> io::Result<()> {
        self.poller.add(fd, self.token(source))
    }

    /// Has `ready` called when it can be written to as well, or no longer.
    pub(crate) fn want_write(&self, fd: impl AsFd, source: Source, wanted: bool) -> io::Result<()> {
        self.poller.want_write(fd, self.token(source), wanted)
    }

    pub(crate) fn forget(&self, fd: impl AsFd) {
        self.poller.remove(fd);
    }

    /// Has `due` called at this instant.
    pub(crate) fn wake_at(&mut self, when: Instant) {
        self.times.push(Reverse((when, self.id.0)));
    }

    /// Has `due` of another actor called at this instant; nothing happens if that is over.
    #[cfg(target_os = "linux")]
    pub(crate) fn wake_other_at(&mut self, other: ActorId, when: Instant) {
        self.times.push(Reverse((when, other.0)));
    }

    fn token(&self, source: Source) -> u64 {
        self.id.0 << 4 | u64::from(source)
    }
}

/// How many commands are followed before descriptors and times have their turn.
const COMMANDS_A_TURN: usize = 256;

struct Loop {
    poller: Poller,
    receiver: Receiver<Command>,
    actors: HashMap<ActorId, Box<dyn Actor>>,
    times: Times,
    /// The tasks that wait for an instant, by numbers that no actor has.
    tasks: HashMap<u64, std::task::Waker>,
}

impl Loop {
    fn new(poller: Poller, receiver: Receiver<Command>) -> Self {
        Loop { poller, receiver, actors: HashMap::new(), times: BinaryHeap::new(), tasks: HashMap::new() }
    }

    fn run(mut self) {
        let mut ready = Vec::new();
        let mut next_task = u64::MAX;
        let mut more = false;
        loop {
            let next = self.times.peek().map(|Reverse((when, _))| when);
            let wait = next.map(|when| when.saturating_duration_since(Instant::now()));
            let wait = if more { Some(Duration::ZERO) } else { wait };
            ready.clear();
            if self.poller.wait(wait, &mut ready).is_err() {
                // The descriptors of the poller itself are gone: nothing can be heard any more.
                return;
            }
            for event in &ready {
                if event.token != WAKER {
                    self.with(ActorId(event.token >> 4), |actor, io| {
                        actor.ready((event.token & 15) as u8, *event, io)
                    });
                }
            }
            self.ring();
            // So many at a time, so that no flood of them keeps descriptors and times waiting.
            more = true;
            for _ in 0..COMMANDS_A_TURN {
                let Ok(command) = self.receiver.try_recv() else {
                    more = false;
                    break;
                };
                match command {
                    Command::Add(id, actor) => {
                        self.actors.insert(id, actor);
                        self.with(id, |actor, io| actor.wake(io));
                    }
                    Command::Wake(id) => self.with(id, |actor, io| actor.wake(io)),
                    Command::At(when, task) => {
                        self.tasks.insert(next_task, task);
                        self.times.push(Reverse((when, next_task)));
                        next_task -= 1;
                    }
                }
            }
        }
    }

    /// Calls whoever asked for a time that has come.
    fn ring(&mut self) {
        let now = Instant::now();
        // All of them first: a time that is asked for meanwhile has its turn after the descriptors have had theirs.
        let mut due = Vec::new();
        while let Some(&Reverse((when, id))) = self.times.peek()
            && when <= now
        {
            self.times.pop();
            due.push(id);
        }
        for id in due {
            match self.tasks.remove(&id) {
                Some(task) => wake_task(task),
                None => self.with(ActorId(id), |actor, io| actor.due(io)),
            }
        }
    }

    fn with(&mut self, id: ActorId, call: impl FnOnce(&mut dyn Actor, &mut Io<'_>)) {
        let Some(actor) = self.actors.get_mut(&id) else { return };
        call(&mut **actor, &mut Io { poller: &self.poller, id, times: &mut self.times });
        if actor.is_over() {
            self.actors.remove(&id);
        }
    }
}
