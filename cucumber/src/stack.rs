//! How deep a value may be nested: as deep as the stack holds, and not one level more.
//!
//! A limit on levels would be wrong twice: a level of a big struct in a debug build takes a hundred times the stack of a
//! small one in a release build. So what is measured is the stack itself, as the distance between two local variables.

use std::cell::Cell;

use crate::error::{Error, Kind, Result};

/// Half of what a thread has by default; whoever called had the other half.
const DEFAULT: usize = 1 << 20;

thread_local! {
    static BUDGET: Cell<usize> = const { Cell::new(DEFAULT) };
}

/// Says how much of its stack this thread may use to encode or decode one value: 1 MiB, unless this says otherwise. What a
/// `Serialize` or `Deserialize` encodes or decodes on its own account is part of the value.
///
/// Values nested more deeply than that are refused. A thread that was started with a bigger stack can take deeper ones;
/// leave it a quarter for whoever calls.
///
/// ```
/// std::thread::Builder::new().stack_size(64 << 20).spawn(|| {
///     cucumber::set_stack_budget(48 << 20);
///     // … values of tens of thousands of levels
/// });
/// ```
pub fn set_stack_budget(bytes: usize) {
    // A thread that is ending keeps to the usual.
    let _ = BUDGET.try_with(|budget| budget.set(bytes));
}

/// How far down the stack may go from where it stood when an encoding or decoding began.
#[derive(Clone, Copy)]
pub(crate) struct Stack {
    lowest: usize,
}

impl Stack {
    /// For whoever has not begun.
    pub(crate) const NONE: Self = Self { lowest: usize::MAX };

    /// When the encoding or decoding begins here.
    #[inline]
    pub(crate) fn here() -> Self {
        let budget = BUDGET.try_with(Cell::get).unwrap_or(DEFAULT);
        Self { lowest: position().saturating_sub(budget) }
    }

    /// Fails when the budget is used up.
    #[inline]
    pub(crate) fn check(self) -> Result<()> {
        if position() >= self.lowest { Ok(()) } else { Err(too_deep()) }
    }
}

#[cold]
#[inline(never)]
fn too_deep() -> Error {
    Error::new(Kind::TooDeep)
}

/// Where the stack stands.
#[inline]
fn position() -> usize {
    let here = 0u8;
    std::ptr::from_ref(&here).addr()
}
