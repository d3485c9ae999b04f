//! What a worker writes to captured streams, line by line.

use std::fmt;
use std::io;

use crate::sys::{self, AsFd, BorrowedFd, OwnedFd};

/// A line that a worker wrote to a captured stream.
///
/// `Display` puts the worker's tag before it: `[shop::Orders 4711] 3 orders`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutputLine {
    worker: &'static str,
    pid: u32,
    stream: OutputStream,
    text: String,
}

/// Which stream a line was written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OutputStream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

impl OutputLine {
    /// The process type's name.
    #[must_use]
    pub fn worker(&self) -> &'static str {
        self.worker
    }

    /// The worker that wrote it.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// The stream it was written to.
    #[must_use]
    pub fn stream(&self) -> OutputStream {
        self.stream
    }

    /// What was written, without the end of the line. What is not UTF-8 has been replaced.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn is_error(&self) -> bool {
        self.stream == OutputStream::Stderr
    }
}

impl fmt::Display for OutputLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{} {}] {}", self.worker, self.pid, self.text)
    }
}

/// The most that a stream holds of a worker that is gone.
const OUTPUT_LEFT: usize = 1024 * 1024;

/// What there is to expect of a captured stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Left {
    /// There may be more, now or later.
    Open,
    /// It has ended, or nobody can read it any more.
    Over,
}

/// Cuts what comes out of a captured stream into lines.
#[derive(Debug)]
pub(super) struct Lines {
    pipe: OwnedFd,
    stream: OutputStream,
    worker: &'static str,
    pid: u32,
    rest: Vec<u8>,
}

impl Lines {
    /// A line longer than this is cut, so that a worker which never ends one cannot fill the parent's memory.
    const LONGEST: usize = 64 * 1024;

    pub(super) fn new(pipe: OwnedFd, stream: OutputStream, worker: &'static str, pid: u32) -> Self {
        Lines { pipe, stream, worker, pid, rest: Vec::new() }
    }

    /// Passes on the lines that are there, up to so many bytes of them.
    pub(super) fn read(&mut self, most: usize, mut each: impl FnMut(OutputLine)) -> Left {
        let mut buffer = [0; 8 * 1024];
        let mut done = 0;
        while done < most {
            match sys::read(&self.pipe, &mut buffer) {
                Ok(0) => {
                    self.cut(true, &mut each);
                    return Left::Over;
                }
                Ok(count) => {
                    self.rest.extend_from_slice(&buffer[..count]);
                    self.cut(false, &mut each);
                    done += count;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Left::Open,
                Err(_) => return Left::Over,
            }
        }
        Left::Open
    }

    /// Passes on the last lines of a worker that is gone, though others may have its stream open, or its end not be known
    /// yet: what comes after this is somebody else's.
    pub(super) fn finish(&mut self, mut each: impl FnMut(OutputLine)) {
        if self.read(OUTPUT_LEFT, &mut each) == Left::Open {
            self.cut(true, &mut each);
        }
    }

    fn cut(&mut self, at_end: bool, each: &mut impl FnMut(OutputLine)) {
        let mut start = 0;
        while start < self.rest.len() {
            let rest = &self.rest[start..];
            let (length, next) = match rest.iter().position(|&byte| byte == b'\n') {
                Some(end) => (end, end + 1),
                None if at_end || rest.len() >= Self::LONGEST => (rest.len(), rest.len()),
                None => break,
            };
            let text = String::from_utf8_lossy(&rest[..length]).into_owned();
            each(OutputLine { worker: self.worker, pid: self.pid, stream: self.stream, text });
            start += next;
        }
        self.rest.drain(..start);
    }
}

impl AsFd for Lines {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.pipe.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::Write as _;

    use super::*;

    #[test]
    fn lines_are_cut_and_the_last_one_needs_no_end() {
        let (read, write) = crate::sys::capture_pipe().unwrap();
        let mut lines = Lines::new(read, OutputStream::Stdout, "worker", 7);
        let mut seen = Vec::new();
        let mut write = File::from(write);
        write.write_all(b"one\ntw").unwrap();
        assert_eq!(lines.read(usize::MAX, |line| seen.push(line.to_string())), Left::Open);
        write.write_all(b"o\n\nrest").unwrap();
        drop(write);
        assert_eq!(lines.read(usize::MAX, |line| seen.push(line.to_string())), Left::Over);
        assert_eq!(seen, ["[worker 7] one", "[worker 7] two", "[worker 7] ", "[worker 7] rest"]);
    }

    #[test]
    fn whoever_writes_without_end_is_read_in_turns() {
        let (read, write) = crate::sys::capture_pipe().unwrap();
        let mut lines = Lines::new(read, OutputStream::Stdout, "worker", 7);
        File::from(write).write_all(&b"y\n".repeat(20_000)).unwrap();
        let mut count = 0;
        assert_eq!(lines.read(8 * 1024, |_| count += 1), Left::Open);
        assert_eq!(count, 4096);
        lines.read(usize::MAX, |_| count += 1);
        assert_eq!(count, 20_000);
    }

    #[test]
    fn the_last_line_comes_though_somebody_else_has_the_stream_open() {
        let (read, write) = crate::sys::capture_pipe().unwrap();
        let mut lines = Lines::new(read, OutputStream::Stdout, "worker", 7);
        File::from(write.try_clone().unwrap()).write_all(b"one\ntwo").unwrap();
        let mut seen = Vec::new();
        lines.finish(|line| seen.push(line.text().to_owned()));
        assert_eq!(seen, ["one", "two"]);
        drop(write);
    }
}
