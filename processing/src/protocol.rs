//! All that a worker and its parent say to each other on the control channel.
//!
//! | from | packet | answered by |
//! |---|---|---|
//! | parent | `Start` | `Hello`, or `Refused` and the end |
//! | worker | `Failed` | `Retry` or `GiveUp` |
//! | worker | `Finished` | nothing: the worker ends |
//! | either | `Message` | nothing: it has descriptors, and its turn is where the ring has a mark |
//! | worker | `Look` | nothing: there is something to do at the rings |
//! | parent | `Stop` | nothing: the status page says it too, this wakes who sleeps |
//! | worker | `Settings`, `Handles` | nothing |

use std::io;
use std::sync::Arc;
use std::time::Duration;

use cucumber::Func;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::attendant::Attendant;
use crate::channel::{Inbox, Message, Packet};
use crate::config::StartMethod;
use crate::error::Failure;
use crate::sys::OwnedFd;
use crate::{Config, Phase, ProcessError};

/// Counted up with every change of the packets, the status page or the marker.
pub(crate) const VERSION: u32 = 2;

/// What a worker is for: called once, in the worker, with all it needs.
pub(crate) type Entry = fn(Worker);

/// What a new worker has: its channel, and what it is to do.
#[derive(Debug)]
pub(crate) struct Worker {
    pub(crate) socket: Arc<OwnedFd>,
    pub(crate) inbox: Inbox,
    pub(crate) job: Message,
    pub(crate) attendant: Attendant,
}

/// From the parent to the worker.
#[derive(Debug)]
pub(crate) enum Request {
    /// What to be. The first packet of all; the job's own descriptors come with it.
    Start(Start, Message),
    /// Told by the user, with descriptors.
    Message(Message),
    /// End after the hook that is running.
    Stop,
    /// Try again, after this long, knowing what went wrong.
    Retry(Duration, ProcessError),
    /// No life is left, or the failure was a final one.
    GiveUp(ProcessError),
}

/// How a worker becomes one.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Start {
    /// The build that the parent is of.
    pub(crate) build: u64,
    /// The encoded [`Functions`], which mean nothing to another build.
    pub(crate) functions: Vec<u8>,
}

/// What a worker calls.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Functions {
    /// What the program wants done first in every worker.
    pub(crate) prologue: Option<Func<fn()>>,
    /// How it starts workers of its own.
    pub(crate) method: StartMethod,
    /// What this worker is for.
    pub(crate) entry: Func<Entry>,
}

/// From the worker to the parent.
#[derive(Debug)]
pub(crate) enum Event {
    /// The worker lives, and is the same build.
    Hello,
    /// The worker cannot be what it is asked to be.
    Refused(Failure),
    /// Told by the user, with descriptors.
    Message(Message),
    /// A hook failed; the worker waits for what to do.
    Failed(Failed),
    /// A hook has changed the settings.
    Settings(Config),
    /// The descriptors of a checkpoint that is about to be committed under this number.
    Handles(u64, Message),
    /// The value of the process.
    Value(Message),
    /// The failure of the process.
    Error(ProcessError),
    /// The rings want attention: one has something that the parent waits for, or one is full.
    Look,
}

/// A failure that did not cost the worker's process.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Failed {
    pub(crate) phase: Phase,
    pub(crate) run: u64,
    pub(crate) fault: Fault,
}

/// How a hook failed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Fault {
    /// It returned an error or panicked.
    Failure(Box<Failure>),
    /// It is `async` and was cancelled at this limit.
    Timeout(Duration),
}

impl From<Failure> for Fault {
    fn from(failure: Failure) -> Self {
        Fault::Failure(Box::new(failure))
    }
}

impl Request {
    pub(crate) fn pack(self) -> io::Result<Packet> {
        match self {
            Request::Start(start, job) => {
                // Two frames in one body: the first has to be readable to any build, the second only to this one.
                let start = bytes(&start)?;
                let mut body = (start.len() as u32).to_le_bytes().to_vec();
                body.extend_from_slice(&start);
                body.extend_from_slice(&job.bytes);
                Packet::new(0, body, job.fds)
            }
            Request::Message(message) => Packet::new(1, message.bytes, message.fds),
            Request::Stop => Packet::new(2, Vec::new(), Vec::new()),
            Request::Retry(after, error) => Packet::new(3, bytes(&(after, error))?, Vec::new()),
            Request::GiveUp(error) => Packet::new(4, bytes(&error)?, Vec::new()),
        }
    }

