//! One worker of a process: its process id, its channel, its captured streams.

use std::io;
use std::sync::Arc;
use std::time::Instant;

use super::output::{Left, Lines, OutputLine, OutputStream};
use crate::channel::{Inbox, Packet};
use crate::error::Exit;
use crate::reactor::{Io, Source};
use crate::spawn::{Launched, make_ahead};
use crate::sys::{Child, Exited, OwnedFd};

/// Something to read on the channel.
pub(crate) const CHANNEL: Source = 0;
/// The worker has ended.
pub(crate) const EXIT: Source = 1;
/// A hook has overrun its limit.
pub(crate) const ALARM: Source = 2;
/// Something to read on a captured stream.
pub(crate) const OUTPUT: [Source; 2] = [3, 4];

/// How many packets are read before others have their turn.
const TURN: usize = 256;

/// How much of a captured stream is read before others have their turn.
pub(crate) const OUTPUT_TURN: usize = 16 * 1024;

#[derive(Debug)]
pub(crate) struct Worker {
    pub(crate) child: Child,
    pub(crate) socket: Arc<OwnedFd>,
    inbox: Inbox,
    lines: [Option<Lines>; 2],
    /// Whether it has answered.
    pub(crate) ready: bool,
    /// Whether it has said what the process came to.
    pub(crate) finished: bool,
    /// Whether it was started for the `error` hook only.
    pub(crate) is_last: bool,
    channel_open: bool,
}

impl Worker {
    pub(crate) fn new(launched: Launched, name: &'static str, io: &mut Io<'_>) -> io::Result<Self> {
        let Launched { child, socket, outbox: _, captured, successor } = launched;
        if let Some(successor) = successor {
            make_ahead(successor, io);
        }
        let pid = child.pid();
        let [stdout, stderr] = captured;
        let lines = |pipe: Option<OwnedFd>, stream| pipe.map(|pipe| Lines::new(pipe, stream, name, pid));
        let lines = [lines(stdout, OutputStream::Stdout), lines(stderr, OutputStream::Stderr)];
        let inbox = Inbox::new(Arc::clone(&socket));
        let worker = Worker {
            child,
            socket,
            inbox,
            lines,
            ready: false,
            finished: false,
            is_last: false,
            channel_open: true,
        };
        // If it cannot be watched nobody would hear of it: it is dropped, and so ends.
        worker.watch(io)?;
        Ok(worker)
    }

    fn watch(&self, io: &Io<'_>) -> io::Result<()> {
        io.watch(&self.socket, CHANNEL)?;
        io.watch(&self.child, EXIT)?;
        for (lines, source) in self.lines.iter().zip(OUTPUT) {
            if let Some(lines) = lines {
                io.watch(lines, source)?;
            }
        }
        Ok(())
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.pid()
    }

    /// Whether its end of the channel is open.
    pub(super) fn is_connected(&self) -> bool {
        self.channel_open
    }

    /// What has come in, up to a turn's worth. For the rest the actor's `due` is called when others have had their turn:
    /// it may have been read from the socket already, which then has no more to tell. An error says that the worker
    /// talks nonsense.
    pub(crate) fn received(&mut self, io: &mut Io<'_>) -> io::Result<Vec<Packet>> {
        let mut packets = Vec::new();
        while self.channel_open && packets.len() < TURN {
            match self.inbox.next() {
                Ok(Some(packet)) => packets.push(packet),
                Ok(None) => {
                    io.forget(&self.socket);
                    self.channel_open = false;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        if packets.len() == TURN {
            io.wake_at(Instant::now());
        }
        Ok(packets)
    }

    /// Passes on what it has written, up to so many bytes of each stream.
    pub(crate) fn read_lines(&mut self, most: usize, io: &Io<'_>, mut each: impl FnMut(OutputLine)) {
        for slot in &mut self.lines {
            if let Some(lines) = slot
                && lines.read(most, &mut each) == Left::Over
            {
                io.forget(&*lines);
                *slot = None;
            }
        }
    }

    /// Passes on what it had written when it ended.
    pub(crate) fn last_lines(&mut self, io: &Io<'_>, mut each: impl FnMut(OutputLine)) {
        for mut lines in self.lines.iter_mut().filter_map(Option::take) {
            lines.finish(&mut each);
            io.forget(&lines);
        }
    }

    /// How it ended, if it has.
    pub(crate) fn exited(&self) -> Option<Exit> {
        match self.child.exited() {
            Exited::NotYet => None,
            Exited::With(exit) => Some(exit),
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // It has ended, unless its start failed half-way: then it still waits for its first word, and must not live.
        self.child.discard();
    }
}

// On Linux, where it is easy to have a child that is no worker.
#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use super::*;
    use crate::reactor::Times;
    use crate::sys;
    use crate::sys::AsFd;

    #[test]
    fn what_was_read_and_not_taken_in_is_come_back_for() {
        #[expect(clippy::zombie_processes, reason = "the worker ends and reaps it")]
        let idle = std::process::Command::new("sleep").arg("3600").spawn().unwrap();
        let child = Child::new(idle.id().cast_signed()).unwrap();
        let (ours, theirs) = sys::socket_pair().unwrap();
        let launched =
            Launched { child, socket: Arc::new(ours), outbox: None, captured: [None, None], successor: None };
        let (poller, _waker) = sys::Poller::new().unwrap();
        let mut times = Times::new();
        let mut io = Io::of(&poller, &mut times);
        let mut worker = Worker::new(launched, "test", &mut io).unwrap();
        let packet = [0, 0, 0, 0, 7, 0, 0, 0];
        let send = |count| sys::send(theirs.as_fd(), &packet.repeat(count), &[]).unwrap();
        // Has it read so much at once that the next ones are read together, and there is nothing more to read then.
        send(TURN - 1);
        assert_eq!(worker.received(&mut io).unwrap().len(), TURN - 1);
        send(TURN + 1);
        assert_eq!(worker.received(&mut io).unwrap().len(), TURN);
        assert_eq!(times.len(), 1);
        let mut io = Io::of(&poller, &mut times);
        assert_eq!(worker.received(&mut io).unwrap().len(), 1);
        assert_eq!(times.len(), 1);
    }
}
