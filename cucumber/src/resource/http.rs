//! HTTP clients, by `ureq`: which server they are for, and how they say who asks.

use std::error::Error as StdError;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Serialize};
use ureq::http::header::{AUTHORIZATION, COOKIE, HeaderName, HeaderValue, PROXY_AUTHORIZATION};
use ureq::http::{Request, Response, Uri};
use ureq::middleware::MiddlewareNext;
use ureq::{Agent, Body, SendBody};
use zeroize::Zeroizing;

use crate::error::{BoxError, Error, Kind, Result};
use crate::reconnect::Reconnect;
use crate::secret::Secret;

/// What an HTTP client is for: what a `Live<ureq::Agent>` is written as.
///
/// The client is `ureq`'s and can ask any server. The secret, as a bearer token or a password, goes into requests to the
/// one server that is named here, and into none that a redirect leads to. `https` is spoken by `ureq`'s features
/// `rustls` or `native-tls`; turn one on in your own dependency on it.
///
/// ```no_run
/// use std::time::Duration;
/// use cucumber::{HttpRecipe, Live, Provider};
///
/// let api = HttpRecipe::new("http://api.internal:8080")?.bearer().timeout(Duration::from_secs(30)).check("/health")?;
/// let api = Live::<ureq::Agent>::connect(api, Some(Provider::env("API_TOKEN")))?;
/// let orders = api.get("http://api.internal:8080/orders").call()?;
///
/// // With a name and a password, for every request to this server.
/// let api = Live::<ureq::Agent>::open("http://shop:s3cret@api.internal:8080")?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HttpRecipe {
    /// Scheme, host and port, and nothing else.
    server: String,
    authorization: Authorization,
    check: Option<String>,
    headers: Vec<(String, String)>,
    user_agent: Option<String>,
    timeout: Option<Duration>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Authorization {
    None,
    Bearer,
    Basic(String),
}

/// The driver's own error might show it.
const UNFIT: &str = "the credential has characters that no header can hold, such as the end of a line";

fn wrong(text: impl Into<String>) -> Error {
    Error::new(Kind::Connect(text.into()))
}

impl HttpRecipe {
    /// A client for this server: `http://host`, or `https://host:port`.
    ///
    /// # Errors
    ///
    /// When it is something else. A path or a query may hold a secret, and so has no place here; a name and a password
    /// are for [`Live::open`](crate::Live::open).
    pub fn new(server: &str) -> Result<Self> {
        match split(server)? {
            (recipe, None) => Ok(recipe),
            (_, Some(_)) => Err(wrong(
                "no name and password here; say `.basic(name)`, and give the password by a `Provider`",
            )),
        }
    }

    /// The secret is a token, sent as `Authorization: Bearer …`.
    #[must_use]
    pub fn bearer(self) -> Self {
        Self { authorization: Authorization::Bearer, ..self }
    }

    /// The secret is this user's password, sent as `Authorization: Basic …`.
    #[must_use]
    pub fn basic(self, user: impl Into<String>) -> Self {
        Self { authorization: Authorization::Basic(user.into()), ..self }
    }

    /// What to ask the server for to see that it is there and lets us in, before the first use and before each run: a path that
    /// answers `GET` with a status below 400. Without, nothing is asked until you do.
    ///
    /// # Errors
    ///
    /// When it is no path.
    pub fn check(self, path: impl Into<String>) -> Result<Self> {
        let path = path.into();
        let is_path = path.starts_with('/') && format!("{}{path}", self.server).parse::<Uri>().is_ok();
        if is_path {
            Ok(Self { check: Some(path), ..self })
        } else {
            Err(wrong(format!("`{path}` is no path; one begins with `/`")))
        }
    }

    /// A header of every request to this server. It crosses as it is, so it must hold no secret.
    ///
    /// # Errors
    ///
    /// When it is no header, or one for secrets: `Authorization`, `Proxy-Authorization`, `Cookie`.
    pub fn header(mut self, name: &str, value: &str) -> Result<Self> {
        let valid = HeaderName::try_from(name).ok().filter(|_| HeaderValue::try_from(value).is_ok());
        let name = valid.ok_or_else(|| wrong(format!("`{name}` and its value are no header")))?;
        if [AUTHORIZATION, PROXY_AUTHORIZATION, COOKIE].contains(&name) {
            return Err(wrong(format!(
                "`{name}` holds a secret, and this would cross as it is; say `.bearer()` or `.basic(user)`"
            )));
        }
        self.headers.push((name.as_str().to_owned(), value.to_owned()));
        Ok(self)
    }

    /// How the client calls itself; as it stands, by the name of `ureq`.
    #[must_use]
    pub fn user_agent(self, name: impl Into<String>) -> Self {
        Self { user_agent: Some(name.into()), ..self }
    }

    /// How long a request may take, with its answer's body; as it stands, as long as it takes.
    #[must_use]
    pub fn timeout(self, timeout: Duration) -> Self {
        Self { timeout: Some(timeout), ..self }
    }

    /// The server, as it was given.
    #[must_use]
    pub fn server(&self) -> &str {
        &self.server
    }

