//! Messages that nobody has listened to yet: as many as one likes, in memory that is bounded.
//!
//! The first ones are kept in memory, up to [`NEAR`] bytes and one message however large; those behind them go to a file
//! without a name, from which they come back when it is their turn. Where that file cannot be had, or takes no more, the
//! backlog is full: whoever fills it is to stop then.

use std::collections::VecDeque;
use std::io;

use super::Message;
use super::spool::Spool;
use crate::sys::OwnedFd;

/// How many bytes are kept in memory.
pub(super) const NEAR: usize = 32 << 20;
/// What a message costs besides its bytes.
pub(super) const HEAD: usize = size_of::<Message>();

/// Messages in order; see the module's page.
#[derive(Debug, Default)]
pub(crate) struct Backlog {
    near: VecDeque<Message>,
    /// How many bytes those are.
    size: usize,
    far: Option<Far>,
    /// What came when there was no more room, until whoever tells has heard of that: little, and one message perhaps.
    beyond: VecDeque<Message>,
}

/// What is in the file.
#[derive(Debug, Default)]
struct Far {
    spool: Spool,
    /// Where the next one is.
    next: u64,
    count: u64,
    /// The descriptors of the messages, in order; of most there are none.
    fds: VecDeque<Vec<OwnedFd>>,
}

impl Backlog {
    /// Puts a message behind the others.
    pub(crate) fn push(&mut self, message: Message) {
        if !self.beyond.is_empty() {
            return self.beyond.push_back(message);
        }
        let fits = self.near.is_empty() || self.size + message.bytes.len() <= NEAR;
        if self.far.is_none() && fits {
            return self.push_near(message);
        }
        if let Err(message) = self.far.get_or_insert_default().push(message) {
            self.beyond.push_back(message);
        }
    }

    fn push_near(&mut self, message: Message) {
        self.size += message.bytes.len() + HEAD;
        self.near.push_back(message);
    }

    /// Whether no more is to be told.
    pub(crate) fn is_full(&self) -> bool {
        !self.beyond.is_empty()
    }

    /// Takes the first message.
    pub(crate) fn pop(&mut self) -> io::Result<Option<Message>> {
        if self.near.is_empty() {
            self.come_near()?;
        }
        let message = self.near.pop_front();
        if let Some(message) = &message {
            self.size -= message.bytes.len() + HEAD;
        }
        Ok(message)
    }

    fn come_near(&mut self) -> io::Result<()> {
        if let Some(far) = &mut self.far {
            while self.size < NEAR / 2 && far.count > 0 {
                let message = far.pop()?;
                self.size += message.bytes.len() + HEAD;
                self.near.push_back(message);
            }
            if far.count > 0 {
                return Ok(());
            }
            self.far = None;
        }
        for message in std::mem::take(&mut self.beyond) {
            self.push_near(message);
        }
        Ok(())
    }
}

impl Far {
    fn push(&mut self, message: Message) -> Result<(), Message> {
        if self.spool.push(&message.bytes, !message.fds.is_empty()).is_err() {
            return Err(message);
        }
        if !message.fds.is_empty() {
            self.fds.push_back(message.fds);
        }
        self.count += 1;
        Ok(())
    }

    fn pop(&mut self) -> io::Result<Message> {
        let (bytes, head) = self.spool.read(self.next)?;
        let fds = if head.is_marked { self.fds.pop_front() } else { None };
        self.next = head.next;
        self.spool.forget(head.next);
        self.count -= 1;
        Ok(Message { bytes, fds: fds.unwrap_or_default() })
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
    fn without_a_file_it_is_full_and_loses_nothing() {
        let far = Far { spool: Spool::without_room(), ..Far::default() };
        let mut backlog = Backlog { far: Some(far), ..Backlog::default() };
        let mut pushed = 0;
        while !backlog.is_full() {
            backlog.push(message(pushed, 100_000));
            pushed += 1;
        }
        assert!((10..20).contains(&pushed), "{pushed}");
        // Whoever cannot stop goes on.
        (0..3).for_each(|number| backlog.push(message(pushed + number, 10)));
        for number in 0..pushed + 3 {
            assert_eq!(backlog.pop().unwrap().unwrap().bytes[..8], u64::to_le_bytes(number));
        }
        assert!(backlog.pop().unwrap().is_none() && !backlog.is_full());
        backlog.push(message(0, 10));
        assert!(!backlog.is_full() && backlog.far.is_none());
    }
}
