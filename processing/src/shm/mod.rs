//! Memory that two processes see.
//!
//! Everything here works on one [`Segment`](segment::Segment): a sealed, sparse memory file that everyone maps whole. Other
//! processes write to it while we look, and may be killed between any two instructions, so the code
//! keeps to three rules: all access goes through atomics, every offset is checked before it is used,
//! and every change can be taken back. The page `README.md` beside this file is the protocol.
#![expect(
    unsafe_code,
    reason = "shared memory is mapped, and the kernel's list of held locks is written, here alone"
)]

#[cfg(target_os = "linux")]
pub(crate) mod bare;
mod bell;
mod claims;
#[cfg(test)]
#[cfg(unix)]
mod conformance;
pub(crate) mod fault;
pub(crate) mod heap;
mod journal;
pub(crate) mod layout;
pub(crate) mod list;
pub(crate) mod lock;
pub(crate) mod log;
pub(crate) mod mail;
pub(crate) mod map;
pub(crate) mod notify;
pub(crate) mod ordered;
mod page;
pub(crate) mod planted;
#[cfg(test)]
#[cfg(unix)]
mod portable;
#[cfg(test)]
#[cfg(unix)]
mod primitive;
#[cfg(test)]
#[cfg(windows)]
mod processes;
pub(crate) mod ring;
#[cfg_attr(any(not(target_os = "linux"), locks_by_process), path = "robust/by_process.rs")]
pub(crate) mod robust;
pub(crate) mod segment;
pub(crate) mod slot;
pub(crate) mod status;
pub(crate) mod store;
pub(crate) mod view;
pub(crate) mod writer;

pub(crate) use bell::Bell;
pub(crate) use claims::Claims;
pub(crate) use journal::Journal;
pub(crate) use page::{Both, Page};

#[cfg(test)]
pub(crate) mod testing;
