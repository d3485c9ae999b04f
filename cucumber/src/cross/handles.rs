//! The handles among what a task has captured.

use std::fmt;
#[cfg(unix)]
use std::os::fd::OwnedFd as Hold;
#[cfg(windows)]
use std::os::windows::io::OwnedHandle as Hold;
use std::sync::Arc;

use serde::ser::{Error as _, SerializeSeq as _};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_with::{DeserializeAs, SerializeAs};

use super::Cross;
use crate::error::{Error, Result};
use crate::scope::Attachment;

/// They are shared by all copies of the task; each closure gets copies of its own.
#[derive(Clone, Default)]
pub(crate) struct Handles(Arc<[Handle]>);

struct Handle(Hold);

impl Handles {
    /// Those that an encoding has attached.
    pub(crate) fn of(attachments: Vec<Attachment>) -> Result<Self> {
        let handles = attachments.into_iter().map(|attachment| match attachment.downcast::<Hold>() {
            Ok(handle) => Ok(Handle(*handle)),
            Err(_) => Err(Error::custom("a handle of a kind that cannot be copied for each call")),
        });
        handles.collect::<Result<_>>().map(Self)
    }

    /// What a decoding of the captures is given.
    pub(crate) fn copies(&self) -> Result<Vec<Attachment>> {
        self.0.iter().map(Handle::copy).collect()
    }
}

impl Handle {
    fn copy(&self) -> Result<Attachment> {
        let copy = self.0.try_clone();
        let cannot =
            |error| Error::handle("a handle that a task captures could not be copied").caused_by(error);
        copy.map(|copy| Box::new(copy) as Attachment).map_err(cannot)
    }
}

impl fmt::Debug for Handles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Handles").field(&self.0.len()).finish()
    }
}

impl Serialize for Handles {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut handles = serializer.serialize_seq(Some(self.0.len()))?;
        self.0.iter().try_for_each(|handle| handles.serialize_element(handle))?;
        handles.end()
    }
}

impl<'de> Deserialize<'de> for Handles {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Vec::<Handle>::deserialize(deserializer).map(|handles| Self(handles.into()))
    }
}

impl Serialize for Handle {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Cross::serialize_as(&self.0, serializer)
    }
}

impl<'de> Deserialize<'de> for Handle {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Cross::deserialize_as(deserializer).map(Self)
    }
}
