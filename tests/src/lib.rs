//! What the integration tests share: a watchdog, marks that hooks leave behind, and a look at the system's processes.
#![expect(clippy::print_stderr, reason = "a test says there why it stops or is skipped")]

pub mod deeds;
pub mod driver;
pub mod marks;
pub mod processes;
pub mod services;
pub mod watchdog;

pub use marks::{Marks, TempDir};
pub use watchdog::{LONGEST, watchdog};
