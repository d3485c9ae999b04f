//! A handle as the number that it was attached under.

use std::any::Any;

use serde::{Deserialize, Deserializer, Serializer};

use super::{Attachment, attach, detach};

/// How a handle is shown that has no name.
pub(crate) const OPEN: &str = "open";

/// The whole of a handle's `Serialize`: attaches it and writes its number.
///
/// # Errors
///
/// As [`attach`], in the serializer's words.
pub fn serialize<S: Serializer>(attachment: Attachment, serializer: S) -> Result<S::Ok, S::Error> {
    if crate::inspect::is_inspecting() {
        return serializer.serialize_str(OPEN);
    }
    let number = attach(attachment).map_err(serde::ser::Error::custom)?;
    serializer.serialize_u32(number)
}

/// The whole of a handle's `Deserialize`: reads its number and takes it out.
///
/// # Errors
///
/// As [`detach`], in the deserializer's words.
pub fn deserialize<'de, T: Any, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    let number = u32::deserialize(deserializer)?;
    detach(number).map_err(serde::de::Error::custom)
}
