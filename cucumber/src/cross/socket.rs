//! Sockets: open where the system can hand them over, else connected or bound anew.

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
#[cfg(unix)]
use std::os::fd::AsFd;
#[cfg(unix)]
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
#[cfg(unix)]
use std::path::{Path, PathBuf};
use std::time::Duration;

#[cfg(unix)]
use rustix::io::Errno;
#[cfg(unix)]
use rustix::net::{self, AddressFamily, SocketAddrUnix, SocketType};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_with::{DeserializeAs, SerializeAs};

use super::{Cross, handle};

/// How long a connection may take that is made because a value says so.
const CONNECT: Duration = Duration::from_secs(10);

#[derive(Serialize, Deserialize)]
struct Stream<Address> {
    peer: Address,
    read_timeout: Option<Duration>,
    write_timeout: Option<Duration>,
    no_delay: bool,
    non_blocking: bool,
}

#[derive(Serialize, Deserialize)]
struct Listener<Address> {
    local: Address,
    non_blocking: bool,
}

#[derive(Serialize, Deserialize)]
struct Datagrams<Address> {
    local: Address,
    peer: Option<Address>,
    read_timeout: Option<Duration>,
    write_timeout: Option<Duration>,
    non_blocking: bool,
}

#[cfg(unix)]
fn is_non_blocking(socket: &impl AsFd) -> io::Result<bool> {
    Ok(rustix::fs::fcntl_getfl(socket)?.contains(rustix::fs::OFlags::NONBLOCK))
}

/// There a socket tells nobody.
#[cfg(not(unix))]
fn is_non_blocking<T>(_socket: &T) -> io::Result<bool> {
    Ok(false)
}

#[cfg(unix)]
type Name = std::ffi::OsString;

#[cfg(unix)]
fn name(address: &std::os::unix::net::SocketAddr) -> io::Result<Name> {
    address.as_pathname().map(|path: &Path| path.as_os_str().to_owned()).ok_or_else(|| {
        io::Error::other("this socket has no path, so plain bytes cannot say how to connect it again")
    })
}

/// Binds a socket to a name that may be left over: whoever had it last leaves the file behind. Two that do so at the same moment may
/// both succeed, and the second then has the name; no call of the system takes over a name that nobody listens at.
#[cfg(unix)]
fn taken_over<T>(path: &Path, kind: SocketType, bind: impl Fn(&Path) -> io::Result<T>) -> io::Result<T> {
    match bind(path) {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse && is_left_over(path, kind) => {
            std::fs::remove_file(path)?;
            bind(path)
        }
        outcome => outcome,
    }
}

/// Whether it is a socket's name, and nobody is there.
#[cfg(unix)]
fn is_left_over(path: &Path, kind: SocketType) -> bool {
    use std::os::unix::fs::FileTypeExt as _;

    // Any other file refuses as well.
    let is_socket = std::fs::symlink_metadata(path).is_ok_and(|about| about.file_type().is_socket());
    let knock = || {
        let socket = net::socket(AddressFamily::UNIX, kind, None)?;
        // Whoever is there and has no time lets others wait.
        rustix::io::ioctl_fionbio(&socket, true)?;
        net::connect(&socket, &SocketAddrUnix::new(path)?)
    };
    is_socket && knock() == Err(Errno::CONNREFUSED)
}

macro_rules! sockets {
    ($($socket:ident, $recipe:ty, |$value:ident| $describe:expr, |$taken:ident| $open:expr;)*) => {$(
        impl SerializeAs<$socket> for Cross {
            fn serialize_as<S: Serializer>($value: &$socket, serializer: S) -> Result<S::Ok, S::Error> {
                handle::write($value, || -> io::Result<$recipe> { Ok($describe) }, serializer)
            }
        }

        impl<'de> DeserializeAs<'de, $socket> for Cross {
            fn deserialize_as<D: Deserializer<'de>>(deserializer: D) -> Result<$socket, D::Error> {
                handle::read(deserializer, |$taken: $recipe| -> io::Result<$socket> { $open })
            }
        }
    )*};
}

