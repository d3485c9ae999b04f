//! The parent's side of the fork server: one process that waits to be copied.
//!
//! [`docs/fork-server.md`](../../../docs/fork-server.md) has the steps of both sides, and what happens if one of them
//! dies between two.

use std::ffi::CString;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::wish::{Answer, Wish};
use crate::config::StartMethod;
use crate::reactor::{self, Actor, Io, Source};
use crate::shm::Page;
use crate::sys::{self, Child, Circumstances, Exited, Incoming, Observer, Ready};
use crate::trace;

/// How long a template may take to get ready, if somebody waits for that.
const LONGEST_START: Duration = Duration::from_secs(10);
/// How long it may take to make a copy, if it is not stopped: the system may be busy.
const LONGEST_COPY: Duration = Duration::from_secs(1);
/// How soon it is seen that it is stopped.
const GLANCE: Duration = Duration::from_millis(10);
/// After so many templates in a row that have served nobody, or so many copies that were not made, there are no more.
const MOST_IN_VAIN: u32 = 8;

/// All that there is of templates in this program.
static NURSERY: Mutex<Nursery> =
    Mutex::new(Nursery { observer: None, template: None, starts: 0, in_vain: 0 });

struct Nursery {
    /// Of the thread whose child a template is.
    observer: Option<Observer>,
    template: Option<Template>,
    /// How many workers were asked for while there was no template.
    starts: u32,
    in_vain: u32,
}

struct Template {
    child: Arc<Child>,
    socket: OwnedFd,
    /// Where the system writes the number of the last copy.
    copy: Page<AtomicU32>,
    /// What it has inherited.
    circumstances: Circumstances,
    /// What its loader has seen.
    loader: Vec<CString>,
    /// The environment that it was told of last.
    environment: Vec<CString>,
    is_ready: bool,
    has_served: bool,
}

/// How a template is started: in the same way as a worker that is no copy.
pub(super) type StartTemplate<'a> = dyn Fn(BorrowedFd<'_>) -> io::Result<Child> + 'a;

/// What a copy is to have.
pub(super) struct Copy<'a> {
    pub(super) environment: &'a [CString],
    pub(super) channel: BorrowedFd<'a>,
    /// Where its standard streams lead; `None` leads nowhere.
    pub(super) streams: [Option<BorrowedFd<'a>>; 3],
}

/// Sees to it that there is a template if there should be one, which may take a while to get ready.
///
/// Called by the reactor's thread only, whose child it becomes.
pub(super) fn prepare(method: StartMethod, environment: &[CString], start: &StartTemplate<'_>) {
    nursery(|nursery| nursery.prepare(method, environment, start));
}

/// Whether there is one that could be copied now.
pub(super) fn is_ready(method: StartMethod) -> bool {
    method != StartMethod::Exec && nursery(|nursery| nursery.is_ready(Duration::ZERO))
}

/// Asks the template for a copy; `None` if there is none that will do, and a worker has to be started in another way.
pub(super) fn ask(copy: &Copy<'_>) -> Option<Asked> {
    let mut nursery = lock();
    // Not before something was asked: it waits for the answer even if it is thrown away.
    if nursery.ask(copy) { Some(Asked { nursery, is_answered: false }) } else { None }
}

/// A copy that the template has been asked for. Nobody else can ask it meanwhile.
pub(super) struct Asked {
    nursery: MutexGuard<'static, Nursery>,
    is_answered: bool,
}

impl Asked {
    /// Waits for it; `None` if there will be none.
    pub(super) fn child(mut self) -> Option<Child> {
        self.answer()
    }

    fn answer(&mut self) -> Option<Child> {
        self.is_answered = true;
        self.nursery.answer()
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        if !self.is_answered
            && let Some(unwanted) = self.answer()
        {
            unwanted.discard();
        }
    }
}

fn lock() -> MutexGuard<'static, Nursery> {
    NURSERY.lock().unwrap_or_else(PoisonError::into_inner)
}

fn nursery<R>(call: impl FnOnce(&mut Nursery) -> R) -> R {
    call(&mut lock())
}

