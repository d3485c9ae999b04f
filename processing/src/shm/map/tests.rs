use std::collections::HashMap;

use super::super::store::Store;
use super::super::testing::Random;
use super::*;

#[test]
fn a_map_is_like_a_map() {
    let store = Store::create(1, 1 << 28).unwrap();
    let root = store.write(|writer| writer.allocate_zeroed(64)).unwrap();
    let map = Map::new(root);
    let (mut model, mut random) = (HashMap::new(), Random::new(4));
    for round in 0..40_000u64 {
        let grow = [8, 5, 1][(round / 5000 % 3) as usize];
        let key = random.below(3000).to_string().repeat(1 + random.below(3) as usize);
        if random.below(10) < grow {
            let value = vec![round as u8; random.below(40) as usize];
            let new = store.write(|writer| map.insert(writer, key.as_bytes(), &value)).unwrap();
            assert_eq!(new, model.insert(key.clone(), value).is_none());
        } else {
            let removed = store.write(|writer| map.remove(writer, key.as_bytes())).unwrap();
            assert_eq!(removed.as_deref(), model.remove(&key).as_deref());
        }
        let value = store.read(|view| map.get(view, key.as_bytes())).unwrap();
        assert_eq!(value.as_deref(), model.get(&key).map(Vec::as_slice));
        assert_eq!(store.read(|view| map.len(view)).unwrap(), model.len() as u64);
    }
    let mut all = HashMap::new();
    store
        .write(|writer| {
            map.for_each(writer, |view, entry| {
                let value = entry.value(view)?.unwrap().into_vec();
                assert!(all.insert(String::from_utf8(entry.key(view)?).unwrap(), value).is_none());
                Ok::<_, Fault>(())
            })
        })
        .unwrap();
    assert_eq!(all, model);
    store.write(|writer| map.clear(writer)).unwrap();
    assert_eq!(store.read(|view| map.len(view)).unwrap(), 0);
    assert!(store.segment().resident() < 144 << 10, "{}", store.segment().resident());
}

#[test]
fn buckets_stay_few_and_short() {
    let store = Store::create(1, 1 << 28).unwrap();
    let root = store.write(|writer| writer.allocate_zeroed(64)).unwrap();
    let map = Map::new(root);
    for key in 0..10_000u64 {
        store.write(|writer| map.insert(writer, &key.to_le_bytes(), b"x")).unwrap();
    }
    assert_eq!(store.read(|view| map.buckets().len(view)).unwrap(), 10_000 / FILL);
    // Nearly all of them are one line, and none is a long chain.
    let lines = |bucket| {
        store.read(|view| {
            let bucket = map.buckets().locate(view, bucket)?;
            Ok::<_, Fault>((map.references(view, bucket)?.len() as u64).div_ceil(SLOTS).max(1))
        })
    };
    let lines: Vec<_> = (0..10_000 / FILL).map(|bucket| lines(bucket).unwrap()).collect();
    assert!(lines.iter().sum::<u64>() < 10_000 / FILL * 5 / 4, "{}", lines.iter().sum::<u64>());
    assert!(lines.iter().all(|&lines| lines <= 4));
    for key in 0..9_990u64 {
        store.write(|writer| map.remove(writer, &key.to_le_bytes())).unwrap();
    }
    assert!(store.read(|view| map.buckets().len(view)).unwrap() <= 22 / FILL);
    for key in 9_990..10_000u64 {
        assert!(store.read(|view| map.contains(view, &key.to_le_bytes())).unwrap());
    }
}
