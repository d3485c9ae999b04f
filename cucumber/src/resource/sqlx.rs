//! Pools of PostgreSQL connections, by `sqlx`: the server, and how many connections there may be.

mod options;

use std::error::Error as StdError;
use std::io;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions, PgSslMode};
use sqlx::{PgPool, Postgres};

use super::postgres::{Encryption, Place, PostgresRecipe, Session, is_passing};
use super::runtime;
use crate::error::BoxError;
use crate::reconnect::Reconnect;
use crate::secret::Secret;

/// How to make a pool of connections to a PostgreSQL server: what a `Live<sqlx::PgPool>` is written as.
///
/// Alive is a pool out of which a connection comes that works, or of which all connections are in use; it replaces dead ones by itself.
///
/// `sqlx` knows less than the drivers from which such a description is borrowed. What it has no way to say, such as
/// `target_session_attrs`, is an error when it connects; a `connect_timeout` is for the first connection alone, and for the
/// others there is the pool's [acquire timeout](PgPoolOptions::acquire_timeout).
///
/// ```no_run
/// use cucumber::{Live, PgPoolRecipe, PostgresRecipe, Provider};
///
/// let pool = Live::<sqlx::PgPool>::open("postgres://shop:s3cret@db.internal/orders")?;
///
/// // The same, with the password from somewhere else and room for more.
/// let server: tokio_postgres::Config = "host=db.internal user=shop dbname=orders".parse()?;
/// let options = sqlx::postgres::PgPoolOptions::new().max_connections(50);
/// let recipe = PgPoolRecipe::new(PostgresRecipe::from(&server), &options);
/// let pool = Live::<sqlx::PgPool>::connect(recipe, Some(Provider::env("PGPASSWORD")))?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PgPoolRecipe {
    server: PostgresRecipe,
    most: u32,
    least: u32,
    acquire_timeout: Duration,
    idle_timeout: Option<Duration>,
    max_lifetime: Option<Duration>,
    test_before_acquire: bool,
}

impl PgPoolRecipe {
    /// A pool of such connections. The callbacks of the options stay behind.
    #[must_use]
    pub fn new(server: PostgresRecipe, options: &PgPoolOptions) -> Self {
        Self {
            server,
            most: options.get_max_connections(),
            least: options.get_min_connections(),
            acquire_timeout: options.get_acquire_timeout(),
            idle_timeout: options.get_idle_timeout(),
            max_lifetime: options.get_max_lifetime(),
            test_before_acquire: options.get_test_before_acquire(),
        }
    }

    fn pool(&self) -> PgPoolOptions {
        PgPoolOptions::new()
            .max_connections(self.most)
            .min_connections(self.least)
            .acquire_timeout(self.acquire_timeout)
            .idle_timeout(self.idle_timeout)
            .max_lifetime(self.max_lifetime)
            .test_before_acquire(self.test_before_acquire)
    }

    fn connection(&self, secret: Option<&Secret>) -> Result<PgConnectOptions, BoxError> {
        let server = &self.server;
        if server.hosts.len().max(server.addresses.len()).max(server.ports.len()) > 1 {
            return Err("a pool of `sqlx` has one server; name one host".into());
        }
        let foreign = foreign(server);
        if !foreign.is_empty() {
            let names = foreign.join("`, `");
            return Err(format!("a pool of `sqlx` knows no `{names}`; connect without").into());
        }
        let mut options = PgConnectOptions::new_without_pgpass().ssl_mode(match server.encryption {
            Encryption::Disable => PgSslMode::Disable,
            Encryption::Prefer => PgSslMode::Prefer,
            Encryption::Require => PgSslMode::Require,
        });
        options = match (server.addresses.first(), server.hosts.first()) {
            (Some(address), _) => options.host(&address.to_string()),
            (None, Some(Place::Name(name))) => options.host(name),
            (None, Some(Place::Directory(directory))) => options.socket(directory),
            (None, None) => options,
        };
        if let Some(port) = server.ports.first() {
            options = options.port(*port);
        }
        if let Some(user) = &server.user {
            options = options.username(user);
        }
        if let Some(database) = &server.dbname {
            options = options.database(database);
        }
        if let Some(name) = &server.application_name {
            options = options.application_name(name);
        }
        if let Some(text) = &server.options {
            options = options.options(options::settings(text)?);
        }
        Ok(match secret {
            Some(secret) => options.password(secret.expose()),
            None => options,
        })
    }
}

/// The parts of a description that ask for what `sqlx` cannot do.
///
/// It sends no probes over an idle connection, however often; that they are asked for is the other drivers' default.
fn foreign(server: &PostgresRecipe) -> Vec<&'static str> {
    let usual = tokio_postgres::Config::new().get_keepalives_idle();
    let probed = server.keepalives;
    let parts = [
        ("target_session_attrs", server.session != Session::Any),
        ("load_balance_hosts", server.shuffled),
        ("sslnegotiation", server.direct),
        ("tcp_user_timeout", server.tcp_user_timeout.is_some()),
        ("keepalives_idle", probed && server.keepalives_idle != usual),
        ("keepalives_interval", probed && server.keepalives_interval.is_some()),
        ("keepalives_retries", probed && server.keepalives_retries.is_some()),
    ];
    parts.into_iter().filter(|(_, asked)| *asked).map(|(name, _)| name).collect()
}

/// The first connections are made by a thread of this crate; whichever tokio runtime uses the pool makes the others.
impl Reconnect for PgPool {
    type Recipe = PgPoolRecipe;

    fn parse(text: &str) -> Result<(PgPoolRecipe, Option<Secret>), BoxError> {
        let (server, secret) = PostgresRecipe::parse(text)?;
        Ok((PgPoolRecipe::new(server, &PgPoolOptions::new()), secret))
    }

    fn needs_secret(recipe: &PgPoolRecipe) -> bool {
        recipe.server.has_password
    }

    fn connect(recipe: &PgPoolRecipe, secret: Option<&Secret>, limit: Duration) -> Result<Self, BoxError> {
        let options = recipe.connection(secret)?;
        let limit = recipe.server.connect_timeout.unwrap_or(limit).min(limit);
        runtime::wait(limit, async {
            // Not by the pool, which would try until its own limit, and say no more than that it passed.
            use sqlx::ConnectOptions as _;
            sqlx::Connection::close(options.connect().await?).await?;
            Ok(recipe.pool().connect_lazy_with(options))
        })?
    }

    fn is_alive(&mut self, _: &PgPoolRecipe, limit: Duration) -> bool {
        let most = self.options().get_max_connections();
        let is_busy = self.size() >= most && self.num_idle() == 0;
        // The connection goes back into the pool, which can only be done from within a runtime.
        let hand_out = async { self.acquire().await.is_ok() };
        !self.is_closed() && (is_busy || runtime::wait(limit, hand_out).unwrap_or(false))
    }

    fn is_transient(error: &(dyn StdError + 'static)) -> bool {
        match error.downcast_ref::<sqlx::Error>() {
            Some(sqlx::Error::Database(error)) => error.code().is_none_or(|code| is_passing(&code)),
            Some(sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut) => true,
            Some(_) => false,
            // No answer in time passes; a recipe that cannot be followed stays what it is.
            None => error.is::<io::Error>(),
        }
    }

    fn close(self) {
        // A connection that is in use would be waited for.
        let _ = runtime::wait(Duration::from_secs(1), sqlx::Pool::<Postgres>::close(&self));
    }
}
