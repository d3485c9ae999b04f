//! Messages that nobody has listened to yet: as many as one likes, in memory that is bounded.
//!
//! The first ones are kept in memory, up to [`NEAR`] bytes and one message however large; those behind them go to a file
//! without a name, from which they come back when it is their turn. A file that cannot be had, or that is full, costs
//! memory instead: no message is lost for that.

use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt;

use super::Message;
use crate::sys;

/// How many bytes are kept in memory.
const NEAR: usize = 32 << 20;
/// How many are written, and given back to the system, at a time.
const PORTION: usize = 1 << 20;
/// What a message costs besides its bytes.
const HEAD: usize = size_of::<Message>();

/// Where a file without a name can be made, one that is not in memory if possible.
const PLACES: [&str; 2] = ["/var/tmp", "/tmp"];

/// Messages in order; see the module's page.
#[derive(Debug, Default)]
pub(crate) struct Backlog {
    near: VecDeque<Message>,
    /// How many bytes those are.
    size: usize,
    far: Option<Far>,
}

/// What is in the file, each message behind its length, and in memory on the way there.
#[derive(Debug)]
struct Far {
    file: Option<File>,
    /// The file takes no more.
    full: bool,
    /// What has been read back of the file, and what of that is returned to the system.
    read: u64,
    punched: u64,
    written: u64,
    /// What comes behind that, and is not written yet.
    rest: Vec<u8>,
    /// How much of the rest was read back from here, as there was no file.
    taken: usize,
    /// The descriptors of the messages, in order; of most there are none.
    fds: VecDeque<Vec<OwnedFd>>,
    count: u64,
}

/// In the word that says how long a message is: it has descriptors.
const WITH_FDS: u64 = 1 << 63;

impl Backlog {
    /// Puts a message behind the others.
    pub(crate) fn push(&mut self, message: Message) {
        let fits = self.near.is_empty() || self.size + message.bytes.len() <= NEAR;
        if self.far.is_none() && fits {
            self.size += message.bytes.len() + HEAD;
            return self.near.push_back(message);
        }
        self.far.get_or_insert_with(Far::new).push(message);
    }

    /// Takes the first message.
    pub(crate) fn pop(&mut self) -> io::Result<Option<Message>> {
        if self.near.is_empty()
            && let Some(far) = &mut self.far
        {
            while self.size < NEAR / 2 && far.count > 0 {
                let message = far.pop()?;
                self.size += message.bytes.len() + HEAD;
                self.near.push_back(message);
            }
            if far.count == 0 {
                self.far = None;
            }
        }
        let message = self.near.pop_front();
        if let Some(message) = &message {
            self.size -= message.bytes.len() + HEAD;
        }
        Ok(message)
    }
}

impl Far {
    fn new() -> Far {
        let open = |place: &&str| sys::unnamed_file(place.as_ref()).ok();
        let file = PLACES.iter().find_map(open).map(File::from);
        let (rest, fds) = (Vec::new(), VecDeque::new());
        Far { file, full: false, read: 0, punched: 0, written: 0, rest, taken: 0, fds, count: 0 }
    }

    fn push(&mut self, message: Message) {
        let mut head = message.bytes.len() as u64;
        if !message.fds.is_empty() {
            head |= WITH_FDS;
            self.fds.push_back(message.fds);
        }
        self.rest.extend_from_slice(&head.to_le_bytes());
        self.rest.extend_from_slice(&message.bytes);
        self.count += 1;
        if self.taken >= PORTION {
            self.rest.drain(..self.taken);
            self.taken = 0;
        }
        if self.rest.len() < PORTION || self.full {
            return;
        }
        let rest = &self.rest[self.taken..];
        match self.file.as_ref().map(|file| file.write_all_at(rest, self.written)) {
            Some(Ok(())) => {
                self.written += rest.len() as u64;
                (self.rest, self.taken) = (Vec::new(), 0);
            }
            _ => self.full = true,
        }
    }

    fn pop(&mut self) -> io::Result<Message> {
        let mut head = [0; 8];
        self.take(&mut head)?;
        let head = u64::from_le_bytes(head);
        let mut bytes = vec![0; (head & !WITH_FDS) as usize];
        self.take(&mut bytes)?;
        let fds = if head & WITH_FDS == 0 { None } else { self.fds.pop_front() };
        self.count -= 1;
        Ok(Message { bytes, fds: fds.unwrap_or_default() })
    }

    /// Takes the bytes that come next, which are all in the file or all behind it: messages are written whole.
    fn take(&mut self, bytes: &mut [u8]) -> io::Result<()> {
        if self.read == self.written {
            let end = self.taken + bytes.len();
            bytes.copy_from_slice(self.rest.get(self.taken..end).ok_or(io::ErrorKind::UnexpectedEof)?);
            self.taken = end;
            if self.taken == self.rest.len() {
                (self.rest, self.taken) = (Vec::new(), 0);
            }
            return Ok(());
        }
        let file = self.file.as_ref().ok_or(io::ErrorKind::UnexpectedEof)?;
        file.read_exact_at(bytes, self.read)?;
        self.read += bytes.len() as u64;
        let done = self.read & !(PORTION as u64 - 1);
        if done > self.punched {
            // A refusal costs room on the disk until all has been listened to.
            sys::punch(file, self.punched, done - self.punched);
            self.punched = done;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shm::testing::Random;

    fn message(number: u64, size: u64) -> Message {
        let mut bytes = number.to_le_bytes().to_vec();
        bytes.resize(8 + size as usize, number as u8);
        let fds = (number % 100 == 7).then(|| crate::sys::memory_file("test").unwrap());
        Message { bytes, fds: fds.into_iter().collect() }
    }

    fn check(backlog: &mut Backlog, random: &mut Random) {
        let (mut pushed, mut popped) = (0, 0);
        for round in 0..6 {
            // More comes than goes, then all goes.
            for _ in 0..1000 {
                backlog.push(message(pushed, random.below([20, 3_000, 200_000][round % 3])));
                pushed += 1;
                if random.below(3) == 0 {
                    let next = backlog.pop().unwrap().unwrap();
                    assert_eq!(next.bytes[..8], u64::to_le_bytes(popped));
                    popped += 1;
                }
            }
            assert!(backlog.size <= NEAR + HEAD);
            while round % 2 == 1
                && let Some(next) = backlog.pop().unwrap()
            {
                assert_eq!(next.bytes[..8], u64::to_le_bytes(popped));
                assert!(next.bytes[8..].iter().all(|&byte| byte == popped as u8));
                assert_eq!(next.fds.len(), usize::from(popped % 100 == 7));
                popped += 1;
            }
        }
        assert!(pushed == popped && backlog.pop().unwrap().is_none() && backlog.far.is_none());
    }

    #[test]
    fn messages_come_in_order_and_take_bounded_memory() {
        check(&mut Backlog::default(), &mut Random::new(3));
    }

    #[test]
    fn without_a_file_they_come_all_the_same() {
        let far = Far { file: None, ..Far::new() };
        let mut backlog = Backlog { far: Some(far), ..Backlog::default() };
        (0..1000).for_each(|number| backlog.push(message(number, 100_000)));
        for number in 0..1000 {
            assert_eq!(backlog.pop().unwrap().unwrap().bytes[..8], u64::to_le_bytes(number));
            if number < 500 {
                backlog.push(message(1000 + number, 10));
            }
        }
        for number in 1000..1500 {
            assert_eq!(backlog.pop().unwrap().unwrap().bytes[..8], u64::to_le_bytes(number));
        }
        assert!(backlog.pop().unwrap().is_none());
    }
}