impl Nursery {
    fn prepare(&mut self, method: StartMethod, environment: &[CString], start: &StartTemplate<'_>) {
        if method == StartMethod::Exec || self.in_vain >= MOST_IN_VAIN {
            return;
        }
        let waits = method == StartMethod::ForkServer;
        if self.template.is_some() && self.is_stale(environment) {
            self.retire();
        }
        if self.template.is_none() {
            self.starts += 1;
            if self.starts < 2 && !waits {
                return;
            }
            match self.look() {
                // There may be no room for it now.
                Ok(now) => self.template = Template::start(now, environment, start).ok(),
                Err(error) => self.never(&error.to_string()),
            }
        }
        if waits {
            self.is_ready(LONGEST_START);
        }
    }

    fn is_ready(&mut self, within: Duration) -> bool {
        let Some(template) = &mut self.template else { return false };
        match template.becomes_ready(within) {
            Ok(is_ready) => return is_ready,
            Err(Unfit::Gone) => self.retire(),
            Err(Unfit::Unsuited(why)) => self.never(&why),
        }
        false
    }

    fn ask(&mut self, copy: &Copy<'_>) -> bool {
        if !self.is_ready(Duration::ZERO) {
            return false;
        }
        match self.template.as_mut().map(|template| template.ask(copy)) {
            Some(Ok(true)) => {}
            Some(Err(_)) => {
                self.retire();
                return false;
            }
            Some(Ok(false)) | None => return false,
        }
        // Looked at while it is being copied. A copy that would not have done has nothing to do yet, and never will.
        let is_fit = !self.is_stale(copy.environment);
        if !is_fit {
            self.answer().iter().for_each(Child::discard);
            self.retire();
        }
        is_fit
    }

    fn answer(&mut self) -> Option<Child> {
        let template = self.template.as_mut()?;
        match template.answer() {
            Ok(Some(child)) => {
                template.has_served = true;
                self.in_vain = 0;
                return Some(child);
            }
            // For want of room, perhaps; but it may be that this system never allows it.
            Ok(None) => {
                self.in_vain += 1;
                if self.in_vain >= MOST_IN_VAIN {
                    self.retire();
                }
            }
            Err(Unfit::Gone) => self.retire(),
            Err(Unfit::Unsuited(why)) => self.never(&why),
        }
        None
    }

    /// Whether the template would hand on what this program was, and is no more.
    fn is_stale(&mut self, environment: &[CString]) -> bool {
        let now = self.look().ok();
        self.template.as_ref().is_some_and(|template| {
            Some(&template.circumstances) != now.as_ref()
                || !loader_variables(environment).eq(&template.loader)
        })
    }

    fn look(&mut self) -> io::Result<Circumstances> {
        if let Some(observer) = &self.observer {
            return observer.look();
        }
        self.observer.insert(Observer::of_this_thread()?).look()
    }

    /// Ends the template, which another one may follow.
    fn retire(&mut self) {
        if let Some(old) = self.template.take() {
            self.in_vain += u32::from(!old.has_served);
            // Whoever watches it reaps it.
            old.child.kill();
        }
    }

    /// This program has no use for templates.
    fn never(&mut self, why: &str) {
        trace::no_fork_server(why);
        self.retire();
        self.in_vain = MOST_IN_VAIN;
    }
}

/// Why a template does not serve.
enum Unfit {
    /// It is dead, or as good as that.
    Gone,
    /// It says that no copy of it would do.
    Unsuited(String),
}

impl Template {
    fn start(
        circumstances: Circumstances,
        environment: &[CString],
        start: &StartTemplate<'_>,
    ) -> io::Result<Self> {
        let copy = Page::<AtomicU32>::new("processing-template")?;
        let (socket, theirs) = sys::packet_socket_pair()?;
        sys::send(socket.as_fd(), &[0], &[copy.as_fd()])?;
        let child = Arc::new(start(theirs.as_fd())?);
        let watched = Arc::clone(&child);
        if let Err(error) = reactor::add(|_| Box::new(Watch { child: watched, over: false })) {
            child.discard();
            return Err(error);
        }
        Ok(Template {
            child,
            socket,
            copy,
            circumstances,
            loader: loader_variables(environment).cloned().collect(),
            environment: environment.to_vec(),
            is_ready: false,
            has_served: false,
        })
    }

