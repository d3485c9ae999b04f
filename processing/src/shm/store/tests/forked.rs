//! A store in several processes: in a copy of its owner, and waiting for a change, also for that of a writer who dies.

use super::super::super::testing::Child;
use super::sleepers::at_least;
use super::*;

#[test]
fn a_forked_copy_of_the_owner_does_nothing() {
    let (store, root) = store();
    let whole = store.begin().unwrap();
    store.change_word(root, |_| Some((1, ()))).unwrap();
    let mut whole = Some(whole);
    let child = Child::fork(|| {
        drop(whole.take());
        // The parent still has the lock, so this waits for it.
        store.change_word(root, |word| Some((word + 10, ()))).unwrap();
        let part = store.begin().unwrap();
        store.change_word(root, |word| Some((word + 100, ()))).unwrap();
        part.commit().is_ok()
    });
    std::thread::sleep(Duration::from_millis(50));
    assert_eq!(get(&store, root), 1);
    store.change_word(root, |word| Some((word + 1, ()))).unwrap();
    whole.take().unwrap().commit().unwrap();
    assert!(child.succeeds_within(Duration::from_secs(10)));
    assert_eq!(get(&store, root), 112);
}

/// Two processes hand a number back and forth, asleep in between; a third is killed among the sleepers.
#[test]
fn no_wake_up_is_lost_between_processes() {
    let (store, root) = store();
    let turns = 3000;
    let player = |mine: u64| {
        let store = Arc::clone(&store);
        Child::fork(move || {
            (0..turns).all(|_| {
                let wait = store.wait_until(Some(Instant::now() + Duration::from_secs(10)), || {
                    Ok::<_, Fault>((get(&store, root) % 2 == mine).then_some(()))
                });
                wait.is_ok() && store.change_word(root, |word| Some((word + 1, ()))).is_ok()
            })
        })
    };
    let players = [player(0), player(1)];
    for player in players {
        assert!(player.succeeds_within(Duration::from_secs(60)));
    }
    assert_eq!(get(&store, root), 2 * turns);
}

#[test]
fn a_writer_who_dies_wakes_by_dying() {
    let (store, root) = store();
    for round in 0..400u64 {
        let start = get(&store, root);
        let sleepers: Vec<_> = (0..3)
            .map(|_| {
                let store = Arc::clone(&store);
                Child::fork(move || at_least(&store, root, start + 1, Duration::from_secs(10)).is_ok())
            })
            .collect();
        let writer = {
            let store = Arc::clone(&store);
            Child::fork(move || {
                loop {
                    let _ = store.change_word(root, |word| Some((word + 1, ())));
                }
            })
        };
        std::thread::sleep(Duration::from_micros(round % 40 * 20));
        // One of the sleepers dies too, perhaps the one that was to wake the others.
        let mut sleepers = sleepers.into_iter();
        drop(sleepers.next());
        writer.end();
        if get(&store, root) == start {
            store.change_word(root, |word| Some((word + 1, ()))).unwrap();
        }
        for sleeper in sleepers {
            assert!(sleeper.succeeds_within(Duration::from_secs(5)), "round {round}");
        }
    }
}
