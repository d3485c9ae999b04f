//! Errors of input and output.

use std::io::{self, ErrorKind};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_with::{As, DeserializeAs, SerializeAs};

use super::Cross;

/// How an error is made again.
#[derive(Serialize, Deserialize)]
enum Failure {
    /// The system's number for it, which has its kind and its text.
    System(i32),
    /// A kind, and what somebody said of it.
    Told(#[serde(with = "As::<Cross>")] ErrorKind, String),
    /// A kind alone.
    Kind(#[serde(with = "As::<Cross>")] ErrorKind),
}

macro_rules! kinds {
    ($($kind:ident)*) => {
        /// A number would be another kind's in the next version of Rust.
        fn name(kind: ErrorKind) -> &'static str {
            match kind {
                $(ErrorKind::$kind => stringify!($kind),)*
                _ => "Other",
            }
        }

        fn kind(name: &str) -> ErrorKind {
            match name {
                $(stringify!($kind) => ErrorKind::$kind,)*
                _ => ErrorKind::Other,
            }
        }
    };
}

kinds! {
    NotFound PermissionDenied ConnectionRefused ConnectionReset HostUnreachable NetworkUnreachable ConnectionAborted
    NotConnected AddrInUse AddrNotAvailable NetworkDown BrokenPipe AlreadyExists WouldBlock NotADirectory IsADirectory
    DirectoryNotEmpty ReadOnlyFilesystem StaleNetworkFileHandle InvalidInput InvalidData TimedOut WriteZero StorageFull
    NotSeekable QuotaExceeded FileTooLarge ResourceBusy ExecutableFileBusy Deadlock CrossesDevices TooManyLinks
    InvalidFilename ArgumentListTooLong Interrupted Unsupported UnexpectedEof OutOfMemory
}

impl SerializeAs<ErrorKind> for Cross {
    fn serialize_as<S: Serializer>(value: &ErrorKind, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(name(*value))
    }
}

impl<'de> DeserializeAs<'de, ErrorKind> for Cross {
    fn deserialize_as<D: Deserializer<'de>>(deserializer: D) -> Result<ErrorKind, D::Error> {
        String::deserialize(deserializer).map(|name| kind(&name))
    }
}

/// Whatever somebody put into it arrives as the text by which it shows itself.
impl SerializeAs<io::Error> for Cross {
    fn serialize_as<S: Serializer>(value: &io::Error, serializer: S) -> Result<S::Ok, S::Error> {
        let failure = match (value.raw_os_error(), value.get_ref()) {
            (Some(number), _) => Failure::System(number),
            (None, Some(told)) => Failure::Told(value.kind(), told.to_string()),
            (None, None) => Failure::Kind(value.kind()),
        };
        failure.serialize(serializer)
    }
}

impl<'de> DeserializeAs<'de, io::Error> for Cross {
    fn deserialize_as<D: Deserializer<'de>>(deserializer: D) -> Result<io::Error, D::Error> {
        Ok(match Failure::deserialize(deserializer)? {
            Failure::System(number) => io::Error::from_raw_os_error(number),
            Failure::Told(kind, told) => io::Error::new(kind, told),
            Failure::Kind(kind) => io::Error::from(kind),
        })
    }
}
