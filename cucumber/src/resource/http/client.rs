//! The client itself: made by a recipe, and adding to each request what that says.

use std::error::Error as StdError;
use std::time::{Duration, Instant};

use ureq::http::header::{AUTHORIZATION, CONTENT_LENGTH, COOKIE, HeaderName, HeaderValue, LOCATION};
use ureq::http::{Method, Request, Response, StatusCode};
use ureq::middleware::{Middleware, MiddlewareNext};
use ureq::{Agent, Body, SendBody};

use super::address::{Way, join, split, way};
use super::{Authorization, HttpRecipe, wrong};
use crate::error::{BoxError, Result};
use crate::reconnect::Reconnect;
use crate::secret::Secret;

/// As many redirects as `ureq` follows.
const REDIRECTS: usize = 10;

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
        let ours = way(&recipe.server.parse()?).ok_or("the recipe's server is none")?;
        let credential = recipe.credential(secret)?;
        let mut headers = Vec::new();
        for (name, value) in &recipe.headers {
            headers.push((HeaderName::try_from(name)?, HeaderValue::try_from(value)?));
        }
        let config = || {
            let config = Agent::config_builder().timeout_global(recipe.timeout);
            match &recipe.user_agent {
                Some(name) => config.user_agent(name),
                None => config,
            }
        };
        // `ureq` panics over one that is none.
        if recipe.user_agent.as_ref().is_some_and(|name| HeaderValue::from_str(name).is_err()) {
            return Err(wrong("the user agent has characters that no header can hold").into());
        }
        // `ureq` takes two headers off what it sends elsewhere. With others, redirects are followed here.
        let is_known = |(name, _): &(HeaderName, _)| [AUTHORIZATION, COOKIE].contains(name);
        let is_plain = headers.is_empty() && credential.as_ref().is_none_or(is_known);
        let onward = if is_plain { None } else { Some(config().build().new_agent()) };
        let additions = Additions { ours, credential, headers, timeout: recipe.timeout, onward };
        let agent = config().middleware(additions).build().new_agent();
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
    let limit = recipe.timeout.map_or(limit, |timeout| timeout.min(limit));
    let mut request = Request::get(format!("{}{path}", recipe.server)).body(())?;
    request.extensions_mut().insert(Limit(limit));
    let request =
        agent.configure_request(request).timeout_global(Some(limit)).http_status_as_error(true).build();
    agent.run(request).map(drop)
}

/// How long a request may take with all redirects.
#[derive(Clone, Copy)]
struct Limit(Duration);

/// What is added to requests to the one server.
struct Additions {
    ours: Way,
    credential: Option<(HeaderName, HeaderValue)>,
    headers: Vec<(HeaderName, HeaderValue)>,
    timeout: Option<Duration>,
    /// Who asks where a redirect leads; nobody if `ureq` follows by itself.
    onward: Option<Agent>,
}

impl Additions {
    /// What the request has itself stays.
    fn add<B>(&self, request: &mut Request<B>, credential: Option<&(HeaderName, HeaderValue)>) {
        if way(request.uri()).as_ref() != Some(&self.ours) {
            return;
        }
        for (name, value) in self.headers.iter().chain(credential) {
            if !request.headers().contains_key(name) {
                request.headers_mut().insert(name, value.clone());
            }
        }
    }

    fn follow(
        &self,
        onward: &Agent,
        request: Request<SendBody>,
        next: MiddlewareNext<'_>,
    ) -> Result<Response<Body>, ureq::Error> {
        let limit = request.extensions().get::<Limit>().map(|limit| limit.0).or(self.timeout);
        let end = limit.map(|limit| Instant::now() + limit);
        let one_at_a_time =
            onward.configure_request(request).max_redirects(0).max_redirects_will_error(false);
        let mut request = one_at_a_time.build();
        // As it is without anything of ours.
        let (mut method, mut uri) = (request.method().clone(), request.uri().clone());
        let (mut headers, extensions) = (request.headers().clone(), request.extensions().clone());
        self.add(&mut request, self.credential.as_ref());
        let mut response = next.handle(request)?;
        for _ in 0..REDIRECTS {
            let Some(location) = location(&response)? else { return Ok(response) };
            uri = join(&uri, location).ok_or(ureq::Error::RedirectFailed)?;
            method = method_onward(method, response.status())?;
            for name in [AUTHORIZATION, COOKIE, CONTENT_LENGTH] {
                headers.remove(name);
            }
            let mut request = Request::new(());
            *request.method_mut() = method.clone();
            *request.uri_mut() = uri.clone();
            *request.headers_mut() = headers.clone();
            *request.extensions_mut() = extensions.clone();
            self.add(&mut request, None);
            if let Some(end) = end {
                let left = end.saturating_duration_since(Instant::now());
                request = onward.configure_request(request).timeout_global(Some(left)).build();
            }
            response = onward.run(request)?;
        }
        if location(&response)?.is_some() { Err(ureq::Error::TooManyRedirects) } else { Ok(response) }
    }
}

impl Middleware for Additions {
    fn handle(
        &self,
        mut request: Request<SendBody>,
        next: MiddlewareNext<'_>,
    ) -> Result<Response<Body>, ureq::Error> {
        match &self.onward {
            Some(onward) => self.follow(onward, request, next),
            None => {
                self.add(&mut request, self.credential.as_ref());
                next.handle(request)
            }
        }
    }
}

/// Where an answer leads, if that is elsewhere.
fn location(response: &Response<Body>) -> Result<Option<&str>, ureq::Error> {
    let status = response.status();
    if !status.is_redirection() || status == StatusCode::NOT_MODIFIED {
        return Ok(None);
    }
    let location = response.headers().get(LOCATION).and_then(|location| location.to_str().ok());
    location.map(Some).ok_or(ureq::Error::RedirectFailed)
}

/// How to ask there: a body is not sent twice.
fn method_onward(method: Method, status: StatusCode) -> Result<Method, ureq::Error> {
    let is_kept = matches!(status, StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT);
    match method {
        Method::POST | Method::PUT | Method::PATCH | Method::DELETE if is_kept => {
            Err(ureq::Error::RedirectFailed)
        }
        Method::GET | Method::HEAD => Ok(method),
        _ if is_kept => Ok(method),
        _ => Ok(Method::GET),
    }
}
