//! Memory and files that have no name, and are gone with their last descriptor.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use rustix::fs::{
    FallocateFlags, MemfdFlags, Mode, OFlags, SealFlags, fallocate, fcntl_add_seals, fcntl_get_seals, fstat,
    ftruncate, memfd_create,
};

/// Memory that is written and read like a file: for a value that is too big for a socket.
pub(crate) fn memory_file(name: &str) -> io::Result<OwnedFd> {
    // Kernels before 6.3 do not know NOEXEC_SEAL, so it is not asked for.
    Ok(memfd_create(name, MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?)
}

/// Memory of this length for good, all zeroes, to be mapped: no process can take pages away from under another one.
pub(crate) fn fixed_memory(name: &str, length: u64) -> io::Result<OwnedFd> {
    let file = memory_file(name)?;
    ftruncate(&file, length)?;
    fcntl_add_seals(&file, SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL)?;
    Ok(file)
}

/// How long memory is that [`fixed_memory`] made; an error if it is something else, or could still change.
pub(crate) fn fixed_length(file: &OwnedFd) -> io::Result<u64> {
    let seals = fcntl_get_seals(file)?;
    // A file that could still shrink would be a SIGBUS in waiting.
    if !seals.contains(SealFlags::SHRINK | SealFlags::GROW) || seals.contains(SealFlags::WRITE) {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "shared memory that is not sealed"));
    }
    u64::try_from(fstat(file)?.st_size).map_err(io::Error::other)
}

/// How long [`fixed_memory`] becomes that is asked to be so long.
pub(crate) const fn length_of(length: u64) -> u64 {
    length
}

/// Gives a part of a file, or of memory, back to the system; it reads as zeroes afterwards.
pub(crate) fn punch(file: impl AsFd, start: u64, length: u64) {
    // A refusal costs room, nothing else.
    let _ = fallocate(file, FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE, start, length);
}

/// Fails unless the first `length` bytes of a memory file are there: another process made it.
pub(crate) fn check_filled(file: &OwnedFd, length: u64) -> io::Result<()> {
    let stat = fstat(file)?;
    if u64::try_from(stat.st_size).is_ok_and(|size| size < length) {
        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "shared memory is shorter than was said"));
    }
    // Holes cost whoever made the file nothing, and would cost this process their whole length.
    if u64::try_from(stat.st_blocks).is_ok_and(|blocks| blocks.saturating_mul(512) < length) {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "shared memory with holes in it"));
    }
    Ok(())
}

/// A file in this folder that never had a name there.
pub(crate) fn unnamed_file(folder: &Path) -> io::Result<OwnedFd> {
    let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
    Ok(rustix::fs::open(folder, flags, Mode::RUSR | Mode::WUSR)?)
}

/// Memory with no name that nobody can change any more.
pub(crate) fn sealed_file(name: &str, bytes: &[u8]) -> io::Result<OwnedFd> {
    let mut file = std::fs::File::from(memory_file(name)?);
    io::Write::write_all(&mut file, bytes)?;
    fcntl_add_seals(&file, SealFlags::SEAL | SealFlags::WRITE | SealFlags::GROW | SealFlags::SHRINK)?;
    Ok(file.into())
}

/// How long a file is that [`sealed_file`] made; an error if it can still be changed.
pub(crate) fn sealed_length(file: &OwnedFd) -> io::Result<u64> {
    if !fcntl_get_seals(file)?.contains(SealFlags::WRITE | SealFlags::GROW | SealFlags::SHRINK) {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "shared memory that can still be changed"));
    }
    u64::try_from(fstat(file)?.st_size).map_err(io::Error::other)
}

/// This process's working directory, as a place to go to.
pub(crate) fn working_directory() -> io::Result<OwnedFd> {
    Ok(rustix::fs::open(".", OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?)
}

/// A number that nobody can guess.
pub(crate) fn random() -> io::Result<u64> {
    let mut bytes = [0; 8];
    rustix::rand::getrandom(&mut bytes, rustix::rand::GetRandomFlags::empty())?;
    Ok(u64::from_le_bytes(bytes))
}
