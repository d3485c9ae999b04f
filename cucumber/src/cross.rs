//! What serde leaves out: files, sockets, locks, clocks, `Rc` and `Arc`, function pointers, commands.
//!
//! Each crosses by an *adapter*, in the sense of [`serde_with`](https://docs.rs/serde_with): a type that says how another one
//! is written. Adapters compose, so that a `Vec<Option<File>>` is written by a `Vec<Option<Cross>>`. The attribute
//! `#[cucumber]`, and `#[skprocess]` like it, puts them on all fields in which it recognises such a type; by hand they are
//! written as ordinary field attributes:
//!
//! ```
//! use cucumber::cross::{As, Cross, Locked, Same, Shared};
//! use serde::{Deserialize, Serialize};
//! use std::sync::{Arc, Mutex};
//!
//! #[derive(Serialize, Deserialize)]
//! struct Job {
//!     #[serde(with = "As::<Vec<Option<Cross>>>")]
//!     files: Vec<Option<std::fs::File>>,
//!     #[serde(with = "As::<Shared<Locked<Same>>>")]
//!     total: Arc<Mutex<u64>>,
//! }
//!
//! let job = Job { files: vec![None], total: Arc::default() };
//! let encoded = cucumber::encode(&job)?;
//! let back: Job = cucumber::decode(&encoded.bytes, encoded.attachments)?;
//! assert_eq!(*back.total.lock().unwrap(), 0);
//! # Ok::<(), cucumber::Error>(())
//! ```
//!
//! | type | crosses as |
//! |---|---|
//! | `File` | itself: open, at its position, which both sides then share. In bytes that may outlive the process: path, mode and position (on Linux); opening creates nothing and truncates nothing |
//! | `TcpStream`, `TcpListener`, `UdpSocket`, `UnixStream`, `UnixListener`, `UnixDatagram` | itself, open. In plain bytes: the addresses, to be connected or bound again, blocking or not as before (on Windows always blocking). The name of a Unix socket that nobody listens at any more is taken over |
//! | `OwnedFd` (`OwnedHandle`, `OwnedSocket`), `PipeReader`, `PipeWriter`, `ChildStdin`, `ChildStdout`, `ChildStderr` | itself, open. Never in plain bytes |
//! | `Instant` | the same moment, by the system's clock |
//! | `SystemTime` | itself, also before 1970 |
//! | `PathBuf` | itself, also when it is no UTF-8 |
//! | `Mutex<T>`, `RwLock<T>`, `RefCell<T>`, `OnceLock<T>`, `OnceCell<T>` | what is in it, unlocked. One that is locked just now, or poisoned, is an error |
//! | `Condvar` | a new one |
//! | `Rc<T>`, `Arc<T>` and their `Weak<T>`, `Arc<[T]>`, `Arc<str>`, `Arc<Path>` | the same value, shared by all that shared it. Cycles through `Weak`, or through a cell that is a field of the struct or enum which is shared, keep their shape; one that only a cell deeper inside could close is an error, and so is one through a struct with others of its own type inside of it, not behind an `Rc` or `Arc`, and a `Weak` to its own owner outside of cells where panics abort |
//! | `Command` | program, arguments, variables (also after `env_clear`, on Unix) and folder; not its streams |
//! | `ExitStatus`, `Output` | itself |
//! | `io::Error`, `ErrorKind` | the same number of the system, or the same kind and text; what somebody put into it becomes its text. A kind that stable Rust has no name for becomes `Other` |
//! | `fn(A) -> R` | the function, for processes that run the same program |
//! | `RangeInclusive<T>`, `vec::IntoIter<T>`, `vec_deque::IntoIter<T>`, and `Rev` and `StepBy` over ranges of whole numbers | what is left of it |
//! | `Cursor<T>` | with its position |
//! | `BufReader<File>` | a reader of its own, from the next byte that this one would have yielded (on Linux; elsewhere as `T` below) |
//! | `BufReader<T>` over other streams, `BufWriter<T>` | as `T`; it is an error if there are bytes in the buffer |
//! | `tracing`'s `Level`, `LevelFilter`, `Span`, `Dispatch` (feature `tracing`) | a span of the same name, target and level; the subscriber of the other side |
//! | `Regex` (feature `regex`) | its pattern; flags that are not in the pattern itself are lost |

mod buffered;
mod command;
mod edges;
mod failure;
mod file;
mod function;
mod handle;
mod handles;
mod iter;
mod locked;
mod open;
mod outcome;
mod shared;
mod socket;
mod time;
#[cfg(feature = "tracing")]
mod traced;
mod turned;
pub(crate) mod via;

pub use edges::{Edges, Graph, Refilled};
pub use function::Function;
pub(crate) use handles::Handles;
pub use locked::Locked;
pub use serde_with::{As, DeserializeAs, Same, SerializeAs};
pub use shared::{Shared, Slice};
pub use turned::Turned;

/// The adapter of everything that has no parts: files, sockets, clocks, commands and the like.
#[derive(Clone, Copy, Debug)]
pub struct Cross;
