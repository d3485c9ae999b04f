//! The parent's half: start this program again, as a worker.

use std::borrow::Cow;
use std::ffi::CString;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use cucumber::Func;
use cucumber::func::Callable;

use super::method::start_method;
use super::streams::Ends;
use super::template::{self, Ready, Surroundings, Taken};
use super::{MARKER, TEMPLATE, bootstrap};
use crate::channel::{Message, Outbox, Packet};
use crate::chaos::{self, Chaos};
use crate::config::{StartMethod, Streams};
use crate::error::StartError;
use crate::protocol::{Entry, Functions, Request, Start, VERSION};
use crate::reactor::ActorId;
use crate::sys::{self, AsFd, AsRawFd, BorrowedFd, Child, Image, OwnedFd, Program, Spawn};

/// Everything that a start needs to know of the moment at which it was asked for.
#[derive(Debug)]
pub(crate) struct Launch {
    program: Program,
    arguments: Vec<CString>,
    environment: Vec<CString>,
    streams: Streams,
    words: FirstWords,
    /// What is to go wrong in the worker.
    chaos: Option<Chaos>,
    /// Whether it is this program that workers run, and one that can wait before its `main`.
    has_templates: bool,
}

/// What every worker is told first, whatever it is for.
#[derive(Clone, Copy, Debug)]
struct FirstWords {
    build: u64,
    prologue: Option<Prologue>,
    method: StartMethod,
}

/// What the program wants done first in every worker.
pub(crate) type Prologue = Func<fn()>;

/// A worker that has been started.
#[derive(Debug)]
pub(crate) struct Launched {
    pub(crate) child: Child,
    pub(crate) socket: Arc<OwnedFd>,
    /// Leads to it, with the first packet sent or on its way; somebody takes it.
    pub(crate) outbox: Option<Outbox>,
    /// Where its standard output and error can be read, as far as they are captured.
    pub(crate) captured: [Option<OwnedFd>; 2],
    /// Who makes a copy of the template in place of this one.
    pub(crate) successor: Option<ActorId>,
}

static PROLOGUE: Mutex<Option<Prologue>> = Mutex::new(None);
static EXECUTABLE: Mutex<Option<PathBuf>> = Mutex::new(None);

/// Has `f` called in every worker that is started from now on, before anything else of the user's runs there.
///
/// A worker never reaches `main`, so what `main` sets up for the whole program is missing there: `tracing`
/// subscribers, panic hooks, TLS providers. Put that into a function, call it in `main`, and hand it to this.
/// Setting another one replaces the first.
///
/// ```
/// fn set_up() {
///     std::panic::set_hook(Box::new(|panic| eprintln!("sorry: {panic}")));
/// }
///
/// set_up();
/// processing::on_worker_start(set_up);
/// ```
pub fn on_worker_start<F: Callable<fn()>>(f: F) {
    hand_on(Func::new(f));
}

/// In a worker: what its program wants done in workers is also for those that are started from here.
pub(super) fn hand_on(prologue: Prologue) {
    *PROLOGUE.lock().unwrap_or_else(PoisonError::into_inner) = Some(prologue);
}

/// Names the program that workers run, in place of this one.
///
/// Only needed where `processing` is part of a library that another program has loaded. It must be built from the
/// very same image: a worker that finds itself to be another build refuses to start.
pub fn set_worker_executable(path: impl Into<PathBuf>) {
    *EXECUTABLE.lock().unwrap_or_else(PoisonError::into_inner) = Some(path.into());
}

impl Launch {
    /// Takes note of the environment and settings as they are now.
    pub(crate) fn prepare(worker: &'static str, streams: Streams) -> Result<Self, StartError> {
        sys::startup::keep();
        // Says where functions lie, before any is encoded.
        let _ = sys::function_trust();
        let image = Image::of_this_program().ok_or_else(|| StartError::System {
            worker,
            what: "say where this program lies in memory",
            cause: io::ErrorKind::NotFound.into(),
        })?;
        let chaos = variable(chaos::VARIABLE).map(|text| Chaos::parse(&text)).transpose();
        let chaos = chaos.map_err(|complaint| StartError::Variable {
            worker,
            variable: chaos::VARIABLE,
            complaint,
        })?;
        let method = start_method(worker)?;
        let executable = EXECUTABLE.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let has_templates = cfg!(feature = "auto-init") && executable.is_none();
        let program = match executable {
            Some(path) => Program::at(&path).map_err(|cause| StartError::System {
                worker,
                what: "take the path of the worker program",
                cause,
            })?,
            None if !image.is_program => {
                return Err(StartError::InLibrary { worker, library: image.path.clone() });
            }
            None if !bootstrap::is_prepared() => return Err(StartError::NotInitialised { worker }),
            None => Program::this_one(),
        };
        Ok(Launch {
            program,
            // No argument can hold a NUL: the system gave them as C strings.
            arguments: std::env::args_os()
                .filter_map(|argument| CString::new(argument.into_encoded_bytes()).ok())
                .collect(),
            environment: sys::environment(MARKER),
            streams,
            chaos,
            words: FirstWords {
                build: image.build,
                prologue: *PROLOGUE.lock().unwrap_or_else(PoisonError::into_inner),
                method,
            },
            has_templates,
        })
    }

