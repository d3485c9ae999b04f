//! The thread that ends a worker together with its parent.
//!
//! It is there before the worker knows what to be; in a copy that is made ahead, before anybody needs it, as a thread takes
//! longer to make than most else of a start. It sleeps until the parent is gone, or until it is given something else to do.

use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use crate::sys::{self, AsFd, Event, OwnedFd};

/// As much stack as any thread, of which it touches little: an error with a long chain of causes is read there, and took
/// more than 128 KiB in a build that is not optimised.
const STACK: usize = 2 << 20;
/// What it is called in lists of threads.
const NAME: &std::ffi::CStr = c"processing-control";

/// See the module's page. If this is dropped, the thread goes on as it is.
#[derive(Debug)]
pub(crate) struct Attendant(Arc<Call>);

struct Call {
    event: Event,
    work: Mutex<Option<Work>>,
}

type Work = Box<dyn FnOnce() + Send>;

impl Attendant {
    /// `socket` leads to the parent, and is open for as long as that lives.
    pub(crate) fn start(socket: &Arc<OwnedFd>) -> io::Result<Self> {
        let call = Arc::new(Call { event: Event::new()?, work: Mutex::new(None) });
        let (socket, called) = (Arc::clone(socket), Arc::clone(&call));
        // Nothing here allocates, or frees, before there is work: an idle thread needs no heap of its own.
        let attend = move || {
            sys::name_thread(NAME);
            if sys::hung_up_before(socket.as_fd(), &called.event) {
                sys::exit_at_once();
            }
            let work = called.work.lock().unwrap_or_else(PoisonError::into_inner).take();
            if let Some(work) = work {
                work();
            }
        };
        // It is there for as long as the process.
        sys::start_thread(STACK, Box::leak(Box::new(attend)))?;
        Ok(Attendant(call))
    }

    /// Starts a thread of the same kind, and waits for its end.
    #[cfg(target_os = "linux")]
    pub(crate) fn rehearse() -> io::Result<()> {
        let thread = std::thread::Builder::new().stack_size(STACK).spawn(|| ())?;
        thread.join().map_err(|_| io::Error::other("a thread that does nothing has panicked"))
    }

    /// Gives it something to do for the rest of this process, which has to see to the parent's end as well.
    pub(crate) fn set_to(self, work: impl FnOnce() + Send + 'static) {
        *self.0.work.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(work));
        self.0.event.set();
    }
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call").field("event", &self.event).finish_non_exhaustive()
    }
}
