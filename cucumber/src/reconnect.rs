//! A live thing that can be brought back: what to remember of it, and how to rebuild it.

use std::error::Error as StdError;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::BoxError;
use crate::secret::Secret;

/// A connection that can be described by a recipe and rebuilt from it, in this process or in another.
///
/// The recipe is what is serialised, so it must hold no secret: that comes at the moment of connecting, from the
/// [`Provider`](crate::Provider) of the field. Only [`connect`](Reconnect::connect) has to be written; the rest has answers
/// that are right for a connection that is there or is not. This is a whole one, with a password and a look before each use:
///
/// ```
/// use std::net::TcpStream;
/// use std::time::Duration;
/// use cucumber::{BoxError, Live, Reconnect, Secret};
/// # use std::io::Write;
///
/// struct Logbook(TcpStream);
///
/// impl Reconnect for Logbook {
///     type Recipe = std::net::SocketAddr;
///
///     fn connect(server: &Self::Recipe, secret: Option<&Secret>, limit: Duration) -> Result<Self, BoxError> {
///         let mut stream = TcpStream::connect_timeout(server, limit)?;
///         stream.set_read_timeout(Some(limit))?;
///         writeln!(stream, "hello {}", secret.map_or("", Secret::expose))?;
///         Ok(Logbook(stream))
///     }
///
///     fn is_alive(&mut self, _: &Self::Recipe, _: Duration) -> bool {
///         writeln!(self.0, "ping").is_ok()
///     }
/// }
///
/// let logbook = Live::<Logbook>::new("127.0.0.1:514".parse()?);
/// assert!(!logbook.is_connected());
/// # Ok::<(), std::net::AddrParseError>(())
/// ```
///
/// A worker asks [`is_alive`](Reconnect::is_alive) before each of its runs and connects again when the answer is no: with
/// growing, irregular pauses while [`is_transient`](Reconnect::is_transient) says that waiting may help, and no longer than
/// the limit of its `prerun` allows.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be brought back to life",
    label = "no `cucumber::Reconnect` for this type",
    note = "implement `Reconnect` for it: a recipe, and how to connect from one"
)]
pub trait Reconnect: Sized + 'static {
    /// All that is needed to connect again, except the secret.
    type Recipe: Serialize + DeserializeOwned + Clone + 'static;

    /// Reads a text, such as a URL or a path, as a recipe and the secret that was in it.
    ///
    /// # Errors
    ///
    /// When the text describes nothing of the kind; as it stands, no text does.
    fn parse(text: &str) -> Result<(Self::Recipe, Option<Secret>), BoxError> {
        let _ = text;
        Err("there is no way to write it as a text; use `Live::new` or `Live::connect` with a recipe".into())
    }

    /// Whether this recipe is of no use without a secret.
    fn needs_secret(recipe: &Self::Recipe) -> bool {
        let _ = recipe;
        false
    }

    /// Connects, within `limit`.
    ///
    /// A server that takes the connection and then says nothing should be an error by then, too. In a worker the hook that
    /// waits for it is ended soon after, without this type's name in the error.
    ///
    /// # Errors
    ///
    /// Whatever the driver says; should it quote the secret, that is taken out of the error, also where it is written as `Debug` or
    /// a URL has it. Of a secret with fewer than four bytes nothing is shown that holds it.
    fn connect(recipe: &Self::Recipe, secret: Option<&Secret>, limit: Duration) -> Result<Self, BoxError>;

    /// Whether the connection still works; may ask the other side, which has `limit` to answer.
    fn is_alive(&mut self, recipe: &Self::Recipe, limit: Duration) -> bool {
        let _ = (recipe, limit);
        true
    }

    /// The connection, if it [still works](Reconnect::is_alive).
    ///
    /// It is given away for the question, so that a driver which cannot be told when to stop waiting, or which waits when it is
    /// dropped, can be left to a thread that does. As it stands, asks, and drops what is dead.
    fn if_alive(mut self, recipe: &Self::Recipe, limit: Duration) -> Option<Self> {
        self.is_alive(recipe, limit).then_some(self)
    }

    /// Whether another attempt may succeed where this one failed. A wrong password, for one, stays wrong.
    fn is_transient(error: &(dyn StdError + 'static)) -> bool {
        let _ = error;
        true
    }

    /// The recipe to write instead of `recipe`, for a connection whose content goes with it, such as a database in memory.
    ///
    /// # Errors
    ///
    /// When there is something that cannot be written now; the value that it is part of is not written then.
    fn snapshot(&self, recipe: &Self::Recipe) -> Result<Option<Self::Recipe>, BoxError> {
        let _ = recipe;
        Ok(None)
    }

    /// Ends the connection in good order.
    fn close(self) {}
}
