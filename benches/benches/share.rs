//! What do operations on a share cost, beside the bare primitives in the same run?
//!
//! `cargo bench --bench share`, with `-- --quick` for a tenth of the rounds.

use processing::prelude::*;
use processing::share::Log;

#[path = "share/alone.rs"]
mod alone;
#[path = "share/churn.rs"]
mod churn;
#[path = "share/deaths.rs"]
mod deaths;
#[path = "share/two.rs"]
mod two;

#[derive(Shareable, Default)]
struct State {
    counter: u64,
    other: u64,
    log: Log,
    names: Vec<String>,
}

fn main() {
    alone::operations();
    alone::maps();
    alone::large_values();
    two::contests();
    deaths::of_a_holder();
    churn::a_million_operations();
}
