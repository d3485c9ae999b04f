//! Memory and files that have no name, and are gone with their last descriptor.
//!
//! The system makes neither without a name. So each has one for the moment between two calls: a number that nobody can
//! guess, which other users may not open. A process that is killed in that moment leaves something empty behind.

use std::fs::{File, OpenOptions, remove_file};
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use rustix::fs::{FileType, Mode, SeekFrom, fstat, ftruncate, seek};
use rustix::shm;

/// A file that is written and read by whoever has its descriptor: for a value that is too big for a socket.
pub(crate) fn memory_file(_name: &str) -> io::Result<OwnedFd> {
    unnamed_file(&std::env::temp_dir())
}

/// Memory of this length for good, all zeroes, to be mapped. The system lets its length be set once, so no process can
/// take pages away from under another one.
pub(crate) fn fixed_memory(_name: &str, length: u64) -> io::Result<OwnedFd> {
    let name = format!("/processing-{:016x}", random()?);
    let flags = shm::OFlags::CREATE | shm::OFlags::EXCL | shm::OFlags::RDWR;
    let memory = shm::open(&name, flags, Mode::RUSR | Mode::WUSR)?;
    shm::unlink(&name)?;
    rustix::io::fcntl_setfd(&memory, rustix::io::FdFlags::CLOEXEC)?;
    ftruncate(&memory, length)?;
    Ok(memory)
}

/// How long memory is that [`fixed_memory`] made; an error if it is something else. What is neither that nor a file
/// cannot be mapped.
pub(crate) fn fixed_length(memory: &OwnedFd) -> io::Result<u64> {
    let stat = fstat(memory)?;
    // A file that could still shrink would be a SIGBUS in waiting.
    if FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "a file in place of shared memory"));
    }
    u64::try_from(stat.st_size).map_err(io::Error::other)
}

/// How long [`fixed_memory`] becomes that is asked to be so long: whole pages.
pub(crate) fn length_of(length: u64) -> u64 {
    length.next_multiple_of(rustix::param::page_size() as u64)
}

/// Gives a part of a file back to the system; it reads as zeroes afterwards. Not of memory, which the system keeps.
pub(crate) fn punch(file: impl AsFd, start: u64, length: u64) {
    let (Ok(start), Ok(length)) = (start.try_into(), length.try_into()) else { return };
    let hole = libc::fpunchhole_t { fp_flags: 0, reserved: 0, fp_offset: start, fp_length: length };
    // A refusal costs room, nothing else.
    // SAFETY: the descriptor is open, as it is borrowed, and the call reads what it is given.
    let _ = unsafe { libc::fcntl(file.as_fd().as_raw_fd(), libc::F_PUNCHHOLE, &raw const hole) };
}

/// Fails unless the first `length` bytes of a file are there: another process made it.
pub(crate) fn check_filled(file: &OwnedFd, length: u64) -> io::Result<()> {
    if u64::try_from(fstat(file)?.st_size).is_ok_and(|size| size < length) {
        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "shared memory is shorter than was said"));
    }
    // Holes cost whoever made the file nothing, and would cost this process their whole length. A file system that does
    // not know them has none. (Nobody depends on the position of such a file.)
    if length > 0 && seek(file, SeekFrom::Hole(0)).is_ok_and(|hole| hole < length) {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "shared memory with holes in it"));
    }
    Ok(())
}

/// A file in this folder that keeps no name there.
pub(crate) fn unnamed_file(folder: &Path) -> io::Result<OwnedFd> {
    let path = folder.join(format!("processing-{:016x}", random()?));
    let file: File = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&path)?;
    remove_file(&path)?;
    Ok(file.into())
}

/// A number that nobody can guess.
pub(crate) fn random() -> io::Result<u64> {
    let mut bytes = [0; 8];
    // SAFETY: the place is as long as is said.
    if unsafe { libc::getentropy(bytes.as_mut_ptr().cast(), bytes.len()) } != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(u64::from_ne_bytes(bytes))
}
