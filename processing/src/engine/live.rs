//! Bringing the live resources of a process up, and up again.

use std::time::{Duration, Instant};

use cucumber::{AnyLive, Credentials, Path, Reconnectable, reconnect_with};

use crate::context::Context;
use crate::error::Failure;
use crate::lifecycle::{LiveVisitor, ProcessSpec};

/// How long to try where `prerun` has no limit.
const PATIENCE: Duration = Duration::from_secs(5);

/// Whether the process holds any live resource.
pub(super) fn has_any<W: ProcessSpec>(process: &mut W) -> bool {
    let mut any = false;
    Fields(process).visit_live(&Path::ROOT, &mut |_, _| any = true);
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
    let report = reconnect_with(&mut Fields(process), credentials, deadline, &mut |time| {
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

/// The fields of a process, as the serialization engine walks values.
struct Fields<'a, W>(&'a mut W);

impl<W: ProcessSpec> Reconnectable for Fields<'_, W> {
    fn visit_live(&mut self, path: &Path<'_>, visitor: &mut dyn FnMut(&Path<'_>, &mut dyn AnyLive)) {
        self.0.visit_live(&mut Walk { path, visitor });
    }
}

struct Walk<'a> {
    path: &'a Path<'a>,
    visitor: &'a mut dyn FnMut(&Path<'_>, &mut dyn AnyLive),
}

impl LiveVisitor for Walk<'_> {
    fn visit(&mut self, name: &'static str, field: &mut dyn Reconnectable) {
        field.visit_live(&self.path.field(name), self.visitor);
    }
}
