//! SQLite: a file's path, and how to open it.

use std::error::Error as StdError;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, ErrorCode, OpenFlags};
use serde::{Deserialize, Serialize};

use crate::error::{BoxError, Error, Kind, Result};
use crate::live::Live;
use crate::reconnect::Reconnect;
use crate::secret::Secret;

/// How to open an SQLite database: what a `Live<rusqlite::Connection>` is written as.
///
/// ```no_run
/// use cucumber::{Live, SqliteRecipe};
///
/// // Created if it is not there.
/// let orders = Live::<rusqlite::Connection>::open("orders.db")?;
/// let archive = Live::<rusqlite::Connection>::new(SqliteRecipe::new("archive.db").read_only());
/// orders.execute("CREATE TABLE IF NOT EXISTS orders (id INTEGER PRIMARY KEY)", ())?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SqliteRecipe {
    /// Whatever bytes a path has, they cross.
    path: OsString,
    flags: i32,
}

impl SqliteRecipe {
    /// The database in this file, for reading and writing, created if it is not there.
    ///
    /// A relative path is taken from here, wherever it is opened later.
    #[must_use]
    pub fn new(path: impl AsRef<Path>) -> Self {
        let path = path.as_ref();
        let path = if is_plain(path) {
            std::path::absolute(path).unwrap_or_else(|_| path.into())
        } else {
            path.into()
        };
        Self { path: path.into(), flags: OpenFlags::default().bits() }
    }

    /// Only for reading; the file must be there.
    #[must_use]
    pub fn read_only(self) -> Self {
        self.with_flags(
            OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX,
        )
    }

    /// With these flags instead.
    #[must_use]
    pub fn with_flags(mut self, flags: OpenFlags) -> Self {
        self.flags = flags.bits();
        self
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.path.clone().into()
    }

    fn is_in_memory(&self) -> bool {
        let text = self.path.to_string_lossy();
        let flags = OpenFlags::from_bits_retain(self.flags);
        text.is_empty()
            || text.starts_with(":memory:")
            || (text.starts_with("file:") && (text.contains(":memory:") || text.contains("mode=memory")))
            || flags.contains(OpenFlags::SQLITE_OPEN_MEMORY)
    }
}

/// Neither a URI nor one of SQLite's special names.
fn is_plain(path: &Path) -> bool {
    let text = path.to_string_lossy();
    !text.is_empty() && !text.starts_with(':') && !text.starts_with("file:")
}

const IN_MEMORY: &str =
    "a database in memory stays in its process; open one in a file, such as a temporary one";

impl Reconnect for Connection {
    type Recipe = SqliteRecipe;

    fn parse(text: &str) -> Result<(SqliteRecipe, Option<Secret>), BoxError> {
        Ok((SqliteRecipe::new(text), None))
    }

    fn connect(recipe: &SqliteRecipe, _: Option<&Secret>) -> Result<Self, BoxError> {
        if recipe.is_in_memory() {
            return Err(IN_MEMORY.into());
        }
        Ok(Connection::open_with_flags(&recipe.path, OpenFlags::from_bits_retain(recipe.flags))?)
    }

    fn is_alive(&mut self) -> bool {
        self.query_row("SELECT 1", (), |_| Ok(())).is_ok()
    }

    fn is_transient(error: &(dyn StdError + 'static)) -> bool {
        let code = error.downcast_ref::<rusqlite::Error>().and_then(rusqlite::Error::sqlite_error_code);
        matches!(code, Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::CannotOpen))
    }

    fn close(self) {
        // A statement that is still open keeps the connection; then it ends with the statement.
        drop(Connection::close(self));
    }
}

/// Takes a connection as it is; it is opened again by the path of its file.
///
/// # Errors
///
/// When the database is in memory.
impl TryFrom<Connection> for Live<Connection> {
    type Error = Error;

    fn try_from(connection: Connection) -> Result<Self> {
        let recipe = SqliteRecipe::new(connection.path().unwrap_or_default());
        if recipe.is_in_memory() {
            return Err(Error::new(Kind::Connect(IN_MEMORY.to_owned())));
        }
        Ok(Live::with(connection, recipe))
    }
}
