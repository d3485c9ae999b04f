//! Run parts of a program in other processes as easily as calling a function.
//!
//! A struct with hooks becomes a process: [`skprocess`] on the struct and on its `impl`, then
//! [`start`](Start::start). The worker is this same program, started again; it never reaches `main`, and nothing has to be
//! called there.
//!
//! ```
//! use std::time::Duration;
//! use processing::prelude::*;
//!
//! #[skprocess(lives = 3, timeouts(run = "30s"))]
//! struct Greeter { name: Option<String> }
//!
//! #[skprocess]
//! impl Greeter {
//!     fn prerun(&mut self) -> Result<(), ListenError> {
//!         self.name = self.listen(Duration::from_millis(100))?;      // `None` when nothing came
//!         Ok(())
//!     }
//!     fn run(&mut self) -> Result<(), TellError> {
//!         if let Some(name) = self.name.take() { self.tell(&format!("hello, {name}"))?; }
//!         Ok(())
//!     }
//! }
//!
//! let greeter = Greeter { name: None }.start()?;
//! greeter.tell("Ada")?;
//! assert_eq!(greeter.listen::<String>(Duration::from_secs(10))?.as_deref(), Some("hello, Ada"));
//! greeter.stop();
//! greeter.wait()?;
//! println!("a run took {:?}", greeter.timers().run.mean());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! What happens to a process is never a hang and never a mystery: a hook that returns an error or panics costs a
//! *life* and is tried again; a worker that is killed, aborts, or overruns a hook's limit is replaced, and resumes from
//! the last completed iteration; when no life is left, [`ProcessError`] says what died, where and why. When the
//! program itself dies, by whatever means, its workers are gone with it.
//!
//! # Features
//!
//! | feature | brings |
//! |---|---|
//! | `auto-init` (default) | workers start by themselves; without it, `main` begins with [`init`] |
//! | `async` | `async fn` hooks, on a tokio runtime in the worker |
//! | `sqlite`, `sqlite-bundled` | [`Live<rusqlite::Connection>`](Live); bundled: with SQLite itself |
//! | `postgres` | [`Live<postgres::Client>`](Live) |
//! | `tokio-postgres`, `sqlx` | [`Live<tokio_postgres::Client>`](Live); [`Live<sqlx::PgPool>`](Live); for `async fn` hooks |
//! | `mysql` | [`Live<mysql::Conn>`](Live), for MySQL and MariaDB |
//! | `redis` | [`Live<redis::Connection>`](Live), for Redis and Valkey |
//! | `http` | [`Live<ureq::Agent>`](Live) |
//! | `progress` | [`Pool::progress`]: a bar on stderr, or lines where that is no terminal |
//! | `regex` | `Regex` in fields |
//! | `tracing` | what happens to workers, as `tracing` events |

#[cfg(not(any(target_os = "linux", target_os = "macos", windows)))]
compile_error!("`processing` is for Linux, macOS and Windows");

mod attendant;
mod channel;
mod chaos;
mod config;
mod context;
mod engine;
mod error;
mod lifecycle;
mod modifiers;
mod phase;
mod pool;
mod process;
mod protocol;
mod reactor;
mod restart;
mod shm;
mod snapshot;
mod spawn;
mod start;
mod sys;
mod timing;
mod trace;

#[doc(hidden)]
pub mod __private;
pub mod prelude;
pub mod share;

pub use channel::{Anchor, Ends, Nothing, Pipe, PipeError, Point};
pub use channel::{ListenError, TellError, UnreadMessage};
pub use config::{Checkpoint, Config, Restart, StartMethod, Stream, Streams, Timeouts};
pub use context::Context;
pub use cucumber::{self, Credentials, Live, Provider, Reconnect, Secret, Task};
pub use error::{Cause, Exit, Failure, Location, Position, ProcessError, StartError};
pub use lifecycle::{ConfigMut, ProcessSpec, ProcessType, Skprocess, process};
pub use modifiers::{
    Asynced, Background, Blocking, Call, InBackground, Modify, imap, map, unordered_imap, unordered_map,
};
pub use phase::Phase;
pub use process::{Handle, OutputLine, OutputStream};

pub use pool::{
    AsyncResults, BackgroundResults, ByFunction, ByProcess, ByTask, CurrentTask, Imap, Mapped, OnPool, Plain,
    Pool, PoolBuilder, PoolError, Results, Retry, Star, TryMapError, UnorderedImap, default_pool,
    worker_index,
};
pub use processing_macros::{Shareable, autoreconnect, cucumber, shareable, skprocess, task};
pub use share::{Share, ShareError, ShareHandle, Shareable};
pub use spawn::{init, on_worker_start, set_start_method, set_worker_executable};
pub use start::{Configured, Start};
pub use timing::{Timer, Timers};
