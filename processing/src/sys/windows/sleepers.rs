//! Who sleeps at which word of a section: a table in the section itself.
//!
//! A sleeper takes a slot for itself, writes there where its word is, and looks at the word once more before it sleeps. A
//! waker changes the word, and then looks for slots that name it. One of the two sees what the other did, as both do it
//! sequentially consistent. So none is forgotten:
//!
//! | step | sleeper | waker |
//! |---|---|---|
//! | 1 | `owner`: 0 to itself | changes the word |
//! | 2 | `place`: the word, and a number that is new | a fence |
//! | 3 | its bit in `taken` | for each bit in `taken`: is it at `place`? |
//! | 4 | looks at the word; sleeps if it is unchanged | wakes who sleeps at the slot |
//! | 5 | clears `place`, its bit, `owner` | clears `place`, if it is still the same |
//!
//! A process can end between any two of these. A sleeper that is gone leaves its slot: it is woken once for nothing, as
//! the waker clears `place` (the number in it tells a later sleeper at the same word apart), and who finds no slot free
//! takes that of a process that is gone. The bit belongs to the slot's owner and only says where to look: one that is
//! left behind costs a look. A waker that ends before its last step has woken some; what it owed the others it owes
//! whether or not it ever came here.
//!
//! Other processes can write to all of this. What they write decides who is woken, and nothing else: it is compared, and
//! never followed.

use std::sync::atomic::Ordering::{Acquire, Relaxed, Release, SeqCst};
use std::sync::atomic::{AtomicU32, AtomicU64};

/// How many can sleep at the words of one section.
pub(super) const SLOTS: usize = 1024;
const WORDS: usize = SLOTS / 64;

/// The table, at the beginning of a section. All zeroes are an empty one.
#[repr(C)]
#[derive(Debug)]
pub(super) struct Table {
    /// What the section is known by.
    key: [AtomicU64; 2],
    unused: [AtomicU64; 6],
    /// A bit for each slot that somebody may sleep at.
    taken: [AtomicU64; WORDS],
    slots: [Slot; SLOTS],
}

#[repr(C)]
#[derive(Debug)]
struct Slot {
    /// The process that sleeps here, as [`process_number`](super::process_number) has it; 0 for none.
    owner: AtomicU32,
    unused: AtomicU32,
    /// Where the sleeper's word is, and above it a number that differs from use to use.
    place: AtomicU64,
}

/// The part of a place that says where the word is: sections are shorter.
const OFFSET: u64 = (1 << 40) - 1;
const NEXT_USE: u64 = OFFSET + 1;

/// A slot that the calling thread has for itself, until this is dropped.
#[derive(Debug)]
pub(super) struct Seat<'t> {
    table: &'t Table,
    index: usize,
}

impl Table {
    pub(super) fn key(&self) -> [u64; 2] {
        self.key.each_ref().map(|word| word.load(Relaxed))
    }

    pub(super) fn set_key(&self, key: [u64; 2]) {
        self.key.iter().zip(key).for_each(|(word, value)| word.store(value, Relaxed));
    }

    /// Takes a slot for the process `me`, that of `first` if it is free; `None` if all are in use. `exists` says whether
    /// there is a process of this number.
    pub(super) fn take(&self, me: u32, first: usize, exists: impl Fn(u32) -> bool) -> Option<Seat<'_>> {
        let order = || (first..SLOTS).chain(0..first.min(SLOTS));
        let take = |index: usize, from: u32| {
            self.slots[index].owner.compare_exchange(from, me, Acquire, Relaxed).is_ok()
        };
        if let Some(index) = order().find(|&index| take(index, 0)) {
            return Some(Seat { table: self, index });
        }
        let mut alive = vec![me];
        for index in order() {
            let owner = self.slots[index].owner.load(Relaxed);
            if alive.contains(&owner) {
                continue;
            }
            if owner != 0 && exists(owner) {
                alive.push(owner);
            } else if take(index, owner) {
                return Some(Seat { table: self, index });
            }
        }
        None
    }

    /// The slots of those who sleep at this word. For a waker, behind a fence: who begins to later sees the changed word.
    pub(super) fn at(&self, offset: u64) -> impl Iterator<Item = Sleeper<'_>> {
        self.taken.iter().enumerate().flat_map(move |(number, word)| {
            let bits = word.load(SeqCst);
            (0..64).filter(move |bit| bits & 1 << bit != 0).filter_map(move |bit| {
                let index = number * 64 + bit;
                let place = self.slots[index].place.load(SeqCst);
                (place & OFFSET == offset).then_some(Sleeper { table: self, index, place })
            })
        })
    }
}

