use std::time::Duration;

use super::super::layout::COMMIT;
use super::super::testing::Random;
use super::*;

#[cfg(unix)]
mod forked;
#[cfg(unix)]
mod kills;
mod sleepers;

pub(super) fn store() -> (Arc<Store>, u64) {
    let store = Store::create(1, 1 << 26).unwrap();
    let root = store.write(|writer| writer.allocate_zeroed(1024)).unwrap();
    store.set_roots(root, 0).unwrap();
    (store, root)
}

pub(super) fn get(store: &Store, at: u64) -> u64 {
    store.read(|view| view.load(at)).unwrap()
}

#[test]
fn a_failed_change_leaves_nothing() {
    let (store, root) = store();
    store.write(|writer| writer.set(root, 5)).unwrap();
    let version = store.version().unwrap();
    let result = store.write(|writer| {
        writer.set(root, 6)?;
        writer.set(root, 7)?;
        writer.set(root + 8, 7)?;
        Err::<(), _>(Fault::TimedOut)
    });
    assert!(matches!(result, Err(Fault::TimedOut)));
    assert_eq!((get(&store, root), get(&store, root + 8)), (5, 0));
    assert_ne!(store.version().unwrap(), version, "readers in between must notice");
}

#[test]
fn a_panicking_change_leaves_nothing_and_gives_the_lock_up() {
    let (store, root) = store();
    let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        store.write(|writer| {
            writer.set(root, 6)?;
            if root != 0 {
                panic!("on purpose");
            }
            Ok::<_, Fault>(())
        })
    }));
    assert!(caught.is_err());
    assert_eq!(get(&store, root), 0);
    store.change_word(root, |word| Some((word + 1, ()))).unwrap();
    assert_eq!(get(&store, root), 1);
}

#[test]
fn parts_of_a_transaction_come_and_go_with_it() {
    let (store, root) = store();
    let whole = store.begin().unwrap();
    store.change_word(root, |_| Some((1, ()))).unwrap();
    let part = store.begin().unwrap();
    store.change_word(root, |_| Some((2, ()))).unwrap();
    store.write(|writer| writer.set(root + 8, 2)).unwrap();
    let inner = store.begin().unwrap();
    store.change_word(root, |_| Some((3, ()))).unwrap();
    inner.commit().unwrap();
    assert_eq!(get(&store, root), 3);
    part.cancel().unwrap();
    assert_eq!((get(&store, root), get(&store, root + 8)), (1, 0));
    store.change_word(root + 16, |_| Some((4, ()))).unwrap();
    whole.commit().unwrap();
    assert_eq!((get(&store, root), get(&store, root + 8), get(&store, root + 16)), (1, 0, 4));
    let whole = store.begin().unwrap();
    store.change_word(root, |_| Some((9, ()))).unwrap();
    drop(whole);
    assert_eq!(get(&store, root), 1);
}

#[test]
fn others_see_a_transaction_when_it_is_over() {
    let (store, root) = store();
    let whole = store.begin().unwrap();
    store.change_word(root, |_| Some((1, ()))).unwrap();
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| get(&store, root));
        std::thread::sleep(Duration::from_millis(30));
        assert!(!reader.is_finished());
        store.change_word(root, |_| Some((2, ()))).unwrap();
        whole.commit().unwrap();
        assert_eq!(reader.join().unwrap(), 2);
    });
}

#[test]
fn a_long_transaction_is_taken_back_whole_and_its_log_leaves_memory() {
    let (store, _) = store();
    let block = store.write(|writer| writer.allocate_zeroed(800_000)).unwrap();
    let resident = store.segment().resident();
    for keep in [false, true] {
        let whole = store.begin().unwrap();
        for index in 0..30_000 {
            store.change_word(block + index * 8, |_| Some((index + 1, ()))).unwrap();
        }
        if keep {
            whole.commit().unwrap();
        } else {
            whole.cancel().unwrap();
        }
        for index in [0, 1, 29_999] {
            assert_eq!(get(&store, block + index * 8), if keep { index + 1 } else { 0 });
        }
        assert!(store.segment().resident() <= resident + (128 << 10));
    }
}

