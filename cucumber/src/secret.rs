//! Credentials that cannot reach a frame, `Debug`, `Display` or an error by accident.

use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use zeroize::Zeroizing;

use crate::error::{BoxError, Error, Kind, Result};

mod scrub;

/// A password, a token, a key.
///
/// It cannot be serialised, prints as `[secret]`, and is overwritten when it is dropped. The only way to its text is
/// [`expose`](Secret::expose), which is easy to search for.
///
/// ```
/// let secret = cucumber::Secret::new("hunter2");
/// assert_eq!(format!("{secret} {secret:?}"), "[secret] [secret]");
/// assert_eq!(secret.expose(), "hunter2");
/// ```
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes over the text.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// The text itself.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

/// Where a secret comes from, at the moment it is needed.
///
/// ```
/// use cucumber::Provider;
///
/// let provider = Provider::function(|| Ok::<_, std::io::Error>("hunter2"));
/// assert_eq!(provider.resolve()?.expose(), "hunter2");
/// # Ok::<(), cucumber::Error>(())
/// ```
#[derive(Clone)]
pub struct Provider(Source);

type Function = dyn Fn() -> Result<Secret, BoxError> + Send + Sync;

#[derive(Clone)]
enum Source {
    Env(String),
    File(PathBuf),
    Function(Arc<Function>),
    Literal(Arc<Secret>),
}

impl Provider {
    /// The environment variable of this name.
    #[must_use]
    pub fn env(name: impl Into<String>) -> Self {
        Self(Source::Env(name.into()))
    }

    /// The content of a file, without the line's end behind it.
    #[must_use]
    pub fn file(path: impl AsRef<Path>) -> Self {
        Self(Source::File(path.as_ref().to_owned()))
    }

    /// Whatever the function returns, asked each time.
    #[must_use]
    pub fn function<F, S, E>(function: F) -> Self
    where
        F: Fn() -> Result<S, E> + Send + Sync + 'static,
        S: Into<Secret>,
        E: Into<BoxError>,
    {
        Self(Source::Function(Arc::new(move || function().map(Into::into).map_err(Into::into))))
    }

    /// The secret itself.
    #[must_use]
    pub fn literal(secret: impl Into<Secret>) -> Self {
        Self(Source::Literal(Arc::new(secret.into())))
    }

    /// Fetches the secret.
    ///
    /// # Errors
    ///
    /// When the variable is not set, the file cannot be read, or the function fails or panics; the error says which, and its
    /// [`is_credential`](Error::is_credential) is true.
    pub fn resolve(&self) -> Result<Secret> {
        match &self.0 {
            Source::Env(name) => match std::env::var(name) {
                Ok(text) => Ok(Secret::new(text)),
                Err(std::env::VarError::NotPresent) => Err(credential(format!(
                    "the environment variable `{name}`, which holds the credential, is not set"
                ))),
                // The error would show the value.
                Err(std::env::VarError::NotUnicode(_)) => Err(credential(format!(
                    "the environment variable `{name}`, which holds the credential, is not valid UTF-8"
                ))),
            },
            Source::File(path) => {
                let mut text = std::fs::read_to_string(path).map(Zeroizing::new).map_err(|error| {
                    credential(format!("cannot read the credential from `{}`", path.display()))
                        .caused_by(error)
                })?;
                let kept =
                    text.strip_suffix('\n').map_or(text.len(), |text| text.trim_end_matches('\r').len());
                text.truncate(kept);
                Ok(Secret(text))
            }
            Source::Function(function) => match catch_unwind(AssertUnwindSafe(|| function())) {
                Ok(provided) => provided.map_err(|error| {
                    credential("the function that provides the credential failed").caused_by(error)
                }),
                Err(panic) => {
                    let error = credential("the function that provides the credential panicked");
                    Err(match message(&*panic) {
                        Some(words) => error.caused_by(words),
                        None => error,
                    })
                }
            },
            Source::Literal(secret) => Ok(Secret::clone(secret)),
        }
    }
}

/// What a panic said, if that was words.
fn message(panic: &(dyn Any + Send)) -> Option<String> {
    let words = panic.downcast_ref::<String>().cloned();
    words.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string))
}

fn credential(text: impl Into<String>) -> Error {
    Error::new(Kind::Credential(text.into()))
}

impl From<Secret> for Provider {
    fn from(secret: Secret) -> Self {
        Self::literal(secret)
    }
}

impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Source::Env(name) => write!(f, "env({name:?})"),
            Source::File(path) => write!(f, "file({path:?})"),
            Source::Function(_) => f.write_str("function"),
            Source::Literal(_) => f.write_str("[secret]"),
        }
    }
}

#[cfg(test)]
mod tests;
