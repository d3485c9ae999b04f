//! Processes killed at random moments while two of them change collections: what spans several fields holds all the same.

use super::*;
use crate::shm::testing::{Child, Random};

/// The sum of what the map holds, the map, the same in order, texts, and how many those are.
type State = (u64, HashMap<u32, u64>, BTreeMap<u32, u64>, Vec<String>, u64);

fn work(share: &Share<State>, random: &mut Random) -> Result<(), ShareError> {
    let (key, amount) = (random.below(300) as u32, random.below(1000));
    // The map grows and shrinks, and its buckets with it.
    let grows = share.1.try_len()? < random.below(400) as usize;
    share.try_transaction(|state| {
        let (before, same) = if grows {
            (state.1.try_insert(key, amount)?, state.2.try_insert(key, amount)?)
        } else {
            (state.1.try_remove(&key)?, state.2.try_remove(&key)?)
        };
        if before != same {
            return Err(ShareError::value("the maps differ"));
        }
        let sum = state.0.try_get()? + if grows { amount } else { 0 } - before.unwrap_or(0);
        state.0.try_set(sum)?;
        match state.3.try_len()? {
            0..50 => state.3.try_push("a text that is too long for a slot".repeat(key as usize % 9))?,
            _ => state.3.try_truncate(key as usize % 50)?,
        }
        state.4.try_set(state.3.try_len()? as u64)
    })
}

fn is_whole(share: &Share<State>) -> bool {
    let Ok((sum, map, ordered, texts, count)) = share.try_snapshot() else { return false };
    map.values().sum::<u64>() == sum
        && map.into_iter().collect::<BTreeMap<_, _>>() == ordered
        && texts.len() as u64 == count
}

#[test]
fn random_kills_leave_collections_whole() {
    let rounds = if cfg!(debug_assertions) { 300 } else { 3000 };
    let (share, failed) = (Share::new(State::default()).unwrap(), Share::new(false).unwrap());
    let spawn = |seed| {
        let (share, failed) = (share.clone(), failed.clone());
        Child::fork(move || {
            let mut random = Random::new(seed);
            while work(&share, &mut random).is_ok() && is_whole(&share) {}
            failed.set(true);
            false
        })
    };
    let (mut random, mut children) = (Random::new(8), [spawn(1), spawn(2)]);
    for round in 0..rounds {
        std::thread::sleep(Duration::from_micros(random.below(1500)));
        let victim = &mut children[random.below(2) as usize];
        std::mem::replace(victim, spawn(round + 10)).end();
        assert!(is_whole(&share) && *failed == false, "round {round}");
        work(&share, &mut random).unwrap();
    }
    children.into_iter().for_each(Child::end);
    share.store().read(|view| view.audit()).unwrap();
    assert!(share.store().version().unwrap() > rounds as u32);
}
