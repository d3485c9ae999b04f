//! The worker's half: notice that this process is a worker, and be one.

use std::ffi::CString;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{MARKER, TEMPLATE, forking, launch};
use crate::attendant::Attendant;
use crate::channel::{Inbox, Outbox, scope};
use crate::chaos;
use crate::error::{Failure, panic_message};
use crate::protocol::{Entry, Event, Functions, Request, Start, VERSION, Worker};
use crate::sys;
use crate::sys::{Image, RawFd};

/// Whether a worker started from this program would notice that it is one.
static PREPARED: AtomicBool = AtomicBool::new(cfg!(feature = "auto-init"));

pub(crate) fn is_prepared() -> bool {
    PREPARED.load(Ordering::Acquire)
}

/// Makes this program one that can be a worker; only needed without the feature `auto-init`.
///
/// Call it first thing in `main`: in a worker it does not return, and what stands before it runs there too. With
/// `auto-init`, the default, workers never reach `main` and calling this does nothing.
///
/// ```
/// processing::init();
/// // and now the program
/// ```
pub fn init() {
    PREPARED.store(true, Ordering::Release);
    if let Some(marker) = marker() {
        serve(&marker, &[]);
    }
}

/// Called by the loader, before `main`.
#[cfg(feature = "auto-init")]
pub(crate) fn before_main(run_later_constructors: impl FnOnce()) {
    let Some(marker) = marker() else { return };
    // Those that the constructors open are told from those by this.
    let known = if marker.ends_with(TEMPLATE) { forking::open_descriptors() } else { Vec::new() };
    run_later_constructors();
    serve(&marker, &known);
}

/// The marker, if there is one and it is meant for this program.
fn marker() -> Option<String> {
    // Setuid programs trust no variable; and as part of a library, this code has no business with the program's.
    if std::env::var_os(MARKER).is_none()
        || sys::startup::is_secure()
        || !Image::of_this_program()?.is_program
    {
        return None;
    }
    // Gone at once, so that no process which this one starts is taken for a worker.
    sys::startup::take_variable(MARKER)?.into_string().ok()
}

#[expect(
    clippy::exit,
    reason = "a worker ends here, with its buffered output flushed, and never reaches `main`"
)]
fn serve(marker: &str, known: &[RawFd]) -> ! {
    let status = match work(marker, known) {
        Ok(()) => 0,
        Err(error) => {
            complain(&format!(
                "this process was started as a worker of `processing` (by {MARKER}={marker}) but cannot be one: {error}"
            ));
            70
        }
    };
    sys::let_arrive();
    std::process::exit(status)
}

#[expect(clippy::print_stderr, reason = "there may be no channel to say it on, and silence would be worse")]
fn complain(text: &str) {
    eprintln!("{text}");
}

fn work(marker: &str, known: &[RawFd]) -> io::Result<()> {
    let strange = |what: &str| io::Error::new(io::ErrorKind::InvalidInput, what.to_owned());
    let (version, descriptor) = marker.split_once(':').ok_or_else(|| strange("the marker is not one"))?;
    if version.parse() != Ok(VERSION) {
        return Err(strange("the parent is of another version"));
    }
    let is_template = descriptor.ends_with(TEMPLATE);
    let descriptor = descriptor.strip_suffix(TEMPLATE).unwrap_or(descriptor);
    let descriptor = descriptor.parse().map_err(|_| strange("the marker names no descriptor"))?;
    let parent = sys::parent().ok_or_else(|| strange("it has no parent"))?;
    let socket = sys::channel_from_parent(descriptor)?;
    if !sys::die_with_parent(parent) {
        return Err(strange("its parent is gone already"));
    }
    sys::restore_for_worker()?;
    // Found out before there are copies.
    let name = program_name();
    let (socket, attendant) = if is_template {
        // This process waits there; its copies go on.
        forking::serve(parent, socket, known)?
    } else {
        let socket = Arc::new(socket);
        let attendant = Attendant::start(&socket)?;
        (socket, attendant)
    };
    if let Some(text) = launch::variable(chaos::VARIABLE) {
        chaos::begin(&text).map_err(|complaint| strange(&complaint))?;
    }
    if let Some(name) = name {
        sys::name_process(&name);
    }
    let mut inbox = Inbox::new(Arc::clone(&socket));
    let Some(first) = inbox.next()? else { return Err(strange("its parent is gone already")) };
    let mut outbox = Outbox::new(Arc::clone(&socket));
    let Request::Start(start, job) = Request::unpack(first)? else {
        return Err(strange("the parent's first word is not what to do"));
    };
    let answer = prepare(&start);
    let (event, entry) = match answer {
        Ok(entry) => (Event::Hello, Some(entry)),
        Err(refusal) => (Event::Refused(refusal), None),
    };
    outbox.push(Arc::new(event.pack()?));
    outbox.flush()?;
    drop(outbox);
    if let Some(entry) = entry {
        entry(Worker { socket, inbox, job, attendant });
    }
    Ok(())
}

/// What the process is to be called in lists of processes: it was started by a path that ends in `exe`.
fn program_name() -> Option<CString> {
    let name = std::env::args_os().next().map(PathBuf::from);
    let name = name.as_deref().and_then(Path::file_name).map(|name| name.as_encoded_bytes().to_vec());
    CString::new(name?).ok()
}

fn prepare(start: &Start) -> Result<Entry, Failure> {
    let build = Image::of_this_program().map(|image| image.build);
    if build != Some(start.build) {
        return Err(Failure::text(
            "the worker is another build than its parent, so they would misread each other; restart the program \
             after it has been rebuilt, and give `set_worker_executable` the very same build",
        ));
    }
    let Functions { prologue, method, entry } = cucumber::decode_with(&start.functions, scope(Vec::new()))
        .map_err(|error| Failure::with_cause("the worker cannot find the functions it is to call", &error))?;
    super::set_start_method(method);
    if let Some(prologue) = prologue {
        launch::hand_on(prologue);
        catch_unwind(AssertUnwindSafe(|| prologue.get()())).map_err(|panic| {
            Failure::text(format!("`on_worker_start` panicked: {}", panic_message(&*panic)))
        })?;
    }
    Ok(entry.get())
}
