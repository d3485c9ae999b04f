//! The six hooks of a process, by name.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One of the hooks in a process's life.
///
/// ```
/// use processing::Phase;
/// assert_eq!(Phase::Postrun.to_string(), "postrun");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Phase {
    /// Before every run: fetch what the run needs.
    Prerun,
    /// The work itself.
    Run,
    /// After every run: hand on what the run made.
    Postrun,
    /// Once, after the last run of a process that ends normally.
    OnFinish,
    /// Once, after `onfinish`: makes the value that `result()` returns.
    Result,
    /// Once, when no life is left: may still turn the failure into a value.
    Error,
}

impl Phase {
    /// All phases, in the order in which a process goes through them.
    pub const ALL: [Phase; 6] =
        [Phase::Prerun, Phase::Run, Phase::Postrun, Phase::OnFinish, Phase::Result, Phase::Error];

    /// The hook's name as a user writes it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Phase::Prerun => "prerun",
            Phase::Run => "run",
            Phase::Postrun => "postrun",
            Phase::OnFinish => "onfinish",
            Phase::Result => "result",
            Phase::Error => "error",
        }
    }

    /// Whether a failure in this phase is retried while lives are left.
    ///
    /// The hooks of an iteration are; what comes after the last iteration is final.
    #[must_use]
    pub const fn is_retried(self) -> bool {
        matches!(self, Phase::Prerun | Phase::Run | Phase::Postrun)
    }

    pub(crate) const fn index(self) -> usize {
        self as usize
    }

    pub(crate) fn from_index(index: usize) -> Option<Phase> {
        Phase::ALL.get(index).copied()
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
