//! Processes killed after every single instruction of an operation.
//!
//! A death between two instructions that change nothing others can see leaves the same as one right after the first, so
//! the tests kill after every instruction that changes something: in the shared memory, or on the list of locks that
//! the kernel looks at. `PROCESSING_EVERY_INSTRUCTION` is a number: of all instructions, the tests kill after every so
//! many as well, but after about a hundred of an operation at most; 1 leaves none out. `.ci/run kills` does this on
//! optimised code. Unoptimised, with its many more
//! instructions, only two of the operations are gone through.

use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use super::*;
use crate::shm::layout;
use crate::shm::testing::{Child, Moment, Moments, Stepped, stay_on_one_processor};
use crate::shm::writer::Writer;

mod mistakes;
mod operations;
mod sleepers;

/// Kills at every moment; says what was wrong first, or at how many moments it has killed.
type Attempt = dyn Fn(&Kills) -> Result<usize, String>;

/// An operation, and the state that it starts from.
struct Operation {
    name: &'static str,
    attempt: Box<Attempt>,
}

/// What the hashes of all shares begin with.
const SEED: u64 = 7;
/// How many instructions of one operation are sampled at most.
const SAMPLES: usize = 100;

/// When and whom to kill.
struct Kills {
    /// After every so many instructions, not just after those that change something.
    every: Option<usize>,
    /// How long a survivor may take before it counts as hanging.
    patience: Duration,
    /// Kills the one who takes back what a dead one left, too: at every third moment, since what it does there is much the
    /// same for all operations.
    heirs: bool,
}

impl Kills {
    fn usual() -> Kills {
        let every = std::env::var("PROCESSING_EVERY_INSTRUCTION").ok();
        let every = every.map(|number| number.parse().expect("a number of instructions"));
        Kills { every, patience: Duration::from_secs(20), heirs: false }
    }

    /// The moments to kill at.
    fn of(&self, moments: Moments) -> Vec<Moment> {
        let step = |every: usize| if every > 1 { every.max(moments.every.len() / SAMPLES) } else { 1 };
        let rest = self.every.into_iter().flat_map(|every| moments.every.iter().step_by(step(every)));
        let all = moments.changes.iter().chain(rest).copied();
        all.step_by(if self.heirs { 3 } else { 1 }).collect()
    }
}

/// What an operation made of a state: what is to be seen of it, and how many blocks it takes.
type State = (String, u64);

fn state<T: Shareable>(share: &Share<T>, look: fn(&Share<T>) -> String) -> Result<State, ShareError> {
    let live = share.store().read(|view| view.audit())?;
    Ok((look(share), live))
}

fn operation<T: Shareable>(
    name: &'static str,
    initial: fn() -> T,
    act: fn(&Share<T>),
    look: fn(&Share<T>) -> String,
) -> Operation {
    let attempt = move |kills: &Kills| {
        let make = || {
            let share = Share::with_limit(initial(), 1 << 20).unwrap();
            // With hashes of its own, a map could take another number of blocks in each share.
            let (now, first) = share.store().roots().unwrap();
            let on_both = |change: &dyn Fn(&mut Writer<'_>, u64) -> Result<(), ShareError>| {
                share
                    .store()
                    .write(|writer| change(writer, now).and_then(|()| change(writer, first)))
                    .unwrap();
            };
            on_both(&|writer, at| T::free(writer, at));
            share.store().segment().word(layout::SEED).unwrap().store(SEED, Relaxed);
            on_both(&|writer, at| initial().store(writer, at));
            // Blocks that were in use before are another matter than new ones.
            act(&share);
            share.assign(initial());
            // What was up to here is not what `changed` is asked about.
            share.changed().unwrap();
            share
        };
        let share = make();
        let mut states = vec![state(&share, look).unwrap()];
        for _ in 0..3 {
            act(&share);
            states.push(state(&share, look).unwrap());
        }
        let victim = |share: &Share<T>| Stepped::before(|| warm(share), || act(share));
        // An heir finds the work of one who died late in it, with many entries in force.
        let share = make();
        let late = kills
            .heirs
            .then(|| victim(&share).moments(share.store()).changes)
            .map(|all| all[all.len() * 2 / 3]);
        let wounded = || {
            let share = make();
            if let Some(late) = late {
                victim(&share).dies_at(late);
            }
            share
        };
        let share = wounded();
        let all = kills.of(victim(&share).moments(share.store()));
        for (number, &moment) in all.iter().enumerate() {
            let share = wounded();
            victim(&share).dies_at(moment);
            let survivor =
                Child::fork(|| survives(&share, act, look, &states, if kills.heirs { 2 } else { 1 }));
            if !survivor.succeeds_within(kills.patience) {
                return Err(format!("killed at moment {number} of {}", all.len()));
            }
        }
        Ok(all.len())
    };
    Operation { name, attempt: Box::new(attempt) }
}

/// Has the child know its own thread before it begins; what that takes is another operation's business.
fn warm<T: Shareable>(share: &Share<T>) {
    let _ = share.store().read(|view| view.load(layout::TOP));
}

/// Whether the state is one that the operation was to be found in, and goes on from there.
fn survives<T: Shareable>(
    share: &Share<T>,
    act: fn(&Share<T>),
    look: fn(&Share<T>) -> String,
    states: &[State],
    most: usize,
) -> bool {
    let Ok(found) = state(share, look) else { return false };
    let Some(place) = states[..=most].iter().position(|state| *state == found) else { return false };
    // A change that is to be seen is one that `changed` tells of.
    if states[0] != states[place] && share.changed_for(Duration::from_millis(1)).is_err() {
        return false;
    }
    act(share);
    state(share, look).is_ok_and(|now| now == states[place + 1])
}

fn check(kills: &Kills) {
    stay_on_one_processor(kills.heirs.into());
    let few = ["a number is counted up", "a text is replaced"];
    for operation in operations::all() {
        if cfg!(debug_assertions) && !few.contains(&operation.name) {
            continue;
        }
        let count = (operation.attempt)(kills).unwrap_or_else(|what| panic!("{}: {what}", operation.name));
        println!("{}: {count} moments", operation.name);
        assert!(count > 2, "{}: too few moments, {count}", operation.name);
    }
}

#[test]
fn a_death_after_any_instruction_is_all_or_nothing() {
    check(&Kills::usual());
}

#[test]
fn a_death_while_taking_back_what_a_dead_one_left_is_all_or_nothing() {
    check(&Kills { heirs: true, ..Kills::usual() });
}
