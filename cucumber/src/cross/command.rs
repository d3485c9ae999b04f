//! A command that is yet to be run, and a pattern that is yet to be compiled.

use std::ffi::{OsStr, OsString};
use std::process::Command;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_with::{DeserializeAs, SerializeAs};

use super::Cross;

#[derive(Serialize)]
struct Lent<'a> {
    program: &'a OsStr,
    arguments: Vec<&'a OsStr>,
    /// `None` for one that is removed.
    variables: Vec<(&'a OsStr, Option<&'a OsStr>)>,
    folder: Option<&'a OsStr>,
    /// Nothing of the environment stays but those variables.
    is_cleared: bool,
}

#[derive(Deserialize)]
struct Owned {
    program: OsString,
    arguments: Vec<OsString>,
    variables: Vec<(OsString, Option<OsString>)>,
    folder: Option<OsString>,
    is_cleared: bool,
}

/// Whether it forgets the environment, which a `Command` says where it shows itself, as a shell would be told, and nowhere else.
#[cfg(unix)]
fn is_cleared(command: &Command) -> bool {
    let shown = format!("{command:?}");
    shown.starts_with("env -i ") || command.get_current_dir().is_some() && shown.contains(" && env -i ")
}

/// There it does not even say that.
#[cfg(not(unix))]
fn is_cleared(_: &Command) -> bool {
    false
}

/// Where its streams go, a `Command` tells nobody.
impl SerializeAs<Command> for Cross {
    fn serialize_as<S: Serializer>(value: &Command, serializer: S) -> Result<S::Ok, S::Error> {
        let lent = Lent {
            program: value.get_program(),
            arguments: value.get_args().collect(),
            variables: value.get_envs().collect(),
            folder: value.get_current_dir().map(|folder| folder.as_os_str()),
            is_cleared: is_cleared(value),
        };
        lent.serialize(serializer)
    }
}

impl<'de> DeserializeAs<'de, Command> for Cross {
    fn deserialize_as<D: Deserializer<'de>>(deserializer: D) -> Result<Command, D::Error> {
        let owned = Owned::deserialize(deserializer)?;
        let mut command = Command::new(owned.program);
        command.args(owned.arguments);
        if owned.is_cleared {
            command.env_clear();
        }
        for (name, value) in owned.variables {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        if let Some(folder) = owned.folder {
            command.current_dir(folder);
        }
        Ok(command)
    }
}

/// A pattern is as good as what is compiled from it.
#[cfg(feature = "regex")]
macro_rules! patterns {
    ($($regex:ty)*) => {$(
        impl SerializeAs<$regex> for Cross {
            fn serialize_as<S: Serializer>(value: &$regex, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(value.as_str())
            }
        }

        impl<'de> DeserializeAs<'de, $regex> for Cross {
            fn deserialize_as<D: Deserializer<'de>>(deserializer: D) -> Result<$regex, D::Error> {
                let pattern = String::deserialize(deserializer)?;
                <$regex>::new(&pattern).map_err(serde::de::Error::custom)
            }
        }
    )*};
}

#[cfg(feature = "regex")]
patterns! { regex::Regex regex::bytes::Regex }
