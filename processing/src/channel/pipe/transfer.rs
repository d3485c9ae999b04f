//! A point on its way to another process.

use std::cell::RefCell;
use std::sync::Arc;

use serde::de::Error as _;
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::end::{End, Partial, Parts, Side};
use crate::sys::{self, OwnedFd};

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
    let outer = LEAVING.with(|leaving| leaving.replace(Some(Vec::new())));
    let departure = Departure { outer };
    let result = encode();
    if result.is_ok() {
        departure.take().iter().for_each(|end| end.depart());
    }
    result
}

/// An encoding that takes ends along. Whatever it comes to, those that have not left by then stay.
struct Departure {
    /// What an encoding around this one takes along.
    outer: Option<Vec<Arc<End>>>,
}

impl Departure {
    /// The ends that leave.
    fn take(&self) -> Vec<Arc<End>> {
        LEAVING.with(|leaving| leaving.borrow_mut().as_mut().map(std::mem::take)).unwrap_or_default()
    }
}

impl Drop for Departure {
    fn drop(&mut self) {
        self.take().iter().for_each(|end| end.stay());
        LEAVING.with(|leaving| leaving.replace(self.outer.take()));
    }
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
        sys::deserialize_fd(deserializer).map(Handle)
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
    if cucumber::scope::is_for_many() {
        return Err(S::Error::custom(
            "a point belongs to one process, and a task may run in many; \
             make the point a field of a process, or hand it over as an item",
        ));
    }
    let leaves = LEAVING.with(|leaving| leaving.borrow().is_some());
    let Parts { memory, socket, handles, partial, aborted } = end.parts(leaves).map_err(S::Error::custom)?;
    if leaves {
        // From here on it is settled together with the whole message, also if the rest cannot be encoded.
        LEAVING.with(|leaving| leaving.borrow_mut().as_mut().map(|leaving| leaving.push(Arc::clone(end))));
    }
    let waiting =
        handles.into_iter().map(|(tag, fds)| (tag, fds.into_iter().map(Handle).collect())).collect();
    let (memory, socket) = (Handle(memory), Handle(socket));
    let crossing = Crossing { kind: kind.into(), memory, socket, waiting, partial, aborted };
    crossing.serialize(serializer)
}

/// The whole of a point's `Deserialize`.
pub(super) fn deserialize<'de, Received, D: Deserializer<'de>>(
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
    End::of_parts::<Received>(Side::Point, parts).map(Arc::new).map_err(D::Error::custom)
}
