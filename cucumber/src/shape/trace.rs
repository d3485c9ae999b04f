//! Runs a type's `Deserialize` on invented values, again and again, until nothing new is read.
//!
//! One pass goes one way through the type. An enum takes a variant that still has something to show; an option is there, and a
//! sequence has one element, while that may teach something, and afterwards not. A part that refuses its value is
//! offered another, and in the end left out, so that a struct's other fields are seen all the same. Recursion ends at
//! the first option, sequence or enum that is already being visited.

use std::collections::HashMap;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use serde::de::{DeserializeOwned, Visitor};

use super::probe::Probe;
use super::{Kind, Part, Shape, Wanted, leaf};
use crate::scope;
use crate::stack::Stack;

/// More calls than this, and the rest of the type stays unknown.
const CALLS: usize = 100_000;

/// How often a part is offered other values.
const TRIES: usize = 10;

/// A value could not be invented. Why is of no interest.
#[derive(Debug)]
pub(super) struct Stop;

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not traced")
    }
}

impl std::error::Error for Stop {}

impl serde::de::Error for Stop {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}

/// The shape of `T`.
pub(super) fn shape_of<T: DeserializeOwned>() -> Shape {
    let mut tracer = Tracer::new();
    loop {
        let before = tracer.progress;
        let guard = scope::Guard::masked();
        // Some implementation may take an invented value for an impossible one.
        let pass = catch_unwind(AssertUnwindSafe(|| drop(T::deserialize(Probe::root(&mut tracer)))));
        drop(guard);
        if pass.is_err() {
            return Shape::unknown();
        }
        if tracer.progress == before || tracer.calls == 0 {
            return tracer.finish();
        }
    }
}

/// Where in the shape a value belongs.
#[derive(Clone, Copy)]
pub(super) struct Slot {
    owner: Option<u32>,
    index: usize,
}

impl Slot {
    pub(super) const ROOT: Self = Self { owner: None, index: 0 };

    pub(super) fn of(owner: u32, index: usize) -> Self {
        Self { owner: Some(owner), index }
    }
}

/// A node in the making.
pub(super) struct Draft {
    pub(super) kind: Kind,
    pub(super) names: &'static [&'static str],
    pub(super) parts: Vec<u32>,
    /// It is being visited, further up on the stack.
    pub(super) busy: bool,
    /// A visit taught nothing new.
    pub(super) closed: bool,
    /// What is known about visiting each part.
    pub(super) states: Vec<State>,
    /// How often each part could not be had.
    tries: Vec<usize>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Open,
    Busy,
    /// Nothing new to learn, and it can be had.
    Done,
    /// Nothing new to learn, and it cannot be had.
    Failed,
}