    fn credential(&self, secret: Option<&Secret>) -> Result<Option<HeaderValue>, BoxError> {
        let text = match (&self.authorization, secret) {
            (Authorization::None, _) | (_, None) => return Ok(None),
            (Authorization::Bearer, Some(token)) => Zeroizing::new(format!("Bearer {}", token.expose())),
            (Authorization::Basic(user), Some(password)) => {
                let both = Zeroizing::new(format!("{user}:{}", password.expose()));
                Zeroizing::new(format!("Basic {}", *Zeroizing::new(BASE64.encode(&*both))))
            }
        };
        let mut value = HeaderValue::try_from(&*text).map_err(|_| UNFIT)?;
        // Kept out of `Debug`.
        value.set_sensitive(true);
        Ok(Some(value))
    }
}

/// Reads `scheme://user:password@host:port`.
fn split(text: &str) -> Result<(HttpRecipe, Option<(String, Secret)>)> {
    // What is wrong is not shown: it may be the password.
    let form = || {
        wrong(
            "write the server alone, `http://host:port` or `https://host`, with special characters in a name or password as `%` and their code",
        )
    };
    let (scheme, rest) = text.split_once("://").ok_or_else(form)?;
    let (login, place) = match rest.rsplit_once('@') {
        Some((login, place)) => (Some(login), place),
        None => (None, rest),
    };
    let server = format!("{}://{}", scheme.to_ascii_lowercase(), place.strip_suffix('/').unwrap_or(place));
    let uri: Uri = server.parse().map_err(|_| form())?;
    let is_known = matches!(uri.scheme_str(), Some("http" | "https"));
    let is_bare = uri.query().is_none() && matches!(uri.path(), "" | "/") && !server.contains(['#', '?']);
    if !is_known || !is_bare || uri.host().is_none_or(str::is_empty) {
        return Err(form());
    }
    let decode = |text: &str| {
        percent_encoding::percent_decode_str(text).decode_utf8().map(String::from).map_err(|_| form())
    };
    let login = login.map(|login| login.split_once(':').unwrap_or((login, "")));
    let login = match login {
        Some((user, password)) => Some((decode(user)?, Secret::new(decode(password)?))),
        None => None,
    };
    let authorization = match &login {
        Some((user, _)) => Authorization::Basic(user.clone()),
        None => Authorization::None,
    };
    let recipe = HttpRecipe {
        server,
        authorization,
        check: None,
        headers: Vec::new(),
        user_agent: None,
        timeout: None,
    };
    Ok((recipe, login))
}

/// The way to a server: what has to be the same for a credential to go there.
fn way(uri: &Uri) -> Option<(String, String, u16)> {
    let scheme = uri.scheme_str()?.to_ascii_lowercase();
    let usual = if scheme == "https" { 443 } else { 80 };
    Some((scheme, uri.host()?.to_ascii_lowercase(), uri.port_u16().unwrap_or(usual)))
}

impl Reconnect for Agent {
    type Recipe = HttpRecipe;

    fn parse(text: &str) -> Result<(HttpRecipe, Option<Secret>), BoxError> {
        let (recipe, login) = split(text)?;
        Ok((recipe, login.map(|(_, password)| password)))
    }

    fn needs_secret(recipe: &HttpRecipe) -> bool {
        recipe.authorization != Authorization::None
    }

    fn connect(recipe: &HttpRecipe, secret: Option<&Secret>, limit: Duration) -> Result<Self, BoxError> {
        let ours = way(&recipe.server.parse()?);
        let credential = recipe.credential(secret)?;
        let mut headers = Vec::new();
        for (name, value) in &recipe.headers {
            headers.push((HeaderName::try_from(name)?, HeaderValue::try_from(value)?));
        }
        let add = move |mut request: Request<SendBody>,
                        next: MiddlewareNext<'_>|
              -> Result<Response<Body>, ureq::Error> {
            if way(request.uri()) == ours {
                for (name, value) in &headers {
                    if !request.headers().contains_key(name) {
                        request.headers_mut().insert(name, value.clone());
                    }
                }
                if let Some(credential) = &credential {
                    request.headers_mut().insert(AUTHORIZATION, credential.clone());
                }
            }
            next.handle(request)
        };
        let mut config = Agent::config_builder().timeout_global(recipe.timeout).middleware(add);
        if let Some(name) = &recipe.user_agent {
            config = config.user_agent(name);
        }
        let agent = config.build().new_agent();
        look(&agent, recipe, limit)?;
        Ok(agent)
    }

    fn is_alive(&mut self, recipe: &HttpRecipe, limit: Duration) -> bool {
        look(self, recipe, limit).is_ok()
    }

    fn is_transient(error: &(dyn StdError + 'static)) -> bool {
        match error.downcast_ref::<ureq::Error>() {
            // Too slow, too often, and the server's own trouble pass; that it does not know us does not.
            Some(ureq::Error::StatusCode(status)) => matches!(status, 408 | 425 | 429 | 500..),
            Some(
                ureq::Error::Io(_)
                | ureq::Error::Timeout(_)
                | ureq::Error::ConnectionFailed
                | ureq::Error::HostNotFound,
            ) => true,
            _ => false,
        }
    }
}

/// Asks the server for what it is to be asked for.
fn look(agent: &Agent, recipe: &HttpRecipe, limit: Duration) -> Result<(), ureq::Error> {
    let Some(path) = &recipe.check else { return Ok(()) };
    let request = agent.get(format!("{}{path}", recipe.server));
    let limit = recipe.timeout.map_or(limit, |timeout| timeout.min(limit));
    request.config().timeout_global(Some(limit)).http_status_as_error(true).build().call().map(drop)
}
