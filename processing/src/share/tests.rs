use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::time::Duration;

use super::*;

#[cfg(unix)]
mod deaths;
#[cfg(unix)]
mod kills;
mod operators;
#[cfg(unix)]
mod scribbles;

#[test]
fn numbers_are_like_numbers() {
    let mut share = Share::new(40_u64).unwrap();
    *share += 2;
    assert_eq!(*share, 42);
    assert!(*share > 41 && *share != 1);
    *share <<= 1;
    assert_eq!(share.to_string(), "84");
    let mut wide = Share::new(-1_i128).unwrap();
    *wide -= i128::MAX - 1;
    assert_eq!(*wide, -i128::MAX);
    let mut float = Share::new(0.5).unwrap();
    *float *= 3.0;
    assert_eq!(*float, 1.5);
    let mut flag = Share::new(false).unwrap();
    *flag |= true;
    assert_eq!(*flag, true);
    let letter = Share::new('a').unwrap();
    assert!(letter.replace_if('a', 'ß') && !letter.replace_if('a', 'b'));
    assert_eq!(letter.get(), 'ß');
}

#[test]
fn an_operator_that_panics_changes_nothing() {
    let share = Share::new(5_u32).unwrap();
    let mut clone = share.clone();
    let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| *clone /= 0));
    assert!(caught.is_err());
    assert_eq!(*share, 5);
    assert_eq!(share.add(1), 6);
}

#[test]
fn errors_without_a_way_out_are_typed_panics() {
    let share = Share::new(5_u32).unwrap();
    share.stop().unwrap();
    let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| share.get())).unwrap_err();
    assert!(caught.downcast_ref::<ShareError>().unwrap().is_stopped());
    assert!(share.try_set(1).unwrap_err().is_stopped());
    share.clone().start().unwrap();
    assert_eq!(*share, 5);
}

#[test]
fn texts_grow_in_place() {
    let mut share = Share::new(String::new()).unwrap();
    for round in 0..1000 {
        *share += &*round.to_string();
    }
    assert_eq!(*share, (0..1000).map(|round| round.to_string()).collect::<String>());
    share.set("größe");
    share.truncate(3);
    assert_eq!(*share, "gr");
    share.clear();
    assert!(share.is_empty());
}

#[test]
fn options_come_and_go() {
    let share = Share::new(Some(vec![1, 2])).unwrap();
    assert_eq!(share.take(), Some(vec![1, 2]));
    assert!(share.is_none());
    assert_eq!(share.get_or_insert_with(|| vec![3]), vec![3]);
    assert_eq!(share.replace(vec![]), Some(vec![3]));
    let nested = Share::new(Some(None::<u8>)).unwrap();
    assert_eq!(*nested, Some(None));
}

fn sequence_of<T: Element + Clone + PartialEq + std::fmt::Debug>(make: impl Fn(u64) -> T) {
    let share = Share::new(Vec::<T>::new()).unwrap();
    let mut model = Vec::new();
    for round in 0..600 {
        let value = make(round);
        match round % 7 {
            0..4 => {
                share.push(value.clone());
                model.push(value);
            }
            4 => {
                let index = round as usize / 3 % (model.len() + 1);
                assert!(share.insert(index, value.clone()));
                model.insert(index, value);
            }
            5 => {
                let index = round as usize / 2 % model.len();
                assert_eq!(share.remove(index), Some(model.remove(index)));
            }
            _ => {
                let index = round as usize % model.len();
                assert!(share.set(index, value.clone()));
                model[index] = value;
            }
        }
        assert_eq!(share.len(), model.len());
        assert_eq!(share.last(), model.last().cloned());
    }
    assert_eq!(*share, model);
    share.extend((0..100).map(&make));
    model.extend((0..100).map(&make));
    assert_eq!(share.iter().collect::<Vec<_>>(), model);
    share.retain(|value| *value != model[0]);
    model.retain({
        let first = model[0].clone();
        move |value| *value != first
    });
    assert_eq!(*share, model);
    assert_eq!((share.get(10_000), share.remove(10_000), share.set(10_000, make(1))), (None, None, false));
    share.truncate(3);
    assert_eq!(*share, model[..3]);
    share.clear();
    assert_eq!(share.pop(), None);
}

