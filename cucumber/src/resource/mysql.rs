//! MySQL and MariaDB: where the server is and who asks, without the password.

use std::collections::{BTreeMap, HashMap};
use std::error::Error as StdError;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use mysql::consts::CapabilityFlags;
use mysql::{Compression, Conn, DriverError, Opts, OptsBuilder, SslOpts};
use serde::{Deserialize, Serialize};

use crate::error::BoxError;
use crate::reconnect::Reconnect;
use crate::resource::bounded;
use crate::secret::Secret;

/// Server errors that pass: too many connections, a shutdown, an aborted or lost connection.
const PASSING: [u16; 6] = [1040, 1053, 1152, 1158, 1159, 1927];

/// What is said of a text that describes no server, instead of what the driver quotes: that may be a piece of the password.
const FORM: &str = "write `mysql://user:password@host:port/database`, with special characters as `%` and their code, \
                    and after a `?` only options that the driver knows";

/// How to reach a MySQL or MariaDB server: what a `Live<mysql::Conn>` is written as.
///
/// Everything of a [`mysql::Opts`] but the password, a client certificate, the options of a pool and a handler of local files.
///
/// ```no_run
/// use cucumber::{Live, MysqlRecipe, Provider};
/// use mysql::prelude::Queryable;
///
/// let mut db = Live::<mysql::Conn>::open("mysql://shop:s3cret@db.internal/orders")?;
/// let one: Option<u8> = db.query_first("SELECT 1")?;
///
/// // The same, with the password from somewhere else.
/// let opts = mysql::OptsBuilder::new().ip_or_hostname(Some("db.internal")).user(Some("shop")).db_name(Some("orders"));
/// let recipe = MysqlRecipe::from(&mysql::Opts::from(opts));
/// let db = Live::<mysql::Conn>::connect(recipe, Some(Provider::env("MYSQL_PASSWORD")))?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// The driver has one limit for reading, for the greeting of a server as for the slowest query. Where a
/// [read timeout](mysql::OptsBuilder::read_timeout) is set, it holds for both. Where none is, a server's greeting is awaited on
/// a first connection with a limit, and what you get is a second one without.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MysqlRecipe {
    host: String,
    port: u16,
    socket: Option<String>,
    prefer_socket: bool,
    bind_address: Option<SocketAddr>,
    user: Option<String>,
    database: Option<String>,
    init: Vec<String>,
    attributes: Option<BTreeMap<String, String>>,
    connect_timeout: Option<Duration>,
    read_timeout: Option<Duration>,
    write_timeout: Option<Duration>,
    nodelay: bool,
    keepalive_ms: Option<u32>,
    keepalive_interval_secs: Option<u32>,
    keepalive_count: Option<u32>,
    user_timeout_ms: Option<u32>,
    compression: Option<u32>,
    capabilities: u32,
    statement_cache: usize,
    largest_packet: Option<usize>,
    secure_auth: bool,
    cleartext: bool,
    server_key: Option<PathBuf>,
    tls: Option<Tls>,
    has_password: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Tls {
    root: Option<PathBuf>,
    skip_domain: bool,
    accept_invalid: bool,
}

