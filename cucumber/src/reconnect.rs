//! A live thing that can be brought back: what to remember of it, and how to rebuild it.

use std::error::Error as StdError;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::BoxError;
use crate::secret::Secret;

/// A connection that can be described by a recipe and rebuilt from it, in this process or in another.
///
/// The recipe is what is serialised, so it must hold no secret: that comes at the moment of connecting, from the
/// [`Provider`](crate::Provider) of the field.
///
/// ```
/// use std::net::TcpStream;
/// use cucumber::{BoxError, Live, Reconnect, Secret};
/// # use std::io::Write;
///
/// struct Logbook(TcpStream);
///
/// impl Reconnect for Logbook {
///     type Recipe = String;
///
///     fn connect(address: &String, _secret: Option<&Secret>) -> Result<Self, BoxError> {
///         Ok(Logbook(TcpStream::connect(address)?))
///     }
///
///     fn is_alive(&mut self) -> bool {
///         self.0.take_error().is_ok_and(|error| error.is_none())
///     }
/// }
///
/// let logbook = Live::<Logbook>::new("127.0.0.1:514".to_owned());
/// assert!(!logbook.is_connected());
/// ```
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

    /// Connects.
    ///
    /// # Errors
    ///
    /// Whatever the driver says; should it quote the secret, that is taken out of the error.
    fn connect(recipe: &Self::Recipe, secret: Option<&Secret>) -> Result<Self, BoxError>;

    /// Whether the connection still works; may ask the other side.
    fn is_alive(&mut self) -> bool {
        true
    }

    /// Whether another attempt may succeed where this one failed. A wrong password, for one, stays wrong.
    fn is_transient(error: &(dyn StdError + 'static)) -> bool {
        let _ = error;
        true
    }

    /// Ends the connection in good order.
    fn close(self) {}
}
