//! How a process ended, and what it said.

#[cfg(unix)]
use std::os::unix::process::ExitStatusExt as _;
#[cfg(windows)]
use std::os::windows::process::ExitStatusExt as _;
use std::process::{ExitStatus, Output};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_with::{As, DeserializeAs, SerializeAs};

use super::Cross;

/// All that the system said: the code and the signal.
#[cfg(unix)]
fn number(status: ExitStatus) -> i32 {
    status.into_raw()
}

#[cfg(unix)]
fn status(number: i32) -> ExitStatus {
    ExitStatus::from_raw(number)
}

/// There every process has a code.
#[cfg(windows)]
fn number(status: ExitStatus) -> i32 {
    status.code().unwrap_or_default()
}

#[cfg(windows)]
fn status(number: i32) -> ExitStatus {
    ExitStatus::from_raw(number.cast_unsigned())
}

impl SerializeAs<ExitStatus> for Cross {
    fn serialize_as<S: Serializer>(value: &ExitStatus, serializer: S) -> Result<S::Ok, S::Error> {
        number(*value).serialize(serializer)
    }
}

impl<'de> DeserializeAs<'de, ExitStatus> for Cross {
    fn deserialize_as<D: Deserializer<'de>>(deserializer: D) -> Result<ExitStatus, D::Error> {
        i32::deserialize(deserializer).map(status)
    }
}

/// An [`Output`], whose streams are `Vec<u8>` or lent.
#[derive(Serialize, Deserialize)]
struct Said<Stream> {
    #[serde(with = "As::<Cross>")]
    status: ExitStatus,
    stdout: Stream,
    stderr: Stream,
}

impl SerializeAs<Output> for Cross {
    fn serialize_as<S: Serializer>(value: &Output, serializer: S) -> Result<S::Ok, S::Error> {
        let Output { status, stdout, stderr } = value;
        Said { status: *status, stdout, stderr }.serialize(serializer)
    }
}

impl<'de> DeserializeAs<'de, Output> for Cross {
    fn deserialize_as<D: Deserializer<'de>>(deserializer: D) -> Result<Output, D::Error> {
        let Said { status, stdout, stderr } = Said::deserialize(deserializer)?;
        Ok(Output { status, stdout, stderr })
    }
}
