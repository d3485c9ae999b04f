//! What a program and its template say to each other.
//!
//! A [`Wish`] is one byte with descriptors; each bit says whether one of them is there. An [`Answer`] is a byte that
//! says which, with what belongs to it behind it.

use std::ffi::CString;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use super::template::Copy;
use crate::sys;

/// What a copy is to be given, from the parent's side.
pub(super) struct Wish<'a> {
    flags: u8,
    channel: BorrowedFd<'a>,
    directory: OwnedFd,
    streams: [Option<BorrowedFd<'a>>; 3],
    environment: Option<OwnedFd>,
}

/// Above those of the three streams.
const HAS_ENVIRONMENT: u8 = 1 << 3;

impl<'a> Wish<'a> {
    /// Takes note of the working directory, and of the environment if that is to be told.
    pub(super) fn new(copy: &Copy<'a>, environment: Option<&[CString]>) -> io::Result<Self> {
        let directory = sys::working_directory()?;
        let environment = environment
            .map(|environment| sys::sealed_file("processing-environment", &sys::as_text(environment)))
            .transpose()?;
        let stream = |(place, stream): (usize, &Option<_>)| u8::from(stream.is_some()) << place;
        let flags = copy.streams.iter().enumerate().map(stream).sum::<u8>();
        let flags = if environment.is_some() { flags | HAS_ENVIRONMENT } else { flags };
        Ok(Wish { flags, channel: copy.channel, directory, streams: copy.streams, environment })
    }

    pub(super) fn send(&self, template: BorrowedFd<'_>) -> io::Result<()> {
        let first = [self.channel, self.directory.as_fd()];
        let rest = self.streams.into_iter().flatten().chain(self.environment.as_ref().map(AsFd::as_fd));
        let fds: Vec<_> = first.into_iter().chain(rest).collect();
        sys::send(template, &[self.flags], &fds).map(|_| ())
    }
}

/// The same, from the template's side.
pub(super) struct Granted {
    pub(super) channel: OwnedFd,
    pub(super) directory: OwnedFd,
    pub(super) streams: [Option<OwnedFd>; 3],
    pub(super) environment: Option<OwnedFd>,
}

impl Granted {
    /// `None` if it is no wish of ours.
    pub(super) fn unpack(bytes: &[u8], fds: Vec<OwnedFd>) -> Option<Self> {
        let &[flags] = bytes else { return None };
        let has = |place: usize| flags & 1 << place != 0;
        let count = (0..4).filter(|&place| has(place)).count();
        if flags >> 4 != 0 || fds.len() != 2 + count {
            return None;
        }
        let mut fds = fds.into_iter();
        let (channel, directory) = (fds.next()?, fds.next()?);
        let mut next = |place| if has(place) { fds.next() } else { None };
        Some(Granted { channel, directory, streams: [next(0), next(1), next(2)], environment: next(3) })
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

    #[test]
    fn a_wish_with_other_descriptors_than_it_says_is_none() {
        let some = |count| (0..count).map(|_| sys::memory_file("test").unwrap()).collect::<Vec<_>>();
        assert!(Granted::unpack(&[0b1011], some(5)).is_some_and(|granted| {
            let present = granted.streams.map(|stream| stream.is_some());
            present == [true, true, false] && granted.environment.is_some()
        }));
        for (flags, count) in [(0, 1), (0, 3), (7, 4), (16, 3), (255, 8)] {
            assert!(Granted::unpack(&[flags], some(count)).is_none());
        }
        assert!(Granted::unpack(&[0, 0], some(2)).is_none());
        assert!(Granted::unpack(&[], some(2)).is_none());
    }
}