#[test]
fn a_log_that_does_not_fit_is_an_error_and_taken_back() {
    let store = Store::create(1, 1 << 20).unwrap();
    let block = store.write(|writer| writer.allocate_zeroed(100_000)).unwrap();
    let result = store.write(|writer| (0..12_000).try_for_each(|index| writer.set(block + index * 8, 1)));
    assert!(matches!(result, Err(Fault::Full)));
    assert_eq!(get(&store, block), 0);
}

#[test]
fn a_stopped_store_refuses_until_started() {
    let (store, root) = store();
    store.set_stopped(true).unwrap();
    assert!(matches!(store.read(|view| view.load(root)), Err(Fault::Stopped)));
    assert!(matches!(
        store.change_word(root, |word| Some((word, ()))).map_err(|fault| *fault),
        Err(Fault::Stopped)
    ));
    assert!(matches!(store.write(|writer| writer.set(root, 1)), Err(Fault::Stopped)));
    assert!(matches!(store.begin(), Err(Fault::Stopped)));
    store.set_stopped(false).unwrap();
    assert_eq!(get(&store, root), 0);
}

#[test]
fn touching_the_store_from_inside_a_single_operation_is_refused() {
    let (store, root) = store();
    store
        .write(|_| {
            assert!(matches!(store.write(|writer| writer.set(root, 1)), Err(Fault::Reentrant)));
            Ok::<_, Fault>(())
        })
        .unwrap();
}

#[test]
fn the_same_file_is_mapped_once() {
    let (store, _) = store();
    let again = Store::attach(store.file().unwrap(), 1).unwrap();
    assert!(Arc::ptr_eq(&store, &again));
    assert!(matches!(Store::attach(store.file().unwrap(), 2), Err(Fault::Corrupt(_))));
}

#[test]
fn two_stores_that_wait_for_each_other_are_told() {
    let ((one, _), (two, _)) = (store(), store());
    let mine = one.begin().unwrap();
    std::thread::scope(|scope| {
        let (one, two) = (&one, &two);
        let other = scope.spawn(move || {
            let theirs = two.begin().unwrap();
            std::thread::sleep(Duration::from_millis(50));
            let result = one.begin().map(drop);
            drop(theirs);
            result
        });
        std::thread::sleep(Duration::from_millis(50));
        let result = two.begin().map(drop);
        drop(mine);
        let results = [result, other.join().unwrap()];
        assert!(results.iter().any(|result| matches!(result, Err(Fault::Patience))));
    });
}

#[test]
fn scribbled_memory_is_an_error() {
    let mut random = Random::new(11);
    for round in 0..300 {
        let (store, root) = store();
        for _ in 0..3 {
            let block = store.write(|writer| writer.allocate(40)).unwrap();
            store.change_word(root, |_| Some((block, ()))).unwrap();
        }
        // Everything but the lock's own words, which no check can tell from an owner who takes his time.
        for _ in 0..20 {
            let at = match round % 4 {
                0 => COMMIT,
                1 => 192 + random.below(200) * 8,
                2 => store.layout.meta + random.below(32) * 8,
                _ => 4096 + random.below(100) * 8,
            };
            store.segment.word(at).unwrap().store(random.next() >> random.below(60), Relaxed);
        }
        // No crash, no hang; an error or a result are both fine.
        for size in [16, 40, 5000, 100_000] {
            let _ = store.write(|writer| {
                let block = writer.allocate(size)?;
                writer.fresh(block, 1)?;
                writer.free(block);
                Ok::<_, Fault>(())
            });
            let _ = store.read(|view| view.block(view.load(root)?));
        }
    }
}