#[test]
fn lists_are_like_vectors() {
    sequence_of(|round| round as u8);
    sequence_of(|round| round as i16 - 100);
    sequence_of(|round| round as f32 / 3.0);
    sequence_of(|round| round << 40);
    sequence_of(|round| round.to_string().repeat(round as usize % 9));
    sequence_of(|round| (round % 3 == 0).then_some(round));
}

#[test]
fn deques_are_like_deques() {
    let share = Share::new(VecDeque::from(["a".to_owned()])).unwrap();
    let mut model = VecDeque::from(["a".to_owned()]);
    for round in 0..2000u32 {
        let value = round.to_string();
        match round * 7 % 11 % 4 {
            0 => {
                share.push_back(value.clone());
                model.push_back(value);
            }
            1 => {
                share.push_front(value.clone());
                model.push_front(value);
            }
            2 => assert_eq!(share.pop_front(), model.pop_front()),
            _ => assert_eq!(share.pop_back(), model.pop_back()),
        }
        assert_eq!((share.front(), share.back()), (model.front().cloned(), model.back().cloned()));
    }
    assert_eq!(*share, model);
}

#[test]
fn maps_and_sets_are_like_maps_and_sets() {
    let map = Share::new(HashMap::from([("one".to_owned(), 1)])).unwrap();
    let ordered = Share::new(BTreeMap::from([("one".to_owned(), 1)])).unwrap();
    let mut model = BTreeMap::from([("one".to_owned(), 1)]);
    for round in 0..2000u32 {
        let key = (round * 31 % 257).to_string();
        if round % 5 < 3 {
            let before = model.insert(key.clone(), round);
            assert_eq!(map.insert(key.clone(), round), before);
            assert_eq!(ordered.insert(key.clone(), round), before);
        } else {
            let before = model.remove(&key);
            assert_eq!(map.remove(&key), before);
            assert_eq!(ordered.remove(&key), before);
        }
        assert_eq!(map.get(key.as_str()), model.get(&key).copied());
        assert_eq!(ordered.get(key.as_str()), model.get(&key).copied());
    }
    assert_eq!(*ordered, model);
    assert_eq!(*map, model.clone().into_iter().collect::<HashMap<_, _>>());
    assert_eq!(ordered.keys(), model.keys().cloned().collect::<Vec<_>>());
    let range = ("2".to_owned())..("3".to_owned());
    assert_eq!(
        ordered.range(range.clone()),
        model.range(range).map(|(k, v)| (k.clone(), *v)).collect::<Vec<_>>()
    );
    assert_eq!(ordered.pop_last(), model.pop_last());
    assert_eq!(
        map.change_or_default("new".into(), |value| {
            *value += 5;
            *value
        }),
        5
    );

    let set = Share::new(HashSet::from([1, 2])).unwrap();
    assert!(set.insert(3) && !set.insert(3) && set.remove(&1) && !set.contains(&1));
    assert_eq!(*set, HashSet::from([2, 3]));
    let ordered = Share::new(BTreeSet::from([3, 1])).unwrap();
    assert!(ordered.insert(2));
    assert_eq!((ordered.pop_first(), ordered.last(), ordered.to_vec()), (Some(1), Some(3), vec![2, 3]));
    set.assign(HashSet::from([7]));
    ordered.assign(BTreeSet::from([7, 8]));
    assert_eq!((set.to_vec(), ordered.to_vec()), (vec![7], vec![7, 8]));
}

#[test]
fn tuples_and_arrays_have_parts() {
    let mut share = Share::new((1_u8, [String::from("a"), String::new()], vec![1.5])).unwrap();
    share.0 += 1;
    share.1[1] += "b";
    share.2.push(2.5);
    assert_eq!(share.snapshot(), (2, ["a".into(), "b".into()], vec![1.5, 2.5]));
}

