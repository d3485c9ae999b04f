//! Where a worker's standard streams lead.

use std::io;

use crate::config::{Stream, Streams};
use crate::sys::{self, AsFd, BorrowedFd, OwnedFd};

/// The ends of all three.
pub(super) struct Ends([End; 3]);

/// The worker's end of one, and ours if it is captured. Neither where the worker has what this program has.
struct End {
    theirs: Option<OwnedFd>,
    ours: Option<OwnedFd>,
}

impl Ends {
    pub(super) fn new(streams: Streams) -> io::Result<Self> {
        let stdin = match streams.stdin {
            Stream::Capture => Stream::Null,
            other => other,
        };
        Ok(Ends([End::new(stdin)?, End::new(streams.stdout)?, End::new(streams.stderr)?]))
    }

    /// What the worker has in place of this program's.
    pub(super) fn replaced(&self) -> [Option<BorrowedFd<'_>>; 3] {
        self.0.each_ref().map(|end| end.theirs.as_ref().map(AsFd::as_fd))
    }

    /// Calls `use_them` with all that the worker has; a stream that this program has closed is missing.
    pub(super) fn with_all<R>(&self, use_them: impl FnOnce([Option<BorrowedFd<'_>>; 3]) -> R) -> R {
        let (stdin, stdout, stderr) = (io::stdin(), io::stdout(), io::stderr());
        let own = [stdin.as_fd(), stdout.as_fd(), stderr.as_fd()];
        let mut all = self.replaced();
        for (stream, own) in all.iter_mut().zip(own) {
            *stream = stream.or(sys::is_open(own).then_some(own));
        }
        use_them(all)
    }

    /// Our ends of standard output and error.
    pub(super) fn captured(self) -> [Option<OwnedFd>; 2] {
        let [_, stdout, stderr] = self.0;
        [stdout.ours, stderr.ours]
    }
}

impl End {
    fn new(stream: Stream) -> io::Result<Self> {
        Ok(match stream {
            Stream::Inherit => End { theirs: None, ours: None },
            Stream::Null => End { theirs: Some(sys::null_device()?), ours: None },
            Stream::Capture => {
                let (ours, theirs) = sys::capture_pipe()?;
                End { theirs: Some(theirs), ours: Some(ours) }
            }
        })
    }
}
