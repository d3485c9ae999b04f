//! Redis and Valkey: where the server is and who asks, without the password.

use std::error::Error as StdError;
use std::path::PathBuf;
use std::time::Duration;

use redis::{
    Client, Connection, ConnectionAddr, ConnectionInfo, ErrorKind, IntoConnectionInfo, ProtocolVersion,
    RedisConnectionInfo, RedisError, ServerErrorKind,
};
use serde::{Deserialize, Serialize};

use crate::error::{BoxError, Error, Kind, Result};
use crate::reconnect::Reconnect;
use crate::resource::bounded;
use crate::secret::Secret;

/// What is said of a text that describes no server, and never what is wrong: that may be the password.
const FORM: &str =
    "write `redis://user:password@host:port/database`, with special characters as `%` and their code";

/// How to reach a Redis server: what a `Live<redis::Connection>` is written as.
///
/// ```no_run
/// use cucumber::{Live, Provider, RedisRecipe};
/// use redis::TypedCommands;
///
/// let mut cache = Live::<redis::Connection>::open("redis://:s3cret@cache.internal/3")?;
/// cache.set("greeting", "hello")?;
///
/// // The same, with the password from somewhere else, and no answer awaited for longer than two seconds.
/// let info = redis::IntoConnectionInfo::into_connection_info("redis://cache.internal/3")?;
/// let recipe = RedisRecipe::new(&info)?.with_password().answer_within(std::time::Duration::from_secs(2));
/// let cache = Live::<redis::Connection>::connect(recipe, Some(Provider::env("REDIS_PASSWORD")))?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RedisRecipe {
    place: Place,
    user: Option<String>,
    database: i64,
    resp3: bool,
    answer_timeout: Option<Duration>,
    has_password: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Place {
    Tcp(String, u16),
    Tls { host: String, port: u16, insecure: bool },
    Unix(PathBuf),
}

impl RedisRecipe {
    /// Everything of a connection's description but the password.
    ///
    /// # Errors
    ///
    /// When it has certificates of its own, which stay where they are.
    pub fn new(info: &ConnectionInfo) -> Result<Self> {
        let place = match info.addr() {
            ConnectionAddr::Tcp(host, port) => Place::Tcp(host.clone(), *port),
            ConnectionAddr::TcpTls { host, port, insecure, tls_params: None } => {
                Place::Tls { host: host.clone(), port: *port, insecure: *insecure }
            }
            ConnectionAddr::Unix(path) => Place::Unix(path.clone()),
            _ => {
                let text = "certificates of one's own do not cross; implement `Reconnect` for a type that brings them";
                return Err(Error::new(Kind::Connect(text.to_owned())));
            }
        };
        let redis = info.redis_settings();
        Ok(Self {
            place,
            user: redis.username().map(str::to_owned),
            database: redis.db(),
            resp3: redis.protocol().supports_resp3(),
            answer_timeout: None,
            has_password: redis.password().is_some(),
        })
    }

    /// The server asks for a password.
    #[must_use]
    pub fn with_password(self) -> Self {
        Self { has_password: true, ..self }
    }

    /// No answer is awaited for longer than this; without, commands wait as long as it takes.
    ///
    /// To be said here and not of the connection, where each look at whether it is alive would undo it.
    #[must_use]
    pub fn answer_within(self, timeout: Duration) -> Self {
        Self { answer_timeout: Some(timeout), ..self }
    }

    fn info(&self, secret: Option<&Secret>) -> Result<ConnectionInfo, BoxError> {
        let address = match &self.place {
            Place::Tcp(host, port) => ConnectionAddr::Tcp(host.clone(), *port),
            Place::Tls { host, port, insecure } => {
                let (host, port, insecure) = (host.clone(), *port, *insecure);
                ConnectionAddr::TcpTls { host, port, insecure, tls_params: None }
            }
            Place::Unix(path) => ConnectionAddr::Unix(path.clone()),
        };
        let protocol = if self.resp3 { ProtocolVersion::RESP3 } else { ProtocolVersion::RESP2 };
        let mut settings = RedisConnectionInfo::default().set_db(self.database).set_protocol(protocol);
        if let Some(user) = &self.user {
            settings = settings.set_username(user);
        }
        if let Some(secret) = secret {
            settings = settings.set_password(secret.expose());
        }
        Ok(address.into_connection_info()?.set_redis_settings(settings))
    }
}

impl Reconnect for Connection {
    type Recipe = RedisRecipe;

    fn parse(text: &str) -> Result<(RedisRecipe, Option<Secret>), BoxError> {
        let info = text.into_connection_info().map_err(|error| -> BoxError {
            // Whatever the driver quotes may be a piece of the password.
            if text.contains('@') || text.contains("pass") {
                return FORM.into();
            }
            error.into()
        })?;
        let settings = info.redis_settings();
        let is_url = !matches!(info.addr(), ConnectionAddr::Unix(_));
        // Alone, it is the name of a user to the driver, and names travel.
        if is_url && settings.username().is_some() && settings.password().is_none() && !text.contains(":@") {
            return Err(
                "one word before the `@` may be a password: write `redis://:password@host`, or `redis://user:@host`".into(),
            );
        }
        let known: &[&str] = if is_url { &["protocol"] } else { &["db", "user", "pass", "protocol"] };
        let url = redis::parse_redis_url(text).ok_or(FORM)?;
        if url.query_pairs().any(|(name, _)| !known.contains(&&*name)) {
            // The driver would not even say that it takes no notice.
            return Err(format!("{FORM}; behind a `?` is room for {} alone", known.join(", ")).into());
        }
        let secret = settings.password().map(Secret::new);
        Ok((RedisRecipe::new(&info)?, secret))
    }

    fn needs_secret(recipe: &RedisRecipe) -> bool {
        recipe.has_password
    }

    fn connect(recipe: &RedisRecipe, secret: Option<&Secret>, limit: Duration) -> Result<Self, BoxError> {
        let client = Client::open(recipe.info(secret)?)?;
        let recipe = recipe.clone();
        bounded::within(limit, move || {
            let mut connection = client.get_connection_with_timeout(limit)?;
            // A server that wants a password takes the connection without one, and then refuses every command.
            ping(&mut connection, &recipe, limit)?;
            Ok(connection)
        })?
    }

    fn is_alive(&mut self, recipe: &RedisRecipe, limit: Duration) -> bool {
        ping(self, recipe, limit).is_ok()
    }

    fn if_alive(self, recipe: &RedisRecipe, limit: Duration) -> Option<Self> {
        // The driver's limit is for each read, of which an answer may take many.
        bounded::if_alive(self, recipe, limit)
    }

    fn is_transient(error: &(dyn StdError + 'static)) -> bool {
        let Some(error) = error.downcast_ref::<RedisError>() else { return true };
        match error.kind() {
            ErrorKind::Io => true,
            ErrorKind::Server(kind) => {
                use ServerErrorKind::{BusyLoading, ClusterDown, MasterDown, TryAgain};
                matches!(kind, BusyLoading | TryAgain | ClusterDown | MasterDown)
            }
            _ => false,
        }
    }
}

fn ping(connection: &mut Connection, recipe: &RedisRecipe, limit: Duration) -> redis::RedisResult<()> {
    connection.set_read_timeout(Some(limit))?;
    match redis::cmd("PING").exec(connection) {
        // Whoever may not ask was let in all the same.
        Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoPerm) => {}
        answer => answer?,
    }
    connection.set_read_timeout(recipe.answer_timeout)
}
