//! The parent's side of a process: the handle, and whoever owns the worker.

mod handle;
mod output;
mod restart;
mod start;
mod state;
mod supervisor;
mod worker;

pub use handle::Handle;
pub use output::{OutputLine, OutputStream};
pub use start::{Configured, Start};

pub(crate) use handle::Process;
pub(crate) use state::State;
