//! Whether there is a PostgreSQL server behind an address, asked in a way that has an end.
//!
//! The blocking driver cannot be told how long a server may take to say its first word: a peer that takes the connection
//! and is silent would hold it for ever, with the thread that waits for it, and keep us from the next host. So somebody else
//! goes first, asks "do you speak TLS?", which every server answers with one byte before anything else, and leaves.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
#[cfg(unix)]
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use super::{Place, PostgresRecipe};

const PORT: u16 = 5432;

/// `SSLRequest`: its length, and the number that is no version of the protocol.
const DO_YOU_SPEAK_TLS: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];

/// The same recipe without the hosts that took a connection and were silent; an error when there is no other.
pub(super) fn without_silent_hosts(recipe: &PostgresRecipe, limit: Duration) -> io::Result<PostgresRecipe> {
    let mut kept = recipe.clone();
    // Where TLS begins at once, there is nothing that we could ask.
    if recipe.direct {
        return Ok(kept);
    }
    let end = Instant::now() + limit;
    let hosts = recipe.hosts.len().max(recipe.addresses.len());
    for index in 0..hosts {
        // Half of what is left, so that there is time for the next host, and for the driver.
        let limit = (end.saturating_duration_since(Instant::now()) / 2).max(Duration::from_millis(1));
        match ask(recipe, index, limit) {
            // The driver takes the first one that it can reach.
            Ok(()) if !recipe.shuffled => break,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                let gone = hosts - kept.hosts.len().max(kept.addresses.len());
                kept.remove(index - gone);
                if kept.hosts.is_empty() && kept.addresses.is_empty() {
                    let text = format!("the server took the connection, and said nothing for {limit:.1?}");
                    return Err(io::Error::new(ErrorKind::TimedOut, text));
                }
            }
            // What else is wrong the driver says better.
            Ok(()) | Err(_) => {}
        }
    }
    Ok(kept)
}

impl PostgresRecipe {
    fn remove(&mut self, index: usize) {
        if index < self.hosts.len() {
            self.hosts.remove(index);
        }
        if index < self.addresses.len() {
            self.addresses.remove(index);
        }
        // A single port is for all hosts.
        if self.ports.len() > 1 {
            self.ports.remove(index);
        }
    }
}

fn ask(recipe: &PostgresRecipe, index: usize, limit: Duration) -> io::Result<()> {
    let port = *recipe.ports.get(index).or(recipe.ports.first()).unwrap_or(&PORT);
    match (recipe.addresses.get(index), recipe.hosts.get(index)) {
        (Some(address), _) => at((*address, port), limit),
        (None, Some(Place::Name(name))) => at((name.as_str(), port), limit),
        #[cfg(unix)]
        (None, Some(Place::Directory(directory))) => {
            let socket = std::path::Path::new(directory).join(format!(".s.PGSQL.{port}"));
            in_person(UnixStream::connect(socket)?, limit)
        }
        // The driver says that there are none here.
        #[cfg(not(unix))]
        (None, Some(Place::Directory(_))) => Err(ErrorKind::Unsupported.into()),
        (None, None) => Err(ErrorKind::NotFound.into()),
    }
}

fn at(place: impl ToSocketAddrs, limit: Duration) -> io::Result<()> {
    let mut last = io::Error::from(ErrorKind::AddrNotAvailable);
    for address in place.to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, limit) {
            Ok(stream) => return in_person(stream, limit),
            // Not reached in time: the driver has the same limit.
            Err(error) if error.kind() == ErrorKind::TimedOut => last = ErrorKind::NotConnected.into(),
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn in_person(stream: impl Conversation, limit: Duration) -> io::Result<()> {
    stream.limit(limit)?;
    let mut stream = stream;
    stream.write_all(&DO_YOU_SPEAK_TLS)?;
    stream.read_exact(&mut [0])
}

trait Conversation: Read + Write {
    fn limit(&self, limit: Duration) -> io::Result<()>;
}

impl Conversation for TcpStream {
    fn limit(&self, limit: Duration) -> io::Result<()> {
        self.set_read_timeout(Some(limit))
    }
}

#[cfg(unix)]
impl Conversation for UnixStream {
    fn limit(&self, limit: Duration) -> io::Result<()> {
        self.set_read_timeout(Some(limit))
    }
}
