//! The template's side of the fork server: wait, and become a worker in each copy.

use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::time::{Duration, Instant};

use cucumber::Func;

use super::wish::{Answer, Wish};
use crate::Config;
use crate::attendant::Attendant;
use crate::channel::{Message, Pace, read_all_at, scope};
use crate::config::StartMethod;
use crate::protocol::{Entry, Event, Functions, Request, Start, Worker};
use crate::shm::Page;
use crate::snapshot::Job;
use crate::sys::{self, AsFd, AsRawFd, Environment, Forked, Forker, OwnedFd, ProcessId, RawFd};

/// A template that was not asked for anything in this time ends: there can be another one.
const LONGEST_IDLE: Duration = Duration::from_secs(60);
/// How long a thread that does nothing any more may take to be gone: some microseconds, if the system is not busy.
const LONGEST_END: Duration = Duration::from_secs(5);
/// What it is called in lists of processes.
const NAME: &std::ffi::CStr = c"processing-fork";
/// And what its copies are called until they are workers.
const NAME_OF_COPY: &std::ffi::CStr = c"processing-copy";

/// Those that this process has been started with, as long as no other code has run.
#[cfg(feature = "auto-init")]
pub(super) fn open_descriptors() -> Vec<RawFd> {
    sys::open_descriptors().unwrap_or_default()
}

/// Makes a worker of a copy of this process whenever it is asked to.
///
/// Returns in each copy, with the worker's channel; never in the template itself. `known` are the descriptors that
/// this process was started with.
pub(super) fn serve(
    parent: ProcessId,
    channel: OwnedFd,
    known: &[RawFd],
) -> io::Result<(Arc<OwnedFd>, Attendant)> {
    let template = match Template::new(&channel, known) {
        Ok(template) => template,
        Err(error) => {
            say(&channel, &Answer::Unsuited(error.to_string()));
            sys::exit_at_once();
        }
    };
    say(&channel, &Answer::Ready);
    let copy = template.wait(&channel);
    // From here on the template's is no business of this process.
    drop((template, channel));
    copy.settle(parent)
}

struct Template {
    forker: Forker,
    /// Where the number of each copy is written, for the parent to see.
    copy: Page<AtomicU32>,
}

impl Template {
    /// Lets go of everything that a copy must not have. An error says why none would do.
    fn new(channel: &OwnedFd, known: &[RawFd]) -> io::Result<Self> {
        let forker = Forker::new()?;
        let is_own = |&number: &RawFd| {
            number > 2
                && number != channel.as_raw_fd()
                && (sys::is_closed_on_exec(number) || !known.contains(&number))
        };
        if let Some(own) = sys::open_descriptors()?.iter().find(|number| is_own(number)) {
            // Copies would share its position and whoever is at its other end, or miss it.
            return Err(io::Error::other(format!(
                "something that runs before `main` has opened descriptor {own}"
            )));
        }
        // What was written before `main` is written once.
        sys::flush_streams();
        sys::close_all_but(channel)?;
        let null = std::fs::OpenOptions::new().read(true).write(true).open("/dev/null")?;
        sys::place_streams([Some(null.as_fd()); 3])?;
        rustix::process::chdir("/")?;
        sys::name_process(NAME);
        let mut fds = Vec::new();
        sys::receive(channel.as_fd(), &mut [0; 1], &mut fds)?;
        // Whatever goes wrong with it goes wrong in a worker, where it is told of.
        let _ = rehearse();
        rehearse_thread(&forker);
        let copy =
            fds.pop().ok_or_else(|| io::Error::other("the parent has not said where to put numbers"))?;
        Ok(Template { forker, copy: Page::open(copy)? })
    }

    /// Waits for wishes and grants them. Returns in the copies, with what each has been given.
    fn wait(&self, channel: &OwnedFd) -> Copy {
        let mut environment = None;
        loop {
            let Some((wanted, text)) = next(channel) else { sys::exit_at_once() };
            if !self.forker.has_one_thread() {
                say(channel, &Answer::Unsuited("it has grown a thread".to_owned()));
                sys::exit_at_once();
            }
            // Here, so that copies which follow need not be told of it again.
            if let Some(Err(error)) = text.map(|text| put_in_force(&text, &mut environment)) {
                say(channel, &Answer::Unsuited(error.to_string()));
                sys::exit_at_once();
            }
            match self.forker.fork(&self.copy) {
                Ok(Forked::Copy) => return Copy { channel: wanted, environment },
                Ok(Forked::Original) => say(channel, &Answer::Copied),
                Err(error) => say(channel, &Answer::Failed(error.raw_os_error().unwrap_or_default())),
            }
        }
    }
}

