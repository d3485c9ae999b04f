//! The seam between a program and its workers: `launch` is the parent's half, `bootstrap` the worker's.
//!
//! A worker is this program started again. Its environment holds a marker with the number of the one descriptor it
//! inherits, a socket; the code that runs before `main` sees the marker, removes it, and never returns to `main`.
//!
//! Or it is a copy of a process that was started so, and waits there: `template` is the parent's side of that, and
//! `forking` its own. On systems other than Linux there are none: `exec_only` says so in the same words.

pub(crate) mod bootstrap;
#[cfg_attr(not(target_os = "linux"), path = "exec_only/forking.rs")]
mod forking;
mod launch;
mod method;
mod streams;
#[cfg_attr(not(target_os = "linux"), path = "exec_only/template.rs")]
mod template;
#[cfg(target_os = "linux")]
mod wish;

pub use bootstrap::init;
pub use launch::{on_worker_start, set_worker_executable};
pub use method::set_start_method;

pub(crate) use launch::{Launch, Launched, variable};
pub(crate) use template::make_ahead;

/// The environment variable that makes a process a worker: `<version>:<descriptor>`, with `:template` behind it one
/// that makes workers.
const MARKER: &str = "PROCESSING_WORKER";
/// What is behind the marker of a template.
const TEMPLATE: &str = ":template";
