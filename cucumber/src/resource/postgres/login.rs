//! Where the login in a URL ends.
//!
//! The driver says: at the first `@`. A password with an `@` of its own would go on in the host, or in the name of the
//! database, and both travel. Here it ends at the last one before the path, as in every other URL.

use std::borrow::Cow;

/// What follows the scheme, if it is a URL.
fn rest(text: &str) -> Option<&str> {
    ["postgres://", "postgresql://"].iter().find_map(|scheme| text.strip_prefix(scheme))
}

/// The same URL, in which the driver ends the login where we do.
pub(super) fn with_one_end(text: &str) -> Cow<'_, str> {
    let Some(rest) = rest(text) else { return text.into() };
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    match authority.rsplit_once('@') {
        Some((login, _)) if login.contains('@') => {
            let (scheme, behind) = (&text[..text.len() - rest.len()], &rest[login.len()..]);
            format!("{scheme}{}{behind}", login.replace('@', "%40")).into()
        }
        _ => text.into(),
    }
}

/// Whether a piece of the password may be in the path, as where a `/` of its own comes before its `@`.
pub(super) fn is_torn(text: &str) -> bool {
    let behind = rest(text).and_then(|rest| rest.split_once('@')).map(|(_, behind)| behind);
    behind.is_some_and(|behind| behind.split('?').next().is_some_and(|place| place.contains('@')))
}
