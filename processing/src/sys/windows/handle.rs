//! What is open in this process: a handle. It goes by the names that descriptors have elsewhere.

use std::io;
use std::os::windows::io::{AsHandle, AsRawHandle, FromRawHandle};
pub(crate) use std::os::windows::io::{BorrowedHandle as BorrowedFd, OwnedHandle as OwnedFd};
use std::sync::Arc;

use windows_sys::Win32::Foundation::{
    GetHandleInformation, HANDLE, HANDLE_FLAG_INHERIT, SetHandleInformation,
};

use super::socket;

/// The number of a handle.
pub(crate) type RawFd = usize;

/// Something that has a handle.
pub(crate) trait AsFd {
    fn as_fd(&self) -> BorrowedFd<'_>;
}

/// Something whose handle's number can be told.
pub(crate) trait AsRawFd {
    fn as_raw_fd(&self) -> RawFd;
}

impl AsRawFd for BorrowedFd<'_> {
    fn as_raw_fd(&self) -> RawFd {
        self.as_raw_handle().expose_provenance()
    }
}

macro_rules! have_handles {
    ($($type:ty)*) => {$(
        impl AsFd for $type {
            fn as_fd(&self) -> BorrowedFd<'_> {
                self.as_handle()
            }
        }
    )*};
}

have_handles! { OwnedFd BorrowedFd<'_> std::fs::File std::io::Stdin std::io::Stdout std::io::Stderr }

impl<T: AsFd + ?Sized> AsFd for &T {
    fn as_fd(&self) -> BorrowedFd<'_> {
        (**self).as_fd()
    }
}

impl<T: AsFd + ?Sized> AsFd for Arc<T> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        (**self).as_fd()
    }
}

/// Whether there is such a handle: a standard stream may be missing.
pub(crate) fn is_open(handle: BorrowedFd<'_>) -> bool {
    let mut flags = 0;
    // SAFETY: only asks about a number, which need not be that of a handle.
    unsafe { GetHandleInformation(handle.as_raw_handle(), &raw mut flags) != 0 }
}

/// A way from a stream of another process, whose read end never blocks.
///
/// It is a socket, as no pipe can be waited for together with other things; one that was not made for overlapped calls,
/// so that it is written to like any file, by programs that know nothing of sockets.
pub(crate) fn capture_pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    let (read, write) = socket::connected(socket::Calls::Plain)?;
    socket::never_block(&read)?;
    Ok((read, write))
}

/// Says whether a process that is started gets a handle under the same number.
pub(super) fn set_inherited(handle: BorrowedFd<'_>, inherited: bool) -> io::Result<()> {
    let flags = if inherited { HANDLE_FLAG_INHERIT } else { 0 };
    // SAFETY: the handle is open, as it is borrowed.
    done(unsafe { SetHandleInformation(handle.as_raw_handle(), HANDLE_FLAG_INHERIT, flags) })
}

/// What a call has made, or why it has not.
///
/// # Safety
///
/// If it is a handle, it is one that nobody else owns.
pub(super) unsafe fn made(handle: HANDLE) -> io::Result<OwnedFd> {
    if handle.is_null() {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call has made it, for us alone, as the caller says.
    Ok(unsafe { OwnedFd::from_raw_handle(handle) })
}

/// What a call says that is 0 when it has failed.
pub(super) fn done(code: i32) -> io::Result<()> {
    if code == 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
