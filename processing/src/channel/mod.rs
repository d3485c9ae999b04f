//! What carries values between two processes: messages, and the control channel of a worker.

mod backlog;
mod control;
mod mailbox;
mod message;
mod pace;
mod packet;
mod pipe;
mod postbag;
pub(crate) mod spare;
mod spool;
mod talk;

pub(crate) use control::{Inbox, Outbox};
pub(crate) use mailbox::{Look, Mailbox, mark, post, wait_for_news};
pub(crate) use message::{Message, scope, trust_with};
pub(crate) use pace::Pace;
pub(crate) use packet::{Packet, START, read_all_at, write_all_at};
pub(crate) use pipe::moving;
pub use pipe::{Anchor, Ends, Nothing, Pipe, PipeError, Point};
pub(crate) use postbag::Postbag;
pub(crate) use talk::read;
pub use talk::{ListenError, TellError, UnreadMessage};
