//! ipc-channel: one channel of values and one of plain bytes, each with a child that was met at a one-shot server.

use std::process::{Child, Command};

use ipc_channel::ipc::{self, IpcBytesReceiver, IpcBytesSender, IpcOneShotServer, IpcReceiver, IpcSender};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

type TypedEnds = (IpcSender<Vec<u8>>, IpcReceiver<Vec<u8>>);
type BytesEnds = (IpcBytesSender, IpcBytesReceiver);

/// What a child hands over at the server: the ends that the parent is to use, of the kind that it was asked for.
#[derive(Serialize, Deserialize)]
enum Ends {
    Typed(TypedEnds),
    Bytes(BytesEnds),
}

pub(crate) struct Typed {
    ends: TypedEnds,
    _child: Ending,
}

impl Typed {
    pub(crate) fn start() -> Self {
        let (Ends::Typed(ends), child) = meet("typed") else { panic!("it was asked for the other kind") };
        Typed { ends, _child: child }
    }

    pub(crate) fn round(&self, message: &[u8]) -> Vec<u8> {
        // `send` takes the value, so this copy is part of what it costs.
        self.ends.0.send(message.to_vec()).expect("the child lives");
        self.ends.1.recv().expect("the child lives")
    }
}

pub(crate) struct Bytes {
    ends: BytesEnds,
    _child: Ending,
}

impl Bytes {
    pub(crate) fn start() -> Self {
        let (Ends::Bytes(ends), child) = meet("bytes") else { panic!("it was asked for the other kind") };
        Bytes { ends, _child: child }
    }

    pub(crate) fn round(&self, message: &[u8]) -> Vec<u8> {
        self.ends.0.send(message).expect("the child lives");
        self.ends.1.recv().expect("the child lives")
    }
}

/// Ends a child that would wait for messages for ever.
struct Ending(Child);

impl Drop for Ending {
    fn drop(&mut self) {
        self.0.kill().expect("it has not been waited for");
        self.0.wait().expect("it has not been waited for");
    }
}

fn meet(kind: &str) -> (Ends, Ending) {
    let (server, name) = IpcOneShotServer::<Ends>::new().expect("a server");
    let mut command = Command::new("/proc/self/exe");
    let child = command.env(crate::CHILD, format!("{kind}:{name}")).spawn().expect("it starts");
    let (_, ends) = server.accept().expect("it connects");
    (ends, Ending(child))
}

/// What the child does.
pub(crate) fn echo(marker: &str) {
    let (kind, server) = marker.split_once(':').expect("the parent wrote both");
    let server = IpcSender::connect(server.to_owned()).expect("the parent waits");
    if kind == "typed" {
        let (to_child, messages) = channel();
        let (answers, to_parent) = channel();
        server.send(Ends::Typed((to_child, to_parent))).expect("the parent waits");
        while let Ok(message) = messages.recv() {
            answers.send(message).expect("the parent listens");
        }
    } else {
        let (to_child, messages) = ipc::bytes_channel().expect("a channel");
        let (answers, to_parent) = ipc::bytes_channel().expect("a channel");
        server.send(Ends::Bytes((to_child, to_parent))).expect("the parent waits");
        while let Ok(message) = messages.recv() {
            answers.send(&message).expect("the parent listens");
        }
    }
}

fn channel<T: Serialize + DeserializeOwned>() -> (IpcSender<T>, IpcReceiver<T>) {
    ipc::channel().expect("a channel")
}
