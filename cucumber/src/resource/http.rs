//! HTTP clients, by `ureq`: which server they are for, and how they say who asks.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Serialize};
use ureq::http::Uri;
use ureq::http::header::{AUTHORIZATION, HeaderName, HeaderValue};
use zeroize::Zeroizing;

use crate::error::{BoxError, Error, Kind, Result};
use crate::secret::Secret;

mod address;
mod client;

/// What an HTTP client is for: what a `Live<ureq::Agent>` is written as.
///
/// The client is `ureq`'s and can ask any server. The secret, as a bearer token, a password or a header, goes into requests to the
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
    /// The secret is the whole value of this header.
    Header(String),
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
        match address::split(server)? {
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

    /// The secret is the value of this header, such as `X-Api-Key`.
    ///
    /// ```
    /// let recipe = cucumber::HttpRecipe::new("https://api.internal")?.secret_header("X-Api-Key")?;
    /// // Connected with `Provider::env("API_KEY")`, it sends `X-Api-Key: …`, and crosses without it.
    /// # Ok::<(), cucumber::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When no header can have this name.
    pub fn secret_header(self, name: &str) -> Result<Self> {
        let name = HeaderName::try_from(name).map_err(|_| wrong("no header can have this name"))?;
        Ok(Self { authorization: Authorization::Header(name.as_str().to_owned()), ..self })
    }

    /// What to ask the server for to see that it is there and lets us in, before the first use and before each run: a path that
    /// answers `GET` with a status below 400. Without, nothing is asked until you do. It crosses as it is, so it must hold no secret.
    ///
    /// # Errors
    ///
    /// When it is no path, or has a query.
    pub fn check(self, path: impl Into<String>) -> Result<Self> {
        let path = path.into();
        let is_path = path.starts_with('/') && !path.contains(['?', '#']);
        if is_path && format!("{}{path}", self.server).parse::<Uri>().is_ok() {
            Ok(Self { check: Some(path), ..self })
        } else {
            // It is not shown: a query may be a secret.
            Err(wrong("this is no path; one begins with `/`, and has no query, which may hold a secret"))
        }
    }

    /// A header of every request to this server, and of none to another, even where a redirect leads there. It crosses as it is, so it
    /// must hold no secret. What a request sets itself stays.
    ///
    /// A client with such headers follows redirects as `ureq` does as it stands, ten at most; how many a single request wants
    /// followed has no effect.
    ///
    /// # Errors
    ///
    /// When it is no header, or called as one for secrets is: `Authorization`, `Cookie`, or anything that ends in `-Token`, `-Key`,
    /// `-Secret` or `-Password`. For these there are [`bearer`](Self::bearer), [`basic`](Self::basic) and
    /// [`secret_header`](Self::secret_header).
    pub fn header(mut self, name: &str, value: &str) -> Result<Self> {
        let valid = HeaderName::try_from(name).ok().filter(|_| HeaderValue::try_from(value).is_ok());
        let name = valid.ok_or_else(|| wrong(format!("`{name}` and its value are no header")))?;
        if is_for_secrets(&name) {
            return Err(wrong(format!(
                "`{name}` holds a secret, and this would cross as it is; say `.secret_header(\"{name}\")`, `.bearer()` or \
                 `.basic(user)`, and give the secret by a `Provider`"
            )));
        }
        self.headers.push((name.as_str().to_owned(), value.to_owned()));
        Ok(self)
    }

    /// How the client calls itself; as it stands, by the name of `ureq`. What no header can hold is an error when it connects.
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

    fn credential(&self, secret: Option<&Secret>) -> Result<Option<(HeaderName, HeaderValue)>, BoxError> {
        let Some(secret) = secret else { return Ok(None) };
        let (name, text) = match &self.authorization {
            Authorization::None => return Ok(None),
            Authorization::Bearer => (AUTHORIZATION, Zeroizing::new(format!("Bearer {}", secret.expose()))),
            Authorization::Basic(user) => {
                let both = Zeroizing::new(format!("{user}:{}", secret.expose()));
                let code = Zeroizing::new(BASE64.encode(&*both));
                (AUTHORIZATION, Zeroizing::new(format!("Basic {}", *code)))
            }
            Authorization::Header(name) => {
                (HeaderName::try_from(name)?, Zeroizing::new(secret.expose().to_owned()))
            }
        };
        let mut value = HeaderValue::try_from(&*text).map_err(|_| UNFIT)?;
        // Kept out of `Debug`.
        value.set_sensitive(true);
        Ok(Some((name, value)))
    }
}

/// Whether a header is called what holds a secret.
fn is_for_secrets(name: &HeaderName) -> bool {
    const WORDS: &[&str] = &["authorization", "cookie", "token", "key", "apikey", "secret", "password"];
    name.as_str().rsplit(['-', '_']).next().is_some_and(|last| WORDS.contains(&last))
}
