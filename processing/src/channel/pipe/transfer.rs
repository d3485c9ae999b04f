//! A point on its way to another process.

use std::cell::RefCell;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use serde::de::Error as _;
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::end::{End, Partial, Parts, Side};

thread_local! {
    /// The ends that the message being encoded takes with it, while there is one.
    static LEAVING: RefCell<Option<Vec<Arc<End>>>> = const { RefCell::new(None) };
}

/// Encodes a message that takes the points in it along: once it is encoded they are gone from here. If it cannot be
/// encoded, they stay.
///
/// An encoding outside of this only copies them: that of a process about to be started, whose struct is dropped with the
/// points in it, and that of a checkpoint, which must leave the process as it is.
pub(crate) fn moving<R, E>(encode: impl FnOnce() -> Result<R, E>) -> Result<R, E> {
    let before = LEAVING.with(|leaving| leaving.replace(Some(Vec::new())));
    let result = encode();
    let leaving = LEAVING.with(|leaving| leaving.replace(before));
    if result.is_ok() {
        leaving.into_iter().flatten().for_each(|end| end.depart());
    }
    result
}

/// A descriptor inside an encoding.
struct Handle(OwnedFd);

impl Serialize for Handle {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let copy = self.0.try_clone().map_err(S::Error::custom)?;
        cucumber::scope::serialize(Box::new(copy), serializer)
    }
}

impl<'de> Deserialize<'de> for Handle {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Handle, D::Error> {
        cucumber::scope::deserialize(deserializer).map(Handle)
    }
}

/// A point as it crosses.
#[derive(Serialize, Deserialize)]
struct Crossing {
    /// Tells pipes of different types apart.
    kind: String,
    memory: Handle,
    socket: Handle,
    /// Descriptors that have come for messages that were not received yet.
    waiting: Vec<(u64, Vec<Handle>)>,
    partial: Option<Partial>,
    aborted: bool,
}

/// The whole of a point's `Serialize`.
pub(super) fn serialize<S: Serializer>(end: &Arc<End>, kind: &str, serializer: S) -> Result<S::Ok, S::Error> {
    let Parts { memory, socket, handles, partial, aborted } = end.parts().map_err(S::Error::custom)?;
    let waiting =
        handles.into_iter().map(|(tag, fds)| (tag, fds.into_iter().map(Handle).collect())).collect();
    let (memory, socket) = (Handle(memory), Handle(socket));
    let crossing = Crossing { kind: kind.into(), memory, socket, waiting, partial, aborted };
    let written = crossing.serialize(serializer)?;
    LEAVING.with(|leaving| {
        if let Some(leaving) = leaving.borrow_mut().as_mut() {
            leaving.push(Arc::clone(end));
        }
    });
    Ok(written)
}

/// The whole of a point's `Deserialize`.
pub(super) fn deserialize<'de, D: Deserializer<'de>>(
    kind: &str,
    deserializer: D,
) -> Result<Arc<End>, D::Error> {
    let Crossing { kind: theirs, memory, socket, waiting, partial, aborted } =
        Crossing::deserialize(deserializer)?;
    if theirs != kind {
        return Err(D::Error::custom(format!("a point of a pipe of another type: `{theirs}`, not `{kind}`")));
    }
    let handles =
        waiting.into_iter().map(|(tag, fds)| (tag, fds.into_iter().map(|fd| fd.0).collect())).collect();
    let parts = Parts { memory: memory.0, socket: socket.0, handles, partial, aborted };
    End::of_parts(Side::Point, parts).map(Arc::new).map_err(D::Error::custom)
}
