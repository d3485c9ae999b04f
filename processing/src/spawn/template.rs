//! The parent's side of the fork server: one process that waits to be copied, and a copy of it made ahead.
//!
//! [`docs/fork-server.md`](../../../docs/fork-server.md) has the steps of both sides, and what happens if one of them
//! dies between two.

mod copy;
mod process;
mod watch;

use std::ffi::CString;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::config::StartMethod;
use crate::reactor::ActorId;
use crate::sys::{BorrowedFd, Child, Circumstances, Observer, OwnedFd};
use crate::trace;
use copy::Copy;
use process::{Template, Unfit, loader_variables};

pub(crate) use watch::make_ahead;

/// How long a template may take to get ready, if somebody waits for that.
const LONGEST_START: Duration = Duration::from_secs(10);
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

/// How a template is started: in the same way as a worker that is no copy.
pub(super) type StartTemplate<'a> = dyn Fn(BorrowedFd<'_>) -> io::Result<Child> + 'a;

/// What a copy is to find around it.
pub(super) struct Surroundings<'a> {
    pub(super) environment: &'a [CString],
    /// Where its standard streams lead; `None` leads nowhere.
    pub(super) streams: [Option<BorrowedFd<'a>>; 3],
}

/// Sees to it that there is a template if there should be one, which may take a while to get ready.
///
/// Called by the reactor's thread only, whose child it becomes.
pub(super) fn prepare(method: StartMethod, environment: &[CString], start: &StartTemplate<'_>) {
    lock().prepare(method, environment, start);
}

/// Whether there is one that could be copied now.
pub(super) fn is_ready(method: StartMethod) -> bool {
    method != StartMethod::Exec && lock().is_ready(Duration::ZERO)
}

/// Takes the copy that was made ahead, or asks for one, and tells it where it is; `None` if there is none that will do,
/// and a worker has to be started in another way.
pub(super) fn take(surroundings: &Surroundings<'_>) -> Option<Taken> {
    let mut nursery = lock();
    let copy = nursery.take(surroundings)?;
    let watch = nursery.template.as_ref()?.watch;
    // Nobody else can ask for one until this one is there.
    let nursery = if copy.is_made() { None } else { Some(nursery) };
    Some(Taken { copy: Some(copy), watch, nursery })
}

/// A copy that is there, or has been asked for.
pub(super) struct Taken {
    copy: Option<Copy>,
    watch: ActorId,
    nursery: Option<MutexGuard<'static, Nursery>>,
}

/// A copy that waits for its first packet.
pub(super) struct Ready {
    pub(super) child: Child,
    /// Our end of its channel.
    pub(super) socket: OwnedFd,
    /// Who makes the next one, some time after it is told that this one has been taken.
    pub(super) watch: ActorId,
}

impl Taken {
    /// Waits for it; `None` if there will be none.
    pub(super) fn ready(mut self) -> Option<Ready> {
        let (child, socket) = self.finish()?;
        Some(Ready { child, socket, watch: self.watch })
    }

    fn finish(&mut self) -> Option<(Child, OwnedFd)> {
        let mut copy = self.copy.take()?;
        if let Some(nursery) = &mut self.nursery {
            nursery.answer(&mut copy);
        }
        copy.into_parts()
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        if let Some((child, _)) = self.finish() {
            child.discard();
        }
    }
}

fn lock() -> MutexGuard<'static, Nursery> {
    NURSERY.lock().unwrap_or_else(PoisonError::into_inner)
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
            Err(unfit) => self.give_up(unfit),
        }
        false
    }

    fn take(&mut self, surroundings: &Surroundings<'_>) -> Option<Copy> {
        if !self.is_ready(Duration::ZERO) {
            return None;
        }
        let template = self.template.as_mut()?;
        let mut copy = match template.ahead.take().and_then(Copy::if_alive) {
            Some(copy) => copy,
            None => match template.ask(surroundings.environment) {
                Ok(copy) => copy?,
                Err(unfit) => {
                    self.give_up(unfit);
                    return None;
                }
            },
        };
        let is_told = copy.tell(surroundings).is_ok();
        // Looked at while it does as it was told. One that would not have done has nothing to do yet, and never will.
        let is_stale = self.is_stale(surroundings.environment);
        if is_told && !is_stale {
            return Some(copy);
        }
        self.answer(&mut copy);
        copy.discard();
        if is_stale {
            self.retire();
        }
        None
    }

    /// Asks for a copy that nobody needs yet, if there is none.
    fn make_ahead(&mut self) {
        if !self.is_ready(Duration::ZERO) {
            return;
        }
        let Some(template) = &mut self.template else { return };
        if template.ahead.is_some() {
            return;
        }
        let environment = Arc::clone(&template.environment);
        match template.ask(&environment) {
            Ok(copy) => template.ahead = copy,
            Err(unfit) => self.give_up(unfit),
        }
    }

    /// Takes in that the copy which was asked for ahead has been made; `false` if that is not known yet.
    fn hear_of_ahead(&mut self) -> bool {
        let Some(template) = &mut self.template else { return true };
        template.ahead = template.ahead.take().and_then(Copy::if_alive);
        if template.ahead.as_ref().is_none_or(Copy::is_made) {
            return true;
        }
        if !template.has_answered() {
            return false;
        }
        if let Some(mut copy) = template.ahead.take() {
            self.answer(&mut copy);
            if let (true, Some(template)) = (copy.is_made(), &mut self.template) {
                template.ahead = Some(copy);
            }
        }
        true
    }

    /// Waits until the copy that was asked for has been made, or it is certain that there is none.
    fn answer(&mut self, copy: &mut Copy) {
        let Some(template) = self.template.as_mut().filter(|_| !copy.is_made()) else { return };
        match template.answer() {
            Ok(Some(child)) => {
                template.has_served = true;
                self.in_vain = 0;
                copy.is_made_as(child);
            }
            // For want of room, perhaps; but it may be that this system never allows it.
            Ok(None) => {
                self.in_vain += 1;
                if self.in_vain >= MOST_IN_VAIN {
                    self.retire();
                }
            }
            Err(unfit) => self.give_up(unfit),
        }
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

    /// Ends the template, which another one may follow, and the copy that it has made ahead.
    fn retire(&mut self) {
        if let Some(old) = self.template.take() {
            self.in_vain += u32::from(!old.has_served);
            old.end();
        }
    }

    /// The template does not serve.
    fn give_up(&mut self, unfit: Unfit) {
        match unfit {
            Unfit::Gone => self.retire(),
            Unfit::Unsuited(why) => self.never(&why),
        }
    }

    /// This program has no use for templates.
    fn never(&mut self, why: &str) {
        trace::no_fork_server(why);
        self.retire();
        self.in_vain = MOST_IN_VAIN;
    }
}
