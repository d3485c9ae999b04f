//! How deep a value may be nested: as deep as the stack holds, and not one level more.
//!
//! A limit on levels would be wrong twice: a level of a big struct in a debug build takes a hundred times the stack of a
//! small one in a release build. So what is measured is the stack itself, as the distance between two local variables.

use crate::error::{Error, Kind, Result};

/// Half of what a thread has by default; whoever called had the other half.
const BUDGET: usize = 1 << 20;

/// Where the stack stood when an encoding or decoding began.
#[derive(Clone, Copy)]
pub(crate) struct Stack {
    start: usize,
}

impl Stack {
    #[inline]
    pub(crate) fn here() -> Self {
        Self { start: position() }
    }

    /// Fails when the budget is used up.
    #[inline]
    pub(crate) fn check(self) -> Result<()> {
        if self.start.abs_diff(position()) < BUDGET { Ok(()) } else { Err(too_deep()) }
    }
}

#[cold]
fn too_deep() -> Error {
    Error::new(Kind::TooDeep)
}

#[inline]
fn position() -> usize {
    let here = 0u8;
    std::ptr::from_ref(std::hint::black_box(&here)).addr()
}