/// What tells one visitor from another: its type's name, and the fields it came with.
type Key = (Kind, &'static str, usize, usize);

pub(super) struct Tracer {
    root: u32,
    drafts: Vec<Draft>,
    by_key: HashMap<Key, u32>,
    /// How many invented values a visitor has refused.
    refused: HashMap<(u32, &'static str), usize>,
    /// Added to the number of the candidate that is offered: some part around is being tried again.
    bias: usize,
    /// Counts everything learnt.
    progress: usize,
    calls: usize,
    stack: Stack,
}

impl Tracer {
    fn new() -> Self {
        Self {
            root: leaf::UNSEEN,
            drafts: Vec::new(),
            by_key: HashMap::new(),
            refused: HashMap::new(),
            bias: 0,
            progress: 0,
            calls: CALLS,
            stack: Stack::here(),
        }
    }

    fn finish(self) -> Shape {
        let mut end = 0;
        let places = self.drafts.iter().map(|draft| {
            let first = end;
            end += draft.parts.len();
            Wanted::parts(draft.kind, draft.parts.len(), first)
        });
        let Some(places) = places.collect::<Option<Vec<_>>>() else { return Shape::unknown() };
        let wanted = |number: u32| match number.checked_sub(leaf::FIRST) {
            Some(place) => places[place as usize],
            None => Wanted::leaf(number),
        };
        let parts = self.drafts.iter().flat_map(|draft| {
            let names = draft.names.iter().copied().chain(std::iter::repeat(""));
            draft.parts.iter().zip(names).map(|(number, name)| Part::new(name, wanted(*number)))
        });
        Shape { root: wanted(self.root), parts: parts.collect() }
    }

    pub(super) fn draft(&mut self, number: u32) -> &mut Draft {
        &mut self.drafts[(number - leaf::FIRST) as usize]
    }

    /// Every call passes here, so that no type keeps the tracer busy for ever.
    pub(super) fn call(&mut self) -> Result<(), Stop> {
        self.calls = self.calls.checked_sub(1).ok_or(Stop)?;
        self.stack.check().map_err(|_| Stop)
    }

    fn part(&mut self, slot: Slot) -> &mut u32 {
        match slot.owner {
            None => &mut self.root,
            Some(owner) => &mut self.draft(owner).parts[slot.index],
        }
    }

    /// Notes what is read at a place. A place that reads this now and that another time is unknown for good.
    pub(super) fn settle(&mut self, slot: Slot, number: u32) {
        let part = self.part(slot);
        let next = match *part {
            leaf::UNSEEN => number,
            leaf::UNKNOWN => return,
            same if same == number => return,
            _ => leaf::UNKNOWN,
        };
        *part = next;
        self.progress += 1;
    }

    /// The node for what this visitor reads.
    pub(super) fn node<'de, V: Visitor<'de>>(
        &mut self,
        kind: Kind,
        names: &'static [&'static str],
        parts: usize,
    ) -> u32 {
        let key = (kind, std::any::type_name::<V>(), names.as_ptr().addr(), parts);
        if let Some(&known) = self.by_key.get(&key) {
            return known;
        }
        let number = self.add(kind, names, parts);
        self.by_key.insert(key, number);
        number
    }

    fn add(&mut self, kind: Kind, names: &'static [&'static str], parts: usize) -> u32 {
        // There are at most as many nodes as calls.
        let number = leaf::FIRST + self.drafts.len() as u32;
        self.drafts.push(Draft {
            kind,
            names,
            parts: vec![leaf::UNSEEN; parts],
            busy: false,
            closed: false,
            states: vec![State::Open; parts],
            tries: vec![0; parts],
        });
        self.progress += 1;
        number
    }

    /// The node for what a variant holds. It belongs to the variant alone: visitors of two variants may have one name.
    pub(super) fn body(
        &mut self,
        slot: Slot,
        kind: Kind,
        names: &'static [&'static str],
        parts: usize,
    ) -> u32 {
        let known = *self.part(slot);
        if known >= leaf::FIRST {
            let draft = self.draft(known);
            if draft.kind == kind && draft.names == names && draft.parts.len() == parts {
                return known;
            }
        }
        let number = self.add(kind, names, parts);
        self.settle(slot, number);
        number
    }

    /// Visits a node, and closes it when that taught nothing.
    pub(super) fn visit<R>(
        &mut self,
        number: u32,
        body: impl FnOnce(&mut Self) -> Result<R, Stop>,
    ) -> Result<R, Stop> {
        let before = self.progress;
        let was_busy = std::mem::replace(&mut self.draft(number).busy, true);
        let outcome = body(self);
        let nothing_new = self.progress == before;
        let draft = self.draft(number);
        draft.busy = was_busy;
        if nothing_new && !was_busy && !draft.closed {
            draft.closed = true;
            self.progress += 1;
        }
        outcome
    }

    /// Visits one part of a node, and settles its state when that taught nothing. A part that cannot be had is tried
    /// again with other values: it may be made of what was read, and refuse it only then.
    pub(super) fn visit_part<R>(
        &mut self,
        number: u32,
        index: usize,
        body: impl FnOnce(&mut Self) -> Result<R, Stop>,
    ) -> Result<R, Stop> {
        let before = self.progress;
        let draft = self.draft(number);
        let state = std::mem::replace(&mut draft.states[index], State::Busy);
        let tries = draft.tries[index];
        self.bias += tries;
        let outcome = body(self);
        self.bias -= tries;
        let nothing_new = self.progress == before;
        let draft = self.draft(number);
        draft.states[index] = match state {
            State::Open if nothing_new && outcome.is_ok() => State::Done,
            State::Open if nothing_new && tries == TRIES => State::Failed,
            State::Open if nothing_new => {
                draft.tries[index] += 1;
                State::Open
            }
            other => other,
        };
        if state == State::Open && nothing_new {
            self.progress += 1;
        }
        outcome
    }

    /// Which of `candidates` to offer a visitor that may have refused some.
    pub(super) fn candidate<'de, V: Visitor<'de>, T: Copy>(
        &self,
        number: u32,
        candidates: &[T],
    ) -> Result<T, Stop> {
        let refused = if self.refused.is_empty() {
            0
        } else {
            self.refused.get(&(number, std::any::type_name::<V>())).copied().unwrap_or(0)
        };
        candidates.get((refused + self.bias) % candidates.len()).copied().ok_or(Stop)
    }

    pub(super) fn refuse<'de, V: Visitor<'de>>(&mut self, number: u32, candidates: usize) {
        let refused = self.refused.entry((number, std::any::type_name::<V>())).or_default();
        if *refused < candidates {
            *refused += 1;
            self.progress += 1;
        }
    }
}