impl From<&Opts> for MysqlRecipe {
    fn from(opts: &Opts) -> Self {
        let (keepalive_interval_secs, keepalive_count) = own::keepalive(opts);
        Self {
            host: opts.get_ip_or_hostname().into_owned(),
            port: opts.get_tcp_port(),
            socket: opts.get_socket().map(str::to_owned),
            prefer_socket: opts.get_prefer_socket(),
            bind_address: opts.bind_address().copied(),
            user: opts.get_user().map(str::to_owned),
            database: opts.get_db_name().map(str::to_owned),
            init: opts.get_init(),
            attributes: opts.get_connect_attrs().map(|all| all.clone().into_iter().collect()),
            connect_timeout: opts.get_tcp_connect_timeout(),
            read_timeout: opts.get_read_timeout().copied(),
            write_timeout: opts.get_write_timeout().copied(),
            nodelay: opts.get_tcp_nodelay(),
            keepalive_ms: opts.get_tcp_keepalive_time_ms(),
            keepalive_interval_secs,
            keepalive_count,
            user_timeout_ms: own::user_timeout_ms(opts),
            compression: opts.get_compress().map(|compression| compression.level()),
            capabilities: opts.get_additional_capabilities().bits(),
            statement_cache: opts.get_stmt_cache_size(),
            largest_packet: opts.get_max_allowed_packet(),
            secure_auth: opts.get_secure_auth(),
            cleartext: opts.get_enable_cleartext_plugin(),
            server_key: opts.get_server_key_path().map(Into::into),
            tls: opts.get_ssl_opts().map(|tls| Tls {
                root: tls.root_cert_path().map(Into::into),
                skip_domain: tls.skip_domain_validation(),
                accept_invalid: tls.accept_invalid_certs(),
            }),
            has_password: opts.get_pass().is_some_and(|password| !password.is_empty()),
        }
    }
}

impl MysqlRecipe {
    /// What the driver connects with: within `limit`, and with this limit for each time that it reads.
    fn opts(&self, secret: Option<&Secret>, limit: Duration, reading: Option<Duration>) -> OptsBuilder {
        let tls = self.tls.as_ref().map(|tls| {
            SslOpts::default()
                .with_root_cert_path(tls.root.clone())
                .with_danger_skip_domain_validation(tls.skip_domain)
                .with_danger_accept_invalid_certs(tls.accept_invalid)
        });
        let attributes = self.attributes.clone().map(|all| all.into_iter().collect::<HashMap<_, _>>());
        let options = OptsBuilder::new()
            .ip_or_hostname(Some(&self.host))
            .tcp_port(self.port)
            .socket(self.socket.as_ref())
            .prefer_socket(self.prefer_socket)
            .bind_address(self.bind_address)
            .user(self.user.as_ref())
            .pass(secret.map(Secret::expose))
            .db_name(self.database.as_ref())
            .init(self.init.clone())
            .tcp_connect_timeout(Some(self.connect_timeout.unwrap_or(limit).min(limit)))
            .read_timeout(reading)
            .write_timeout(self.write_timeout)
            .tcp_nodelay(self.nodelay)
            .tcp_keepalive_time_ms(self.keepalive_ms)
            .compress(self.compression.map(Compression::new))
            .additional_capabilities(CapabilityFlags::from_bits_retain(self.capabilities))
            .stmt_cache_size(self.statement_cache)
            .max_allowed_packet(self.largest_packet)
            .secure_auth(self.secure_auth)
            .enable_cleartext_plugin(self.cleartext)
            .server_key_path(self.server_key.clone())
            .ssl_opts(tls)
            .connect_attrs(attributes);
        own::with_user_timeout(own::with_keepalive(options, self), self)
    }
}

/// What the driver can set on some systems only. A recipe has room for it on all.
mod own {
    use mysql::{Opts, OptsBuilder};

    use super::MysqlRecipe;

    #[cfg(any(target_os = "linux", target_os = "macos"))]
    pub(super) fn keepalive(opts: &Opts) -> (Option<u32>, Option<u32>) {
        (opts.get_tcp_keepalive_probe_interval_secs(), opts.get_tcp_keepalive_probe_count())
    }

    #[cfg(not(any(target_os = "linux", target_os = "macos")))]
    pub(super) fn keepalive(_opts: &Opts) -> (Option<u32>, Option<u32>) {
        (None, None)
    }

    #[cfg(any(target_os = "linux", target_os = "macos"))]
    pub(super) fn with_keepalive(options: OptsBuilder, recipe: &MysqlRecipe) -> OptsBuilder {
        options
            .tcp_keepalive_probe_interval_secs(recipe.keepalive_interval_secs)
            .tcp_keepalive_probe_count(recipe.keepalive_count)
    }