#[test]
fn a_transaction_is_all_or_nothing() {
    let share = Share::new((0_u32, vec![0_u32])).unwrap();
    let result: Result<(), ShareError> = share.try_transaction(|state| {
        state.0 += 1;
        state.1.push(1);
        Err(ShareError::value("on purpose"))
    });
    assert!(result.is_err());
    let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        share.transaction(|state| {
            state.0 += 1;
            state.1.clear();
            panic!("on purpose");
        })
    }));
    assert!(caught.is_err());
    assert_eq!(share.snapshot(), (0, vec![0]));
    // Joins, also through another clone and through `update`.
    let clone = share.clone();
    share.transaction(|state| {
        state.0 += 1;
        clone.transaction(|state| state.1.push(state.0.get()));
        clone.1.update(|list| list.push(clone.0.get() + 1));
        let _: Result<(), ShareError> = clone.try_transaction(|state| {
            state.0 += 100;
            Err(ShareError::value("only this part"))
        });
        assert!(share.wait_until(|_| true).unwrap_err().is_misplaced());
        assert!(share.stop().unwrap_err().is_misplaced());
    });
    assert_eq!(share.snapshot(), (1, vec![0, 1, 2]));
}

#[test]
fn clear_resets_and_returns_memory() {
    let share = Share::new((5_u8, vec!["first".to_owned()], HashMap::from([(1, 2)]))).unwrap();
    share.transaction(|state| {
        state.0.set(9);
        state.1.extend((0..1000).map(|round| round.to_string().repeat(10)));
        state.2.clear();
    });
    share.clear();
    assert_eq!(share.snapshot(), (5, vec!["first".to_owned()], HashMap::from([(1, 2)])));
}

#[test]
fn threads_count_together() {
    let share = Share::new((0_u64, vec![0_u64; 0])).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            let mut share = share.clone();
            scope.spawn(move || {
                for _ in 0..500 {
                    share.0 += 1;
                    share.transaction(|state| state.1.push(state.0.get()));
                }
            });
        }
    });
    assert_eq!(share.0, 2000);
    assert_eq!(share.1.len(), 2000);
    assert!(share.1.to_vec().is_sorted());
}

#[test]
fn waiting_sees_every_change() {
    let share = Share::new(0_u32).unwrap();
    let other = share.clone();
    let writer = std::thread::spawn(move || {
        for _ in 0..50 {
            std::thread::sleep(Duration::from_millis(1));
            other.add(1);
        }
    });
    share.wait_until(|count| *count == 50).unwrap();
    writer.join().unwrap();
    share.changed().unwrap();
    assert!(share.changed_for(Duration::from_millis(5)).unwrap_err().is_timeout());
    assert!(share.wait_until_for(Duration::from_millis(5), |count| *count == 0).unwrap_err().is_timeout());
}

#[test]
fn a_large_value_comes_back() {
    let share = Share::new(Plain(String::new())).unwrap();
    let text = "0123456789abcdef".repeat(1 << 20);
    share.set(text.clone());
    assert_eq!(share.get(), text);
    let bytes = Share::new(vec![7_u8; 16 << 20]).unwrap();
    bytes.push(8);
    assert_eq!(bytes.to_vec().len(), (16 << 20) + 1);
}

#[test]
fn lists_of_numbers_are_assigned_by_what_differs() {
    let share = Share::new(Vec::<u16>::new()).unwrap();
    let mut model: Vec<u16> = (0..5000).collect();
    share.assign(model.clone());
    let live = || share.store().read(|view| view.audit()).unwrap();
    let blocks = live();
    let changes: [fn(&mut Vec<u16>); 8] = [
        |list| list[4999] = 1,
        |list| list.iter_mut().for_each(|number| *number ^= 0x5555),
        |list| list.truncate(4990),
        |list| list.truncate(20),
        |list| list.extend(0..4980),
        |list| list.reverse(),
        |list| list.clear(),
        |list| list.extend(0..5000),
    ];
    for change in changes {
        change(&mut model);
        share.update(change);
        assert!(*share == model);
    }
    assert_eq!(live(), blocks);
    let bytes = Share::new(vec![1_u8, 2, 3]).unwrap();
    bytes.update(|bytes| bytes.rotate_left(1));
    assert_eq!(*bytes, [2, 3, 1]);
}
