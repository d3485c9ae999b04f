//! What a store needs of a system: a lock and a wake-up that work between processes.
//!
//! | | dead owner | sleepers of a dead writer | uncontended |
//! |---|---|---|---|
//! | [`futex`](super::lock::futex), [`notify`](super::notify): Linux | the next one takes over, and is told | wake at once | two atomic instructions |
//! | `portable`: raw_sync, wherever POSIX or Windows is | waits end with an error | wait until their time is over | two calls into the C library |
//!
//! The store of a share needs owners that may die, so on Linux it is made of the first. `conformance.rs` holds both to
//! what they have in common, and each to what it says of deaths.

use std::time::Duration;

use super::fault::Result;
use super::lock::futex::Robust;
use super::lock::{self, Taken};
use super::notify::Wake;

/// A lock that threads of several processes share.
pub(crate) trait Lock {
    /// Whether the lock of an owner who died passes to the next one. Where it does not, taking it fails when the
    /// patience is over.
    const SURVIVES: bool;

    /// Takes the lock.
    ///
    /// # Errors
    ///
    /// Fails with [`Fault::Patience`](super::fault::Fault::Patience) if it is not free after `patience`.
    fn take(&self, patience: Option<Duration>) -> Result<Taken>;

    /// Gives the lock up.
    fn give_up(&self);
}

/// A wake-up for all who sleep until something changes. What changes, and who sleeps, is looked at under a lock.
pub(crate) trait Event {
    /// What a sleeper holds until it sleeps.
    type Ticket;
    /// Whether sleepers also wake when the one who changes something dies before it wakes them.
    const SURVIVES: bool;

    /// Announces a sleeper, who saw `version`; under the lock.
    fn announce(&self, version: u32) -> Self::Ticket;
    /// Sleeps until something changes, or `at_most` is over; without the lock. May return for no reason.
    fn sleep(&self, ticket: &Self::Ticket, at_most: Option<Duration>);
    /// Something is about to change; under the lock.
    fn before_change(&self);
    /// Something has changed: wakes all sleepers; under the lock.
    fn after_change(&self);
}

impl Lock for Robust<'_> {
    const SURVIVES: bool = true;

    fn take(&self, patience: Option<Duration>) -> Result<Taken> {
        lock::acquire(self.word, self, self.thread.tid, patience)
    }

    fn give_up(&self) {
        lock::release(self.word, self, self.thread.tid);
    }
}

impl Event for Wake<'_> {
    type Ticket = u32;
    const SURVIVES: bool = true;

    fn announce(&self, version: u32) -> u32 {
        Wake::announce(self, version)
    }

    fn sleep(&self, ticket: &u32, at_most: Option<Duration>) {
        Wake::sleep(self, *ticket, at_most);
    }

    fn before_change(&self) {
        if self.expected() {
            self.owe();
        }
    }

    fn after_change(&self) {
        if self.expected() {
            self.pay();
        }
    }
}
