//! The seam between a program and its workers: `launch` is the parent's half, `bootstrap` the worker's.
//!
//! A worker is this program started again. Its environment holds a marker with the number of the one descriptor it
//! inherits, a socket; the code that runs before `main` sees the marker, removes it, and never returns to `main`.

pub(crate) mod bootstrap;
mod launch;

pub use bootstrap::init;
pub use launch::{on_worker_start, set_worker_executable};

pub(crate) use launch::{Launch, Launched, variable};

/// The environment variable that makes a process a worker: `<version>:<descriptor>`.
const MARKER: &str = "PROCESSING_WORKER";
