//! Mistakes in the protocol, to be made on purpose: the tests that kill processes must notice every one of them.
//!
//! Outside of tests nobody makes any, and the compiler drops the places where they would be made.

/// A rule of the protocol that is not kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mistake {
    /// The lock is taken without having named it pending.
    TakenUnannounced,
    /// The lock is no longer pending before it is linked.
    SettledEarly,
    /// The lock is given up without having named it pending.
    GivenUpUnannounced,
    /// A word is changed before there is an entry for it.
    DataBeforeEntry,
    /// An entry is counted before it is written.
    CountBeforeEntry,
    /// The link in a free block is overwritten without an entry.
    LinkUnlogged,
    /// A block can be handed out again before the transaction that freed it is committed.
    FreedAtOnce,
    /// Pages are given back to the system before the transaction that freed them is committed.
    PunchedEarly,
    /// What a dead owner left is not taken back.
    NothingTakenBack,
    /// Entries are replayed in the order in which they were written.
    ReplayedForwards,
    /// A change of one word that was not counted is not counted by the next owner either.
    LastChangeUncounted,
    /// Words logged before a part of a transaction began are not logged again in it.
    PartUnlogged,
    /// A writer who owes a wake-up is not on the kernel's list.
    DebtUnknown,
    /// A writer says that it owes after its change.
    DebtAfterChange,
    /// A debt is struck off before it is paid.
    PaidEarly,
}

#[cfg(all(test, unix))]
impl Mistake {
    /// All of them.
    pub(crate) const ALL: [Mistake; 15] = {
        use Mistake::*;
        [
            TakenUnannounced,
            SettledEarly,
            GivenUpUnannounced,
            DataBeforeEntry,
            CountBeforeEntry,
            LinkUnlogged,
            FreedAtOnce,
            PunchedEarly,
            NothingTakenBack,
            ReplayedForwards,
            LastChangeUncounted,
            PartUnlogged,
            DebtUnknown,
            DebtAfterChange,
            PaidEarly,
        ]
    };
}

#[cfg(test)]
thread_local! {
    static MADE: std::cell::Cell<Option<Mistake>> = const { std::cell::Cell::new(None) };
}

/// Whether this thread is to make `mistake`.
#[cfg(not(test))]
#[inline(always)]
pub(crate) const fn makes(mistake: Mistake) -> bool {
    let _ = mistake;
    false
}

/// Whether this thread is to make `mistake`.
#[cfg(test)]
#[inline]
pub(crate) fn makes(mistake: Mistake) -> bool {
    MADE.get() == Some(mistake)
}

/// Whether this thread makes no mistake. The shortest ways have no place to make any.
#[inline(always)]
pub(crate) fn is_faultless() -> bool {
    #[cfg(test)]
    return MADE.get().is_none();
    #[cfg(not(test))]
    true
}

/// Has this thread, and the children that it forks meanwhile, make a mistake while `body` runs.
#[cfg(all(test, unix))]
pub(crate) fn making<R>(mistake: Mistake, body: impl FnOnce() -> R) -> R {
    MADE.set(Some(mistake));
    let result = body();
    MADE.set(None);
    result
}
