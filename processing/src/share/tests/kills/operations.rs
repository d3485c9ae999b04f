//! The operations that processes are killed in.

use super::*;
use crate::shm::map::hash_with;

fn text(number: usize) -> String {
    format!("a text of more than fifteen bytes, number {number}")
}

fn show<T: Shareable + std::fmt::Debug>(share: &Share<T>) -> String {
    format!("{:?}", share.snapshot())
}

fn texts(count: usize) -> Vec<String> {
    (0..count).map(text).collect()
}

fn map() -> HashMap<u32, String> {
    (0..12).zip(texts(12)).collect()
}

/// Keys that all go to the first of two buckets, which is full with seven of them.
fn crowd() -> impl Iterator<Item = u32> {
    (0..).filter(|key| hash_with(SEED, &codec::encode(key).unwrap()).is_multiple_of(2))
}

fn crowded(count: usize) -> HashMap<u32, String> {
    crowd().zip(texts(count)).collect()
}

fn show_map(share: &Share<HashMap<u32, String>>) -> String {
    format!("{:?}", share.snapshot().into_iter().collect::<BTreeMap<_, _>>())
}

fn show_set(share: &Share<HashSet<u64>>) -> String {
    format!("{:?}", share.snapshot().into_iter().collect::<BTreeSet<_>>())
}

pub(super) fn all() -> Vec<Operation> {
    [compound(), collections(), values()].into_iter().flatten().collect()
}

/// Those that use all there is of the protocol.
pub(super) fn suspects() -> Vec<Operation> {
    let names = [
        "a number is counted up",
        "a transaction",
        "a transaction with a part that is taken back",
        "a list shrinks",
        "a key is removed",
        "a large element goes",
    ];
    let mut all = all();
    all.retain(|operation| names.contains(&operation.name));
    all.sort_by_key(|operation| names.iter().position(|name| *name == operation.name));
    all
}

fn values() -> Vec<Operation> {
    vec![
        operation("a number is counted up", || 5_u64, |share| _ = share.add(1), show),
        operation("a wide number is assigned", || 5_u128, |share| share.set(share.get() + (1 << 70)), show),
        operation("a text grows", || text(1), |share| share.push_str(&text(2)), show),
        operation("a text is replaced", || text(1), |share| share.set(text(share.len())), show),
        operation(
            "an option is filled",
            || None,
            |share: &Share<Option<String>>| _ = share.replace(text(share.get().map_or(0, |text| text.len()))),
            show,
        ),
        operation(
            "a value is changed",
            || Plain(vec![1_u8]),
            |share| share.change(|list| list.extend([7; 20])),
            |share| format!("{:?}", share.get()),
        ),
        operation(
            "a log grows",
            Log::default,
            |share| share.info("a record"),
            |share| format!("{:?}", share.messages()),
        ),
        operation(
            "a timer is added to",
            SharedTimer::default,
            |share| share.add(Duration::from_millis(3)),
            show,
        ),
        operation(
            "a name is assigned",
            Dynamic::default,
            |share| share.set("name", text(share.try_get::<String>("name").map_or(0, |text| text.len()))),
            |share| format!("{:?}", share.try_get::<String>("name").ok()),
        ),
    ]
}

fn collections() -> Vec<Operation> {
    vec![
        operation("a list grows", || texts(1), |share| share.push(text(2)), show),
        operation("a list shrinks", || texts(5), |share| _ = share.pop(), show),
        operation(
            "an element is replaced",
            || texts(5),
            |share| _ = share.set(3, text(share.get(3).unwrap().len())),
            show,
        ),
        operation("an element is inserted", || texts(5), |share| _ = share.insert(2, text(9)), show),
        operation("an element is removed", || texts(5), |share| _ = share.remove(1), show),
        operation(
            "a deque grows in front",
            || VecDeque::from(texts(1)),
            |share| share.push_front(text(2)),
            show,
        ),
        operation("a key is inserted", map, |share| _ = share.insert(share.len() as u32, text(1)), show_map),
        operation(
            "a key's value is replaced",
            map,
            |share| _ = share.insert(3, text(share.get(&3).unwrap().len())),
            show_map,
        ),
        operation(
            "a key is inserted into a full bucket",
            || crowded(7),
            |share| _ = share.insert(crowd().nth(share.len()).unwrap(), text(1)),
            show_map,
        ),
        operation(
            "a key is removed from an overfull bucket",
            || crowded(8),
            |share| _ = share.remove(&crowd().nth(share.len() - 1).unwrap()),
            show_map,
        ),
        operation("a key is removed", map, |share| _ = share.remove(&(share.len() as u32 - 1)), show_map),
        operation(
            "an ordered map grows",
            || BTreeMap::from([(4_u32, text(1))]),
            |share| _ = share.insert(share.len() as u32 + 7, text(1)),
            show,
        ),
        operation(
            "an ordered map shrinks",
            || (0..6_u32).zip(texts(6)).collect::<BTreeMap<_, _>>(),
            |share| _ = share.pop_first(),
            show,
        ),
        operation(
            "a set grows",
            || HashSet::from([1_u64]),
            |share| _ = share.insert(share.len() as u64 + 1),
            show_set,
        ),
        operation("a large element comes", || vec![String::new()], swap_large, show_large),
        operation("a large element goes", || vec!["x".repeat(70_000)], swap_large, show_large),
    ]
}

fn swap_large(share: &Share<Vec<String>>) {
    let size = if share.get(0).unwrap().is_empty() { 70_000 } else { 0 };
    share.set(0, "x".repeat(size));
}

fn show_large(share: &Share<Vec<String>>) -> String {
    let text = share.get(0).unwrap();
    format!("{} {}", text.len(), text.chars().all(|letter| letter == 'x'))
}

type Several = (u64, Vec<String>, BTreeMap<u32, String>, u64);

fn several() -> Several {
    (5, texts(3), BTreeMap::from([(1, text(1))]), 7)
}

fn on_purpose() -> Result<(), ShareError> {
    Err(ShareError::value("on purpose"))
}

/// Transactions, and what is as good as one.
fn compound() -> Vec<Operation> {
    vec![
        operation("a transaction", several, |share| share.transaction(change), show),
        operation(
            "a transaction with a part that is taken back",
            several,
            |share| {
                share.transaction(|state| {
                    change(state);
                    let _ = share.try_transaction(|state| {
                        change(state);
                        state.1.clear();
                        on_purpose()
                    });
                    state.1.push(text(state.0.get() as usize));
                });
            },
            show,
        ),
        operation(
            "a transaction that is taken back",
            several,
            |share| {
                let _ = share.try_transaction(|state| {
                    change(state);
                    change(state);
                    on_purpose()
                });
            },
            show,
        ),
        operation(
            "everything is assigned",
            several,
            |share| share.assign((share.0.get() + 1, texts(1), BTreeMap::new(), 1)),
            show,
        ),
        operation(
            "everything is cleared",
            || (several(), 0_u8),
            |share| {
                share.transaction(|state| {
                    share.clear();
                    state.0.1.push(text(1));
                });
            },
            show,
        ),
    ]
}

fn change(state: &mut <Several as Shareable>::Handle) {
    state.0 += 1;
    state.1.push(text(state.0.get() as usize));
    state.2.pop_first();
    state.2.insert(state.0.get() as u32, text(2));
    state.3 -= 1;
}
