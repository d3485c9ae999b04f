//! Files as bytes at places.

use std::fs::{File, OpenOptions};
use std::io;
use std::mem::ManuallyDrop;
use std::os::windows::io::{AsRawHandle as _, FromRawHandle as _};
use std::ptr;

use windows_sys::Win32::Foundation::{ERROR_HANDLE_EOF, ERROR_IO_PENDING, HANDLE};
use windows_sys::Win32::Storage::FileSystem::{ReadFile, WriteFile};
use windows_sys::Win32::System::IO::{
    CancelIoEx, GetOverlappedResult, OVERLAPPED, OVERLAPPED_0, OVERLAPPED_0_0,
};

use super::handle::done;
use super::socket::read_socket;
use super::{AsFd, OwnedFd};

/// Writes as many of the bytes as the system takes at once, and says how many that were.
pub(crate) fn write_at(file: impl AsFd, bytes: &[u8], at: u64) -> io::Result<usize> {
    let (mut place, mut written) = (overlapped(at), 0);
    let handle: HANDLE = file.as_fd().as_raw_handle();
    // SAFETY: the handle is open, as it is borrowed; the bytes are as many as is said, and are there until the call is over,
    // which `over` sees to.
    let begun =
        unsafe { WriteFile(handle, bytes.as_ptr(), most(bytes.len()), &raw mut written, &raw mut place) };
    over(handle, begun, &mut place)?;
    Ok(written as usize)
}

/// Reads into the room that `bytes` have behind them, as much as the system gives at once: nothing at the file's end.
pub(crate) fn read_at(file: impl AsFd, bytes: &mut Vec<u8>, at: u64) -> io::Result<usize> {
    let room = bytes.spare_capacity_mut();
    let (start, length) = (room.as_mut_ptr().cast(), room.len());
    // SAFETY: the room is writable, and as long as is said.
    let count = unsafe { read_into(&file, start, length, at) }?;
    // SAFETY: so many bytes were written there, from where the old ones end.
    unsafe { bytes.set_len(bytes.len() + count) };
    Ok(count)
}

/// Fills `into`, or fails.
pub(crate) fn read_exact_at(file: impl AsFd, into: &mut [u8], at: u64) -> io::Result<()> {
    let mut done = 0;
    while done < into.len() {
        let rest = &mut into[done..];
        // SAFETY: the bytes are writable, and as many as is said.
        match unsafe { read_into(&file, rest.as_mut_ptr(), rest.len(), at + done as u64) }? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            count => done += count,
        }
    }
    Ok(())
}

/// Reads to this place; how much.
///
/// # Safety
///
/// So many bytes may be written there.
unsafe fn read_into(file: impl AsFd, start: *mut u8, length: usize, at: u64) -> io::Result<usize> {
    let (mut place, mut count) = (overlapped(at), 0);
    let handle: HANDLE = file.as_fd().as_raw_handle();
    // SAFETY: the handle is open, as it is borrowed; the place may be written, as the caller says, until the call is over,
    // which `over` sees to.
    let begun = unsafe { ReadFile(handle, start, most(length), &raw mut count, &raw mut place) };
    match over(handle, begun, &mut place) {
        Ok(()) => Ok(count as usize),
        Err(error) if error.raw_os_error() == Some(ERROR_HANDLE_EOF.cast_signed()) => Ok(0),
        Err(error) => Err(error),
    }
}

/// Sees to it that a call is over. Those for files are when they return; but another process says what is a file, and it
/// may be something that goes on meanwhile.
fn over(handle: HANDLE, begun: i32, place: &mut OVERLAPPED) -> io::Result<()> {
    let Err(error) = done(begun) else { return Ok(()) };
    if error.raw_os_error() != Some(ERROR_IO_PENDING.cast_signed()) {
        return Err(error);
    }
    // SAFETY: the handle is open, as the callers borrow it; the place is that of the call.
    unsafe { CancelIoEx(handle, place) };
    let mut count = 0;
    // SAFETY: as above; the result has somewhere to go. It does not wait for long, as the call was cancelled.
    unsafe { GetOverlappedResult(handle, place, &raw mut count, 1) };
    Err(io::Error::new(io::ErrorKind::InvalidInput, "something else than a file"))
}

fn most(length: usize) -> u32 {
    length.min(1 << 30) as u32
}

fn overlapped(at: u64) -> OVERLAPPED {
    let place = OVERLAPPED_0_0 { Offset: at as u32, OffsetHigh: (at >> 32) as u32 };
    OVERLAPPED {
        Internal: 0,
        InternalHigh: 0,
        Anonymous: OVERLAPPED_0 { Anonymous: place },
        hEvent: ptr::null_mut(),
    }
}

/// Reads what a captured stream has; nothing at its end.
pub(crate) fn read(stream: impl AsFd, into: &mut [u8]) -> io::Result<usize> {
    read_socket(stream.as_fd(), into)
}

pub(crate) fn file_length(file: impl AsFd) -> io::Result<u64> {
    Ok(as_file(&file).metadata()?.len())
}

/// Cuts a file off, or has it read as zeroes up to there.
pub(crate) fn set_file_length(file: impl AsFd, length: u64) -> io::Result<()> {
    as_file(&file).set_len(length)
}

/// For the calls of the standard library, which close nothing.
fn as_file(file: &impl AsFd) -> ManuallyDrop<File> {
    // SAFETY: the handle is open, and stays so for as long as `file` is borrowed, which is longer than any caller uses this; it
    // is never closed by it.
    ManuallyDrop::new(unsafe { File::from_raw_handle(file.as_fd().as_raw_handle()) })
}

/// How long this process may make a file: there is no such limit.
pub(crate) fn longest_file() -> u64 {
    u64::MAX
}

/// Where everything that is written is lost, and nothing is to be read.
pub(crate) fn null_device() -> io::Result<OwnedFd> {
    Ok(OpenOptions::new().read(true).write(true).open("NUL")?.into())
}
