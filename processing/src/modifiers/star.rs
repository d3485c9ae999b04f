//! Items as all arguments of a function.

use super::Call;
use crate::pool::{OnPool, Plain, Star};

impl<'p, M> Call<OnPool<'p, Plain>, M> {
    /// Makes the tuples that are mapped over the arguments of the function: `pool.star().map(f, [(1, 2), (3, 4)])`
    /// calls `f(1, 2)` and `f(3, 4)`.
    pub fn star(self) -> Call<OnPool<'p, Star>, M> {
        self.with_target(OnPool::starred)
    }
}
