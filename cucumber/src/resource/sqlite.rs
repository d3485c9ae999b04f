//! SQLite: a file's path, and how to open it; or all that a database in memory holds.

use std::error::Error as StdError;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, MAIN_DB, OpenFlags};
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use crate::error::BoxError;
use crate::live::Live;
use crate::reconnect::Reconnect;
use crate::secret::Secret;

mod name;
mod uri;

use name::Name;

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
///
/// A name that begins with `file:` is [a URI](https://sqlite.org/uri.html). One with a key in it (`key`, `hexkey`, `textkey`)
/// neither opens nor crosses, as the key would cross with it.
///
/// A database in memory crosses whole, also one by `mode=memory` or `vfs=memdb`, and so does a temporary one: the other side
/// has a copy of all its tables, indexes, views and triggers, page by page. One that was not connected yet is empty there,
/// whatever others here have in a shared one of that name. What belongs to the connection stays behind: temporary tables,
/// attached databases, functions, and the `PRAGMA`s that are not kept in a file. While a transaction is open, it cannot be
/// written.
///
/// ```
/// # #[cfg(feature = "sqlite-bundled")] {
/// use cucumber::Live;
///
/// let here = Live::<rusqlite::Connection>::open(":memory:")?;
/// here.execute_batch("CREATE TABLE words (word TEXT); INSERT INTO words VALUES ('one');")?;
/// let there: Live<rusqlite::Connection> = cucumber::from_bytes(&cucumber::to_bytes(&here)?)?;
/// assert_eq!(there.query_row("SELECT word FROM words", (), |row| row.get::<_, String>(0))?, "one");
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SqliteRecipe {
    #[serde(rename = "path")]
    name: Name,
    flags: i32,
    /// What a database in memory held when this was written.
    image: Option<ByteBuf>,
}

impl SqliteRecipe {
    /// The database in this file, for reading and writing, created if it is not there.
    ///
    /// A relative path is taken from here, wherever it is opened later, also in a URI. What begins with `file:` is a URI,
    /// whatever the flags say; write `./file:…` for a file with such a name.
    #[must_use]
    pub fn new(path: impl AsRef<Path>) -> Self {
        Self { name: Name::new(path.as_ref()), flags: OpenFlags::default().bits(), image: None }
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

    /// The file, or the URI.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.name.text().into()
    }

    fn flags(&self) -> OpenFlags {
        OpenFlags::from_bits_retain(self.flags)
    }
}

/// All that a database in memory holds, in the form of a file.
fn image(connection: &Connection) -> rusqlite::Result<ByteBuf> {
    /// Where the header says which version of the format writes the file, and which reads it.
    const VERSIONS: std::ops::Range<usize> = 18..20;
    let mut image = connection.serialize(MAIN_DB)?.to_vec();
    // What was a file with a write-ahead log still says so, and memory, which has none, cannot be opened as one.
    if image.len() >= 100 && image.starts_with(b"SQLite format 3\0") {
        image[VERSIONS].fill(1);
    }
    Ok(ByteBuf::from(image))
}

impl fmt::Debug for SqliteRecipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteRecipe")
            .field("path", &self.name)
            .field("flags", &self.flags())
            .field("image_bytes", &self.image.as_ref().map(|image| image.len()))
            .finish()
    }
}

impl Reconnect for Connection {
    type Recipe = SqliteRecipe;

    fn parse(text: &str) -> Result<(SqliteRecipe, Option<Secret>), BoxError> {
        let recipe = SqliteRecipe::new(text);
        recipe.name.check()?;
        Ok((recipe, None))
    }

    fn connect(recipe: &SqliteRecipe, _: Option<&Secret>, _: Duration) -> Result<Self, BoxError> {
        recipe.name.check()?;
        let mut flags = recipe.flags();
        if recipe.name.is_uri() {
            flags |= OpenFlags::SQLITE_OPEN_URI;
        }
        let Some(image) = &recipe.image else {
            return Ok(Connection::open_with_flags(recipe.name.text(), flags)?);
        };
        let mut connection = Connection::open_in_memory()?;
        let read_only = flags.contains(OpenFlags::SQLITE_OPEN_READ_ONLY);
        connection.deserialize_read_exact(MAIN_DB, &image[..], image.len(), read_only)?;
        // An image that is none is found out by reading it.
        connection.query_row("SELECT count(*) FROM sqlite_schema", (), |_| Ok(()))?;
        Ok(connection)
    }

    fn is_alive(&mut self, _: &SqliteRecipe, _: Duration) -> bool {
        self.query_row("SELECT 1", (), |_| Ok(())).is_ok()
    }

    fn is_transient(error: &(dyn StdError + 'static)) -> bool {
        let code = error.downcast_ref::<rusqlite::Error>().and_then(rusqlite::Error::sqlite_error_code);
        matches!(code, Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::CannotOpen))
    }

    fn snapshot(&self, recipe: &SqliteRecipe) -> Result<Option<SqliteRecipe>, BoxError> {
        if !recipe.name.is_in_memory(recipe.flags()) {
            return Ok(None);
        }
        if !self.is_autocommit() {
            return Err(
                "a transaction is open in this database in memory; commit it or roll it back first".into()
            );
        }
        let pages: i64 = self.query_row("PRAGMA page_count", (), |row| row.get(0))?;
        // One in which nothing ever was has no image.
        let image = if pages == 0 { None } else { Some(image(self)?) };
        Ok(Some(SqliteRecipe { image, ..recipe.clone() }))
    }

    fn close(self) {
        // A statement that is still open keeps the connection; then it ends with the statement.
        drop(Connection::close(self));
    }
}

/// Takes a connection as it is. One in memory crosses whole; any other is opened again by the path of its file, which has to be
/// there then: only for reading, if that is all that the connection can do. What else it was opened with is not known, such as
/// a VFS; give it with [`Live::with`].
///
/// SQLite tells no path that is no UTF-8 if the database's own text is UTF-16. Such a connection is neither written nor, once it
/// was closed, opened again: that is an error.
impl From<Connection> for Live<Connection> {
    fn from(connection: Connection) -> Self {
        let name = Name::of(&connection);
        let mut flags = OpenFlags::default();
        if !name.is_in_memory(flags) {
            flags.remove(OpenFlags::SQLITE_OPEN_CREATE);
        }
        let mut recipe = SqliteRecipe { name, flags: flags.bits(), image: None };
        if connection.is_readonly(MAIN_DB).unwrap_or(true) {
            recipe = recipe.read_only();
        }
        Live::with(connection, recipe)
    }
}
