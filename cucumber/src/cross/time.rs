//! Moments and paths: what serde writes for some values only, or not at all.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use serde::de::Error as _;
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_with::{DeserializeAs, SerializeAs};

use super::Cross;

/// A distance in time, in either direction.
#[derive(Serialize, Deserialize)]
struct Distance {
    is_before: bool,
    by: Duration,
}

impl SerializeAs<SystemTime> for Cross {
    fn serialize_as<S: Serializer>(value: &SystemTime, serializer: S) -> Result<S::Ok, S::Error> {
        since_1970(*value).serialize(serializer)
    }
}

impl<'de> DeserializeAs<'de, SystemTime> for Cross {
    fn deserialize_as<D: Deserializer<'de>>(deserializer: D) -> Result<SystemTime, D::Error> {
        let distance = Distance::deserialize(deserializer)?;
        let time = match distance.is_before {
            true => SystemTime::UNIX_EPOCH.checked_sub(distance.by),
            false => SystemTime::UNIX_EPOCH.checked_add(distance.by),
        };
        time.ok_or_else(|| D::Error::custom("a time that no clock of this system can show"))
    }
}

fn since_1970(time: SystemTime) -> Distance {
    match time.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(by) => Distance { is_before: false, by },
        Err(before) => Distance { is_before: true, by: before.duration() },
    }
}

/// An `Instant` has no date of its own, so it crosses by the system's clock: off by no more than it takes to read both.
impl SerializeAs<Instant> for Cross {
    fn serialize_as<S: Serializer>(value: &Instant, serializer: S) -> Result<S::Ok, S::Error> {
        let (now, date) = (Instant::now(), SystemTime::now());
        let date = match value.checked_duration_since(now) {
            Some(ahead) => date.checked_add(ahead),
            None => date.checked_sub(now.duration_since(*value)),
        };
        let date =
            date.ok_or_else(|| S::Error::custom("an `Instant` too far away for the system's clock"))?;
        since_1970(date).serialize(serializer)
    }
}

impl<'de> DeserializeAs<'de, Instant> for Cross {
    fn deserialize_as<D: Deserializer<'de>>(deserializer: D) -> Result<Instant, D::Error> {
        let date: SystemTime = Cross::deserialize_as(deserializer)?;
        let (now, today) = (Instant::now(), SystemTime::now());
        let instant = match date.duration_since(today) {
            Ok(ahead) => now.checked_add(ahead),
            Err(before) => now.checked_sub(before.duration()),
        };
        instant.ok_or_else(|| {
            D::Error::custom(
                "an `Instant` from before this machine's clock began; send a `SystemTime` instead",
            )
        })
    }
}

impl SerializeAs<Path> for Cross {
    fn serialize_as<S: Serializer>(value: &Path, serializer: S) -> Result<S::Ok, S::Error> {
        value.as_os_str().serialize(serializer)
    }
}

impl SerializeAs<PathBuf> for Cross {
    fn serialize_as<S: Serializer>(value: &PathBuf, serializer: S) -> Result<S::Ok, S::Error> {
        Cross::serialize_as(value.as_path(), serializer)
    }
}

impl<'de> DeserializeAs<'de, PathBuf> for Cross {
    fn deserialize_as<D: Deserializer<'de>>(deserializer: D) -> Result<PathBuf, D::Error> {
        OsString::deserialize(deserializer).map(PathBuf::from)
    }
}
