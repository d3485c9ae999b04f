//! What the integration tests share: a watchdog, marks that hooks leave behind, and a look at the system's processes.

pub mod deeds;
pub mod driver;
pub mod marks;
pub mod processes;
pub mod services;
pub mod watchdog;

pub use marks::{Marks, TempDir};
pub use watchdog::{LONGEST, watchdog};

/// An error and its causes, each as one line.
#[must_use]
pub fn chain(error: &(dyn std::error::Error + 'static)) -> Vec<String> {
    std::iter::successors(Some(error), |&error| error.source()).map(ToString::to_string).collect()
}
