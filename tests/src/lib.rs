//! What the integration tests share: a watchdog, marks that hooks leave behind, and a look at the system's processes.

pub mod deeds;
pub mod driver;
pub mod episodes;
pub mod marks;
#[cfg(unix)]
pub mod noise;
#[cfg_attr(windows, path = "processes/windows.rs")]
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

#[cfg(test)]
mod tests {
    use processing::prelude::*;

    /// A unit test is a program that can be a worker, too.
    #[skprocess(runs = 2)]
    struct Unit {
        count: u32,
    }

    #[skprocess]
    impl Unit {
        fn run(&mut self) {
            self.count += 1;
        }
        fn result(&mut self) -> (u32, u32) {
            (self.count, std::process::id())
        }
    }

    #[test]
    fn unit_tests_can_start_processes() {
        let _watchdog = super::watchdog();
        let (count, pid) = Unit { count: 0 }.run().unwrap();
        assert_eq!(count, 2);
        assert_ne!(pid, std::process::id());
    }
}
