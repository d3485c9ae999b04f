//! The socket between a worker and its parent, by TCP within this machine: nothing else here is one handle, goes both ways,
//! can be waited for with others, and ends with the process that had its other side.
//!
//! A socket without layered providers is a handle like any other, and is kept and closed as one. What `closesocket` does
//! besides is to forget what the library remembers of that number, which it does as well when another socket gets it.
//!
//! A *copy* of the handle is a socket that the library does not know: Wine's does not wait for it, and says nothing. So
//! what is waited for is never such a copy, but what [`adopt`] has made of it.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpListener, TcpStream};
use std::os::windows::io::{
    AsRawHandle, FromRawHandle, FromRawSocket, IntoRawHandle, IntoRawSocket, RawSocket,
};
use std::ptr;

use windows_sys::Win32::Foundation::HANDLE;
use windows_sys::Win32::Networking::WinSock::{
    AF_INET, FIONBIO, FROM_PROTOCOL_INFO, INVALID_SOCKET, IPPROTO_TCP, SD_BOTH, SOCK_STREAM, SOCKADDR_IN,
    SOCKADDR_STORAGE, SOCKET, SOCKET_ERROR, WSA_FLAG_NO_HANDLE_INHERIT, WSA_FLAG_OVERLAPPED,
    WSADuplicateSocketW, WSAECONNABORTED, WSAECONNRESET, WSAEINVAL, WSAESHUTDOWN, WSAGetLastError,
    WSAPROTOCOL_INFOW, WSASocketW, closesocket, connect, getsockname, ioctlsocket, recv, send as send_to,
    shutdown,
};
use windows_sys::Win32::Storage::FileSystem::{FILE_TYPE_PIPE, GetFileType};

use super::{AsFd, BorrowedFd, OwnedFd, RawFd};

pub(crate) use super::wait::hung_up_before;

/// How many handles a pipe sends with one tag. They ride among the bytes, so that the system has no limit.
pub(crate) const MOST_FDS: usize = 253;

/// By which calls a socket can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Calls {
    /// Those of sockets.
    Any,
    /// Those of files too, at the second end.
    Plain,
}

pub(super) fn socket_of(handle: BorrowedFd<'_>) -> SOCKET {
    handle.as_raw_handle().expose_provenance()
}

/// Two connected sockets; the first one never blocks.
pub(crate) fn socket_pair() -> io::Result<(OwnedFd, OwnedFd)> {
    let (parent, worker) = connected(Calls::Any)?;
    never_block(&parent)?;
    Ok((parent, worker))
}

/// Two connected sockets for tags.
pub(crate) fn tag_socket_pair() -> io::Result<(OwnedFd, OwnedFd)> {
    connected(Calls::Any)
}

/// Two connected sockets. Others on this machine can reach the address while it is there: whoever else connects is sent
/// away.
pub(super) fn connected(calls: Calls) -> io::Result<(OwnedFd, OwnedFd)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let SocketAddr::V4(address) = listener.local_addr()? else { return Err(io::ErrorKind::Other.into()) };
    let theirs = match calls {
        Calls::Any => TcpStream::connect(address)?,
        Calls::Plain => connect_plainly(address)?,
    };
    let own = theirs.local_addr()?;
    // It is connected, so it is among those that wait to be accepted.
    let ours = loop {
        let (ours, from) = listener.accept()?;
        if from == own {
            break ours;
        }
    };
    ours.set_nodelay(true)?;
    theirs.set_nodelay(true)?;
    Ok((handle_of(ours), handle_of(theirs)))
}

