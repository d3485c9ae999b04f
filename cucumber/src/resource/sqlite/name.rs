//! What SQLite is told to open: a path, a URI, or one of its special names.

use std::env;
use std::ffi::OsString;
use std::fmt;
use std::path::{self, Path};

use rusqlite::{Connection, OpenFlags};
use serde::{Deserialize, Deserializer, Serialize, Serializer, ser};

use super::uri::Uri;

/// How the extensions that encrypt a database are given its key.
const KEYS: [&str; 3] = ["key", "hexkey", "textkey"];

const HAS_KEY: &str = "the URI of this SQLite database holds its key (`key`, `hexkey` or `textkey`), which would be \
    written with it; leave the key out, and write a `Reconnect` that runs `PRAGMA key` with the secret that it is given";

const UNKNOWN: &str = "SQLite does not tell where the file of this connection is, as its path is no UTF-8; give the path \
    yourself, with `Live::with(connection, SqliteRecipe::new(path))`";

/// Whatever bytes a name has, they cross.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Name {
    text: OsString,
    /// Why no database is opened or written by this name.
    trouble: Option<&'static str>,
}

impl Name {
    /// Of a file whose path may be taken from here.
    pub(super) fn new(name: &Path) -> Self {
        let bytes = name.as_os_str().as_encoded_bytes();
        let absolute = match Uri::parse(bytes) {
            Some(uri) if is_somewhere_else(&uri) => None,
            Some(uri) => env::current_dir().ok().and_then(|here| uri.below(&here)).map(OsString::from),
            None if is_special(bytes) => None,
            None => path::absolute(name).ok().map(OsString::from),
        };
        absolute.unwrap_or_else(|| name.into()).into()
    }

    /// Of what a connection has open.
    pub(super) fn of(connection: &Connection) -> Self {
        match connection.path().map(OsString::from).or_else(|| path_of(connection)) {
            Some(path) => Self::new(path.as_ref()),
            None => Self { text: OsString::new(), trouble: Some(UNKNOWN) },
        }
    }

    pub(super) fn text(&self) -> &OsString {
        &self.text
    }

    /// # Errors
    ///
    /// When no database may be opened or written by this name.
    pub(super) fn check(&self) -> Result<(), &'static str> {
        self.trouble.map_or(Ok(()), Err)
    }

    /// Whether SQLite has to read it as a URI. Some builds do so only when they are told.
    pub(super) fn is_uri(&self) -> bool {
        Uri::parse(self.text.as_encoded_bytes()).is_some()
    }

    /// Whether the database is in memory. A file that SQLite makes for one connection and nobody else can open is as good.
    pub(super) fn is_in_memory(&self, flags: OpenFlags) -> bool {
        // Of a file that is not known, it is not known what it holds either.
        if self.trouble.is_some() {
            return false;
        }
        let by_flag = flags.contains(OpenFlags::SQLITE_OPEN_MEMORY);
        let bytes = self.text.as_encoded_bytes();
        match Uri::parse(bytes) {
            Some(uri) => {
                is_in_memory(&uri) || uri.parameter("mode").map_or(by_flag, |mode| mode == b"memory")
            }
            None => is_special(bytes) || by_flag,
        }
    }
}

/// The path of a connection's file, if it is no UTF-8.
#[cfg(unix)]
fn path_of(connection: &Connection) -> Option<OsString> {
    use std::os::unix::ffi::OsStringExt;

    // A database of UTF-16 has SQLite take the path there and back, and what is no text gets lost on the way.
    let encoding: String = connection.query_row("PRAGMA encoding", (), |row| row.get(0)).ok()?;
    if encoding != "UTF-8" {
        return None;
    }
    // The first in the list is the main one.
    let path =
        connection.query_row("PRAGMA database_list", (), |row| Ok(row.get_ref("file")?.as_bytes()?.to_vec()));
    path.ok().filter(|path| !path.is_empty()).map(OsString::from_vec)
}

/// SQLite has every path as UTF-8 here.
#[cfg(not(unix))]
fn path_of(_: &Connection) -> Option<OsString> {
    None
}

/// The name of a database in memory, or of none.
fn is_special(name: &[u8]) -> bool {
    name.is_empty() || name == b":memory:"
}

fn is_in_memory(uri: &Uri<'_>) -> bool {
    is_special(&uri.path()) || uri.parameter("vfs").is_some_and(|vfs| vfs == b"memdb")
}

/// Whether the path is none of a file: a database in memory is only named by it, and a VFS of one's own may have names of its own.
fn is_somewhere_else(uri: &Uri<'_>) -> bool {
    let own = |vfs: Vec<u8>| !vfs.starts_with(b"unix") && !vfs.starts_with(b"win32");
    is_in_memory(uri)
        || uri.parameter("mode").is_some_and(|mode| mode == b"memory")
        || uri.parameter("vfs").is_some_and(own)
}

impl From<OsString> for Name {
    fn from(text: OsString) -> Self {
        let has_key = Uri::parse(text.as_encoded_bytes())
            .is_some_and(|uri| KEYS.iter().any(|key| uri.parameter(key).is_some()));
        Self { text, trouble: has_key.then_some(HAS_KEY) }
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.trouble {
            // There may be a secret in it.
            Some(_) => f.write_str("(not shown)"),
            None => self.text.fmt(f),
        }
    }
}

impl Serialize for Name {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.check().map_err(ser::Error::custom)?;
        self.text.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        OsString::deserialize(deserializer).map(Self::from)
    }
}
