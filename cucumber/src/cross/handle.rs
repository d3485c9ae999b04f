//! What the operating system counts as an open file, whatever it is.

use std::io::{PipeReader, PipeWriter};
#[cfg(unix)]
use std::os::fd::OwnedFd;
#[cfg(windows)]
use std::os::windows::io::{OwnedHandle, OwnedSocket};
use std::process::{ChildStderr, ChildStdin, ChildStdout};

use serde::de::{DeserializeOwned, Error as _};
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_with::{DeserializeAs, SerializeAs};

use super::Cross;
use super::open::Open;
use crate::inspect;
use crate::scope::{self, Handling};

/// How a handle is written.
#[derive(Serialize, Deserialize)]
enum Handle<R> {
    /// It rides beside the bytes, under this number.
    Open(u32),
    /// It can be opened again.
    Recipe(R),
}

/// Sends it open where that is possible; else says how to open it again.
pub(super) fn write<T, R, S>(
    value: &T,
    recipe: impl FnOnce() -> std::io::Result<R>,
    serializer: S,
) -> Result<S::Ok, S::Error>
where
    T: Open,
    R: Serialize,
    S: Serializer,
{
    if scope::handling() == Handling::Attached {
        let copy = value.hold().map_err(S::Error::custom)?;
        let number = scope::attach(Box::new(copy)).map_err(S::Error::custom)?;
        return Handle::<R>::Open(number).serialize(serializer);
    }
    if inspect::is_inspecting() {
        return match recipe() {
            Ok(recipe) => recipe.serialize(serializer),
            Err(_) => serializer.serialize_str(scope::OPEN),
        };
    }
    Handle::Recipe(recipe().map_err(S::Error::custom)?).serialize(serializer)
}

/// Takes it as it came, or opens it again.
pub(super) fn read<'de, T, R, D>(
    deserializer: D,
    open: impl FnOnce(R) -> std::io::Result<T>,
) -> Result<T, D::Error>
where
    T: Open,
    R: DeserializeOwned,
    D: Deserializer<'de>,
{
    match Handle::<R>::deserialize(deserializer)? {
        Handle::Open(number) => claim::<T>(number).map(T::of).map_err(D::Error::custom),
        Handle::Recipe(_) if scope::handling() == Handling::Masked => Err(D::Error::custom("not traced")),
        Handle::Recipe(recipe) => open(recipe).map_err(D::Error::custom),
    }
}

/// A part of a graph may be read twice, so it leaves a copy.
fn claim<T: Open>(number: u32) -> crate::Result<T::Hold> {
    let claimed: T::Hold = scope::detach(number)?;
    if crate::graph::is_reading() {
        let copy = T::hold_again(&claimed).map_err(|error| {
            crate::Error::handle("a handle inside of a shared value could not be copied").caused_by(error)
        })?;
        scope::put_back(number, Box::new(copy));
    }
    Ok(claimed)
}

/// What has no name by which it could be opened again.
fn nameless() -> std::io::Result<()> {
    Err(std::io::Error::other(
        "this handle has no name, so it cannot be kept in plain bytes; \
         send the value through a channel, or use `cucumber::encode`",
    ))
}

macro_rules! nameless {
    ($($handle:ty)*) => {$(
        impl SerializeAs<$handle> for Cross {
            fn serialize_as<S: Serializer>(value: &$handle, serializer: S) -> Result<S::Ok, S::Error> {
                if scope::handling() != Handling::Attached {
                    scope::note(scope::Failure::Handle);
                }
                write(value, nameless, serializer)
            }
        }

        impl<'de> DeserializeAs<'de, $handle> for Cross {
            fn deserialize_as<D: Deserializer<'de>>(deserializer: D) -> Result<$handle, D::Error> {
                read(deserializer, |()| Err(std::io::Error::other("a handle that has no name")))
            }
        }
    )*};
}

nameless! { PipeReader PipeWriter ChildStdin ChildStdout ChildStderr }
#[cfg(unix)]
nameless! { OwnedFd }
#[cfg(windows)]
nameless! { OwnedHandle OwnedSocket }
