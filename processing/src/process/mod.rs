//! The parent's side of a process: the handle, and whoever owns the worker.

mod handle;
mod job;
mod order;
mod output;
mod post_mortem;
mod state;
mod supervisor;
mod worker;

pub use handle::Handle;
pub use output::{OutputLine, OutputStream};

pub(crate) use handle::Process;
pub(crate) use order::Order;
pub(crate) use state::State;
pub(crate) use worker::{ALARM, CHANNEL, EXIT, Worker};
