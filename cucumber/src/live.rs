//! `Live`: a connection that crosses as its recipe.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use serde::de::Visitor;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::credentials::{Credentials, DEFAULT};
use crate::error::{Error, Kind, Result, Segment};
use crate::reconnect::Reconnect;
use crate::scope;
use crate::secret::Provider;

/// How long an attempt to connect may take, where nothing sets a shorter limit.
pub(crate) const ATTEMPT: Duration = Duration::from_secs(10);

/// The least time to answer. Whoever comes after a slow one, with no time left, is not dead for that.
const LEAST: Duration = Duration::from_millis(100);

/// What the decoder knows a live resource by.
pub(crate) const MARK: &str = "$cucumber::Live";

/// A connection, or what is needed to make one.
///
/// It is used like the connection itself. Serialised, only its [recipe](Reconnect::Recipe) is written; on the other side it
/// connects again when it is first used, with a secret from that side's [`Credentials`]. Its own secret never travels.
///
/// ```
/// use cucumber::{BoxError, Live, Reconnect, Secret};
///
/// struct Logbook { file: String }
/// impl Reconnect for Logbook {
///     type Recipe = String;
///     fn connect(file: &String, _: Option<&Secret>, _: std::time::Duration) -> Result<Self, BoxError> {
///         Ok(Logbook { file: file.clone() })
///     }
/// }
///
/// let here = Live::<Logbook>::new("app.log".to_owned());
/// let there: Live<Logbook> = cucumber::from_bytes(&cucumber::to_bytes(&here)?)?;
/// assert!(!there.is_connected());
/// assert_eq!(there.file, "app.log");
/// assert!(there.is_connected());
/// # Ok::<(), cucumber::Error>(())
/// ```
///
/// # Panics
///
/// Used like the connection, it panics when it cannot connect, with the [`Error`] as the payload; [`connection`](Live::connection) returns it.
pub struct Live<C: Reconnect> {
    recipe: C::Recipe,
    connection: OnceLock<C>,
    /// Held while connecting, so that two threads do not both.
    connecting: Mutex<()>,
    provider: Option<Provider>,
    /// The field that it was decoded in.
    name: Option<String>,
}

impl<C: Reconnect> Live<C> {
    /// Not connected yet.
    #[must_use]
    pub fn new(recipe: C::Recipe) -> Self {
        Self { recipe, connection: OnceLock::new(), connecting: Mutex::new(()), provider: None, name: None }
    }

    /// Connected already.
    #[must_use]
    pub fn with(connection: C, recipe: C::Recipe) -> Self {
        Self { connection: OnceLock::from(connection), ..Self::new(recipe) }
    }

    /// Connects to what a text describes, such as a URL or a path. A password in it is kept, but never written.
    ///
    /// # Errors
    ///
    /// When the text describes nothing, or connecting fails.
    pub fn open(text: &str) -> Result<Self> {
        let live = Self::lazy(text)?;
        live.connection()?;
        Ok(live)
    }

    /// As [`open`](Live::open), but connects when it is first used.
    ///
    /// # Errors
    ///
    /// When the text describes nothing.
    pub fn lazy(text: &str) -> Result<Self> {
        let (recipe, secret) = C::parse(text).map_err(|error| {
            Error::new(Kind::Connect(format!("this describes no `{}`", crate::type_name::<C>())))
                .caused_by(error)
        })?;
        Ok(Self { provider: secret.map(Provider::literal), ..Self::new(recipe) })
    }

    /// Connects by a recipe, with the secret of the provider.
    ///
    /// # Errors
    ///
    /// When the secret cannot be had, or connecting fails.
    pub fn connect(recipe: C::Recipe, provider: Option<Provider>) -> Result<Self> {
        let live = Self { provider, ..Self::new(recipe) };
        live.connection()?;
        Ok(live)
    }

    /// The connection, made now if there is none; that may take 10 seconds.
    ///
    /// # Errors
    ///
    /// When the secret cannot be had, or connecting fails.
    pub fn connection(&self) -> Result<&C> {
        self.ensure().map_err(|error| self.locate(error))
    }

    /// The connection, made now if there is none.
    ///
    /// # Errors
    ///
    /// As [`connection`](Live::connection).
    pub fn connection_mut(&mut self) -> Result<&mut C> {
        self.connection()?;
        let missing = || Error::new(Kind::Connect("the connection was lost while it was made".to_owned()));
        self.connection.get_mut().ok_or_else(missing)
    }

    /// Ends the connection in good order, if there is one. The next use connects again.
    ///
    /// What a database in memory holds comes back then, except for a transaction that is still open: it takes the database
    /// back to where it was connected.
    pub fn close(&mut self) {
        if let Some(connection) = self.connection.take() {
            if let Ok(Some(recipe)) = connection.snapshot(&self.recipe) {
                self.recipe = recipe;
            }
            connection.close();
        }
    }