    #[cfg(not(any(target_os = "linux", target_os = "macos")))]
    pub(super) fn with_keepalive(options: OptsBuilder, _recipe: &MysqlRecipe) -> OptsBuilder {
        options
    }

    #[cfg(target_os = "linux")]
    pub(super) fn user_timeout_ms(opts: &Opts) -> Option<u32> {
        opts.get_tcp_user_timeout_ms()
    }

    #[cfg(not(target_os = "linux"))]
    pub(super) fn user_timeout_ms(_opts: &Opts) -> Option<u32> {
        None
    }

    #[cfg(target_os = "linux")]
    pub(super) fn with_user_timeout(options: OptsBuilder, recipe: &MysqlRecipe) -> OptsBuilder {
        /// A peer that does not even acknowledge what was sent to it for this time is gone.
        const SILENCE: std::time::Duration = std::time::Duration::from_secs(20);
        let silence = u32::try_from(SILENCE.as_millis()).unwrap_or(u32::MAX);
        options.tcp_user_timeout_ms(Some(recipe.user_timeout_ms.unwrap_or(silence)))
    }

    #[cfg(not(target_os = "linux"))]
    pub(super) fn with_user_timeout(options: OptsBuilder, _recipe: &MysqlRecipe) -> OptsBuilder {
        options
    }
}

impl Reconnect for Conn {
    type Recipe = MysqlRecipe;

    fn parse(text: &str) -> Result<(MysqlRecipe, Option<Secret>), BoxError> {
        let text =
            text.strip_prefix("mariadb://").map_or_else(|| text.to_owned(), |rest| format!("mysql://{rest}"));
        let opts = Opts::from_url(&text).map_err(|_| FORM)?;
        // The path of a URL begins at the first `/`, and that may be one of the password.
        let path = text.split('?').next().and_then(|text| text.splitn(4, '/').nth(3));
        if path.is_some_and(|path| path.contains('@')) {
            return Err(FORM.into());
        }
        let secret = opts.get_pass().filter(|password| !password.is_empty()).map(Secret::new);
        Ok((MysqlRecipe::from(&opts), secret))
    }

    fn needs_secret(recipe: &MysqlRecipe) -> bool {
        recipe.has_password
    }

    fn connect(recipe: &MysqlRecipe, secret: Option<&Secret>, limit: Duration) -> Result<Self, BoxError> {
        let opts = |reading| recipe.opts(secret, limit, reading);
        let (first, then) = match recipe.read_timeout {
            Some(reading) => (opts(Some(reading.min(limit))), None),
            None => (opts(Some(limit)), Some(opts(None))),
        };
        bounded::within(limit, move || {
            let first = Conn::new(first)?;
            let Some(then) = then else { return Ok(first) };
            // Ends in good order: for a client that leaves in the middle of a greeting, servers come to refuse its whole host.
            drop(first);
            Ok(Conn::new(then)?)
        })?
    }

    fn is_alive(&mut self, _: &MysqlRecipe, _: Duration) -> bool {
        self.ping().is_ok()
    }

    fn if_alive(self, recipe: &MysqlRecipe, limit: Duration) -> Option<Self> {
        // The driver waits for its answer as long as the recipe says, which is for ever if it says nothing.
        bounded::if_alive(self, recipe, limit)
    }

    fn is_transient(error: &(dyn StdError + 'static)) -> bool {
        match error.downcast_ref::<mysql::Error>() {
            Some(mysql::Error::MySqlError(error)) => PASSING.contains(&error.code),
            Some(mysql::Error::DriverError(error)) => {
                matches!(
                    error,
                    DriverError::ConnectTimeout | DriverError::CouldNotConnect(_) | DriverError::Timeout
                )
            }
            Some(mysql::Error::IoError(_) | mysql::Error::CodecError(_)) | None => true,
            Some(_) => false,
        }
    }
}
