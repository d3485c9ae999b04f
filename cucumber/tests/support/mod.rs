//! Round trips through both codecs, and folders of a test's own.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, reason = "not every test file uses all of it")]

pub mod servers;
pub mod silence;

use std::fmt::Debug;
use std::path::PathBuf;

use serde::de::DeserializeOwned;
use serde::{Serialize, Serializer};

/// What the frame says about its codec.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub enum Codec {
    Postcard,
    MessagePack,
}

pub fn codec(frame: &[u8]) -> Codec {
    match frame[4] {
        1 => Codec::Postcard,
        2 => Codec::MessagePack,
        other => panic!("codec {other}"),
    }
}

/// Written like the value, under a name that nobody knows.
pub struct Unknown<'a, T>(pub &'a T);

impl<T: Serialize> Serialize for Unknown<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

/// Sends `value` with names, then in the codec that its type allows, which is returned.
#[track_caller]
pub fn round_trip_as<T: Serialize + DeserializeOwned + Debug>(
    value: &T,
    same: impl Fn(&T, &T) -> bool,
) -> Codec {
    let named = cucumber::to_bytes(&Unknown(value)).unwrap();
    assert_eq!(codec(&named), Codec::MessagePack);
    let back: T =
        cucumber::from_bytes(&named).unwrap_or_else(|error| panic!("{value:?} with names: {error:?}"));
    assert!(same(value, &back), "with names: {value:?} became {back:?}");

    cucumber::know::<T>();
    let plain = cucumber::to_bytes(value).unwrap();
    let back: T = cucumber::from_bytes(&plain).unwrap_or_else(|error| panic!("{value:?}: {error:?}"));
    assert!(same(value, &back), "{value:?} became {back:?}");
    codec(&plain)
}

#[track_caller]
pub fn round_trip<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: &T) -> Codec {
    round_trip_as(value, |one, other| one == other)
}

/// Round-trips all, and asserts that they take this codec.
#[track_caller]
pub fn all_take<T: Serialize + DeserializeOwned + PartialEq + Debug>(codec: Codec, values: &[T]) {
    for value in values {
        assert_eq!(round_trip(value), codec, "{value:?}");
    }
}

/// A name that is no text, made of these bytes.
#[cfg(unix)]
pub fn odd_name(bytes: &[u8]) -> std::ffi::OsString {
    std::os::unix::ffi::OsStringExt::from_vec(bytes.to_vec())
}

/// A name that is no text, made of these bytes: halves of pairs, each by itself.
#[cfg(windows)]
pub fn odd_name(bytes: &[u8]) -> std::ffi::OsString {
    let halves: Vec<u16> = bytes.iter().map(|byte| 0xd800 + u16::from(*byte)).collect();
    std::os::windows::ffi::OsStringExt::from_wide(&halves)
}

/// A folder that is gone at the end.
pub struct Scratch(pub PathBuf);

impl Scratch {
    pub fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("cucumber-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
