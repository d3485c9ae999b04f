//! How the parent hears that a hook has overrun its limit.

use std::sync::Arc;

use super::{Claims, Page};
use crate::sys::{Alarm, Nanos};

/// What rings at the parent when the running hook is to be ended.
#[derive(Debug)]
pub(crate) enum Bell {
    /// A timer for this process alone.
    Own(Alarm),
    /// The timer of a pool's worker, which keeps the limits of tasks as well: this one has to be done by then.
    Seat { claims: Arc<Page<Claims>>, alarm: Arc<Alarm>, task: Option<Nanos> },
    /// Nobody would hear it: the process runs in the program itself.
    Nobody,
}

impl Bell {
    /// Rings at this instant.
    pub(crate) fn set(&self, at: Nanos) {
        // Setting a timer that exists cannot fail.
        match self {
            Bell::Own(alarm) => drop(alarm.set(at)),
            Bell::Seat { claims, alarm, task } => {
                let at = task.map_or(at, |task| task.min(at));
                if claims.set_deadline(at) {
                    let _ = alarm.set(at);
                }
            }
            Bell::Nobody => {}
        }
    }

    /// Does not ring for a hook any more.
    pub(crate) fn clear(&self) {
        match self {
            // If it cannot be cleared it rings for nothing: the status page says that no hook overruns.
            Bell::Own(alarm) => drop(alarm.clear()),
            Bell::Seat { task: Some(task), .. } => self.set(*task),
            Bell::Seat { claims, task: None, .. } => claims.clear_deadline(),
            Bell::Nobody => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_earlier_of_two_limits_holds() {
        let claims = Arc::new(Page::<Claims>::new("test").unwrap());
        let alarm = Arc::new(Alarm::new().unwrap());
        let bell = Bell::Seat { claims: Arc::clone(&claims), alarm, task: Some(Nanos(50)) };
        bell.set(Nanos(20));
        assert_eq!(claims.rung(), Some(Nanos(20)));
        bell.set(Nanos(70));
        assert_eq!(claims.rung(), Some(Nanos(50)));
        bell.set(Nanos(30));
        bell.clear();
        assert_eq!(claims.rung(), Some(Nanos(50)));
    }
}