impl Seat<'_> {
    pub(super) fn index(&self) -> usize {
        self.index
    }

    /// Says where the word is that one is going to sleep at. It has to be looked at again then.
    pub(super) fn announce(&self, offset: u64) {
        let place = &self.table.slots[self.index].place;
        let before = place.load(Relaxed) & !OFFSET;
        place.store(before.wrapping_add(NEXT_USE) | offset & OFFSET, SeqCst);
        self.bits().fetch_or(self.bit(), SeqCst);
    }

    fn bits(&self) -> &AtomicU64 {
        &self.table.taken[self.index / 64]
    }

    fn bit(&self) -> u64 {
        1 << (self.index % 64)
    }
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        let slot = &self.table.slots[self.index];
        slot.place.fetch_and(!OFFSET, Relaxed);
        self.bits().fetch_and(!self.bit(), Relaxed);
        slot.owner.store(0, Release);
    }
}

/// Somebody who slept at a word when it was looked for.
#[derive(Debug)]
pub(super) struct Sleeper<'t> {
    table: &'t Table,
    pub(super) index: usize,
    place: u64,
}

impl Sleeper<'_> {
    /// Takes it for woken, whether or not it is still there to notice. Only after it was.
    pub(super) fn forget(&self) {
        let place = &self.table.slots[self.index].place;
        // Somebody may sleep there again by now, who has not been woken.
        let _ = place.compare_exchange(self.place, self.place & !OFFSET, Relaxed, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Box<Table> {
        let words = || std::array::from_fn(|_| AtomicU64::new(0));
        let slot = |_| Slot { owner: AtomicU32::new(0), unused: AtomicU32::new(0), place: AtomicU64::new(0) };
        Box::new(Table {
            key: std::array::from_fn(|_| AtomicU64::new(0)),
            unused: std::array::from_fn(|_| AtomicU64::new(0)),
            taken: words(),
            slots: std::array::from_fn(slot),
        })
    }

    #[test]
    fn who_sleeps_at_a_word_is_found_until_it_leaves() {
        let table = table();
        let seats: Vec<_> = (0..3).map(|_| table.take(1, 7, |_| true).unwrap()).collect();
        assert_eq!(table.at(64).count(), 0);
        seats[0].announce(64);
        seats[1].announce(68);
        seats[2].announce(64);
        assert_eq!(table.at(64).map(|sleeper| sleeper.index).collect::<Vec<_>>(), [7, 9]);
        let late: Vec<_> = table.at(64).collect();
        drop(seats);
        assert_eq!(table.at(64).count() + table.at(68).count(), 0);
        // The next one at the same word is not taken for the one that was woken.
        let next = table.take(2, 7, |_| true).unwrap();
        next.announce(64);
        late.iter().for_each(Sleeper::forget);
        assert_eq!(table.at(64).count(), 1);
        table.at(64).for_each(|sleeper| sleeper.forget());
        assert_eq!(table.at(64).count(), 0);
    }

    #[test]
    fn the_slots_of_the_dead_are_taken_when_there_is_no_other() {
        let table = table();
        for number in 0..SLOTS {
            let seat = table.take(1 + number as u32 % 5, 0, |_| true).unwrap();
            seat.announce(64);
            let _ = std::mem::ManuallyDrop::new(seat);
        }
        assert!(table.take(9, 3, |_| true).is_none());
        assert_eq!(table.at(64).count(), SLOTS);
        let seat = table.take(9, 3, |owner| owner != 2).unwrap();
        assert_eq!(seat.index() % 5, 1);
        drop(seat);
        assert_eq!(table.at(64).count(), SLOTS - 1);
    }
}
