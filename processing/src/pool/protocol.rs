//! All that a pool and its workers say to each other.
//!
//! A worker of a pool is started like any other, with `Start`, and answers `Hello` or `Refused`. From there on:
//!
//! | from | packet | what |
//! |---|---|---|
//! | worker | `Ready` | the initializer is done |
//! | worker | `Refused` | the initializer failed; the worker ends |
//! | parent | `Job` | what a call does with its items; before the first of them |
//! | parent | `Forget` | that call is over |
//! | parent | `Chunk` | tasks, numbered in the order in which they are sent to this worker |
//! | worker | `Results` | of tasks that are done, any number at a time |
//! | parent | `Quit` | end now, flushing what is buffered |
//!
//! Whether a task may be begun is not in the packets but in [`Claims`](crate::shm::Claims).

use std::io;
use std::time::Duration;

use cucumber::Func;
use serde::{Deserialize, Serialize};

use super::body::{Body, Bytes, Small};
use super::function::{Initializer, Setup};
use super::task::Task;
use super::wire::{Reader, Write, garbled};
use crate::ProcessError;
use crate::channel::{Message, Packet, scope};
use crate::error::Failure;
use crate::protocol::Event;
use crate::restart::Pause;
use crate::sys::{AsFd, OwnedFd};

const READY: u8 = 32;
const RESULTS: u8 = 33;
const JOB: u8 = 32;
const FORGET: u8 = 33;
const CHUNK: u8 = 34;
const QUIT: u8 = 35;

/// What the first packet to a worker of a pool says; its status page, claims, journal and alarm come with it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct SeatJob {
    pub(super) index: usize,
    pub(super) initializer: Option<Func<Initializer>>,
}

/// From the parent to the worker.
#[derive(Debug)]
pub(super) enum Order {
    Job(JobStart, Message),
    Forget(u64),
    Chunk(Vec<Assignment>),
    Quit,
}

/// What a call does with its items. Its captures ride behind it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct JobStart {
    pub(super) id: u64,
    pub(super) setup: Func<Setup>,
    pub(super) task_timeout: Option<Duration>,
    /// If its tasks are processes, how each is tried.
    pub(super) process: Option<Attempts>,
}

/// How often a process is tried, and how soon again.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Attempts {
    pub(super) lives: u32,
    pub(super) pause: Pause,
}

/// How a process failed in another worker before.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum Before {
    /// It begins anew.
    Failed(ProcessError),
    /// For good: only its `error` hook is still to run.
    Last(ProcessError),
}

/// A task as its worker sees it.
#[derive(Debug)]
pub(super) struct Assignment {
    /// Its number with this worker.
    pub(super) task: u32,
    pub(super) job: u64,
    /// The place of its item in the input.
    pub(super) index: u64,
    /// How often it was begun before.
    pub(super) attempt: u32,
    pub(super) body: Body,
    /// Where a big result can be put.
    pub(super) scratch: Option<OwnedFd>,
    pub(super) before: Option<Box<Before>>,
}

impl Order {
    pub(super) fn unpack(packet: Packet) -> io::Result<Self> {
        Ok(match packet.kind {
            JOB => {
                let mut reader = Reader::new(&packet.body);
                let length = reader.u32()?;
                let start = cucumber::decode_with(reader.bytes(length.into())?, scope(Vec::new()));
                let start = start.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
                Order::Job(start, Message { bytes: reader.rest().to_vec(), fds: packet.fds })
            }
            FORGET => Order::Forget(Reader::new(&packet.body).u64()?),
            CHUNK => Order::Chunk(chunk(packet)?),
            QUIT => Order::Quit,
            _ => return Err(garbled()),
        })
    }
}

pub(super) fn job_packet(start: &JobStart, captures: Message) -> io::Result<Packet> {
    let start = cucumber::to_bytes(start).map_err(io::Error::other)?;
    let mut body = Vec::with_capacity(4 + start.len() + captures.bytes.len());
    body.put_u32(start.len() as u32);
    body.put_bytes(&start);
    body.put_bytes(&captures.bytes);
    Packet::new(JOB, body, captures.fds)
}

pub(super) fn forget_packet(job: u64) -> io::Result<Packet> {
    Packet::new(FORGET, job.to_le_bytes().to_vec(), Vec::new())
}

pub(super) fn quit_packet() -> io::Result<Packet> {
    Packet::new(QUIT, Vec::new(), Vec::new())
}

