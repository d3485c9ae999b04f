//! An end for what a blocking driver waits for.
//!
//! Such a driver has a limit for each time that it reads, or none at all: a server that sends a byte now and then, or one word and
//! no more, holds it as long as it likes. So another thread waits with it. One that never comes back is left behind, with its
//! connection: one for each attempt, until the peer or the system ends that connection.

use std::io;
use std::panic::resume_unwind;
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use crate::reconnect::Reconnect;

/// What the work comes to, if it does within `limit`.
pub(super) fn within<T: Send + 'static>(
    limit: Duration,
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<T> {
    // Without room for a result: what nobody waits for any more is dropped over there, which may take as long again.
    let (done, result) = sync_channel(0);
    let thread = spawn(move || drop(done.send(work())))?;
    match result.recv_timeout(limit) {
        Ok(output) => Ok(output),
        Err(RecvTimeoutError::Timeout) => {
            Err(io::Error::new(io::ErrorKind::TimedOut, format!("no answer in {limit:.1?}")))
        }
        // Gone without a result: it panicked.
        Err(RecvTimeoutError::Disconnected) => match thread.join() {
            Ok(()) => Err(io::ErrorKind::BrokenPipe.into()),
            Err(panic) => resume_unwind(panic),
        },
    }
}

/// The connection, if it says within `limit` that it is alive. A dead one is dropped by a thread that nobody waits for.
pub(super) fn if_alive<C>(mut connection: C, recipe: &C::Recipe, limit: Duration) -> Option<C>
where
    C: Reconnect<Recipe: Send> + Send,
{
    let recipe = recipe.clone();
    let ask = move || {
        if connection.is_alive(&recipe, limit) {
            return Some(connection);
        }
        // Nor does the answer wait for the end of it.
        let _ = spawn(move || drop(connection));
        None
    };
    within(limit, ask).ok().flatten()
}

fn spawn(work: impl FnOnce() + Send + 'static) -> io::Result<JoinHandle<()>> {
    Builder::new().name("live".to_owned()).spawn(work)
}
