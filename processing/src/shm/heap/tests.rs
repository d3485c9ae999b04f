use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::fault::Fault;
use super::super::store::Store;
use super::super::testing::Random;
use super::*;

fn store() -> Arc<Store> {
    Store::create(1, 1 << 26).unwrap()
}

#[test]
fn blocks_do_not_overlap_and_come_back() {
    let store = store();
    let mut random = Random::new(3);
    let mut live: BTreeMap<u64, u64> = BTreeMap::new();
    for round in 0..4000 {
        store
            .write(|writer| {
                if random.below(5) < if round < 2000 { 3 } else { 2 } {
                    let size = match random.below(20) {
                        0 => random.below(300_000) + 1,
                        1..4 => random.below(9000) + 1,
                        _ => random.below(200) + 1,
                    };
                    let block = writer.allocate(size)?;
                    let room = writer.block(block)?;
                    assert!(room >= size);
                    let before = live.range(..=block).next_back();
                    assert!(before.is_none_or(|(at, room)| at + room <= block), "{block}");
                    assert!(live.range(block..).next().is_none_or(|(at, _)| block + room <= *at), "{block}");
                    live.insert(block, room);
                } else if let Some((&block, _)) = live.range(random.below(1 << 26)..).next() {
                    live.remove(&block);
                    writer.free(block);
                }
                Ok::<_, Fault>(())
            })
            .unwrap();
    }
    assert!(live.len() > 100);
}

#[test]
fn memory_goes_back_when_blocks_do() {
    let store = store();
    let resident = store.segment().resident();
    let mut blocks = Vec::new();
    for size in [16, 100, 1000, 8000, 100_000] {
        for _ in 0..1000.min(8_000_000 / size) {
            let block = store
                .write(|writer| {
                    let block = writer.allocate_zeroed(size)?;
                    writer.fresh(block, 7)?;
                    Ok::<_, Fault>(block)
                })
                .unwrap();
            blocks.push(block);
        }
    }
    assert!(cfg!(not(unix)) || store.segment().resident() > resident + (8 << 20));
    for block in blocks {
        store
            .write(|writer| {
                let _: () = writer.free(block);
                Ok::<_, Fault>(())
            })
            .unwrap();
    }
    assert!(store.segment().resident() < resident + (600 << 10), "{}", store.segment().resident());
}

#[test]
fn what_a_failed_change_allocated_is_free_again() {
    let store = store();
    let before = store.write(|writer| writer.allocate(100)).unwrap();
    for _ in 0..10_000 {
        let result = store.write(|writer| {
            writer.free(before);
            for size in [100, 100, 1000, 70_000] {
                let block = writer.allocate(size)?;
                assert_ne!(block, before);
                writer.fresh(block, u64::MAX)?;
            }
            Err::<(), _>(Fault::TimedOut)
        });
        assert!(matches!(result, Err(Fault::TimedOut)));
    }
    let next = store.write(|writer| writer.allocate(100)).unwrap();
    assert_eq!(next, before + size_of(class_of(100)));
}

#[test]
fn a_full_heap_says_so_and_goes_on() {
    let store = Store::create(1, 1 << 20).unwrap();
    let mut blocks = Vec::new();
    let fault = loop {
        match store.write(|writer| writer.allocate(50_000)) {
            Ok(block) => blocks.push(block),
            Err(fault) => break fault,
        }
    };
    assert!(matches!(fault, Fault::Full));
    assert!(blocks.len() > 8);
    store
        .write(|writer| {
            let _: () = writer.free(blocks[3]);
            Ok::<_, Fault>(())
        })
        .unwrap();
    assert_eq!(store.write(|writer| writer.allocate(50_000)).unwrap(), blocks[3]);
    assert!(matches!(store.write(|writer| writer.allocate(u64::MAX - 8)), Err(Fault::Full)));
}

#[test]
fn what_is_no_block_is_refused() {
    let store = store();
    let block = store.write(|writer| writer.allocate(100)).unwrap();
    store
        .read(|view| {
            assert!(view.block(block).is_ok());
            for at in [0, 8, block + 8, block - SPAN, block + SPAN, u64::MAX, 1 << 26] {
                assert!(matches!(view.block(at), Err(Fault::Corrupt(_))), "{at}");
            }
            Ok::<_, Fault>(())
        })
        .unwrap();
}
