//! Why `start` made no process.

use std::path::PathBuf;

/// Why `start` made no process. Nothing is left behind.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The settings contradict themselves.
    #[error("cannot start `{worker}`: {complaint}")]
    Config {
        /// The process type.
        worker: &'static str,
        /// What is wrong, and what to write.
        complaint: &'static str,
    },
    /// The struct holds something that cannot cross.
    #[error("cannot start `{worker}`: its state cannot be sent")]
    State {
        /// The process type.
        worker: &'static str,
        /// Names the field.
        #[source]
        cause: cucumber::Error,
    },
    /// A variable of the environment says something that cannot be meant.
    #[error("cannot start `{worker}`: the variable {variable} is wrong: {complaint}")]
    Variable {
        /// The process type.
        worker: &'static str,
        /// Which variable.
        variable: &'static str,
        /// What is wrong, and what to write.
        complaint: String,
    },
    /// This program was not set up for workers.
    #[error(
        "cannot start `{worker}`: `processing` was built without `auto-init` and `processing::init()` was not called; \
         call it first thing in `main`"
    )]
    NotInitialised {
        /// The process type.
        worker: &'static str,
    },
    /// `processing` is part of a library that some other program has loaded, so that program cannot be a worker.
    #[error(
        "cannot start `{worker}`: `processing` was loaded as part of `{}`, not of the program itself; name a program \
         that can be the worker with `processing::set_worker_executable`",
        library.display()
    )]
    InLibrary {
        /// The process type.
        worker: &'static str,
        /// The library.
        library: PathBuf,
    },
    /// The system would not make a process, or the memory and sockets it needs.
    #[error("cannot start `{worker}`: the system would not {what}")]
    System {
        /// The process type.
        worker: &'static str,
        /// What was asked of the system.
        what: &'static str,
        /// What the system said.
        #[source]
        cause: std::io::Error,
    },
}