    /// Whether it has said that it is ready, or does so within this time.
    fn becomes_ready(&mut self, within: Duration) -> Result<bool, Unfit> {
        if !self.is_ready {
            match self.hear(within)? {
                Some(Answer::Ready) => self.is_ready = true,
                Some(Answer::Unsuited(why)) => return Err(Unfit::Unsuited(why)),
                Some(_) => return Err(Unfit::Gone),
                None => {}
            }
        }
        Ok(self.is_ready)
    }

    fn hear(&self, within: Duration) -> Result<Option<Answer>, Unfit> {
        let end = Instant::now() + within;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            match sys::wait_until_readable(self.socket.as_fd(), left.min(GLANCE)) {
                Ok(true) => break,
                Ok(false) if self.child.is_stopped() && self.is_ready => return Ok(None),
                Ok(false) if left.is_zero() => return Ok(None),
                Ok(false) => {}
                Err(_) => return Err(Unfit::Gone),
            }
        }
        let mut bytes = [0; Answer::LONGEST];
        // It sends no descriptors; any that came would be closed here.
        match sys::receive(self.socket.as_fd(), &mut bytes, &mut Vec::new()) {
            Ok(Incoming::Bytes(count)) => Answer::unpack(&bytes[..count]).ok_or(Unfit::Gone).map(Some),
            Ok(Incoming::End) | Err(_) => Err(Unfit::Gone),
        }
    }

    /// `false` if there is no room for what has to be sent.
    fn ask(&mut self, copy: &Copy<'_>) -> Result<bool, Unfit> {
        let environment = (self.environment != copy.environment).then_some(copy.environment);
        let Ok(wish) = Wish::new(copy, environment) else { return Ok(false) };
        self.copy.store(0, Ordering::Release);
        wish.send(self.socket.as_fd()).map_err(|_| Unfit::Gone)?;
        if environment.is_some() {
            self.environment = copy.environment.to_vec();
        }
        Ok(true)
    }

    /// The copy; `None` if there is none, though the template is as good as before.
    fn answer(&mut self) -> Result<Option<Child>, Unfit> {
        let unfit = match self.hear(LONGEST_COPY) {
            Ok(Some(Answer::Copied)) => None,
            // Another start of the program is likely to fail as well, and says why.
            Ok(Some(Answer::Failed(_))) => return Ok(None),
            Ok(Some(Answer::Unsuited(why))) => Some(Unfit::Unsuited(why)),
            Ok(Some(Answer::Ready) | None) | Err(_) => Some(Unfit::Gone),
        };
        if let Some(unfit) = unfit {
            // It may have made the copy and died before it could say so. Once it is gone for certain, so is the doubt.
            self.child.discard();
            if self.copy.load(Ordering::Acquire) == 0 {
                return Err(unfit);
            }
        }
        let pid = self.copy.load(Ordering::Acquire).cast_signed();
        Ok(Child::new(pid).ok())
    }
}

/// The variables that a program's loader and the C library look at before any code of its own runs. A copy cannot be
/// told of them later.
fn loader_variables(environment: &[CString]) -> impl Iterator<Item = &CString> {
    let names = [&b"LD_"[..], b"GLIBC_TUNABLES=", b"MALLOC_"];
    environment.iter().filter(move |variable| names.iter().any(|name| variable.as_bytes().starts_with(name)))
}

/// Hears of the end of a template, and reaps it.
struct Watch {
    child: Arc<Child>,
    over: bool,
}

impl Actor for Watch {
    fn wake(&mut self, io: &mut Io<'_>) {
        if io.watch(&*self.child, 0).is_err() {
            // Nobody would hear of its end.
            self.child.discard();
            self.end();
        }
    }

    fn ready(&mut self, _source: Source, _ready: Ready, io: &mut Io<'_>) {
        if let Exited::With(_) = self.child.exited() {
            io.forget(&*self.child);
            self.end();
        }
    }

    fn due(&mut self, _io: &mut Io<'_>) {}

    fn is_over(&self) -> bool {
        self.over
    }
}

impl Watch {
    fn end(&mut self) {
        self.over = true;
        nursery(|nursery| {
            if nursery.template.as_ref().is_some_and(|template| Arc::ptr_eq(&template.child, &self.child)) {
                nursery.retire();
            }
        });
    }
}