/// Tasks of one job, numbered from `first`. Their descriptors are duplicated: they may have to be sent again.
pub(super) fn chunk_packet(job: u64, first: u32, tasks: &[Task]) -> io::Result<Packet> {
    let room: usize = tasks.iter().map(|task| task.body.inline_len() + 28).sum();
    let mut body = Vec::with_capacity(16 + room);
    let mut fds = Vec::new();
    body.put_u64(job);
    body.put_u32(first);
    body.put_u32(tasks.len() as u32);
    for task in tasks {
        body.put_u64(task.index as u64);
        body.put_u32(task.attempts);
        body.put_u8(u8::from(task.scratch.is_some()));
        let before = task.before.as_ref().map(cucumber::to_bytes).transpose();
        let before = before.map_err(io::Error::other)?.unwrap_or_default();
        body.put_u32(before.len() as u32);
        body.put_bytes(&before);
        put_body(&mut body, &task.body);
        let file = match &task.body.bytes {
            Bytes::In(file, _) => Some(file),
            Bytes::Here(_) => None,
        };
        for fd in file.into_iter().chain(&task.scratch).chain(&task.body.fds) {
            fds.push(fd.as_fd().try_clone_to_owned()?);
        }
    }
    Packet::new(CHUNK, body, fds)
}

fn chunk(packet: Packet) -> io::Result<Vec<Assignment>> {
    let mut reader = Reader::new(&packet.body);
    let (job, first, count) = (reader.u64()?, reader.u32()?, reader.u32()?);
    let mut fds = packet.fds.into_iter();
    let mut tasks = Vec::new();
    for number in 0..count {
        let (index, attempt) = (reader.u64()?, reader.u32()?);
        let has_scratch = reader.u8()? == 1;
        let length = reader.u32()?;
        let before = match reader.bytes(length.into())? {
            [] => None,
            bytes => Some(cucumber::from_bytes(bytes).map_err(|_| garbled())?),
        };
        let place = Place::read(&mut reader)?;
        let bytes = place.bytes(&mut reader, &mut fds)?;
        let scratch = if has_scratch { Some(fds.next().ok_or_else(garbled)?) } else { None };
        let body = Body { bytes, fds: fds.by_ref().take(place.fds).collect() };
        let task = first.checked_add(number).ok_or_else(garbled)?;
        tasks.push(Assignment { task, job, index, attempt, body, scratch, before });
    }
    Ok(tasks)
}

/// A small body: its length, its descriptors, its bytes. A big one: the same, but its bytes are in a file.
fn put_body(packet: &mut Vec<u8>, body: &Body) {
    match &body.bytes {
        Bytes::Here(bytes) => {
            packet.put_u8(HERE);
            packet.put_u16(body.fds.len() as u16);
            packet.put_u64(bytes.len() as u64);
            packet.put_bytes(bytes);
        }
        Bytes::In(_, length) => {
            packet.put_u8(FILE);
            packet.put_u16(body.fds.len() as u16);
            packet.put_u64(*length);
        }
    }
}

const HERE: u8 = 0;
const FILE: u8 = 1;
const SCRATCH: u8 = 2;

struct Place {
    kind: u8,
    fds: usize,
    length: u64,
}

impl Place {
    fn read(reader: &mut Reader<'_>) -> io::Result<Self> {
        Ok(Place { kind: reader.u8()?, fds: reader.u16()?.into(), length: reader.u64()? })
    }

    fn bytes(&self, reader: &mut Reader<'_>, fds: &mut impl Iterator<Item = OwnedFd>) -> io::Result<Bytes> {
        match self.kind {
            HERE => Ok(Bytes::Here(Small::from_slice(reader.bytes(self.length)?))),
            FILE => Ok(Bytes::In(fds.next().ok_or_else(garbled)?, self.length)),
            _ => Err(garbled()),
        }
    }
}

/// From the worker to the parent.
#[derive(Debug)]
pub(super) enum Report {
    Hello,
    Refused(Failure),
    Ready,
    Results(Results),
}

/// Tasks that are done.
#[derive(Debug)]
pub(super) struct Results {
    /// How long the worker took for them.
    pub(super) busy: Duration,
    pub(super) results: Vec<Answer>,
}

