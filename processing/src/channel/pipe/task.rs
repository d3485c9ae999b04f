//! Sending and receiving as tasks: where a thread would sleep, the task is woken later.

use std::task::{Context, Poll};

use super::end::{End, Patience};
use super::error::{Kind, PipeError};
use crate::channel::Message;
use crate::shm::ring::{CHUNK, Gate};

impl End {
    /// Receives a message as a task.
    pub(super) fn poll_receive(&self, cx: &mut Context<'_>) -> Poll<Result<Message, PipeError>> {
        loop {
            let ((turn, gone), seen) = (self.wire.now(), self.incoming().written.position());
            match self.receive(Patience::None) {
                Ok(Some(message)) => return Poll::Ready(Ok(message)),
                Err(error) => return Poll::Ready(Err(error)),
                Ok(None) if gone => return Poll::Ready(Err(Kind::Disconnected.into())),
                Ok(None) => {}
            }
            match self.poll_gate(&self.incoming().written, seen, turn, cx) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => return Poll::Pending,
            }
        }
    }

    /// Sends a message as a task, if it is one that can be sent at once; for the others [`End::send`] takes a thread.
    pub(super) fn poll_send(&self, message: &Message, cx: &mut Context<'_>) -> Poll<Result<(), PipeError>> {
        loop {
            let (turn, _) = self.wire.now();
            let seen = self.outgoing().read.position();
            match self.send(&message.bytes, &message.fds, Patience::None) {
                Err(PipeError(Kind::Full)) => {}
                result => return Poll::Ready(result),
            }
            match self.poll_gate(&self.outgoing().read, seen, turn, cx) {
                Poll::Ready(Ok(())) => {}
                other => return other,
            }
        }
    }

    /// Whether the message is so small that it never has to wait in the middle.
    pub(super) fn fits(message: &Message) -> bool {
        message.bytes.len() <= CHUNK
    }

    fn poll_gate(
        &self,
        gate: &Gate,
        seen: u64,
        turn: u64,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), PipeError>> {
        if !gate.announce(seen) {
            return Poll::Ready(Ok(()));
        }
        match self.wire.register(turn, cx.waker()) {
            Ok(true) => Poll::Pending,
            Ok(false) => Poll::Ready(Ok(())),
            Err(error) => Poll::Ready(Err(self.check_open().err().unwrap_or(error.into()))),
        }
    }
}
