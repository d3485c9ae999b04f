//! Sockets: open where the system can hand them over, else connected or bound anew.

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
#[cfg(unix)]
use std::os::unix::net::{self, UnixDatagram, UnixListener, UnixStream};
#[cfg(unix)]
use std::path::{Path, PathBuf};
use std::time::Duration;

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
}

#[derive(Serialize, Deserialize)]
struct Datagrams<Address> {
    local: Address,
    peer: Option<Address>,
    read_timeout: Option<Duration>,
    write_timeout: Option<Duration>,
}

#[cfg(unix)]
type Name = std::ffi::OsString;

#[cfg(unix)]
fn name(address: &net::SocketAddr) -> io::Result<Name> {
    address.as_pathname().map(|path: &Path| path.as_os_str().to_owned()).ok_or_else(|| {
        io::Error::other("this socket has no path, so plain bytes cannot say how to connect it again")
    })
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
        no_delay: stream.nodelay()?,
    },
    |recipe| {
        let stream = TcpStream::connect_timeout(&recipe.peer, CONNECT)?;
        stream.set_read_timeout(recipe.read_timeout)?;
        stream.set_write_timeout(recipe.write_timeout)?;
        stream.set_nodelay(recipe.no_delay)?;
        Ok(stream)
    };

    TcpListener, SocketAddr,
    |listener| listener.local_addr()?,
    |address| TcpListener::bind(address);

    UdpSocket, Datagrams<SocketAddr>,
    |socket| Datagrams {
        local: socket.local_addr()?,
        peer: socket.peer_addr().ok(),
        read_timeout: socket.read_timeout()?,
        write_timeout: socket.write_timeout()?,
    },
    |recipe| {
        let socket = UdpSocket::bind(recipe.local)?;
        if let Some(peer) = recipe.peer {
            socket.connect(peer)?;
        }
        socket.set_read_timeout(recipe.read_timeout)?;
        socket.set_write_timeout(recipe.write_timeout)?;
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
        no_delay: false,
    },
    |recipe| {
        let stream = UnixStream::connect(PathBuf::from(recipe.peer))?;
        stream.set_read_timeout(recipe.read_timeout)?;
        stream.set_write_timeout(recipe.write_timeout)?;
        Ok(stream)
    };

    UnixListener, Name,
    |listener| name(&listener.local_addr()?)?,
    |path| UnixListener::bind(PathBuf::from(path));

    UnixDatagram, Datagrams<Name>,
    |socket| Datagrams {
        local: name(&socket.local_addr()?)?,
        peer: socket.peer_addr().ok().and_then(|peer| name(&peer).ok()),
        read_timeout: socket.read_timeout()?,
        write_timeout: socket.write_timeout()?,
    },
    |recipe| {
        let socket = UnixDatagram::bind(PathBuf::from(recipe.local))?;
        if let Some(peer) = recipe.peer {
            socket.connect(PathBuf::from(peer))?;
        }
        socket.set_read_timeout(recipe.read_timeout)?;
        socket.set_write_timeout(recipe.write_timeout)?;
        Ok(socket)
    };
}
