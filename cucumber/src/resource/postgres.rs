//! PostgreSQL: where the server is and who asks, without the password.

#[cfg(feature = "tokio-postgres")]
mod asynchronous;
#[cfg(feature = "postgres")]
mod blocking;
#[cfg(feature = "postgres")]
mod knock;
mod login;

#[cfg(any(feature = "postgres", feature = "tokio-postgres"))]
use std::error::Error as StdError;
use std::ffi::OsString;
#[cfg(any(feature = "postgres", feature = "tokio-postgres"))]
use std::io;
use std::net::IpAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio_postgres::Config;
use tokio_postgres::config::{Host, LoadBalanceHosts, SslMode, SslNegotiation, TargetSessionAttrs};

use crate::error::BoxError;
use crate::secret::Secret;

/// What is said of a text that describes no server, and never what is wrong: that may be the password.
const FORM: &str = "write `postgres://user:password@host/database`, or `host=… user=… password=… dbname=…`, \
                    with special characters in the URL as `%` and their code";

/// How to reach a PostgreSQL server: what a `Live<postgres::Client>` or `Live<tokio_postgres::Client>` is written as.
///
/// Everything of a `Config` but the password and the notice callback, which have no place in bytes.
///
/// ```no_run
/// # #[cfg(feature = "postgres")] {
/// use cucumber::{Live, PostgresRecipe, Provider};
///
/// let mut db = Live::<postgres::Client>::open("postgres://shop:s3cret@db.internal/orders")?;
/// let rows = db.query("SELECT 1", &[])?;
///
/// // The same, with the password from somewhere else.
/// let config: postgres::Config = "host=db.internal user=shop dbname=orders".parse()?;
/// let db = Live::<postgres::Client>::connect(PostgresRecipe::from(&config), Some(Provider::env("PGPASSWORD")))?;
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PostgresRecipe {
    pub(super) hosts: Vec<Place>,
    pub(super) addresses: Vec<IpAddr>,
    pub(super) ports: Vec<u16>,
    pub(super) user: Option<String>,
    pub(super) dbname: Option<String>,
    pub(super) options: Option<String>,
    pub(super) application_name: Option<String>,
    pub(super) connect_timeout: Option<Duration>,
    pub(super) tcp_user_timeout: Option<Duration>,
    pub(super) keepalives: bool,
    pub(super) keepalives_idle: Duration,
    pub(super) keepalives_interval: Option<Duration>,
    pub(super) keepalives_retries: Option<u32>,
    pub(super) session: Session,
    pub(super) encryption: Encryption,
    pub(super) shuffled: bool,
    pub(super) direct: bool,
    pub(super) has_password: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Place {
    Name(String),
    Directory(OsString),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Session {
    Any,
    ReadWrite,
    ReadOnly,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Encryption {
    Disable,
    Prefer,
    Require,
}

/// The two clients have a `Config` each, with the same methods.
macro_rules! recipe_of {
    ($config:ty) => {
        impl From<&$config> for PostgresRecipe {
            fn from(config: &$config) -> Self {
                // What is before an `@` is a piece of a password that the driver took for the host: it stays here.
                let place = |host: &Host| match host {
                    Host::Tcp(name) => {
                        Place::Name(name.rsplit_once('@').map_or(name.as_str(), |(_, name)| name).to_owned())
                    }
                    #[cfg(unix)]
                    Host::Unix(directory) => Place::Directory(directory.clone().into()),
                };
                Self {
                    hosts: config.get_hosts().iter().map(place).collect(),
                    addresses: config.get_hostaddrs().to_vec(),
                    ports: config.get_ports().to_vec(),
                    user: config.get_user().map(str::to_owned),
                    dbname: config.get_dbname().map(str::to_owned),
                    options: config.get_options().map(str::to_owned),
                    application_name: config.get_application_name().map(str::to_owned),
                    connect_timeout: config.get_connect_timeout().copied(),
                    tcp_user_timeout: config.get_tcp_user_timeout().copied(),
                    keepalives: config.get_keepalives(),
                    keepalives_idle: config.get_keepalives_idle(),
                    keepalives_interval: config.get_keepalives_interval(),
                    keepalives_retries: config.get_keepalives_retries(),
                    session: match config.get_target_session_attrs() {
                        TargetSessionAttrs::ReadWrite => Session::ReadWrite,
                        TargetSessionAttrs::ReadOnly => Session::ReadOnly,
                        _ => Session::Any,
                    },
                    encryption: match config.get_ssl_mode() {
                        SslMode::Disable => Encryption::Disable,
                        SslMode::Require => Encryption::Require,
                        _ => Encryption::Prefer,
                    },
                    shuffled: config.get_load_balance_hosts() == LoadBalanceHosts::Random,
                    direct: config.get_ssl_negotiation() == SslNegotiation::Direct,
                    has_password: config.get_password().is_some(),
                }
            }
        }
    };
}

#[cfg(feature = "postgres")]
recipe_of!(postgres::Config);
recipe_of!(Config);

impl PostgresRecipe {
    /// Reads a URL or a connection string.
    pub(super) fn parse(text: &str) -> Result<(Self, Option<Secret>), BoxError> {
        let text = &*login::with_one_end(text);
        let config: Config = text.parse().map_err(|error: tokio_postgres::Error| -> BoxError {
            // The driver quotes what it does not understand, and that may be a piece of the password.
            if text.contains('@') || text.contains("pass") { FORM.into() } else { error.into() }
        })?;
        let is_odd = |host: &Host| matches!(host, Host::Tcp(name) if name.contains('@'));
        if login::is_torn(text) || config.get_hosts().iter().any(is_odd) {
            return Err(FORM.into());
        }
        let secret = match config.get_password().map(std::str::from_utf8) {
            Some(Ok(password)) => Some(Secret::new(password)),
            // Nor does this error show it.
            Some(Err(_)) => return Err("the password is not valid UTF-8".into()),
            None => None,
        };
        Ok((Self::from(&config), secret))
    }

    /// What the drivers connect with.
    #[cfg(any(feature = "postgres", feature = "tokio-postgres"))]
    fn config(&self, secret: Option<&Secret>, limit: Duration) -> Config {
        let mut config = Config::new();
        for host in &self.hosts {
            match host {
                Place::Name(name) => config.host(name),
                #[cfg(unix)]
                Place::Directory(directory) => config.host_path(directory),
                // There are no such sockets here, and the driver says that it finds no host of this name.
                #[cfg(not(unix))]
                Place::Directory(directory) => config.host(directory.to_string_lossy()),
            };
        }
        for address in &self.addresses {
            config.hostaddr(*address);
        }
        for port in &self.ports {
            config.port(*port);
        }
        if let Some(user) = &self.user {
            config.user(user);
        }
        if let Some(dbname) = &self.dbname {
            config.dbname(dbname);
        }
        if let Some(options) = &self.options {
            config.options(options);
        }
        if let Some(name) = &self.application_name {
            config.application_name(name);
        }
        // Each host has its time: together they have as much as we do.
        let hosts = u32::try_from(self.hosts.len().max(1)).unwrap_or(u32::MAX);
        config.connect_timeout(self.connect_timeout.unwrap_or(limit).min(limit / hosts));
        if let Some(timeout) = self.tcp_user_timeout {
            config.tcp_user_timeout(timeout);
        }
        config.keepalives(self.keepalives).keepalives_idle(self.keepalives_idle);
        if let Some(interval) = self.keepalives_interval {
            config.keepalives_interval(interval);
        }
        if let Some(retries) = self.keepalives_retries {
            config.keepalives_retries(retries);
        }
        config.target_session_attrs(match self.session {
            Session::Any => TargetSessionAttrs::Any,
            Session::ReadWrite => TargetSessionAttrs::ReadWrite,
            Session::ReadOnly => TargetSessionAttrs::ReadOnly,
        });
        config.ssl_mode(match self.encryption {
            Encryption::Disable => SslMode::Disable,
            Encryption::Prefer => SslMode::Prefer,
            Encryption::Require => SslMode::Require,
        });
        if self.direct {
            config.ssl_negotiation(SslNegotiation::Direct);
        }
        if self.shuffled {
            config.load_balance_hosts(LoadBalanceHosts::Random);
        }
        if let Some(secret) = secret {
            config.password(secret.expose());
        }
        config
    }
}

/// Whether another attempt may succeed.
#[cfg(any(feature = "postgres", feature = "tokio-postgres"))]
fn is_transient(error: &(dyn StdError + 'static)) -> bool {
    let Some(error) = error.downcast_ref::<tokio_postgres::Error>() else { return true };
    if let Some(code) = error.code() {
        return is_passing(code.code());
    }
    error.is_closed() || error.source().is_some_and(|source| source.is::<io::Error>())
}

/// Connection trouble, no room, an operator's shutdown: all of these pass. A wrong password does not.
pub(super) fn is_passing(code: &str) -> bool {
    ["08", "53", "57"].iter().any(|class| code.starts_with(class))
}
