//! Programs of their own, whose end a test brings about.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};

/// A program under test; killed with this value if it still runs.
#[derive(Debug)]
pub struct Driver {
    child: Child,
    lines: BufReader<ChildStdout>,
}

impl Driver {
    /// Starts the program; what it prints is read line by line.
    ///
    /// # Panics
    /// If it does not start.
    #[must_use]
    pub fn start(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().expect("the driver program");
        let lines = BufReader::new(child.stdout.take().expect("its output"));
        Driver { child, lines }
    }

    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The next line that it prints; `None` when it has closed its output.
    ///
    /// # Panics
    /// If the line is no text.
    pub fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        let length = self.lines.read_line(&mut line).expect("a line of text");
        (length > 0).then(|| line.trim_end().to_owned())
    }

    /// The next line, as numbers.
    ///
    /// # Panics
    /// If there is no line, or it holds something else.
    pub fn numbers(&mut self) -> Vec<u32> {
        let line = self.line().expect("a line of numbers");
        line.split_whitespace().map(|number| number.parse().expect("a number")).collect()
    }

    /// Tells it a line, if it still listens.
    pub fn tell(&mut self, line: &str) {
        if let Some(stdin) = &mut self.child.stdin {
            let _ = writeln!(stdin, "{line}");
        }
    }

    /// Waits until it ends.
    ///
    /// # Panics
    /// If the system cannot wait.
    pub fn wait(&mut self) -> ExitStatus {
        self.child.wait().expect("the end of the driver program")
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