/// The standard library's sockets are all for overlapped calls.
fn connect_plainly(address: SocketAddrV4) -> io::Result<TcpStream> {
    let (kind, flags) = (SOCK_STREAM, WSA_FLAG_NO_HANDLE_INHERIT);
    // SAFETY: no description of a protocol is needed; the library has been started, as there is a listener.
    let socket = unsafe { WSASocketW(AF_INET.into(), kind, IPPROTO_TCP, ptr::null(), 0, flags) };
    if socket == INVALID_SOCKET {
        return Err(failure());
    }
    // SAFETY: the call has made it, for us alone.
    let stream = unsafe { TcpStream::from_raw_socket(socket as RawSocket) };
    let mut to = SOCKADDR_IN { sin_family: AF_INET, sin_port: address.port().to_be(), ..Default::default() };
    to.sin_addr.S_un.S_addr = u32::from(*address.ip()).to_be();
    // SAFETY: the socket is open; the address is as long as is said.
    match unsafe { connect(socket, (&raw const to).cast(), size_of::<SOCKADDR_IN>() as i32) } {
        SOCKET_ERROR => Err(failure()),
        _ => Ok(stream),
    }
}

/// A socket as a handle.
pub(super) fn handle_of<S: IntoRawSocket>(socket: S) -> OwnedFd {
    let handle: HANDLE = ptr::with_exposed_provenance_mut(socket.into_raw_socket() as usize);
    // SAFETY: the socket has given it up, so it is ours alone, and may be closed like any handle.
    unsafe { OwnedFd::from_raw_handle(handle) }
}

/// Why a call has failed.
fn failure() -> io::Error {
    // SAFETY: has no requirement.
    io::Error::from_raw_os_error(unsafe { WSAGetLastError() })
}

/// Sends as many of the bytes as fit.
pub(crate) fn send(socket: BorrowedFd<'_>, bytes: &[u8], beside: &[BorrowedFd<'_>]) -> io::Result<usize> {
    if !beside.is_empty() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "no handle rides beside the bytes here"));
    }
    let most = bytes.len().min(1 << 30) as i32;
    // SAFETY: the socket is open, as it is borrowed, and the bytes are as many as is said.
    let sent = unsafe { send_to(socket_of(socket), bytes.as_ptr(), most, 0) };
    usize::try_from(sent).map_err(|_| failure())
}

/// What one call of [`receive`] brought.
#[derive(Debug)]
pub(crate) enum Incoming {
    /// So many bytes.
    Bytes(usize),
    /// The other side is gone, and everything it sent has been received.
    End,
}

/// Receives what is there; no handles come beside the bytes.
pub(crate) fn receive(
    socket: BorrowedFd<'_>,
    buffer: &mut [u8],
    _beside: &mut Vec<OwnedFd>,
) -> io::Result<Incoming> {
    match read_socket(socket, buffer)? {
        0 => Ok(Incoming::End),
        count => Ok(Incoming::Bytes(count)),
    }
}

/// Reads what there is; nothing once the other side is gone, however that came about.
pub(super) fn read_socket(socket: BorrowedFd<'_>, buffer: &mut [u8]) -> io::Result<usize> {
    let most = buffer.len().min(1 << 30) as i32;
    // SAFETY: the socket is open, as it is borrowed, and the buffer is as long as is said.
    let count = unsafe { recv(socket_of(socket), buffer.as_mut_ptr(), most, 0) };
    usize::try_from(count).or_else(|_| {
        let error = failure();
        match error.raw_os_error() {
            Some(WSAECONNRESET | WSAECONNABORTED | WSAESHUTDOWN) => Ok(0),
            _ => Err(error),
        }
    })
}

/// From now on neither side can send anything, whoever else has a copy.
pub(crate) fn hang_up(socket: &OwnedFd) {
    // SAFETY: the socket is open, as it is borrowed. The only failure left is that it has been done already.
    unsafe { shutdown(socket_of(socket.as_fd()), SD_BOTH) };
}

/// Has calls fail that would have to wait.
pub(super) fn never_block(socket: &OwnedFd) -> io::Result<()> {
    let mut on = 1;
    // SAFETY: the socket is open, as it is borrowed; the setting is where it is looked for.
    match unsafe { ioctlsocket(socket_of(socket.as_fd()), FIONBIO, &raw mut on) } {
        SOCKET_ERROR => Err(failure()),
        _ => Ok(()),
    }
}

