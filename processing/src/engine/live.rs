//! Bringing the live resources of a process up, and up again.

use std::time::{Duration, Instant};

use cucumber::{Credentials, Path, reconnect_with};

use crate::context::Context;
use crate::error::Failure;
use crate::lifecycle::ProcessSpec;

/// How long to try where `prerun` has no limit.
const PATIENCE: Duration = Duration::from_secs(5);

/// Whether the process holds any live resource.
pub(super) fn has_any<W: ProcessSpec>(process: &mut W) -> bool {
    let mut any = false;
    process.visit_live(&Path::ROOT, &mut |_, _| any = true);
    any
}

/// Connects what needs a secret, and replaces what has died since it was last looked at.
///
/// With a `limit` it gives up before that, so that there is time left to say why. A stop ends the waiting at once: then this is
/// well, and not all connections are there.
pub(super) fn bring_up<W: ProcessSpec>(
    process: &mut W,
    credentials: &Credentials,
    context: &Context,
    limit: Option<Duration>,
) -> Result<(), Failure> {
    let patience = limit.map_or(PATIENCE, |limit| limit.mul_f64(0.8).min(PATIENCE.max(limit / 2)));
    let deadline = Instant::now().checked_add(patience);
    let mut is_cut_short = false;
    let report = reconnect_with(process, credentials, deadline, &mut |time| {
        context.pause(time);
        is_cut_short = context.is_stopping();
        !is_cut_short
    });
    match report.failures.into_iter().next() {
        None => Ok(()),
        Some(_) if is_cut_short => Ok(()),
        Some(error) => {
            let text = format!("cannot reconnect field `{}`", error.path());
            Err(Failure::with_cause(text, &error.without_path()))
        }
    }
}
