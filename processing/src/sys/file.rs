//! Files as bytes at places.

use std::io;

use rustix::fs::{Mode, OFlags, fstat, ftruncate};
use rustix::io::{pread, pwrite};
use rustix::process::{Resource, getrlimit};

use super::{AsFd, OwnedFd, retry};

/// Writes as many of the bytes as the system takes at once, and says how many that were.
#[inline]
pub(crate) fn write_at(file: impl AsFd, bytes: &[u8], at: u64) -> io::Result<usize> {
    retry(|| pwrite(&file, bytes, at))
}

/// Reads into the room that `bytes` have behind them, as much as the system gives at once: nothing at the file's end.
#[inline]
pub(crate) fn read_at(file: impl AsFd, bytes: &mut Vec<u8>, at: u64) -> io::Result<usize> {
    retry(|| pread(&file, rustix::buffer::spare_capacity(bytes), at))
}

/// Fills `into`, or fails.
pub(crate) fn read_exact_at(file: impl AsFd, into: &mut [u8], at: u64) -> io::Result<()> {
    let mut done = 0;
    while done < into.len() {
        match retry(|| pread(&file, &mut into[done..], at + done as u64))? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            count => done += count,
        }
    }
    Ok(())
}

/// Reads what a stream has; nothing at its end.
pub(crate) fn read(stream: impl AsFd, into: &mut [u8]) -> io::Result<usize> {
    retry(|| rustix::io::read(&stream, &mut *into))
}

pub(crate) fn file_length(file: impl AsFd) -> io::Result<u64> {
    u64::try_from(fstat(file)?.st_size).map_err(io::Error::other)
}

/// Cuts a file off, or has it read as zeroes up to there.
pub(crate) fn set_file_length(file: impl AsFd, length: u64) -> io::Result<()> {
    Ok(ftruncate(file, length)?)
}

/// How long this process may make a file. A write beyond that does not fail but ends it.
pub(crate) fn longest_file() -> u64 {
    getrlimit(Resource::Fsize).current.unwrap_or(u64::MAX)
}

/// Where everything that is written is lost, and nothing is to be read.
pub(crate) fn null_device() -> io::Result<OwnedFd> {
    Ok(rustix::fs::open("/dev/null", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty())?)
}
