//! Shared values, while they are read.

use std::any::{Any, TypeId};
use std::collections::VecDeque;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;

use serde_with::DeserializeAs;

use super::reading::{Coverage, Lack, Reading, Refill};
use super::{DANGLING, HEADER, Pointer, read};
use crate::error::{Error, Result};
use crate::frame::Codec;
use crate::scope::{self, with_top};

/// How often a part may be read, on average.
const READINGS: usize = 16;

/// And so many bytes may be read for each byte of them, or this many in all, whichever is more.
const BYTES_READ: usize = 64;
const ALWAYS_READ: usize = 16 << 20;

/// The parts that came with a value.
pub(crate) struct Incoming {
    bytes: Rc<[u8]>,
    slots: Vec<Slot>,
    /// What is being read, outermost first.
    open: Vec<Reading>,
    /// What has been read, in that order.
    done: Vec<u32>,
    /// Second readings, due when everything is there.
    refills: VecDeque<Box<dyn FnOnce() -> Result<()>>>,
    /// The reading in progress has met a reference to one further out.
    cycle: bool,
    /// How many readings there may be yet. A part is read once or twice, and once more for each circle that it is given up for;
    /// forged ones would go on for ever.
    readings: usize,
    /// The same for bytes, as a big part may be read for the sake of each of many small ones.
    bytes_left: usize,
}

struct Slot {
    content: Option<Content>,
    state: State,
}

#[derive(Clone)]
struct Content {
    codec: Codec,
    place: Range<usize>,
    is_weakly_held: bool,
}

enum State {
    Unread,
    /// With the weak pointer to it, if it can be had.
    Open(Option<Box<dyn Any>>),
    Done(Box<dyn Any>),
}

impl Incoming {
    pub(crate) fn open(bytes: &[u8]) -> Result<Self> {
        let slots = contents(bytes)?.into_iter().map(|content| Slot { content, state: State::Unread });
        let slots: Vec<Slot> = slots.collect();
        let readings = slots.len().saturating_mul(READINGS);
        let bytes_left = bytes.len().saturating_mul(BYTES_READ).max(ALWAYS_READ);
        let (open, done, refills) = (Vec::new(), Vec::new(), VecDeque::new());
        Ok(Self { bytes: bytes.into(), slots, open, done, refills, cycle: false, readings, bytes_left })
    }

    fn slot(&mut self, number: u32) -> Result<&mut Slot> {
        let place = (number as usize).checked_sub(1);
        place
            .and_then(|place| self.slots.get_mut(place))
            .ok_or_else(|| Error::malformed(format!("there is no shared value number {number}")))
    }
}

/// Finds where each part is, and believes none of the numbers.
fn contents(bytes: &[u8]) -> Result<Vec<Option<Content>>> {
    let (count, mut rest) = bytes.split_first_chunk::<4>().ok_or_else(Error::truncated)?;
    let count = u32::from_le_bytes(*count) as usize;
    if count > rest.len() / HEADER {
        return Err(Error::truncated());
    }
    let mut contents = Vec::with_capacity(count);
    for _ in 0..count {
        let ([codec, is_weakly_held, length @ ..], tail) =
            rest.split_first_chunk::<HEADER>().ok_or_else(Error::truncated)?;
        let codec = match codec {
            0 => None,
            1 => Some(Codec::Postcard),
            2 => Some(Codec::MessagePack),
            other => return Err(Error::malformed(format!("a shared value in an unknown codec, {other}"))),
        };
        let length = usize::try_from(u64::from_le_bytes(*length)).map_err(|_| Error::truncated())?;
        let start = bytes.len() - tail.len();
        rest = tail.get(length..).ok_or_else(Error::truncated)?;
        contents.push(codec.map(|codec| Content {
            codec,
            place: start..start + length,
            is_weakly_held: *is_weakly_held != 0,
        }));
    }
    if !rest.is_empty() {
        return Err(Error::malformed("bytes are left over behind the shared values"));
    }
    Ok(contents)
}

/// A part's bytes, if there is one.
type Written<'a> = Option<(Codec, &'a [u8])>;

/// The parts, for whoever only looks at them.
pub(crate) fn parts(bytes: &[u8]) -> Result<Vec<Written<'_>>> {
    let found = contents(bytes)?.into_iter();
    Ok(found.map(|content| content.map(|content| (content.codec, &bytes[content.place]))).collect())
}

/// Does something with the shared values of the decoding in progress.
fn with<R>(body: impl FnOnce(&mut Incoming) -> Result<R>) -> Result<R> {
    with_top(|table| match table.and_then(|table| table.incoming.as_mut()) {
        Some(incoming) => body(incoming),
        None => Err(Error::malformed("a shared value is referred to, and none came with these bytes")),
    })
}

/// The same, where it does not matter if there are any.
fn with_any<R: Default>(body: impl FnOnce(&mut Incoming) -> R) -> R {
    with_top(|table| table.and_then(|table| table.incoming.as_mut()).map(|incoming| body(incoming)))
        .unwrap_or_default()
}