/// Takes over a socket that came from elsewhere, by whichever way: from now on the library knows it, as the one that it is.
pub(super) fn adopt(socket: OwnedFd) -> io::Result<OwnedFd> {
    let mut about = WSAPROTOCOL_INFOW::default();
    // SAFETY: the socket is open; the description has somewhere to go.
    if unsafe { WSADuplicateSocketW(socket_of(socket.as_fd()), std::process::id(), &raw mut about) } != 0 {
        return Err(failure());
    }
    let flags = WSA_FLAG_OVERLAPPED | WSA_FLAG_NO_HANDLE_INHERIT;
    // SAFETY: the description is one that the library has just made for this process.
    let known = unsafe {
        WSASocketW(FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, &raw const about, 0, flags)
    };
    if known == INVALID_SOCKET {
        return Err(failure());
    }
    let before = socket.into_raw_handle();
    // SAFETY: it was ours alone, and is given up here.
    if unsafe { closesocket(before.expose_provenance()) } == SOCKET_ERROR {
        // SAFETY: the library knows no such socket, so it has not closed it.
        drop(unsafe { OwnedFd::from_raw_handle(before) });
    }
    // SAFETY: the call has made it, for us alone.
    Ok(unsafe { OwnedFd::from_raw_handle(ptr::with_exposed_provenance_mut(known)) })
}

/// Takes over a socket for tags, perhaps from another process, and has calls fail that would have to wait.
pub(crate) fn take_tag_socket(socket: OwnedFd) -> io::Result<OwnedFd> {
    let socket = adopt(socket)?;
    never_block(&socket)?;
    Ok(socket)
}

/// Whether a handle is a socket.
pub(super) fn is_socket(handle: BorrowedFd<'_>) -> bool {
    // What is none for sure is told from others by the first, which is the cheaper question.
    // SAFETY: the handle is open, as it is borrowed.
    if unsafe { GetFileType(handle.as_raw_handle()) } != FILE_TYPE_PIPE {
        return false;
    }
    let mut address = SOCKADDR_STORAGE::default();
    let mut size = size_of::<SOCKADDR_STORAGE>() as i32;
    // SAFETY: any number may be asked about; the result has somewhere to go, which is as long as is said.
    let answer = unsafe { getsockname(socket_of(handle), (&raw mut address).cast(), &raw mut size) };
    // One that is bound to nothing is an error of its own.
    answer != SOCKET_ERROR || failure().raw_os_error() == Some(WSAEINVAL)
}

/// The address of a socket, if the number is that of a socket that has one.
fn own_address(socket: SOCKET) -> Option<SocketAddrV4> {
    let mut address = SOCKADDR_IN::default();
    let mut size = size_of::<SOCKADDR_IN>() as i32;
    // SAFETY: any number may be asked about; the result has somewhere to go, which is as long as is said.
    let answer = unsafe { getsockname(socket, (&raw mut address).cast(), &raw mut size) };
    if answer == SOCKET_ERROR || address.sin_family != AF_INET {
        return None;
    }
    // SAFETY: an address is a number, however it is looked at.
    let number = u32::from_be(unsafe { address.sin_addr.S_un.S_addr });
    Some(SocketAddrV4::new(Ipv4Addr::from(number), u16::from_be(address.sin_port)))
}

/// By what a connected socket is told from others, also from one that is given its number once it is closed.
pub(super) fn port(number: RawFd) -> Option<u16> {
    own_address(number).map(|address| address.port())
}

/// Takes over the handle that the parent has left open for this process, if it really is a socket within this machine.
pub(crate) fn channel_from_parent(number: RawFd) -> io::Result<OwnedFd> {
    let strange = |what| io::Error::new(io::ErrorKind::InvalidInput, what);
    // Sees to it that the library of sockets is there.
    drop(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?);
    // What is connected from there leads to there.
    match own_address(number) {
        Some(address) if address.ip().is_loopback() => {}
        Some(_) => return Err(strange("it does not lead to a process of this machine")),
        None => return Err(strange("no such socket is open")),
    }
    // SAFETY: it is open, as was just asked, and no other thread runs yet that could close it; the parent has left it to this
    // process and named it in the marker, which nothing else reads.
    let socket = unsafe { OwnedFd::from_raw_handle(ptr::with_exposed_provenance_mut(number)) };
    adopt(socket)
}
