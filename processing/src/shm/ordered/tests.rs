use std::collections::BTreeMap;

use super::super::store::Store;
use super::super::testing::Random;
use super::*;

fn key_of(bytes: &[u8]) -> u64 {
    u64::from_le_bytes(*bytes.first_chunk().unwrap())
}

#[test]
fn it_is_like_an_ordered_map() {
    let store = Store::create(1, 1 << 28).unwrap();
    let root = store.write(|writer| writer.allocate_zeroed(ORDERED)).unwrap();
    let map = Ordered::new(root);
    let (mut model, mut random) = (BTreeMap::new(), Random::new(6));
    for round in 0..20_000u64 {
        let grow = [8, 5, 1][(round / 3000 % 3) as usize];
        let key = random.below(2000);
        let value = vec![round as u8; random.below(40) as usize];
        let insert = random.below(10) < grow;
        store
            .write(|writer| {
                let spot = map.find(writer, |other| Ok::<_, Fault>(key_of(other).cmp(&key)))?;
                assert_eq!(spot.entry.is_some(), model.contains_key(&key));
                match (insert, spot.entry) {
                    (true, Some(entry)) => entry.set_value(writer, &value)?,
                    (true, None) => map.insert(writer, &spot, &key.to_le_bytes(), &value)?,
                    (false, _) => map.remove(writer, &spot)?,
                }
                Ok::<_, Fault>(())
            })
            .unwrap();
        if insert {
            model.insert(key, value);
        } else {
            model.remove(&key);
        }
        let from = random.below(2000);
        store
            .read(|view| {
                assert_eq!(map.len(view)?, model.len() as u64);
                let key = |node: Option<Node>| node.map(|node| key_of(&node.key(view).unwrap()));
                assert_eq!(key(map.first(view)?), model.keys().next().copied());
                assert_eq!(key(map.last(view)?), model.keys().next_back().copied());
                let spot = map.find(view, |other| Ok::<_, Fault>(key_of(other).cmp(&from)))?;
                assert_eq!(
                    key(map.at_or_after(view, &spot)?),
                    model.range(from..).next().map(|(key, _)| *key)
                );
                Ok::<_, Fault>(())
            })
            .unwrap();
    }
    let mut all = Vec::new();
    store
        .write(|writer| {
            map.for_each(writer, |view, node| {
                all.push((key_of(&node.key(view)?), node.value(view)?.unwrap().into_vec()));
                Ok::<_, Fault>(())
            })
        })
        .unwrap();
    assert_eq!(all, model.into_iter().collect::<Vec<_>>());
    store.write(|writer| map.clear(writer)).unwrap();
    assert_eq!(store.read(|view| map.len(view)).unwrap(), 0);
}
