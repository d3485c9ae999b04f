//! Buffers around files and streams. What is in a buffer has left the file already, or is not there yet.

use std::fs::File;
use std::io::{BufReader, BufWriter, Error, PipeReader, PipeWriter, Result as Outcome, Write};
use std::net::TcpStream;
#[cfg(unix)]
use std::os::unix::net::UnixStream;
use std::process::{ChildStderr, ChildStdin, ChildStdout};

use serde::de::Error as _;
use serde::ser::Error as _;
use serde::{Deserializer, Serialize, Serializer};
use serde_with::{DeserializeAs, Same, SerializeAs};

use super::Cross;
#[cfg(target_os = "linux")]
use super::file;
use super::via::Written;

/// Written as the file, and how many bytes were read from it that nobody has seen yet.
impl SerializeAs<BufReader<File>> for Cross {
    fn serialize_as<S: Serializer>(value: &BufReader<File>, serializer: S) -> Result<S::Ok, S::Error> {
        let (file, unread) = (value.get_ref(), value.buffer().len());
        let can_read_again = HAS_FILES_OF_ITS_OWN && file.metadata().is_ok_and(|about| about.is_file());
        if unread > 0 && !can_read_again {
            return Err(S::Error::custom(read_ahead(unread)));
        }
        (unread as u64, Written::<File, Self>::new(file)).serialize(serializer)
    }
}

impl<'de> DeserializeAs<'de, BufReader<File>> for Cross {
    fn deserialize_as<D: Deserializer<'de>>(deserializer: D) -> Result<BufReader<File>, D::Error> {
        let (unread, file): (u64, File) = <(Same, Self)>::deserialize_as(deserializer)?;
        reader_of_its_own(file, unread).map(BufReader::new).map_err(D::Error::custom)
    }
}

/// Whether a file that is open here can be opened once more, with a position of its own.
const HAS_FILES_OF_ITS_OWN: bool = cfg!(target_os = "linux");

/// Two buffers over one position would each take what the other one is going to need.
#[cfg(target_os = "linux")]
fn reader_of_its_own(mut file: File, unread: u64) -> Outcome<File> {
    use std::io::{Seek, SeekFrom};

    if !file.metadata()?.is_file() {
        return Ok(file);
    }
    let position = file.stream_position()?.checked_sub(unread);
    let position = position.ok_or_else(|| Error::other("a reader that has read more than there is"))?;
    let mut own = file::once_more(&file)?;
    own.seek(SeekFrom::Start(position))?;
    Ok(own)
}

/// Nobody who has read ahead sends one here.
#[cfg(not(target_os = "linux"))]
fn reader_of_its_own(file: File, unread: u64) -> Outcome<File> {
    if unread > 0 { Err(Error::other("a reader that has read ahead")) } else { Ok(file) }
}

fn read_ahead(unread: usize) -> String {
    format!(
        "this `BufReader` has read {unread} bytes ahead, which its stream does not have any more; \
         use them up before, or send the stream itself"
    )
}

macro_rules! readers {
    ($($stream:ty)*) => {$(
        impl SerializeAs<BufReader<$stream>> for Cross {
            fn serialize_as<S: Serializer>(value: &BufReader<$stream>, serializer: S) -> Result<S::Ok, S::Error> {
                match value.buffer().len() {
                    0 => Self::serialize_as(value.get_ref(), serializer),
                    unread => Err(S::Error::custom(read_ahead(unread))),
                }
            }
        }

        impl<'de> DeserializeAs<'de, BufReader<$stream>> for Cross {
            fn deserialize_as<D: Deserializer<'de>>(deserializer: D) -> Result<BufReader<$stream>, D::Error> {
                let stream: $stream = Self::deserialize_as(deserializer)?;
                Ok(BufReader::new(stream))
            }
        }
    )*};
}

readers! { TcpStream PipeReader ChildStdout ChildStderr }
#[cfg(unix)]
readers! { UnixStream }

/// Were the bytes to go along, both sides would write them.
fn whole<W: Write>(writer: &BufWriter<W>) -> Result<&W, String> {
    match writer.buffer().len() {
        0 => Ok(writer.get_ref()),
        left => {
            Err(format!("this `BufWriter` holds {left} bytes that are not written yet; `flush()` it before"))
        }
    }
}

macro_rules! writers {
    ($($stream:ty)*) => {$(
        impl SerializeAs<BufWriter<$stream>> for Cross {
            fn serialize_as<S: Serializer>(value: &BufWriter<$stream>, serializer: S) -> Result<S::Ok, S::Error> {
                Self::serialize_as(whole(value).map_err(S::Error::custom)?, serializer)
            }
        }

        impl<'de> DeserializeAs<'de, BufWriter<$stream>> for Cross {
            fn deserialize_as<D: Deserializer<'de>>(deserializer: D) -> Result<BufWriter<$stream>, D::Error> {
                let stream: $stream = Self::deserialize_as(deserializer)?;
                Ok(BufWriter::new(stream))
            }
        }
    )*};
}

writers! { File TcpStream PipeWriter ChildStdin }
#[cfg(unix)]
writers! { UnixStream }
