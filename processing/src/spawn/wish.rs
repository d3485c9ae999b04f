//! What a program, its template and the copies of that say to each other before a copy is a worker.
//!
//! A [`Wish`] is one byte with descriptors; each bit says whether one of them is there. An [`Answer`] is a byte that
//! says which, with what belongs to it behind it.

use std::io;

use crate::sys::{self, AsFd, BorrowedFd, OwnedFd};

/// How many descriptors a wish has at most.
const PLACES: usize = 6;

/// What is wished for. The template is told of the first, a copy of the directory and the streams; both of an
/// environment if it is another than they have.
#[derive(Debug)]
pub(super) struct Wish<F> {
    /// What the next copy is to have: its end of a channel.
    pub(super) channel: Option<F>,
    pub(super) directory: Option<F>,
    /// Where the standard streams lead; `None` leads nowhere.
    pub(super) streams: [Option<F>; 3],
    pub(super) environment: Option<F>,
}

impl Wish<BorrowedFd<'_>> {
    pub(super) fn send(self, socket: BorrowedFd<'_>) -> io::Result<()> {
        let Wish { channel, directory, streams: [stdin, stdout, stderr], environment } = self;
        let places: [_; PLACES] = [channel, directory, stdin, stdout, stderr, environment];
        let flags = (0..).zip(&places).map(|(place, fd)| u8::from(fd.is_some()) << place).sum();
        let fds: Vec<_> = places.into_iter().flatten().collect();
        sys::send(socket, &[flags], &fds).map(|_| ())
    }
}

impl Wish<OwnedFd> {
    /// The next one on a socket, waiting for it; `None` if there will be none of ours.
    pub(super) fn receive(socket: &OwnedFd) -> Option<Self> {
        let (mut flags, mut fds) = ([0; 1], Vec::new());
        match sys::receive(socket.as_fd(), &mut flags, &mut fds).ok()? {
            sys::Incoming::Bytes(_) => Wish::unpack(flags[0], fds),
            sys::Incoming::End => None,
        }
    }

    /// `None` if other descriptors have come than it says.
    fn unpack(flags: u8, fds: Vec<OwnedFd>) -> Option<Self> {
        if flags >> PLACES != 0 || fds.len() != flags.count_ones() as usize {
            return None;
        }
        let mut fds = fds.into_iter();
        let mut places =
            [0, 1, 2, 3, 4, 5].map(|place| if flags & 1 << place != 0 { fds.next() } else { None });
        let mut next = |place: usize| places[place].take();
        Some(Wish {
            channel: next(0),
            directory: next(1),
            streams: [next(2), next(3), next(4)],
            environment: next(5),
        })
    }

    /// What a template may be told: a channel, and perhaps an environment.
    pub(super) fn of_template(self) -> Option<(OwnedFd, Option<OwnedFd>)> {
        let Wish { channel, directory: None, streams: [None, None, None], environment } = self else {
            return None;
        };
        Some((channel?, environment))
    }

    /// What a copy may be told: all but a channel, which it has.
    pub(super) fn of_copy(self) -> Option<Self> {
        (self.channel.is_none() && self.directory.is_some()).then_some(self)
    }
}

/// From the template.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// It can be asked for copies.
    Ready,
    /// The copy has been made, and its number is where both sides see it.
    Copied,
    /// The system would not make one, and why.
    Failed(i32),
    /// No copy of it would do, and why; it ends.
    Unsuited(String),
}

impl Answer {
    /// How many bytes one has at most.
    pub(super) const LONGEST: usize = 512;

    pub(super) fn pack(&self) -> Vec<u8> {
        match self {
            Answer::Ready => vec![0],
            Answer::Copied => vec![1],
            Answer::Failed(errno) => [&[2][..], &errno.to_le_bytes()].concat(),
            Answer::Unsuited(why) => {
                let why = &why.as_bytes()[..why.len().min(Answer::LONGEST - 1)];
                [&[3][..], why].concat()
            }
        }
    }

    pub(super) fn unpack(bytes: &[u8]) -> Option<Self> {
        match bytes {
            [0] => Some(Answer::Ready),
            [1] => Some(Answer::Copied),
            [2, errno @ ..] => Some(Answer::Failed(i32::from_le_bytes(errno.try_into().ok()?))),
            [3, why @ ..] => Some(Answer::Unsuited(String::from_utf8_lossy(why).into_owned())),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_as_it_was_written() {
        let long = "x".repeat(1000);
        for answer in [Answer::Ready, Answer::Copied, Answer::Failed(11), Answer::Unsuited("why".into())] {
            assert_eq!(Answer::unpack(&answer.pack()), Some(answer));
        }
        assert_eq!(Answer::Unsuited(long).pack().len(), Answer::LONGEST);
        for strange in [&[][..], &[0, 0], &[2], &[2, 1, 2, 3], &[4]] {
            assert_eq!(Answer::unpack(strange), None);
        }
    }

    fn some(count: usize) -> Vec<OwnedFd> {
        (0..count).map(|_| sys::memory_file("test").unwrap()).collect()
    }

    #[test]
    fn a_wish_arrives_as_it_was_sent() {
        let (ours, theirs) = sys::packet_socket_pair().unwrap();
        let files = some(3);
        let [directory, stdout, environment] = [0, 1, 2].map(|place: usize| Some(files[place].as_fd()));
        let wish = Wish { channel: None, directory, streams: [None, stdout, None], environment };
        wish.send(ours.as_fd()).unwrap();
        let wish = Wish::receive(&theirs).unwrap().of_copy().unwrap();
        assert!(wish.streams.iter().map(Option::is_some).eq([false, true, false]));
        assert!(wish.directory.is_some() && wish.environment.is_some());
    }

    #[test]
    fn a_wish_with_other_descriptors_than_it_says_is_none() {
        assert!(Wish::unpack(0b10_1011, some(4)).is_some());
        for (flags, count) in [(0, 1), (3, 3), (7, 4), (64, 1), (128, 1), (255, 8)] {
            assert!(Wish::unpack(flags, some(count)).is_none());
        }
    }

    #[test]
    fn a_template_and_a_copy_are_told_different_things() {
        let wish = |flags: u8| Wish::unpack(flags, some(flags.count_ones() as usize)).unwrap();
        for good in [0b00_0001, 0b10_0001] {
            assert!(wish(good).of_template().is_some() && wish(good).of_copy().is_none());
        }
        for good in [0b00_0010, 0b11_1110] {
            assert!(wish(good).of_copy().is_some() && wish(good).of_template().is_none());
        }
        for bad in [0, 0b00_0011, 0b10_0000, 0b01_1100] {
            assert!(wish(bad).of_copy().is_none() && wish(bad).of_template().is_none());
        }
    }
}
