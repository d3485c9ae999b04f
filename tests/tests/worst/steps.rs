//! A trait whose implementations cross as what they are.

use serde::{Deserialize, Serialize};

#[typetag::serde]
pub(crate) trait Step {
    fn apply(&self, value: i64) -> i64;
}

#[derive(Serialize, Deserialize)]
pub(crate) struct Add(pub(crate) i64);

#[typetag::serde]
impl Step for Add {
    fn apply(&self, value: i64) -> i64 {
        value.wrapping_add(self.0)
    }
}