/// Does what every worker does first, so that what is found out once and kept is found out before there are copies.
fn rehearse() -> Option<()> {
    let _ = sys::function_trust();
    let entry = Func::<Entry>::new(drop::<Worker>);
    let functions = Functions { prologue: None, method: StartMethod::Auto, entry };
    let start = Start { build: 0, functions: cucumber::to_bytes(&functions).ok()? };
    let job = Job { config: Config::DEFAULT, ending: None, last_failure: None };
    let job = Message { bytes: cucumber::to_bytes(&job).ok()?, fds: Vec::new() };
    let packet = Request::Start(start, job).pack().ok()?;
    let Request::Start(start, job) = Request::unpack(packet).ok()? else { return None };
    cucumber::decode_with::<Functions>(&start.functions, scope(Vec::new())).ok()?;
    cucumber::from_bytes::<Job>(&job.bytes).ok()?;
    Event::Hello.pack().ok().map(drop)
}

/// The first thread of a process costs it the most: the C library resolves names and gives its streams locks. Done here,
/// that is done for all copies, and what it has written to is not written to by each of them.
fn rehearse_thread(forker: &Forker) {
    let _ = Attendant::rehearse();
    // It has been waited for, so it does nothing more; the system may take a moment to forget it.
    let end = Instant::now() + LONGEST_END;
    while !forker.has_one_thread() && Instant::now() < end {
        std::thread::yield_now();
    }
}

/// Waits until the first packet is there, not asleep for as long as that takes its parent.
fn await_first(channel: &OwnedFd) {
    let mut pace = Pace::default();
    while !pace.over && matches!(sys::wait_until_readable(channel.as_fd(), Duration::ZERO), Ok(false)) {
        pace.step();
    }
}

/// The next wish, as a channel and an environment; `None` if there will be none.
fn next(channel: &OwnedFd) -> Option<(OwnedFd, Option<OwnedFd>)> {
    if !sys::wait_until_readable(channel.as_fd(), LONGEST_IDLE).ok()? {
        return None;
    }
    Wish::receive(channel)?.of_template()
}

/// Makes it the environment of this process, in place of the one that was before.
fn put_in_force(text: &OwnedFd, before: &mut Option<Environment>) -> io::Result<()> {
    let length = sys::sealed_length(text)?;
    Environment::from_text(read_all_at(text, 0, length)?)?.put_in_force(before);
    Ok(())
}

/// If the parent cannot be told it is gone, and the next wait ends this process.
fn say(channel: &OwnedFd, answer: &Answer) {
    let _ = sys::send(channel.as_fd(), &answer.pack(), &[]);
}

/// In a copy: what it has of its own.
struct Copy {
    channel: OwnedFd,
    environment: Option<Environment>,
}

impl Copy {
    /// Waits to be told where it is, and becomes what a worker is at its start.
    #[expect(
        clippy::mem_forget,
        reason = "the environment of a worker is in force as long as the worker lives"
    )]
    fn settle(self, parent: ProcessId) -> io::Result<(Arc<OwnedFd>, Attendant)> {
        let Copy { channel, mut environment } = self;
        if !sys::die_with_parent(parent) {
            return Err(io::Error::other("its parent is gone already"));
        }
        sys::name_process(NAME_OF_COPY);
        sys::close_all_but(&channel)?;
        if !sys::leads_to_parent(&channel) {
            return Err(io::Error::other("its channel does not lead to the parent of this process"));
        }
        let channel = Arc::new(channel);
        let attendant = Attendant::start(&channel)?;
        // One that is made ahead has time for it: what a worker writes to first is its own before it is needed.
        if let Ok(false) = sys::wait_until_readable(channel.as_fd(), Duration::ZERO) {
            let _ = rehearse();
        }
        let Some(wish) = Wish::receive(&channel).and_then(Wish::of_copy) else { sys::exit_at_once() };
        if let Some(text) = &wish.environment {
            put_in_force(text, &mut environment)?;
        }
        std::mem::forget(environment);
        wish.directory.map_or(Ok(()), rustix::process::fchdir)?;
        sys::place_streams([0, 1, 2].map(|place: usize| wish.streams[place].as_ref().map(AsFd::as_fd)))?;
        await_first(&channel);
        Ok((channel, attendant))
    }
}
