use std::collections::VecDeque;

use super::super::fault::Fault;
use super::super::store::Store;
use super::super::testing::Random;
use super::*;

#[test]
fn a_list_is_like_a_deque_of_its_width() {
    for width in [1u64, 2, 4, 8] {
        let store = Store::create(1, 1 << 26).unwrap();
        let root = store.write(|writer| writer.allocate_zeroed(64)).unwrap();
        let list = List::new(root, width);
        let (mut model, mut random) = (VecDeque::new(), Random::new(width));
        let mask = u64::MAX >> (64 - width * 8);
        for round in 0..20_000u64 {
            // Grows, wanders and shrinks in turn.
            let grow = [7, 5, 2][(round / 3000 % 3) as usize];
            let (back, add) = (random.below(2) == 0, random.below(10) < grow);
            let value = random.next() & mask;
            store
                .write(|writer| {
                    match (add, back) {
                        (true, true) => {
                            let at = list.push_back(writer)?;
                            list.set_packed(writer, at, value)?;
                            model.push_back(value);
                        }
                        (true, false) => {
                            let at = list.push_front(writer)?;
                            list.set_packed(writer, at, value)?;
                            model.push_front(value);
                        }
                        (false, _) if model.is_empty() => {}
                        (false, true) => {
                            list.pop_back(writer)?;
                            model.pop_back();
                        }
                        (false, false) => {
                            list.pop_front(writer)?;
                            model.pop_front();
                        }
                    }
                    Ok::<_, Fault>(())
                })
                .unwrap();
            store
                .read(|view| {
                    assert_eq!(list.len(view)?, model.len() as u64);
                    if !model.is_empty() {
                        for index in [0, random.below(model.len() as u64), model.len() as u64 - 1] {
                            assert_eq!(list.packed(view, list.locate(view, index)?)?, model[index as usize]);
                        }
                    }
                    Ok::<_, Fault>(())
                })
                .unwrap();
        }
        let bytes = store.read(|view| list.all_packed(view)).unwrap();
        let expected: Vec<u8> =
            model.iter().flat_map(|value| value.to_le_bytes()[..width as usize].to_vec()).collect();
        assert_eq!(bytes, expected);
        store.write(|writer| list.clear(writer)).unwrap();
        assert!(store.segment().resident() < 64 << 10, "{}", store.segment().resident());
    }
}

#[test]
fn many_bytes_at_once() {
    let store = Store::create(1, 1 << 26).unwrap();
    let root = store.write(|writer| writer.allocate_zeroed(64)).unwrap();
    let list = List::new(root, 1);
    let mut model = Vec::new();
    for len in [5, 1019, 3, 2048, 100_000, 1] {
        let bytes: Vec<u8> = (0..len).map(|index| (index * 31) as u8).collect();
        store.write(|writer| list.extend_packed(writer, &bytes)).unwrap();
        model.extend_from_slice(&bytes);
        assert_eq!(store.read(|view| list.all_packed(view)).unwrap(), model);
    }
}

#[test]
fn nonsense_in_its_words_is_an_error_or_a_list() {
    let nonsense = [0, 1, 2, 1 << 20, NONSENSE - 1, NONSENSE, 1 << 63, u64::MAX - 1, u64::MAX];
    for (word, value) in
        [HEAD, LEN, TABLE, ROOM].into_iter().flat_map(|word| nonsense.map(|value| (word, value)))
    {
        let operations: [fn(List, &mut Writer<'_>) -> Result<()>; 7] = [
            |list, writer| list.push_back(writer).map(drop),
            |list, writer| list.push_front(writer).map(drop),
            |list, writer| list.pop_back(writer),
            |list, writer| list.pop_front(writer),
            |list, writer| list.extend_packed(writer, &[7; 3000]),
            |list, writer| list.locate(writer, 5).map(drop),
            |list, writer| list.clear(writer),
        ];
        for operation in operations {
            let store = Store::create(1, 1 << 20).unwrap();
            let root = store.write(|writer| writer.allocate_zeroed(64)).unwrap();
            let list = List::new(root, 1);
            store.write(|writer| list.extend_packed(writer, &[5; 2000])).unwrap();
            // No panic, which is what sums that overflow would be here.
            let _ = store.write(|writer| {
                writer.set(root + word, value)?;
                operation(list, writer)
            });
        }
    }
}
