//! One process, nobody else near.

use std::collections::HashMap;
use std::hint::black_box;

use benches::{Contest, timed};
use processing::__private::Bare;
use processing::share::Plain;
use processing::{Share, ShareHandle};

use super::State;

pub(super) fn operations() {
    const TIMES: u32 = 1_000;
    let thousand = |work: &mut dyn FnMut()| timed(|| (0..TIMES).for_each(|_| work())).1;
    let bare = Bare::new();
    let share = Share::new(State { other: u64::MAX, ..State::default() }).expect("memory");
    let (mut adding, name) = (share.clone(), "a short one".to_owned());
    let mut contest = Contest::new("1 000 operations of one process").rounds(200);
    contest.floor("`fetch_add`", || thousand(&mut || bare.add()));
    contest.floor("an integer in a bare robust lock", || thousand(&mut || bare.add_locked()));
    contest.peer("an integer in a robust pthread mutex", || thousand(&mut || bare.add_robust()));
    contest.peer("an integer in a raw_sync mutex", || timed(|| bare.add_raw_sync(TIMES.into())).1);
    contest.enter("`share.counter += 1`", || thousand(&mut || adding.counter += 1));
    contest.enter("`share.counter.set(7)`", || thousand(&mut || share.counter.set(7)));
    contest.enter("`share.counter.get()`", || thousand(&mut || _ = black_box(share.counter.get())));
    contest.enter("a transaction of two integers", || {
        thousand(&mut || {
            share.transaction(|state| {
                state.counter += 1;
                state.other -= 1;
            });
        })
    });
    contest.enter("`share.names.push(…)` and `pop()`", || {
        thousand(&mut || {
            share.names.push(name.clone());
            share.names.pop();
        })
    });
    println!("{}", contest.run());
}

/// Does a replacement cost more the more entries there are?
pub(super) fn maps() {
    let mut contest = Contest::new("1 000 replacements in a map, one key at a time").rounds(100);
    for size in [10_u64, 10_000, 1_000_000] {
        let map = Share::new((0..size).map(|key| (key, key)).collect::<HashMap<_, _>>()).expect("memory");
        let (mut key, mut value) = (0, 0);
        contest.enter(format!("of {size} entries"), move || {
            timed(|| {
                for _ in 0..1_000 {
                    (key, value) = ((key + 7919) % size, value + 1);
                    map.insert(key, value);
                }
            })
            .1
        });
    }
    for size in [10_u64, 10_000, 1_000_000] {
        let mut map: HashMap<_, _> = (0..size).map(|key| (key, key)).collect();
        let (mut key, mut value) = (0, 0);
        contest.floor(format!("a `HashMap` of this process, of {size} entries"), move || {
            timed(|| {
                for _ in 0..1_000 {
                    (key, value) = ((key + 7919) % size, value + 1);
                    map.insert(key, value);
                }
            })
            .1
        });
    }
    println!("{}", contest.run());
}

pub(super) fn large_values() {
    let text = "x".repeat(64 << 20);
    let share = Share::new(Plain(String::new())).expect("memory");
    let bytes = Share::new(Vec::<u8>::new()).expect("memory");
    let mut contest = Contest::new("a value of 64 MiB").rounds(10);
    contest.floor("copied in this process", || timed(|| black_box(text.clone())).1);
    contest.enter("`Plain<String>`, set", || {
        let text = text.clone();
        timed(|| share.set(text)).1
    });
    contest.enter("`Plain<String>`, read", || timed(|| black_box(share.get())).1);
    contest.enter("`Vec<u8>`, assigned", || {
        let list = text.clone().into_bytes();
        timed(|| bytes.assign(list)).1
    });
    contest.enter("`Vec<u8>`, read", || timed(|| black_box(bytes.to_vec())).1);
    println!("{}", contest.run());
}
