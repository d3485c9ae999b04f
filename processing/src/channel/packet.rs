//! A piece of the control channel's stream.
//!
//! | bytes | what |
//! |---|---|
//! | 0–3 | length of the body, little-endian |
//! | 4 | kind, from `protocol` |
//! | 5 | 1 if the body is in a memory file, the first descriptor, and these bytes are its length; else 0 |
//! | 6–7 | number of descriptors, little-endian |
//! | 8… | the body, then one zero byte for each 253 descriptors after the first 253 |
//!
//! The system passes at most 253 descriptors with a piece of a stream, so the first group goes with byte 0 and each
//! further one with a zero byte of its own. Where it passes none, their description is behind the body instead.

use std::io;

use super::spare;
use crate::sys::{self, AsFd, BorrowedFd, OwnedFd, Parcel};

/// Bodies from this size on go by shared memory: the stream is for small things.
const SPILL: usize = 64 * 1024;
/// Where bodies begin in memory files. A large buffer begins 16 bytes behind the start of a page, and some processors
/// (AMD's Zen) take five times as long to copy to a place that is, within its page, up to 31 bytes behind the place where it
/// comes from.
pub(crate) const START: u64 = 128;
const HEADER: usize = 8;
const GROUP: usize = sys::MOST_FDS;

/// One piece, ready to be sent any number of times.
#[derive(Debug)]
pub(crate) struct Packet {
    pub(crate) kind: u8,
    pub(crate) body: Vec<u8>,
    pub(crate) fds: Vec<OwnedFd>,
}

impl Packet {
    pub(crate) fn new(kind: u8, body: Vec<u8>, fds: Vec<OwnedFd>) -> io::Result<Self> {
        if u16::try_from(fds.len() + 1).is_err() {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "more than 65 534 handles in one message",
            ));
        }
        Ok(Packet { kind, body, fds })
    }

    /// Puts the body into a memory file if it is too big for the stream. Only when its turn has come: any number of
    /// packets may wait, and only so many descriptors may be open.
    pub(super) fn spill(&self) -> io::Result<Option<OwnedFd>> {
        if self.body.len() < SPILL {
            return Ok(None);
        }
        let file = sys::memory_file("processing-message")?;
        write_all_at(&file, &self.body, START)?;
        Ok(Some(file))
    }

    /// One that is never sent.
    pub(crate) fn nothing() -> Self {
        Packet { kind: u8::MAX, body: Vec::new(), fds: Vec::new() }
    }

    /// All descriptors that go with it.
    fn all_fds<'a>(&'a self, spilled: Option<&'a OwnedFd>) -> Vec<BorrowedFd<'a>> {
        spilled.into_iter().chain(&self.fds).map(AsFd::as_fd).collect()
    }

    /// Makes its descriptors ready to leave, where they do not ride beside the bytes.
    pub(super) fn parcel(&self, spilled: Option<&OwnedFd>) -> io::Result<Parcel> {
        Parcel::pack(&if sys::HANDLES_ARE_BYTES { self.all_fds(spilled) } else { Vec::new() })
    }

    /// The stretches of the stream, each with the descriptors that go with its first byte.
    pub(super) fn stretches<'a>(
        &'a self,
        spilled: Option<&'a OwnedFd>,
        parcel: &Parcel,
    ) -> Vec<(Vec<u8>, Vec<BorrowedFd<'a>>)> {
        let length = (self.body.len() as u64).to_le_bytes();
        let body = if spilled.is_some() { &length[..] } else { &self.body };
        let fds = self.all_fds(spilled);
        let mut first = Vec::with_capacity(HEADER + body.len() + parcel.description().len());
        first.extend_from_slice(&(body.len() as u32).to_le_bytes());
        first.push(self.kind);
        first.push(spilled.is_some().into());
        first.extend_from_slice(&(fds.len() as u16).to_le_bytes());
        first.extend_from_slice(body);
        first.extend_from_slice(parcel.description());
        if sys::HANDLES_ARE_BYTES {
            return vec![(first, Vec::new())];
        }
        let mut groups = fds.chunks(GROUP).map(<[_]>::to_vec);
        let mut stretches = vec![(first, groups.next().unwrap_or_default())];
        stretches.extend(groups.map(|group| (vec![0], group)));
        stretches
    }
}

/// What the start of a stream holds.
pub(super) struct Parsed {
    pub(super) kind: u8,
    pub(super) body: std::ops::Range<usize>,
    pub(super) fds: usize,
    pub(super) spilled: bool,
    /// Where the next piece begins.
    pub(super) end: usize,
}

/// Finds the first piece in these bytes; `None` if it is not all there.
pub(super) fn parse(bytes: &[u8]) -> io::Result<Option<Parsed>> {
    let Some((header, rest)) = bytes.split_first_chunk::<HEADER>() else { return Ok(None) };
    let [a, b, c, d, kind, spilled, fds_low, fds_high] = *header;
    let length = u32::from_le_bytes([a, b, c, d]) as usize;
    let fds = usize::from(u16::from_le_bytes([fds_low, fds_high]));
    if length >= SPILL || spilled > 1 || (spilled == 1 && (length != 8 || fds == 0)) {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "the other side sent something that is no message",
        ));
    }
    let tail = match sys::HANDLES_ARE_BYTES {
        true => sys::description_length(fds),
        false => fds.saturating_sub(1) / GROUP,
    };
    let body = HEADER..HEADER + length;
    let end = body.end + tail;
    Ok((rest.len() + HEADER >= end).then_some(Parsed { kind, body, fds, spilled: spilled == 1, end }))
}

/// Makes a received piece whole: brings a body back from where it was put.
pub(super) fn unspill(kind: u8, body: Vec<u8>, mut fds: Vec<OwnedFd>, spilled: bool) -> io::Result<Packet> {
    if !spilled {
        return Ok(Packet { kind, body, fds });
    }
    let file = fds.remove(0);
    let length = body.first_chunk().map_or(0, |length| u64::from_le_bytes(*length));
    Ok(Packet { kind, body: read_all_at(&file, START, length)?, fds })
}

/// Writes to a memory file from this place on.
pub(crate) fn write_all_at(file: &OwnedFd, bytes: &[u8], start: u64) -> io::Result<()> {
    let mut done = 0;
    while done < bytes.len() {
        done += sys::write_at(file, &bytes[done..], start + done as u64)?;
    }
    Ok(())
}

/// Reads `length` bytes from this place on of a memory file that another process made: it may be shorter than was said.
pub(crate) fn read_all_at(file: &OwnedFd, start: u64, length: u64) -> io::Result<Vec<u8>> {
    let too_short = || io::Error::new(io::ErrorKind::UnexpectedEof, "shared memory is shorter than was said");
    sys::check_filled(file, start.saturating_add(length))?;
    let length = usize::try_from(length).map_err(|_| too_short())?;
    // What is read beyond the length is for nothing, so not into a much larger one.
    let mut bytes = spare::take_within(length.saturating_mul(2));
    bytes.try_reserve_exact(length).map_err(io::Error::other)?;
    while bytes.len() < length {
        let done = bytes.len();
        let at = start + done as u64;
        if sys::read_at(file, &mut bytes, at)? == 0 {
            return Err(too_short());
        }
        // The spare capacity may be a little more than was asked for.
        bytes.truncate(length);
    }
    Ok(bytes)
}
