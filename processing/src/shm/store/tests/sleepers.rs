//! Waiting for a change.

use super::*;

pub(super) fn at_least(store: &Arc<Store>, at: u64, least: u64, time: Duration) -> Result<u64> {
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
