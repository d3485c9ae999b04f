//! Random bytes over a share while others work with it: errors and nonsense, but no crash, and nobody hangs.

use std::io::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering::Relaxed;
use std::time::Instant;

use super::*;
use crate::shm::layout::{LOCK, LOG, MIXED, ROOT, STOPPED, TOP};
use crate::shm::testing::{Child, Random};

type Plainly = (u64, i128, char, bool, Plain<Vec<u8>>, Option<String>, String);
type Collected =
    (Vec<String>, Vec<u16>, VecDeque<String>, HashMap<u32, String>, BTreeMap<u32, String>, HashSet<u64>);
type Everything = (Plainly, Collected, Log, SharedTimer, Dynamic);

fn everything() -> Everything {
    let texts = |count: u32| (0..count).map(|number| format!("a text of some length, number {number}"));
    let plainly =
        (5, -7, 'x', true, Plain(vec![7; 100]), Some("some".into()), "a text that is not in place".into());
    let collected = (
        texts(90).collect(),
        (0..2000).collect(),
        texts(80).collect(),
        (0..70).zip(texts(70)).collect(),
        (0..60).zip(texts(60)).collect(),
        (0..50).collect(),
    );
    (plainly, collected, Log::default(), SharedTimer::default(), Dynamic::default())
}

/// One operation; which, and with what, is left to chance.
fn operate(share: &Share<Everything>, random: &mut Random) {
    let (number, wide, letter, flag, plain, some, text) = &share.0;
    let (list, packed, deque, map, ordered, set) = &share.1;
    let (index, key) = (random.below(100) as usize, random.below(100) as u32);
    let name = format!("something with the number {key}");
    match random.below(34) {
        0 => _ = number.add(1),
        1 => _ = wide.replace(7),
        2 => letter.set('y'),
        3 => _ = flag.get(),
        4 => plain.change(|bytes| bytes.push(1)),
        5 => _ = some.take(),
        6 => _ = some.replace(name),
        7 => text.push_str(&name),
        8 => text.truncate(10),
        9 => list.push(name),
        10 => _ = list.pop(),
        11 => _ = list.insert(index, name),
        12 => _ = list.remove(index),
        13 => _ = list.to_vec(),
        14 => packed.update(|numbers| numbers.push(1)),
        15 => _ = packed.get(index),
        16 => deque.push_front(name),
        17 => _ = deque.pop_back(),
        18 => _ = deque.snapshot(),
        19 => _ = map.insert(key, name),
        20 => _ = map.remove(&key),
        21 => _ = map.snapshot(),
        22 => _ = ordered.insert(key, name),
        23 => _ = ordered.remove(&key),
        24 => _ = ordered.snapshot(),
        25 => _ = ordered.pop_last(),
        26 => _ = set.insert(key.into()),
        27 => _ = set.to_vec(),
        28 => share.2.info(name),
        29 => _ = share.2.messages(),
        30 => share.3.add(Duration::from_millis(1)),
        31 => share.4.set("name", name),
        32 => share.transaction(|state| {
            state.0.0 += 1;
            state.1.0.push(name);
            state.1.4.pop_first();
        }),
        _ => share.clear(),
    }
}

/// Works until there is enough of it; `false` if anything but errors came.
fn work(share: &Share<Everything>, seed: u64) -> bool {
    // Not by `eprintln!`, which a test has caught: in this process, nobody would see it.
    std::panic::set_hook(Box::new(|panic| {
        if !panic.payload().is::<ShareError>() {
            let _ = writeln!(std::io::stderr(), "{panic}");
        }
    }));
    let (start, mut random) = (Instant::now(), Random::new(seed));
    // A lock that belongs to nobody takes a moment to find out about, each time.
    (0..400).take_while(|_| start.elapsed() < Duration::from_secs(2)).all(|_| {
        let done = catch_unwind(AssertUnwindSafe(|| operate(share, &mut random)));
        done.err().is_none_or(|payload| payload.is::<ShareError>())
    })
}

/// Writes nonsense to one part of the memory, again and again.
fn scribble(share: &Share<Everything>, seed: u64) -> bool {
    let (store, mut random) = (share.store(), Random::new(seed));
    let (meta, heap) = (store.layout().meta, store.layout().heap);
    let top = store.segment().word(TOP).map_or(heap, |top| top.load(Relaxed)).min(store.layout().len);
    loop {
        let at = match seed % 8 {
            0 => LOCK + random.below(8) * 8,
            1 => 64 + random.below(8) * 8,
            2 => TOP + random.below(140) * 8,
            3 => LOG + random.below(400) * 8,
            4 => meta + random.below(200) * 8,
            // Where the state's own words are.
            5 => store.segment().word(ROOT).map_or(heap, |root| root.load(Relaxed)) + random.below(80) * 8,
            _ => heap + random.below((top - heap) / 8) * 8,
        };
        // Whoever stops a share may; and the mark of another namespace says that nobody can know who is there.
        if at != STOPPED
            && at != MIXED
            && let Ok(word) = store.segment().word(at)
        {
            // Small numbers, large ones, and what is there, with one bit turned.
            let nonsense = match random.below(3) {
                0 => random.next() >> random.below(64),
                1 => word.load(Relaxed) ^ (1 << random.below(64)),
                _ => word.load(Relaxed).wrapping_add(random.below(64) * 8),
            };
            word.store(nonsense, Relaxed);
        }
        std::thread::sleep(Duration::from_micros(random.below(300)));
    }
}

#[test]
fn nonsense_in_the_memory_is_an_error_and_no_end() {
    let rounds = if cfg!(debug_assertions) { 40 } else { 160 };
    for seed in 0..rounds {
        let share = Share::with_limit(everything(), 1 << 22).unwrap();
        let workers = [1, 2].map(|which| Child::fork(|| work(&share, seed * 2 + which)));
        let scribbler = Child::fork(|| scribble(&share, seed));
        for worker in workers {
            let start = Instant::now();
            let succeeds = worker.succeeds_within(Duration::from_secs(30));
            assert!(succeeds, "round {seed}, after {:?}", start.elapsed());
        }
        scribbler.end();
    }
}

#[test]
fn a_lock_that_belongs_to_nobody_is_an_error() {
    let share = Share::new(5_u64).unwrap();
    let lock = &share.store().segment().header().lock;
    for owner in [0x3fff_fff0, rustix::thread::gettid().as_raw_nonzero().get().cast_unsigned()] {
        lock.store(owner, Relaxed);
        if cfg!(locks_by_process) {
            // Nobody has marked it, so it looks like that of any dead owner.

            share.try_add(0).unwrap();
            continue;
        }
        assert!(share.try_add(1).unwrap_err().is_corrupt());
    }
    lock.store(0, Relaxed);
    assert_eq!(share.add(1), 6);
}
