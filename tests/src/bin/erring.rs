//! Prints the backtraces of a worker that returned an error and of one that panicked.
#![expect(clippy::print_stdout, reason = "it is what this program is for")]

use processing::prelude::*;

#[skprocess(runs = 1)]
struct Erring {
    panics: bool,
}

#[skprocess]
impl Erring {
    fn run(&mut self) -> anyhow::Result<()> {
        self.a_function_with_a_name()
    }

    #[inline(never)]
    fn a_function_with_a_name(&self) -> anyhow::Result<()> {
        assert!(!self.panics, "it panics");
        Err(anyhow::anyhow!("it errs"))
    }
}

fn main() {
    for panics in [false, true] {
        let error = Erring { panics }.run().expect_err("it always fails");
        let backtrace = error.backtrace().unwrap_or("none");
        println!("{} {}", error.message().unwrap_or_default(), backtrace.contains("a_function_with_a_name"));
    }
}
