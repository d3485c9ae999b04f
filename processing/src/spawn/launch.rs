//! The parent's half: start this program again, as a worker.

use std::ffi::CString;
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use cucumber::Func;
use cucumber::func::Callable;

use super::{MARKER, bootstrap};
use crate::channel::Message;
use crate::chaos::{self, Chaos};
use crate::config::{Stream, Streams};
use crate::error::StartError;
use crate::protocol::{Entry, Functions, Request, Start, VERSION};
use crate::sys::{self, Child, Image, Program, Spawn};

/// Everything that a start needs to know of the moment at which it was asked for.
#[derive(Debug)]
pub(crate) struct Launch {
    program: Program,
    arguments: Vec<CString>,
    environment: Vec<CString>,
    build: u64,
    prologue: Option<Prologue>,
    streams: Streams,
    /// What is to go wrong in the worker.
    chaos: Option<Chaos>,
}

/// What the program wants done first in every worker.
pub(crate) type Prologue = Func<fn()>;

/// A worker that has been started.
#[derive(Debug)]
pub(crate) struct Launched {
    pub(crate) child: Child,
    pub(crate) socket: Arc<OwnedFd>,
    /// Where its standard output and error can be read, as far as they are captured.
    pub(crate) captured: [Option<OwnedFd>; 2],
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
        let executable = EXECUTABLE.lock().unwrap_or_else(PoisonError::into_inner).clone();
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
                .filter_map(|argument| CString::new(argument.into_vec()).ok())
                .collect(),
            environment: sys::environment(MARKER),
            build: image.build,
            prologue: *PROLOGUE.lock().unwrap_or_else(PoisonError::into_inner),
            streams,
            chaos,
        })
    }

    /// Sets a variable in the worker's environment.
    pub(crate) fn set_variable(&mut self, name: &str, value: &str) {
        self.environment.retain(|entry| !is_variable(entry, name));
        self.environment.extend(CString::new(format!("{name}={value}")));
    }

    /// Starts a worker that will call `entry`.
    ///
    /// Must be called on the thread that lives as long as the program: the worker ends with the thread that started
    /// it.
    pub(crate) fn start(&self, entry: Func<Entry>, job: Message) -> io::Result<(Launched, Request)> {
        // Before there is a child that would have to be ended if it failed.
        let functions = Functions { prologue: self.prologue, entry };
        let functions = cucumber::to_bytes(&functions).map_err(io::Error::other)?;
        let start = Start { build: self.build, functions };
        let (ours, theirs) = sys::socket_pair()?;
        let mut environment = self.environment.clone();
        environment.push(CString::new(format!("{MARKER}={VERSION}:{}", theirs.as_raw_fd()))?);
        if let Some(chaos) = &self.chaos {
            environment.retain(|entry| !is_variable(entry, chaos::VARIABLE));
            environment.push(chaos.of_next_worker());
        }
        let stdin = Target::new(match self.streams.stdin {
            Stream::Capture => Stream::Null,
            other => other,
        })?;
        let (stdout, stderr) = (Target::new(self.streams.stdout)?, Target::new(self.streams.stderr)?);
        let child = Spawn {
            program: &self.program,
            arguments: &self.arguments,
            environment: &environment,
            channel: theirs.as_fd(),
            streams: [&stdin, &stdout, &stderr].map(|target| target.theirs.as_ref().map(AsFd::as_fd)),
        }
        .start()?;
        let launched = Launched { child, socket: Arc::new(ours), captured: [stdout.ours, stderr.ours] };
        Ok((launched, Request::Start(start, job)))
    }
}

/// Whether an entry of the environment is the variable of this name.
fn is_variable(entry: &CString, name: &str) -> bool {
    entry.as_bytes().strip_prefix(name.as_bytes()).is_some_and(|rest| rest.starts_with(b"="))
}

/// Where one stream leads: the worker's end, and ours if it is captured.
struct Target {
    theirs: Option<OwnedFd>,
    ours: Option<OwnedFd>,
}

impl Target {
    fn new(stream: Stream) -> io::Result<Self> {
        Ok(match stream {
            Stream::Inherit => Target { theirs: None, ours: None },
            Stream::Null => {
                let null = std::fs::OpenOptions::new().read(true).write(true).open("/dev/null")?;
                Target { theirs: Some(null.into()), ours: None }
            }
            Stream::Capture => {
                let (ours, theirs) = sys::capture_pipe()?;
                Target { theirs: Some(theirs), ours: Some(ours) }
            }
        })
    }
}

/// A variable of this program's environment, if it is set, and to text.
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