    /// Sets a variable in the worker's environment.
    pub(crate) fn set_variable(&mut self, name: &str, value: &str) {
        self.environment.retain(|entry| !is_variable(entry, name));
        self.environment.extend(CString::new(format!("{name}={value}")));
    }

    /// Starts a worker that will call `entry`, in whichever way is there.
    ///
    /// Must be called on the thread that lives as long as the program: the worker ends with the thread that started
    /// it.
    pub(crate) fn start(&self, entry: Func<Entry>, job: Message) -> io::Result<Launched> {
        // Before there is a child that would have to be ended if it failed.
        let first = self.words.packet(entry, job)?;
        let ends = Ends::new(self.streams)?;
        let environment = self.environment_of_next_worker();
        if self.has_templates && self.words.method != StartMethod::Exec {
            let start = |channel: BorrowedFd<'_>| self.exec(channel, [None; 3], &self.environment, TEMPLATE);
            template::prepare(self.words.method, &self.environment, &start);
            if let Some(copy) = take(&ends, &environment).and_then(Taken::ready) {
                return Ok(Launched::copy(copy, first, ends));
            }
        }
        let (socket, theirs) = sys::socket_pair()?;
        let child = self.exec(theirs.as_fd(), ends.replaced(), &environment, "")?;
        Ok(Launched::new(child, socket, first, ends))
    }

    /// Begins to start a worker, from any thread: whichever asks for a copy of the template, it is a child of the
    /// thread that started the template. What it is to do can be made ready meanwhile. `None` where this cannot be done
    /// at once, and is left to [`start`](Launch::start).
    pub(crate) fn begin(&self) -> Option<Begun> {
        if !self.has_templates || !template::is_ready(self.words.method) {
            return None;
        }
        // Whatever fails here fails once more there, and is told of then.
        let ends = Ends::new(self.streams).ok()?;
        let taken = take(&ends, &self.environment_of_next_worker())?;
        Some(Begun { words: self.words, ends, taken })
    }

    fn environment_of_next_worker(&self) -> Cow<'_, [CString]> {
        let Some(chaos) = &self.chaos else { return Cow::Borrowed(&self.environment) };
        let others = self.environment.iter().filter(|entry| !is_variable(entry, chaos::VARIABLE));
        Cow::Owned(others.cloned().chain([chaos.of_next_worker()]).collect())
    }

    /// Starts the program again.
    fn exec(
        &self,
        channel: BorrowedFd<'_>,
        streams: [Option<BorrowedFd<'_>>; 3],
        environment: &[CString],
        role: &str,
    ) -> io::Result<Child> {
        let mut environment = environment.to_vec();
        environment.push(CString::new(format!("{MARKER}={VERSION}:{}{role}", channel.as_raw_fd()))?);
        let (program, arguments, environment) = (&self.program, &self.arguments, &environment);
        Spawn { program, arguments, environment, channel, streams }.start()
    }
}

/// A copy of the template, if there is one that will do.
fn take(ends: &Ends, environment: &[CString]) -> Option<Taken> {
    ends.with_all(|streams| template::take(&Surroundings { environment, streams }))
}

/// Whether an entry of the environment is the variable of this name.
fn is_variable(entry: &CString, name: &str) -> bool {
    entry.as_bytes().strip_prefix(name.as_bytes()).is_some_and(|rest| rest.starts_with(b"="))
}

impl FirstWords {
    fn packet(self, entry: Func<Entry>, job: Message) -> io::Result<Packet> {
        let FirstWords { build, prologue, method } = self;
        let functions = Functions { prologue, method, entry };
        let functions = cucumber::to_bytes(&functions).map_err(io::Error::other)?;
        Request::Start(Start { build, functions }, job).pack()
    }
}

/// A worker that is being made.
pub(crate) struct Begun {
    words: FirstWords,
    ends: Ends,
    taken: Taken,
}

impl Begun {
    /// Tells it what to do; `None` if it has come to nothing, and [`Launch::start`] is left.
    pub(crate) fn finish(self, entry: Func<Entry>, job: Message) -> Option<Launched> {
        let first = self.words.packet(entry, job).ok()?;
        Some(Launched::copy(self.taken.ready()?, first, self.ends))
    }
}

impl Launched {
    /// Sends the first packet. Not before there is a hold on the worker: until it has that packet it does nothing, so
    /// one that is lost before can be started once more.
    fn new(child: Child, socket: OwnedFd, first: Packet, ends: Ends) -> Self {
        let socket = Arc::new(socket);
        let mut outbox = Outbox::new(Arc::clone(&socket));
        outbox.push(Arc::new(first));
        // What is left is sent by whoever looks after the worker, who also hears of what has gone wrong.
        let _ = outbox.flush();
        Launched { child, socket, outbox: Some(outbox), captured: ends.captured(), successor: None }
    }

    fn copy(copy: Ready, first: Packet, ends: Ends) -> Self {
        let Ready { child, socket, watch } = copy;
        Launched { successor: Some(watch), ..Launched::new(child, socket, first, ends) }
    }
}

/// A variable of this program's environment, if it is set, and to text.
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