/// What a task came to.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) task: u32,
    pub(super) verdict: Verdict,
    pub(super) body: Option<Body>,
    /// How many bytes of the scratch file the result is, if it is there.
    pub(super) scratch: u64,
    pub(super) fds: Vec<OwnedFd>,
}

/// How to take an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// A value.
    Value,
    /// A value that says of itself that the task has failed: an `Err`, where that counts.
    ErrValue,
    /// An encoded [`TaskFailure`], to be tried again while there are lives.
    Failed,
    /// An encoded [`TaskFailure`] that is final.
    GaveUp,
}

/// Collects results, in the worker, until they are sent.
#[derive(Debug, Default)]
pub(super) struct Pending {
    count: u32,
    body: Vec<u8>,
    fds: Vec<OwnedFd>,
}

impl Pending {
    pub(super) fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// What the results are so far, without their descriptors.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.body
    }

    pub(super) fn has_fds(&self) -> bool {
        !self.fds.is_empty()
    }

    /// Adds a result; `scratch` says that its bytes are in the file which came with the task.
    pub(super) fn add(&mut self, task: u32, verdict: Verdict, body: Body, in_scratch: bool) {
        self.count += 1;
        self.body.put_u32(task);
        self.body.put_u8(match verdict {
            Verdict::Value => 0,
            Verdict::ErrValue => 1,
            Verdict::Failed => 2,
            Verdict::GaveUp => 3,
        });
        let start = self.body.len();
        put_body(&mut self.body, &body);
        match body.bytes {
            Bytes::In(..) if in_scratch => self.body[start] = SCRATCH,
            Bytes::In(file, _) => self.fds.push(file),
            Bytes::Here(_) => {}
        }
        self.fds.extend(body.fds);
    }

    pub(super) fn take(&mut self, busy: Duration) -> io::Result<Packet> {
        let Pending { count, body, fds } = std::mem::take(self);
        let mut packet = Vec::with_capacity(12 + body.len());
        packet.put_u64(u64::try_from(busy.as_nanos()).unwrap_or(u64::MAX));
        packet.put_u32(count);
        packet.put_bytes(&body);
        Packet::new(RESULTS, packet, fds)
    }
}

pub(super) fn ready_packet() -> io::Result<Packet> {
    Packet::new(READY, Vec::new(), Vec::new())
}

impl Report {
    pub(super) fn unpack(packet: Packet) -> io::Result<Self> {
        match packet.kind {
            READY => Ok(Report::Ready),
            RESULTS => results(packet).map(Report::Results),
            _ => match Event::unpack(packet)? {
                Event::Hello => Ok(Report::Hello),
                Event::Refused(failure) => Ok(Report::Refused(failure)),
                _ => Err(garbled()),
            },
        }
    }
}

fn results(packet: Packet) -> io::Result<Results> {
    let mut reader = Reader::new(&packet.body);
    let busy = Duration::from_nanos(reader.u64()?);
    let count = reader.u32()?;
    let mut fds = packet.fds.into_iter();
    let mut results = Vec::new();
    for _ in 0..count {
        results.push(answer(&mut reader, &mut fds)?);
    }
    Ok(Results { busy, results })
}

/// The results that a worker had not sent when it died. A worker may have written anything: what makes no sense, and
/// whatever stands behind it, is none.
pub(super) fn unsent(journal: &[u8]) -> Vec<Answer> {
    let mut reader = Reader::new(journal);
    // Results with descriptors are sent at once.
    std::iter::from_fn(|| answer(&mut reader, &mut std::iter::empty()).ok()).collect()
}

fn answer(reader: &mut Reader<'_>, fds: &mut impl Iterator<Item = OwnedFd>) -> io::Result<Answer> {
    let task = reader.u32()?;
    let verdict = match reader.u8()? {
        0 => Verdict::Value,
        1 => Verdict::ErrValue,
        2 => Verdict::Failed,
        3 => Verdict::GaveUp,
        _ => return Err(garbled()),
    };
    let place = Place::read(reader)?;
    let in_scratch = place.kind == SCRATCH;
    let bytes = if in_scratch { None } else { Some(place.bytes(reader, fds)?) };
    let mut own: Vec<OwnedFd> = fds.take(place.fds).collect();
    if own.len() < place.fds {
        return Err(garbled());
    }
    let body = bytes.map(|bytes| Body { bytes, fds: std::mem::take(&mut own) });
    Ok(Answer { task, verdict, body, scratch: place.length, fds: own })
}
