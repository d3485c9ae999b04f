//! What goes to and fro between a supervisor and its worker.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{LONGEST_END, Plan, Supervisor};
use crate::channel::Outbox;
use crate::process::post_mortem::Reason;
use crate::process::worker::CHANNEL;
use crate::protocol::{Event, Request};
use crate::reactor::Io;

/// How long to wait before trying again what the system had no room for.
const WANT: Duration = Duration::from_millis(100);

impl Supervisor {
    /// Sends what waits, and has the reactor call again if the socket is full.
    pub(super) fn send(&mut self, io: &mut Io<'_>) {
        let Plan::Running { worker, .. } = &self.plan else { return };
        let (flushed, posted) = {
            let mut state = self.shared.lock();
            (state.outbox.as_mut().map_or(Ok(true), Outbox::flush), state.post(&self.shared.mail, true))
        };
        let _ = io.want_write(&worker.socket, CHANNEL, matches!(flushed, Ok(false)));
        if flushed.is_err() {
            // That the worker is gone is heard of elsewhere. What else there may be is want of memory or descriptors.
            io.wake_at(Instant::now() + WANT);
        }
        if let Err(fault) = posted {
            self.end_for_nonsense(&fault.into());
        }
    }

    /// Takes in what the worker has told, and puts what it is told into the room that there is.
    pub(super) fn look(&mut self, io: &mut Io<'_>) {
        match self.shared.change(|state| state.take_in(&self.shared.mail)) {
            Ok(()) => self.send(io),
            Err(fault) => self.end_for_nonsense(&fault.into()),
        }
    }

    pub(super) fn say(&mut self, request: Request, io: &mut Io<'_>) {
        let packed = request.pack();
        if let (Ok(packet), Some(outbox)) = (packed, &mut self.shared.lock().outbox) {
            outbox.push(Arc::new(packet));
        }
        self.send(io);
    }

    /// Takes in what the worker says; `false` if it has said nothing.
    pub(super) fn hear(&mut self, io: &mut Io<'_>) -> bool {
        let Plan::Running { worker, until, .. } = &mut self.plan else { return false };
        let packets = match worker.received(io) {
            Ok(packets) => packets,
            Err(error) => {
                self.end_for_nonsense(&error);
                return false;
            }
        };
        if !worker.is_connected() && until.is_none() {
            // It has put another program in its place, say: nothing of it can be heard any more.
            let end = Instant::now() + LONGEST_END;
            *until = Some(end);
            io.wake_at(end);
        }
        let has_spoken = !packets.is_empty();
        for packet in packets {
            match Event::unpack(packet) {
                Ok(event) => self.handle(event, io),
                Err(error) => self.end_for_nonsense(&error),
            }
        }
        has_spoken
    }

    fn end_for_nonsense(&mut self, error: &io::Error) {
        if let Plan::Running { worker, killed, .. } = &mut self.plan {
            killed.get_or_insert(Reason::Nonsense(error.to_string()));
            worker.child.kill();
        }
    }
}
