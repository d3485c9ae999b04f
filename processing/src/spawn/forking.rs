//! The template's side of the fork server: wait, and become a worker in each copy.

use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};
use std::sync::atomic::AtomicU32;
use std::time::Duration;

use rustix::process::Pid;

use cucumber::Func;

use super::wish::{Answer, Granted};
use crate::Config;
use crate::channel::{Message, read_all_at, scope};
use crate::config::StartMethod;
use crate::protocol::{Entry, Event, Functions, Request, Start, Worker};
use crate::shm::Page;
use crate::snapshot::Job;
use crate::sys::{self, Environment, Forked, Forker, Incoming};

/// A template that was not asked for anything in this time ends: there can be another one.
const LONGEST_IDLE: Duration = Duration::from_secs(60);
/// What it is called in lists of processes.
const NAME: &std::ffi::CStr = c"processing-fork";

/// Makes a worker of a copy of this process whenever it is asked to.
///
/// Returns in each copy, with the worker's channel; never in the template itself. `known` are the descriptors that
/// this process was started with.
pub(super) fn serve(parent: Pid, channel: OwnedFd, known: &[RawFd]) -> io::Result<OwnedFd> {
    let template = match Template::new(&channel, known) {
        Ok(template) => template,
        Err(error) => {
            say(&channel, &Answer::Unsuited(error.to_string()));
            sys::exit_at_once();
        }
    };
    say(&channel, &Answer::Ready);
    let granted = template.wait(&channel);
    // From here on this is a worker, and the template's is no business of it.
    drop((template, channel));
    settle(parent, granted)
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
        // Only a convenience.
        let _ = rustix::thread::set_name(NAME);
        let mut fds = Vec::new();
        sys::receive(channel.as_fd(), &mut [0; 1], &mut fds)?;
        // Whatever goes wrong with it goes wrong in a worker, where it is told of.
        let _ = rehearse();
        let copy =
            fds.pop().ok_or_else(|| io::Error::other("the parent has not said where to put numbers"))?;
        Ok(Template { forker, copy: Page::open(copy)? })
    }

    /// Waits for wishes and grants them. Returns in the copies, with what each has been given.
    #[expect(
        clippy::mem_forget,
        reason = "the environment of a worker is in force as long as the worker lives"
    )]
    fn wait(&self, channel: &OwnedFd) -> Granted {
        let mut environment = None;
        loop {
            let Some(granted) = next(channel) else { sys::exit_at_once() };
            if !self.forker.has_one_thread() {
                say(channel, &Answer::Unsuited("it has grown a thread".to_owned()));
                sys::exit_at_once();
            }
            if let Some(text) = &granted.environment {
                match read_environment(text) {
                    // Here, so that copies which follow need not be told of it again.
                    Ok(new) => new.put_in_force(&mut environment),
                    Err(error) => {
                        say(channel, &Answer::Unsuited(error.to_string()));
                        sys::exit_at_once();
                    }
                }
            }
            match self.forker.fork(&self.copy) {
                Ok(Forked::Copy) => {
                    std::mem::forget(environment);
                    return granted;
                }
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

/// The next wish; `None` if there will be none.
fn next(channel: &OwnedFd) -> Option<Granted> {
    if !sys::wait_until_readable(channel.as_fd(), LONGEST_IDLE).ok()? {
        return None;
    }
    let (mut bytes, mut fds) = ([0; 2], Vec::new());
    match sys::receive(channel.as_fd(), &mut bytes, &mut fds).ok()? {
        Incoming::Bytes(count) => Granted::unpack(&bytes[..count], fds),
        Incoming::End => None,
    }
}

fn read_environment(text: &OwnedFd) -> io::Result<Environment> {
    let length = sys::sealed_length(text)?;
    Environment::from_text(read_all_at(text, length)?)
}

/// If the parent cannot be told it is gone, and the next wait ends this process.
fn say(channel: &OwnedFd, answer: &Answer) {
    let _ = sys::send(channel.as_fd(), &answer.pack(), &[]);
}

/// In a copy: becomes what a worker is at its start.
fn settle(parent: Pid, granted: Granted) -> io::Result<OwnedFd> {
    if !sys::die_with_parent(parent) {
        return Err(io::Error::other("its parent is gone already"));
    }
    let Granted { channel, directory, streams, environment } = granted;
    rustix::process::fchdir(&directory)?;
    sys::place_streams([0, 1, 2].map(|place: usize| streams[place].as_ref().map(AsFd::as_fd)))?;
    drop((directory, streams, environment));
    sys::close_all_but(&channel)?;
    if !sys::leads_to_parent(&channel) {
        return Err(io::Error::other("its channel does not lead to the parent of this process"));
    }
    Ok(channel)
}