enum Found<P: Pointer> {
    Absent,
    Unread(Content),
    Open(Option<P::Weak>),
    Done(P),
}

fn find<P: Pointer>(number: u32) -> Result<Found<P>> {
    let other = || Error::malformed(format!("shared value {number} is of another type than its reference"));
    with(|incoming| {
        let slot = incoming.slot(number)?;
        Ok(match (&slot.state, &slot.content) {
            (State::Done(found), _) => Found::Done(found.downcast_ref::<P>().ok_or_else(other)?.clone()),
            (State::Open(None), _) => Found::Open(None),
            (State::Open(Some(weak)), _) => {
                Found::Open(Some(weak.downcast_ref::<P::Weak>().ok_or_else(other)?.clone()))
            }
            (State::Unread, Some(content)) => Found::Unread(content.clone()),
            (State::Unread, None) => Found::Absent,
        })
    })
}

/// The shared value of this number.
pub(crate) fn strong<P, A>(number: u32) -> Result<P>
where
    P: Pointer,
    A: for<'de> DeserializeAs<'de, P::Content> + 'static,
{
    match find::<P>(number)? {
        Found::Done(pointer) => Ok(pointer),
        Found::Unread(content) => build::<P, A>(number, content),
        Found::Absent => {
            Err(Error::malformed(format!("shared value {number} is referred to and did not come")))
        }
        Found::Open(_) => {
            with_any(|incoming| incoming.cycle = true);
            Err(Error::unsupported(
                "this value is held by itself, and no cell around it could have closed the circle: \
                 put a `RefCell` or `Mutex` into the struct that the `Rc` or `Arc` holds, or use a `Weak`",
            ))
        }
    }
}

/// A weak reference to the shared value of this number, which is dangling if nothing else holds it.
pub(crate) fn weak<P, A>(number: u32) -> Result<P::Weak>
where
    P: Pointer,
    A: for<'de> DeserializeAs<'de, P::Content> + 'static,
{
    if number == DANGLING {
        return Ok(P::dangling());
    }
    match find::<P>(number)? {
        Found::Done(pointer) => Ok(pointer.downgrade()),
        Found::Open(Some(weak)) => Ok(weak),
        Found::Absent => Ok(P::dangling()),
        Found::Unread(content) if with_any(|incoming| incoming.open.last().is_none_or(|on| on.is_eager)) => {
            build::<P, A>(number, content).map(|pointer| pointer.downgrade())
        }
        Found::Unread(_) | Found::Open(None) => {
            hollow();
            Ok(P::dangling())
        }
    }
}

/// Gives up on a value that only unwinding can give up on.
struct Abandoned;

fn build<P, A>(number: u32, content: Content) -> Result<P>
where
    P: Pointer,
    A: for<'de> DeserializeAs<'de, P::Content> + 'static,
{
    // The first reference says where the value stands.
    let place = scope::place();
    let attempt = |weak: Option<P::Weak>| {
        let lazily = attempt::<P, A>(number, &content, &place, weak.clone(), false)?;
        if !matches!(lazily.1, Lack::Irreparable) {
            return Ok(lazily);
        }
        // What was to be read later refers to this one perhaps by way of a cell.
        attempt::<P, A>(number, &content, &place, weak, true)
    };
    let (pointer, lack) = if content.is_weakly_held && P::KNOWS_ITSELF && cfg!(panic = "unwind") {
        let mut outcome = None;
        // The standard library makes a value that knows its own address from a function that cannot fail.
        let made = catch_unwind(AssertUnwindSafe(|| {
            P::cyclic(|weak| match attempt(Some(weak.clone())) {
                Ok((value, lack)) => {
                    outcome = Some(Ok(lack));
                    value
                }
                Err(error) => {
                    outcome = Some(Err(error));
                    resume_unwind(Box::new(Abandoned))
                }
            })
        }));
        match (made, outcome) {
            (Ok(pointer), Some(Ok(lack))) => (pointer, lack),
            (Err(payload), Some(Err(error))) if payload.is::<Abandoned>() => return Err(error),
            (Err(payload), _) => resume_unwind(payload),
            (Ok(_), _) => unreachable!("a value was made from an error"),
        }
    } else {
        let (value, lack) = attempt(None)?;
        (P::new(value), lack)
    };
    let refill = match lack {
        Lack::Nothing => None,
        Lack::Cells(refill) => Some(refill),
        Lack::Irreparable => {
            return Err(Error::unsupported(
                "this value and another hold each other, and no cell that the `Rc` or `Arc` itself holds could have closed \
                 the circle; put the reference into a `RefCell` or `Mutex` there, or send the owner first",
            ));
        }
    };
    with(|incoming| {
        incoming.slot(number)?.state = State::Done(Box::new(pointer.clone()));
        incoming.done.push(number);
        if let Some(refill) = refill {
            let (bytes, pointer) = (incoming.bytes.clone(), pointer.clone());
            incoming.refills.push_back(Box::new(move || {
                let again =
                    scope::within(place, || read::<P::Content, A>(content.codec, &bytes[content.place]))?;
                if let Some(place) = pointer.place() {
                    refill(place, Box::new(again));
                }
                Ok(())
            }));
        }
        Ok(())
    })?;
    Ok(pointer)
}

