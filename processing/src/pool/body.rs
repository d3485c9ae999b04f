//! The bytes of an item or of a result on their way.

use std::io;
use std::sync::{Mutex, PoisonError};

use cucumber::Scope;
use serde::Serialize;
use serde::de::DeserializeOwned;
use smallvec::SmallVec;

use crate::channel::{Message, START, read_all_at, scope, spare, write_all_at};
use crate::sys::{self, OwnedFd};

/// From this size on bytes go by a memory file: the socket is for small things.
pub(super) const BIG: usize = 16 * 1024;

/// An encoded value: small bytes as they are, big ones in a memory file; with the descriptors of the handles in it.
#[derive(Debug)]
pub(super) struct Body {
    pub(super) bytes: Bytes,
    pub(super) fds: Vec<OwnedFd>,
}

/// What is tiny needs no memory of its own, which one thread would have to ask for and another one to give back.
pub(super) type Small = SmallVec<[u8; 32]>;

#[derive(Debug)]
pub(super) enum Bytes {
    Here(Small),
    /// So many bytes of the file, from [`START`] on.
    In(OwnedFd, u64),
}

impl Bytes {
    fn write(bytes: &[u8], files: &Files) -> cucumber::Result<Self> {
        let written = files.take().and_then(|file| write_all_at(&file, bytes, START).map(|()| file));
        let no_memory = |error| {
            <cucumber::Error as serde::ser::Error>::custom(format!(
                "no shared memory for a big value: {error}"
            ))
        };
        Ok(Bytes::In(written.map_err(no_memory)?, bytes.len() as u64))
    }
}

impl Body {
    /// Encodes a value, to a file out of `files` if it is big. What is bytes and nothing else goes there from where it
    /// lies, without a frame: whoever decodes it knows the type as well.
    pub(super) fn encode<T: Serialize>(value: &T, files: &Files) -> cucumber::Result<Self> {
        if let Some(bytes) = cucumber::as_bytes(value).filter(|bytes| bytes.len() >= BIG) {
            return Ok(Body { bytes: Bytes::write(bytes, files)?, fds: Vec::new() });
        }
        let Message { bytes, fds } = Message::encode_untyped_into(spare::take(), value)?;
        let kept = if bytes.len() < BIG || cucumber::is_bytes::<T>() {
            Bytes::Here(Small::from_slice(&bytes))
        } else {
            Bytes::write(&bytes, files)?
        };
        spare::give(bytes);
        Ok(Body { bytes: kept, fds })
    }

    /// The value; and the file that its bytes were in, which is free now.
    pub(super) fn decode<T: DeserializeOwned>(self) -> (cucumber::Result<T>, Option<OwnedFd>) {
        self.decode_in(|scope| scope)
    }

    /// The same with more in the scope.
    pub(super) fn decode_in<T: DeserializeOwned>(
        self,
        with: impl FnOnce(Scope) -> Scope,
    ) -> (cucumber::Result<T>, Option<OwnedFd>) {
        let scope = with(scope(self.fds));
        match self.bytes {
            Bytes::Here(bytes) => (cucumber::decode_with(&bytes, scope), None),
            Bytes::In(file, length) => {
                let bytes = read_all_at(&file, START, length).map_err(|error| {
                    <cucumber::Error as serde::de::Error>::custom(format!(
                        "a big value cannot be read: {error}"
                    ))
                });
                let value = bytes.and_then(|bytes| {
                    if cucumber::is_bytes::<T>() {
                        return cucumber::from_its_bytes(bytes);
                    }
                    let value = cucumber::decode_with(&bytes, scope);
                    spare::give(bytes);
                    value
                });
                (value, Some(file))
            }
        }
    }

    /// The same bytes, and descriptors for the same handles.
    pub(super) fn try_clone(&self) -> io::Result<Self> {
        let bytes = match &self.bytes {
            Bytes::Here(bytes) => Bytes::Here(bytes.clone()),
            Bytes::In(file, length) => Bytes::In(file.try_clone()?, *length),
        };
        let fds = self.fds.iter().map(OwnedFd::try_clone).collect::<io::Result<_>>()?;
        Ok(Body { bytes, fds })
    }

    /// How many bytes it adds to a packet.
    pub(super) fn inline_len(&self) -> usize {
        match &self.bytes {
            Bytes::Here(bytes) => bytes.len(),
            Bytes::In(..) => 0,
        }
    }

    pub(super) fn is_big(&self) -> bool {
        matches!(self.bytes, Bytes::In(..))
    }
}

/// Memory files that are used again: their pages are there already, which is most of what a big value costs.
#[derive(Debug, Default)]
pub(super) struct Files {
    free: Mutex<Vec<OwnedFd>>,
}

/// How many files are kept for later.
const MOST_FREE: usize = 16;
/// Larger ones are not kept: nobody may ever need so much again.
const LARGEST_KEPT: u64 = 8 << 20;

impl Files {
    pub(super) fn take(&self) -> io::Result<OwnedFd> {
        let free = self.free.lock().unwrap_or_else(PoisonError::into_inner).pop();
        free.map_or_else(|| sys::memory_file("processing-item"), Ok)
    }

    /// Has this file taken next.
    pub(super) fn lend(&self, file: OwnedFd) {
        self.free.lock().unwrap_or_else(PoisonError::into_inner).push(file);
    }

    /// Closes the files that nobody took.
    pub(super) fn clear(&self) {
        self.free.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Gives back a file that no worker can be using any more.
    pub(super) fn put(&self, file: OwnedFd) {
        let small = sys::file_length(&file).is_ok_and(|length| length <= LARGEST_KEPT);
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        if small && free.len() < MOST_FREE {
            free.push(file);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn crosses<T: Serialize + DeserializeOwned + PartialEq>(value: &T, is_big: bool) {
        let body = Body::encode(value, &Files::default()).unwrap();
        assert_eq!(body.is_big(), is_big);
        let (read, file) = body.decode::<T>();
        assert!(read.unwrap() == *value && file.is_some() == is_big);
    }

    #[test]
    fn bytes_of_any_length_cross_with_and_without_a_frame() {
        for length in [0, 1, BIG - 20, BIG - 1, BIG, BIG + 1, 3 * BIG] {
            crosses(&vec![7_u8; length], length >= BIG);
            crosses(&"x".repeat(length), length >= BIG);
        }
        crosses(&Some(vec![7_u8; BIG]), true);
        crosses(&vec![7_u16; BIG], true);
    }

    #[test]
    fn a_text_that_is_none_is_an_error() {
        let body = Body::encode(&vec![0xff_u8; BIG], &Files::default()).unwrap();
        assert!(body.decode::<String>().0.unwrap_err().to_string().contains("UTF-8"));
    }
}
