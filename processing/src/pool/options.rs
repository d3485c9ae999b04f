//! What is chosen for a call, whatever its types are.

use super::job::Rules;

/// In which order results are handed out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    Input,
    Completion,
}

/// Everything about a call that does not depend on its types.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    pub(crate) rules: Rules,
    /// How far the input is pulled ahead of what has been handed out, if not as far as suits.
    pub(crate) window: Option<usize>,
    /// Shows how far the call is.
    #[cfg(feature = "progress")]
    pub(crate) progress: bool,
}
