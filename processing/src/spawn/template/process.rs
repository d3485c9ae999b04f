//! The template as its parent has it: what it was given, and what it answers.

use std::ffi::CString;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use super::StartTemplate;
use super::copy::Copy;
use super::watch::Watch;
use crate::reactor::{self, ActorId};
use crate::shm::Page;
use crate::spawn::wish::{Answer, Wish};
use crate::sys::{self, AsFd, Child, Circumstances, Incoming, OwnedFd};

/// How long it may take to make a copy, if it is not stopped: the system may be busy.
const LONGEST_COPY: Duration = Duration::from_secs(1);
/// How soon it is seen that it is stopped.
const GLANCE: Duration = Duration::from_millis(10);

pub(super) struct Template {
    pub(super) child: Arc<Child>,
    pub(super) socket: Arc<OwnedFd>,
    /// Where the system writes the number of the last copy.
    copy: Page<AtomicU32>,
    /// What it has inherited.
    pub(super) circumstances: Circumstances,
    /// What its loader has seen.
    pub(super) loader: Vec<CString>,
    /// The environment that it was told of last.
    pub(super) environment: Arc<[CString]>,
    /// A copy that nobody has needed yet.
    pub(super) ahead: Option<Copy>,
    /// Who hears of its end.
    pub(super) watch: ActorId,
    is_ready: bool,
    pub(super) has_served: bool,
}

/// Why a template does not serve.
pub(super) enum Unfit {
    /// It is dead, or as good as that.
    Gone,
    /// It says that no copy of it would do.
    Unsuited(String),
}

impl Template {
    pub(super) fn start(
        circumstances: Circumstances,
        environment: &[CString],
        start: &StartTemplate<'_>,
    ) -> io::Result<Self> {
        let copy = Page::<AtomicU32>::new("processing-template")?;
        let (socket, theirs) = sys::packet_socket_pair()?;
        sys::send(socket.as_fd(), &[0], &[copy.as_fd()])?;
        let child = Arc::new(start(theirs.as_fd())?);
        let socket = Arc::new(socket);
        let watch = Watch::new(Arc::clone(&child), Arc::clone(&socket));
        let watch = reactor::add(|_| Box::new(watch)).inspect_err(|_| child.discard())?;
        Ok(Template {
            child,
            socket,
            copy,
            circumstances,
            loader: loader_variables(environment).cloned().collect(),
            environment: environment.into(),
            ahead: None,
            watch,
            is_ready: false,
            has_served: false,
        })
    }

    /// Whether it has said that it is ready, or does so within this time.
    pub(super) fn becomes_ready(&mut self, within: Duration) -> Result<bool, Unfit> {
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

    /// Asks for a copy, which has to be answered for before the next one is; `None` if there is no room for what has to
    /// be sent.
    pub(super) fn ask(&mut self, environment: &[CString]) -> Result<Option<Copy>, Unfit> {
        let differs = *self.environment != *environment;
        let text = differs.then(|| sys::environment_file(environment)).transpose();
        let (Ok(text), Ok((ours, theirs))) = (text, sys::socket_pair()) else { return Ok(None) };
        self.copy.store(0, Ordering::Release);
        let wish = Wish {
            channel: Some(theirs.as_fd()),
            directory: None,
            streams: [None; 3],
            environment: text.as_ref().map(AsFd::as_fd),
        };
        wish.send(self.socket.as_fd()).map_err(|_| Unfit::Gone)?;
        if differs {
            self.environment = environment.into();
        }
        Ok(Some(Copy::new(ours, Arc::clone(&self.environment))))
    }

    /// Whether it has said something that nobody has heard yet, or is gone.
    pub(super) fn has_answered(&self) -> bool {
        sys::wait_until_readable(self.socket.as_fd(), Duration::ZERO).unwrap_or(true)
    }

    /// The copy that was asked for; `None` if there is none, though the template is as good as before.
    pub(super) fn answer(&mut self) -> Result<Option<Child>, Unfit> {
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
        Ok(self.last_copy())
    }

    fn last_copy(&self) -> Option<Child> {
        Child::new(self.copy.load(Ordering::Acquire).cast_signed()).ok()
    }

    /// Ends it, and the copy that it has made ahead.
    pub(super) fn end(mut self) {
        match self.ahead.take() {
            Some(copy) if !copy.is_made() => {
                // Whether there is one is certain only once the template is gone.
                self.child.discard();
                self.last_copy().iter().for_each(Child::discard);
            }
            made => {
                made.into_iter().for_each(Copy::discard);
                // Whoever watches it reaps it.
                self.child.kill();
            }
        }
    }
}

/// The variables that a program's loader and the C library look at before any code of its own runs. A copy cannot be
/// told of them later.
pub(super) fn loader_variables(environment: &[CString]) -> impl Iterator<Item = &CString> {
    let names = [&b"LD_"[..], b"GLIBC_TUNABLES=", b"MALLOC_"];
    environment.iter().filter(move |variable| names.iter().any(|name| variable.as_bytes().starts_with(name)))
}
