//! How much memory a million random operations take and leave.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::os::unix::fs::MetadataExt;

use benches::timed;
use processing::prelude::*;

#[derive(Shareable, Default)]
struct Heap {
    texts: Vec<String>,
    numbers: VecDeque<u64>,
    map: HashMap<u64, String>,
    ordered: BTreeMap<u64, Vec<u8>>,
    text: String,
    some: Option<String>,
}

/// How much memory the shares of this process take.
fn resident() -> u64 {
    let files = std::fs::read_dir("/proc/self/fd").expect("proc").flatten().map(|entry| entry.path());
    let shares = files.filter(|path| {
        std::fs::read_link(path).is_ok_and(|at| at.to_string_lossy().contains("memfd:processing-share"))
    });
    shares.filter_map(|path| std::fs::metadata(path).ok()).map(|data| data.blocks() * 512).sum()
}

/// A small generator, the same in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) % bound
    }
}

/// What is done to the state; for each, as often something comes as something goes.
fn operate(heap: &Share<Heap>, random: &mut Random) {
    let size = if random.below(1000) == 0 { 100_000 } else { 200 };
    let text = |random: &mut Random| "x".repeat(random.below(size) as usize);
    let key = random.below(2_000);
    match random.below(12) {
        0 => heap.texts.push(text(random)),
        1 => _ = heap.texts.pop(),
        2 => _ = heap.texts.set(key as usize % heap.texts.len().max(1), text(random)),
        3 => heap.numbers.push_back(key),
        4 => _ = heap.numbers.pop_front(),
        5 => _ = heap.map.insert(key, text(random)),
        6 => _ = heap.map.remove(&key),
        7 => _ = heap.ordered.insert(key, text(random).into_bytes()),
        8 => _ = heap.ordered.remove(&key),
        9 if heap.text.len() < 100_000 => heap.text.push_str(&text(random)),
        9 => heap.text.clear(),
        10 => _ = heap.some.replace(text(random)),
        _ => _ = heap.some.take(),
    }
}

/// How many bytes the values have.
fn size(heap: &Share<Heap>) -> usize {
    let heap = heap.snapshot();
    let texts = heap.texts.iter().map(|text| text.len() + 24).sum::<usize>();
    let map = heap.map.values().map(|text| text.len() + 32).sum::<usize>();
    let ordered = heap.ordered.values().map(|bytes| bytes.len() + 32).sum::<usize>();
    texts + map + ordered + heap.numbers.len() * 8 + heap.text.len() + heap.some.map_or(0, |text| text.len())
}

pub(super) fn a_million_operations() {
    let operations = if std::env::args().any(|argument| argument == "--quick") { 100_000 } else { 1_000_000 };
    let heap = Share::new(Heap::default()).expect("memory");
    let (before, mut random) = (resident(), Random(7));
    let (mut peak, mut values_then, mut time) = (before, 0, std::time::Duration::ZERO);
    println!("\n{operations} random operations on six collections: KiB in memory, and KiB of values in it");
    println!("  {:>12}  {:>8}  {:>8}", "operations", "memory", "values");
    for tenth in 1..=10 {
        for _ in 0..operations / 1_000 {
            time += timed(|| (0..100).for_each(|_| operate(&heap, &mut random))).1;
            let now = resident();
            if now > peak {
                (peak, values_then) = (now, size(&heap));
            }
        }
        println!("  {:>12}  {:>8}  {:>8}", tenth * operations / 10, resident() >> 10, size(&heap) >> 10);
    }
    println!("  {:>12}  {:>8}  {:>8}", "at the peak", peak >> 10, values_then >> 10);
    heap.clear();
    println!("  {:>12}  {:>8}  {:>8}", "all cleared", resident() >> 10, 0);
    println!("  {:>12}  {:>8}  ({} ns an operation)", "at first", before >> 10, time.as_nanos() / operations);
    assert!(resident() <= before + (2 << 20), "memory has not been returned");
}
