//! Where a server is: the text that names it, the way to it, and where a redirect leads.

use ureq::http::Uri;

use super::{Authorization, HttpRecipe, wrong};
use crate::error::{Error, Result};
use crate::secret::Secret;

/// Reads `scheme://user:password@host:port`. What is wrong is not shown: it may be the password.
pub(super) fn split(text: &str) -> Result<(HttpRecipe, Option<(String, Secret)>)> {
    let (scheme, rest) = text.split_once("://").ok_or_else(form)?;
    let (login, place) = match rest.rsplit_once('@') {
        Some((login, place)) => (Some(login), place),
        None => (None, rest),
    };
    let place = place.strip_suffix('/').unwrap_or(place);
    let server = format!("{}://{place}", scheme.to_ascii_lowercase());
    let uri: Uri = server.parse().map_err(|_| form())?;
    let is_known = matches!(uri.scheme_str(), Some("http" | "https"));
    let is_bare = uri.query().is_none() && matches!(uri.path(), "" | "/") && !server.contains(['#', '?']);
    let host = uri.host().filter(|host| !host.is_empty()).ok_or_else(form)?;
    if !is_known || !is_bare {
        return Err(form());
    }
    if place != host && uri.port_u16().is_none() {
        return Err(wrong(
            "what follows the host and its `:` is no port; write `http://host:port`, and a name and a password in front of it: \
             `http://name:password@host:port`",
        ));
    }
    let login = match login.map(|login| login.split_once(':')) {
        None => None,
        Some(Some((user, password))) => Some((decode(user)?, Secret::new(decode(password)?))),
        // It would be taken for a name, which crosses and is shown.
        Some(None) => {
            return Err(wrong(
                "no `:` in front of the `@`; write `http://name:password@host`, or, for a token, the server alone with \
                 `.bearer()`, and give the token by a `Provider`",
            ));
        }
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

fn form() -> Error {
    wrong(
        "write the server alone, `http://host:port` or `https://host`, with special characters in a name or password as `%` and their code",
    )
}

fn decode(text: &str) -> Result<String> {
    percent_encoding::percent_decode_str(text).decode_utf8().map(String::from).map_err(|_| form())
}

/// The way to a server: what has to be the same for a credential to go there.
pub(super) type Way = (String, String, u16);

pub(super) fn way(uri: &Uri) -> Option<Way> {
    let scheme = uri.scheme_str()?.to_ascii_lowercase();
    let usual = if scheme == "https" { 443 } else { 80 };
    Some((scheme, uri.host()?.to_ascii_lowercase(), uri.port_u16().unwrap_or(usual)))
}

/// Where a `Location` leads that was answered by `base`.
pub(super) fn join(base: &Uri, location: &str) -> Option<Uri> {
    let location = location.split('#').next()?;
    let (scheme, authority) = (base.scheme_str()?, base.authority()?);
    let whole = match location {
        _ if has_scheme(location) => location.to_owned(),
        _ if location.starts_with("//") => format!("{scheme}:{location}"),
        _ if location.starts_with('/') => format!("{scheme}://{authority}{location}"),
        _ if location.starts_with('?') => format!("{scheme}://{authority}{}{location}", base.path()),
        "" => return Some(base.clone()),
        _ => format!("{scheme}://{authority}{}", beside(base.path(), location)),
    };
    whole.parse().ok()
}

fn has_scheme(location: &str) -> bool {
    let is_word =
        |word: &str| word.chars().all(|symbol| symbol.is_ascii_alphanumeric() || "+-.".contains(symbol));
    location.split_once(':').is_some_and(|(scheme, _)| !scheme.is_empty() && is_word(scheme))
}

/// A path that begins where another one's last part does.
fn beside(base: &str, location: &str) -> String {
    let (path, query) = match location.find('?') {
        Some(place) => location.split_at(place),
        None => (location, ""),
    };
    let mut parts: Vec<&str> = base.split('/').skip(1).collect();
    parts.pop();
    let last = path.split('/').count() - 1;
    for (place, part) in path.split('/').enumerate() {
        match part {
            "." => {}
            ".." => drop(parts.pop()),
            _ => parts.push(part),
        }
        if place == last && matches!(part, "." | "..") {
            parts.push("");
        }
    }
    format!("/{}{query}", parts.join("/"))
}

#[cfg(test)]
mod tests;