sockets! {
    TcpStream, Stream<SocketAddr>,
    |stream| Stream {
        peer: stream.peer_addr()?,
        read_timeout: stream.read_timeout()?,
        write_timeout: stream.write_timeout()?,
        non_blocking: is_non_blocking(stream)?,
        no_delay: stream.nodelay()?,
    },
    |recipe| {
        let stream = TcpStream::connect_timeout(&recipe.peer, CONNECT)?;
        stream.set_read_timeout(recipe.read_timeout)?;
        stream.set_write_timeout(recipe.write_timeout)?;
        stream.set_nonblocking(recipe.non_blocking)?;
        stream.set_nodelay(recipe.no_delay)?;
        Ok(stream)
    };

    TcpListener, Listener<SocketAddr>,
    |listener| Listener { local: listener.local_addr()?, non_blocking: is_non_blocking(listener)? },
    |recipe| {
        let listener = TcpListener::bind(recipe.local)?;
        listener.set_nonblocking(recipe.non_blocking)?;
        Ok(listener)
    };

    UdpSocket, Datagrams<SocketAddr>,
    |socket| Datagrams {
        local: socket.local_addr()?,
        peer: socket.peer_addr().ok(),
        read_timeout: socket.read_timeout()?,
        write_timeout: socket.write_timeout()?,
        non_blocking: is_non_blocking(socket)?,
    },
    |recipe| {
        let socket = UdpSocket::bind(recipe.local)?;
        if let Some(peer) = recipe.peer {
            socket.connect(peer)?;
        }
        socket.set_read_timeout(recipe.read_timeout)?;
        socket.set_write_timeout(recipe.write_timeout)?;
        socket.set_nonblocking(recipe.non_blocking)?;
        Ok(socket)
    };
}

#[cfg(unix)]
sockets! {
    UnixStream, Stream<Name>,
    |stream| Stream {
        peer: name(&stream.peer_addr()?)?,
        read_timeout: stream.read_timeout()?,
        write_timeout: stream.write_timeout()?,
        non_blocking: is_non_blocking(stream)?,
        no_delay: false,
    },
    |recipe| {
        let stream = UnixStream::connect(PathBuf::from(recipe.peer))?;
        stream.set_read_timeout(recipe.read_timeout)?;
        stream.set_write_timeout(recipe.write_timeout)?;
        stream.set_nonblocking(recipe.non_blocking)?;
        Ok(stream)
    };

    UnixListener, Listener<Name>,
    |listener| Listener { local: name(&listener.local_addr()?)?, non_blocking: is_non_blocking(listener)? },
    |recipe| {
        let bind = |path: &Path| UnixListener::bind(path);
        let listener = taken_over(Path::new(&recipe.local), SocketType::STREAM, bind)?;
        listener.set_nonblocking(recipe.non_blocking)?;
        Ok(listener)
    };

    UnixDatagram, Datagrams<Name>,
    |socket| Datagrams {
        local: name(&socket.local_addr()?)?,
        peer: socket.peer_addr().ok().and_then(|peer| name(&peer).ok()),
        read_timeout: socket.read_timeout()?,
        write_timeout: socket.write_timeout()?,
        non_blocking: is_non_blocking(socket)?,
    },
    |recipe| {
        let bind = |path: &Path| UnixDatagram::bind(path);
        let socket = taken_over(Path::new(&recipe.local), SocketType::DGRAM, bind)?;
        if let Some(peer) = recipe.peer {
            socket.connect(PathBuf::from(peer))?;
        }
        socket.set_read_timeout(recipe.read_timeout)?;
        socket.set_write_timeout(recipe.write_timeout)?;
        socket.set_nonblocking(recipe.non_blocking)?;
        Ok(socket)
    };
}
