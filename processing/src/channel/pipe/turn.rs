//! Whose turn it is to send: a message goes into the ring as a whole.

use std::sync::PoisonError;
use std::time::{Duration, Instant};

use super::end::{End, Patience, lock};
use super::error::{Kind, PipeError};

/// How sending stands.
#[derive(Clone, Copy)]
pub(super) struct Sending {
    /// Somebody is at it: a message goes into the ring as a whole, and may have to wait for room in its middle.
    pub(super) is_busy: bool,
    /// How many others wait until that is over.
    pub(super) waiting: u32,
    /// When the other end was last known to be there.
    pub(super) seen: Instant,
    /// A message was begun and will not be finished.
    pub(super) aborted: bool,
    /// How far the other end is known to have read.
    pub(super) known: u64,
}

/// The right to send, given back when it is dropped.
pub(super) struct Turn<'e> {
    end: &'e End,
    pub(super) sending: Sending,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut sending = lock(&self.end.sending);
        *sending = Sending { is_busy: false, waiting: sending.waiting, ..self.sending };
        // It is a call of the system, even where nobody waits.
        if sending.waiting != 0 {
            self.end.sent.notify_one();
        }
    }
}

impl End {
    /// Waits for its turn to send.
    pub(super) fn turn(&self, patience: Patience) -> Result<Turn<'_>, PipeError> {
        let mut sending = lock(&self.sending);
        while sending.is_busy {
            let left = match patience {
                // Someone else is at it and waits for room.
                Patience::None => return Err(Kind::Full.into()),
                Patience::Endless => Duration::MAX,
                Patience::Until(deadline) => deadline.saturating_duration_since(Instant::now()),
            };
            if left.is_zero() {
                return Err(Kind::TimedOut.into());
            }
            sending.waiting += 1;
            sending = self.sent.wait_timeout(sending, left).unwrap_or_else(PoisonError::into_inner).0;
            sending.waiting -= 1;
        }
        sending.is_busy = true;
        let turn = Turn { end: self, sending: *sending };
        drop(sending);
        // The end may have been closed meanwhile.
        self.check_open()?;
        Ok(turn)
    }
}