/// Reads a part once.
fn attempt<P, A>(
    number: u32,
    content: &Content,
    place: &Option<String>,
    weak: Option<P::Weak>,
    is_eager: bool,
) -> Result<(P::Content, Lack)>
where
    P: Pointer,
    A: for<'de> DeserializeAs<'de, P::Content> + 'static,
{
    let (bytes, done) = with(|incoming| {
        let too_many = || {
            Error::unsupported(
                "these shared values refer to each other in too many circles that no cell closes",
            )
        };
        incoming.readings = incoming.readings.checked_sub(1).ok_or_else(too_many)?;
        incoming.bytes_left = incoming.bytes_left.checked_sub(content.place.len()).ok_or_else(too_many)?;
        incoming.slot(number)?.state = State::Open(weak.map(|weak| Box::new(weak) as Box<dyn Any>));
        incoming.open.push(Reading::new(is_eager));
        Ok((incoming.bytes.clone(), incoming.done.len()))
    })?;
    let read = || read::<P::Content, A>(content.codec, &bytes[content.place.clone()]);
    let value = scope::within(place.clone(), read);
    let reading = with(|incoming| {
        incoming.slot(number)?.state = State::Unread;
        Ok(incoming.open.pop().unwrap_or_default())
    })?;
    if value.is_err() {
        drop(forget(done));
    }
    let value = value?;
    let lack = reading.lack_of(&value);
    Ok((value, lack))
}

/// Takes back what was read since so much was: it may refer to a value that was given up since. Nobody holds it but what was given up,
/// too. Returns it, as whatever it is may do something when it is dropped.
fn forget(done: usize) -> Vec<State> {
    with_any(|incoming| {
        let numbers = incoming.done.split_off(done.min(incoming.done.len()));
        let forgotten = numbers.into_iter().filter_map(|number| {
            let slot = incoming.slot(number).ok()?;
            Some(std::mem::replace(&mut slot.state, State::Unread))
        });
        forgotten.collect()
    })
}

/// Notes that the part which is being read lacks something for now.
pub(crate) fn hollow() {
    with_any(|incoming| {
        if let Some(reading) = incoming.open.last_mut() {
            reading.is_hollow = true;
        }
    });
}

/// Whether a shared value is being read for the first time, of which something may be left out.
pub(crate) fn is_within() -> bool {
    with_any(|incoming| !incoming.open.is_empty())
}

/// Reads something; whether it lacks anything.
pub(crate) fn is_hollow_after<R>(read: impl FnOnce() -> R) -> (R, bool) {
    let take =
        || with_any(|incoming| incoming.open.last_mut().is_some_and(|on| std::mem::take(&mut on.is_hollow)));
    let before = take();
    let outcome = read();
    let lacks = take();
    if before || lacks {
        hollow();
    }
    (outcome, lacks)
}

/// Whether the reading that just failed met a cycle; asked once.
pub(crate) fn has_cycle() -> bool {
    with_any(|incoming| std::mem::take(&mut incoming.cycle))
}

/// Says how a value of type `T` is set right, in case it is the one which is being read.
pub(crate) fn note_refill<T: 'static>(coverage: Coverage, refill: Refill) {
    with_any(|incoming| {
        if let Some(reading) = incoming.open.last_mut() {
            reading.note(TypeId::of::<T>(), coverage, refill);
        }
    });
}

/// Reads a cell of an `Owner` that has been noted; whatever it lacks is the cell's, and not that of what is around it.
pub(crate) fn watch<Owner: 'static, R>(read: impl FnOnce() -> R) -> R {
    let before =
        with_any(|incoming| incoming.open.last_mut().map(|reading| std::mem::take(&mut reading.is_hollow)));
    let outcome = read();
    with_any(|incoming| {
        if let (Some(before), Some(reading)) = (before, incoming.open.last_mut()) {
            let lacks = std::mem::replace(&mut reading.is_hollow, before);
            reading.count(TypeId::of::<Owner>(), lacks);
        }
    });
    outcome
}

/// Reads again what was left out, now that everything is there.
pub(crate) fn settle() -> Result<()> {
    while let Some(refill) =
        with_top(|table| table.and_then(|table| table.incoming.as_mut()?.refills.pop_front()))
    {
        refill()?;
    }
    Ok(())
}

/// Whether a part is being read, which may have to be read again.
pub(crate) fn is_reading() -> bool {
    with_top(|table| table.is_some_and(|table| table.incoming.is_some()))
}