    /// Whether there is a connection; it may be dead all the same.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.connection.get().is_some()
    }

    /// What is written of it.
    #[must_use]
    pub fn recipe(&self) -> &C::Recipe {
        &self.recipe
    }

    /// Says where the secret comes from. It stays in this process.
    pub fn set_provider(&mut self, provider: Provider) {
        self.provider = Some(provider);
    }

    /// Takes the secret for the field `name` from `credentials`, if they have one.
    pub(crate) fn provide(&mut self, credentials: &Credentials, name: Option<&str>) {
        if let Some(provider) = credentials.lookup::<C>(name.unwrap_or(DEFAULT)) {
            self.provider = Some(provider.clone());
        }
        self.name = name.map(str::to_owned);
    }

    /// Whether it waits for its first use: nobody needs to give it a secret.
    pub(crate) fn is_lazy(&self) -> bool {
        self.provider.is_none() && !C::needs_secret(&self.recipe)
    }

    /// Whether there is a connection that works, as it shows within `limit` or a moment. A dead one is dropped.
    pub(crate) fn is_alive(&mut self, limit: Duration) -> bool {
        let Some(connection) = self.connection.take() else { return false };
        let alive = connection.if_alive(&self.recipe, limit.max(LEAST));
        self.connection = alive.map(OnceLock::from).unwrap_or_default();
        self.is_connected()
    }

    /// Connects, and says whether another attempt may succeed where this one failed.
    pub(crate) fn attempt(&self, limit: Duration) -> Result<&C, (Error, bool)> {
        let _one_at_a_time = self.connecting.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(connection) = self.connection.get() {
            return Ok(connection);
        }
        let connection = self.make(limit)?;
        Ok(self.connection.get_or_init(|| connection))
    }

    fn make(&self, limit: Duration) -> Result<C, (Error, bool)> {
        let needed = C::needs_secret(&self.recipe);
        let (secret, unavailable) = match self.provider.as_ref().map(Provider::resolve) {
            Some(Ok(secret)) => (Some(secret), None),
            // The other side may let us in without.
            Some(Err(error)) if !needed => (None, Some(error)),
            Some(Err(error)) => return Err((error, false)),
            None if needed => return Err((self.no_credential(), false)),
            None => (None, None),
        };
        C::connect(&self.recipe, secret.as_ref(), limit).map_err(|error| {
            let transient = C::is_transient(&*error);
            let error = match &secret {
                Some(secret) => secret.scrub(error),
                None => error,
            };
            let mut text = format!("cannot connect `{}`", crate::type_name::<C>());
            if let Some(unavailable) = unavailable {
                text = format!("{text} without a credential: {unavailable}");
            }
            (Error::new(Kind::Connect(text)).caused_by(error), transient)
        })
    }

    fn no_credential(&self) -> Error {
        let name = self.name.as_deref().unwrap_or(DEFAULT);
        Error::new(Kind::Credential(format!(
            "no credential named `{name}`; add it to the `#[autoreconnect]` of the process it is used in, or give it by \
             `set_provider`"
        )))
    }

    fn ensure(&self) -> Result<&C> {
        match self.connection.get() {
            Some(connection) => Ok(connection),
            None => self.attempt(ATTEMPT).map_err(|(error, _)| error),
        }
    }

    /// What is written of it: the recipe, or the one that the connection has for what became of it.
    fn current(&self) -> Result<Cow<'_, C::Recipe>> {
        let snapshot = self.connection.get().map(|connection| connection.snapshot(&self.recipe)).transpose();
        match snapshot {
            Ok(Some(Some(recipe))) => Ok(Cow::Owned(recipe)),
            Ok(_) => Ok(Cow::Borrowed(&self.recipe)),
            Err(error) => {
                let text = format!("cannot write this `{}` now", crate::type_name::<C>());
                Err(Error::unsupported(text).caused_by(error))
            }
        }
    }

    fn locate(&self, error: Error) -> Error {
        match &self.name {
            Some(name) => error.within(Segment::Name(name.clone())),
            None => error,
        }
    }
}

impl<C: Reconnect> Deref for Live<C> {
    type Target = C;

    #[track_caller]
    fn deref(&self) -> &C {
        self.connection().unwrap_or_else(|error| std::panic::panic_any(error))
    }
}

impl<C: Reconnect> DerefMut for Live<C> {
    #[track_caller]
    fn deref_mut(&mut self) -> &mut C {
        self.connection_mut().unwrap_or_else(|error| std::panic::panic_any(error))
    }
}

/// Another connection by the same recipe, not made yet; of a database in memory, a copy.
///
/// Panics where this connection [cannot be written](Reconnect::snapshot) now, with the [`Error`] as the payload.
impl<C: Reconnect> Clone for Live<C> {
    #[track_caller]
    fn clone(&self) -> Self {
        let recipe = match self.current() {
            Ok(recipe) => recipe.into_owned(),
            Err(error) => std::panic::panic_any(self.locate(error)),
        };
        Self { provider: self.provider.clone(), name: self.name.clone(), ..Self::new(recipe) }
    }
}

impl<C: Reconnect> fmt::Debug for Live<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Live")
            .field("of", &crate::type_name::<C>())
            .field("connected", &self.is_connected())
            .field("provider", &self.provider)
            .finish_non_exhaustive()
    }
}

impl<C: Reconnect> Serialize for Live<C> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let recipe = self.current().map_err(|error| {
            let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}"));
            serde::ser::Error::custom(format_args!("{error}{}", cause.unwrap_or_default()))
        })?;
        serializer.serialize_newtype_struct(MARK, &*recipe)
    }
}

impl<'de, C: Reconnect> Deserialize<'de> for Live<C> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct(MARK, RecipeVisitor(PhantomData))
    }
}

struct RecipeVisitor<C>(PhantomData<C>);

impl<'de, C: Reconnect> Visitor<'de> for RecipeVisitor<C> {
    type Value = Live<C>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the recipe of a `{}`", std::any::type_name::<C>())
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Live<C>, D::Error> {
        // Before the recipe is read, which has fields of its own.
        let found = scope::credentials();
        let mut live = Live::<C>::new(C::Recipe::deserialize(deserializer)?);
        if let Some((credentials, name)) = found {
            live.provide(&credentials, name.as_deref());
        }
        Ok(live)
    }
}
