//! Waiting for a change, also for that of a writer who dies.

use super::*;

fn at_least(store: &Arc<Store>, at: u64, least: u64, time: Duration) -> Result<u64> {
    store.wait_until(Some(Instant::now() + time), || {
        let now = get(store, at);
        Ok::<_, Fault>((now >= least).then_some(now))
    })
}

#[test]
fn a_change_wakes_whoever_waits() {
    let (store, root) = store();
    std::thread::scope(|scope| {
        let sleepers: Vec<_> = (1..5)
            .map(|least| {
                scope.spawn({
                    let store = &store;
                    move || at_least(store, root, least, Duration::from_secs(20))
                })
            })
            .collect();
        for _ in 1..5 {
            std::thread::sleep(Duration::from_millis(20));
            store.change_word(root, |word| Some((word + 1, ()))).unwrap();
        }
        for (least, sleeper) in (1..).zip(sleepers) {
            assert!(sleeper.join().unwrap().unwrap() >= least);
        }
    });
}

#[test]
fn waiting_ends_in_time_and_when_stopped_and_never_begins_inside() {
    let (store, root) = store();
    let start = Instant::now();
    assert!(matches!(at_least(&store, root, 1, Duration::from_millis(50)), Err(Fault::TimedOut)));
    assert!(start.elapsed() >= Duration::from_millis(50));
    std::thread::scope(|scope| {
        let sleeper = scope.spawn(|| at_least(&store, root, 1, Duration::from_secs(20)));
        std::thread::sleep(Duration::from_millis(20));
        store.set_stopped(true).unwrap();
        assert!(matches!(sleeper.join().unwrap(), Err(Fault::Stopped)));
    });
    store.set_stopped(false).unwrap();
    let _whole = store.begin().unwrap();
    assert!(matches!(at_least(&store, root, 0, Duration::from_secs(1)), Err(Fault::WaitInside)));
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
