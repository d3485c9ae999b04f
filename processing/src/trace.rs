//! What happens to workers, as `tracing` events; nothing without the feature.

use crate::ProcessError;
use crate::error::Position;

/// A worker has been started.
pub(crate) fn started(at: &Position) {
    #[cfg(feature = "tracing")]
    tracing::debug!(
        worker = at.worker,
        pid = at.pid,
        run = at.run,
        lives_left = at.lives_left,
        "worker started"
    );
    let _ = at;
}

/// This program starts its workers anew, each of them.
pub(crate) fn no_fork_server(why: &str) {
    #[cfg(feature = "tracing")]
    tracing::debug!(why, "no fork server");
    let _ = why;
}

/// A hook failed or a worker was lost.
pub(crate) fn failed(error: &ProcessError, goes_on: bool) {
    #[cfg(feature = "tracing")]
    {
        let cause = std::error::Error::source(error).map(tracing::field::display);
        if goes_on {
            tracing::warn!(%error, cause, "failed; goes on with one life less");
        } else {
            tracing::error!(%error, cause, "failed; no life is left");
        }
    }
    let _ = (error, goes_on);
}

/// A process is over, and its last worker gone.
pub(crate) fn over(at: &Position) {
    #[cfg(feature = "tracing")]
    tracing::debug!(worker = at.worker, pid = at.pid, runs = at.run, "process over");
    let _ = at;
}
