//! Writers killed after every instruction, while others sleep until the change that they make.

use super::*;

const SLEEPERS: u64 = 2;

fn write(share: &Share<u64>) {
    share.add(1);
}

/// A number, and processes that sleep until it is 1.
fn asleep() -> (Share<u64>, Vec<Child>) {
    let (share, looked): (Share<u64>, Share<u64>) =
        (Share::with_limit(0, 1 << 20).unwrap(), Share::with_limit(0_u64, 1 << 20).unwrap());
    let sleep = || -> bool {
        let mut first = true;
        let look = |value: &CellHandle<u64>| {
            if std::mem::take(&mut first) {
                looked.add(1);
            }
            *value >= 1
        };
        share.wait_until(look).is_ok()
    };
    let sleepers = (0..SLEEPERS).map(|_| Child::fork(sleep)).collect();
    looked.wait_until(|looked| *looked == SLEEPERS).unwrap();
    // They look and announce themselves under one lock.
    share.transaction(|_| ());
    (share, sleepers)
}

/// Kills a writer at every moment, and looks whether the sleepers wake.
pub(super) fn wakes(kills: &Kills) -> Result<usize, String> {
    let writer = |share: &Share<u64>| {
        let share = share.clone();
        Stepped::before(|| warm(&share), || write(&share))
    };
    let (share, sleepers) = asleep();
    let all = kills.of(writer(&share).moments(share.store()));
    drop(sleepers);
    for (number, &moment) in all.iter().enumerate() {
        let (share, sleepers) = asleep();
        writer(&share).dies_at(moment);
        if share.get() == 0 {
            // The writer did not come to its change, so there was nothing to wake for. The next one takes its place.
            let next = Child::fork(|| share.add(1) == 1);
            if !next.succeeds_within(kills.patience) {
                return Err(format!("locked after a death at moment {number} of {}", all.len()));
            }
        }
        for sleeper in sleepers {
            if !sleeper.succeeds_within(kills.patience) {
                return Err(format!("asleep after a death at moment {number} of {}", all.len()));
            }
        }
    }
    Ok(all.len())
}

#[test]
fn a_writer_who_dies_after_any_instruction_leaves_nobody_asleep() {
    stay_on_one_processor(0);
    let count = wakes(&Kills::usual()).unwrap();
    assert!(count > 5, "{count}");
}