    pub(crate) fn unpack(packet: Packet) -> io::Result<Self> {
        Ok(match packet.kind {
            0 => {
                let (length, rest) = packet.body.split_first_chunk().ok_or_else(garbled)?;
                let (start, job) =
                    rest.split_at_checked(u32::from_le_bytes(*length) as usize).ok_or_else(garbled)?;
                Request::Start(value(start)?, Message { bytes: job.to_vec(), fds: packet.fds })
            }
            1 => Request::Message(Message { bytes: packet.body, fds: packet.fds }),
            2 => Request::Stop,
            3 => {
                let (after, error) = value(&packet.body)?;
                Request::Retry(after, error)
            }
            4 => Request::GiveUp(value(&packet.body)?),
            _ => return Err(garbled()),
        })
    }
}

impl Event {
    pub(crate) fn pack(self) -> io::Result<Packet> {
        match self {
            Event::Hello => Packet::new(0, Vec::new(), Vec::new()),
            Event::Refused(failure) => Packet::new(1, bytes(&failure)?, Vec::new()),
            Event::Message(message) => Packet::new(2, message.bytes, message.fds),
            Event::Failed(failed) => Packet::new(3, bytes(&failed)?, Vec::new()),
            Event::Settings(config) => Packet::new(4, bytes(&config)?, Vec::new()),
            Event::Handles(number, handles) => Packet::new(5, bytes(&number)?, handles.fds),
            Event::Value(message) => Packet::new(6, message.bytes, message.fds),
            Event::Error(error) => Packet::new(7, bytes(&error)?, Vec::new()),
            Event::Look => Packet::new(8, Vec::new(), Vec::new()),
        }
    }

    pub(crate) fn unpack(packet: Packet) -> io::Result<Self> {
        Ok(match packet.kind {
            0 => Event::Hello,
            1 => Event::Refused(value(&packet.body)?),
            2 => Event::Message(Message { bytes: packet.body, fds: packet.fds }),
            3 => Event::Failed(value(&packet.body)?),
            4 => Event::Settings(value(&packet.body)?),
            5 => Event::Handles(value(&packet.body)?, Message { bytes: Vec::new(), fds: packet.fds }),
            6 => Event::Value(Message { bytes: packet.body, fds: packet.fds }),
            7 => Event::Error(value(&packet.body)?),
            8 => Event::Look,
            _ => return Err(garbled()),
        })
    }
}

fn bytes<T: Serialize>(value: &T) -> io::Result<Vec<u8>> {
    cucumber::to_bytes(value).map_err(io::Error::other)
}

fn value<T: DeserializeOwned>(bytes: &[u8]) -> io::Result<T> {
    cucumber::from_bytes(bytes).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
}

fn garbled() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "the other side sent something that is no message")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers without a pattern, the same in every run.
    fn noise(seed: &mut u64) -> u64 {
        *seed ^= *seed << 13;
        *seed ^= *seed >> 7;
        *seed ^= *seed << 17;
        *seed
    }

    #[test]
    fn garbage_and_damage_are_errors_or_packets_but_never_panics() {
        let mut seed = 0x9e37_79b9_7f4a_7c15;
        let failure = Failure::with_cause("a failure", &io::Error::other("of a kind"));
        let error = ProcessError::custom("an error");
        let bodies = [
            Request::Retry(Duration::from_secs(3), error.clone()).pack().unwrap().body,
            Request::GiveUp(error.clone()).pack().unwrap().body,
            Event::Refused(failure.clone()).pack().unwrap().body,
            Event::Failed(Failed { phase: Phase::Run, run: 7, fault: failure.into() }).pack().unwrap().body,
            Event::Settings(Config::DEFAULT).pack().unwrap().body,
            Event::Error(error).pack().unwrap().body,
        ];
        for round in 0..60_000 {
            let mut body = bodies[round % bodies.len()].clone();
            match noise(&mut seed) % 3 {
                0 => body = (0..noise(&mut seed) % 64).map(|_| noise(&mut seed) as u8).collect(),
                1 => body.truncate(noise(&mut seed) as usize % body.len()),
                _ => {
                    for _ in 0..=noise(&mut seed) % 4 {
                        let at = noise(&mut seed) as usize % body.len();
                        body[at] = noise(&mut seed) as u8;
                    }
                }
            }
            for kind in 0..10 {
                let packet = || Packet::new(kind, body.clone(), Vec::new()).unwrap();
                let _ = Request::unpack(packet());
                let _ = Event::unpack(packet());
            }
        }
    }
}
