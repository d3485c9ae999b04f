//! Mistakes planted in the protocol: killing must bring each of them to light.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::*;
use crate::shm::planted::{Mistake, making};

/// Whether any operation, killed at any moment, shows that something is wrong.
fn comes_to_light(mistake: Mistake) -> Result<(), String> {
    let quick = || Kills { every: None, patience: Duration::from_millis(1500), heirs: false };
    making(mistake, || {
        sleepers::wakes(&quick())?;
        for heirs in [false, true] {
            for operation in operations::suspects() {
                let kills = Kills { heirs, ..quick() };
                let attempt = AssertUnwindSafe(|| (operation.attempt)(&kills));
                let found = catch_unwind(attempt).unwrap_or_else(|_| Err("wrong without a death".into()));
                found.map_err(|what| format!("{}: {what}", operation.name))?;
            }
        }
        Ok(())
    })
}

#[test]
#[cfg_attr(debug_assertions, ignore = "takes minutes, unoptimised; `.ci/run kills` runs it")]
fn every_mistake_comes_to_light() {
    stay_on_one_processor(1);
    let unnoticed: Vec<Mistake> = Mistake::ALL
        .into_iter()
        .filter(|&mistake| {
            let found = comes_to_light(mistake);
            println!("{mistake:?}: {}", found.as_ref().err().map_or("NOT NOTICED", String::as_str));
            found.is_ok()
        })
        .collect();
    assert!(unnoticed.is_empty(), "nobody noticed {unnoticed:?}");
}
