//! Processes killed in the middle of changes.

use super::super::super::testing::Child;
use super::*;

const SUMS: u64 = 8;
const SLOTS: u64 = 32;

/// Moves amounts between words, and keeps blocks whose content says where they belong.
fn work(store: &Arc<Store>, root: u64, random: &mut Random) -> Result<()> {
    let (from, to, amount) = (random.below(SUMS), random.below(SUMS), random.below(100));
    let slot = root + (SUMS + random.below(SLOTS)) * 8;
    store.write(|writer| {
        let taken = writer.load(root + from * 8)?.wrapping_sub(amount);
        writer.set(root + from * 8, taken)?;
        let given = writer.load(root + to * 8)?.wrapping_add(amount);
        writer.set(root + to * 8, given)?;
        let old = writer.load(slot)?;
        writer.free(old);
        let most = if random.below(50) == 0 { 10_000 } else { 40 };
        let words = random.below(most) + 2;
        let block = writer.allocate(words * 8)?;
        writer.fresh(block, words)?;
        writer.fresh(block + 8, slot)?;
        for at in 2..words {
            writer.fresh(block + at * 8, slot ^ at)?;
        }
        writer.set(slot, block)
    })
}

fn verify(store: &Arc<Store>, root: u64) -> Result<()> {
    let sound = store.read(|view| {
        let mut sum = 0u64;
        for index in 0..SUMS {
            sum = sum.wrapping_add(view.load(root + index * 8)?);
        }
        let mut sound = sum == 0;
        for index in 0..SLOTS {
            let slot = root + (SUMS + index) * 8;
            let block = view.load(slot)?;
            if block == 0 {
                continue;
            }
            let words = view.load(block)?;
            view.check()?;
            sound &= view.load(block + 8)? == slot && words * 8 <= view.block(block)?;
            for at in 2..words {
                sound &= view.load(block + at * 8)? == slot ^ at;
            }
        }
        Ok::<_, Fault>(sound)
    })?;
    if sound { Ok(()) } else { Err(Fault::Corrupt("invariant")) }
}

#[test]
fn a_killed_writer_leaves_no_trace() {
    let (store, root) = store();
    let mut random = Random::new(5);
    let spawn = |seed| {
        let store = Arc::clone(&store);
        Child::fork(move || {
            let mut random = Random::new(seed);
            loop {
                if work(&store, root, &mut random).is_err() || verify(&store, root).is_err() {
                    return false;
                }
            }
        })
    };
    let mut children: Vec<_> = (0..2).map(|seed| spawn(seed + 100)).collect();
    for round in 0..1500 {
        std::thread::sleep(Duration::from_micros(random.below(900)));
        children.swap_remove(random.below(2) as usize).end();
        verify(&store, root).unwrap();
        work(&store, root, &mut random).unwrap();
        children.push(spawn(round + 1000));
    }
}

#[test]
fn a_killed_transaction_leaves_no_trace() {
    let (store, root) = store();
    for round in 0..200 {
        let child = Child::fork(|| {
            let mut random = Random::new(round);
            loop {
                let Ok(whole) = store.begin() else { return false };
                for _ in 0..10 {
                    let _ = store.change_word(root, |word| Some((word.wrapping_add(1), ())));
                    let _ = work(&store, root, &mut random);
                    let _ = store.change_word(root + 8, |word| Some((word.wrapping_sub(1), ())));
                }
                if whole.commit().is_err() {
                    return false;
                }
            }
        });
        std::thread::sleep(Duration::from_micros(300 + round * 7));
        child.end();
        verify(&store, root).unwrap();
    }
    assert!(store.version().unwrap() > 200);
}
