//! What every lock and every wake-up must do, whatever it is made of.

use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use super::fault::{Fault, Result};
use super::lock::futex::Robust;
use super::notify::Wake;
use super::portable::{PortableEvent, PortableLock};
use super::primitive::{Event, Lock};
use super::robust::Thread;
use super::segment::Segment;
use super::testing::{Child, Random};

/// One way to make both.
trait System {
    type Lock<'s>: Lock;
    type Event<'s>: Event;

    fn make(segment: &Segment) -> Result<()>;
    fn lock(segment: &Segment) -> Result<Self::Lock<'_>>;
    fn event(segment: &Segment) -> Result<Self::Event<'_>>;
}

struct Linux;

impl System for Linux {
    type Lock<'s> = Robust<'s>;
    type Event<'s> = Wake<'s>;

    fn make(_segment: &Segment) -> Result<()> {
        Ok(())
    }

    fn lock(segment: &Segment) -> Result<Robust<'_>> {
        Ok(Robust::lock(segment, Thread::current()?))
    }

    fn event(segment: &Segment) -> Result<Wake<'_>> {
        Ok(Wake::of(segment, Thread::current()?))
    }
}

struct Portable;

impl System for Portable {
    type Lock<'s> = PortableLock;
    type Event<'s> = PortableEvent<'s>;

    fn make(segment: &Segment) -> Result<()> {
        PortableLock::make(segment)?;
        PortableEvent::make(segment)
    }

    fn lock(segment: &Segment) -> Result<PortableLock> {
        PortableLock::of(segment)
    }

    fn event(segment: &Segment) -> Result<PortableEvent<'_>> {
        PortableEvent::of(segment)
    }
}

const COUNTER: u64 = 2048;
const READY: u64 = 2056;
const LONG: Duration = Duration::from_secs(30);

fn segment<S: System>() -> Segment {
    let segment = Segment::create("conformance", 1 << 20, 1 << 20).unwrap();
    S::make(&segment).unwrap();
    segment
}

fn get(segment: &Segment, at: u64) -> u64 {
    segment.word(at).unwrap().load(Relaxed)
}

/// Deliberately in two steps, so that two owners at a time lose counts.
fn count(segment: &Segment, at: u64) {
    let word = segment.word(at).unwrap();
    let before = word.load(Relaxed);
    std::hint::black_box(before);
    word.store(before + 1, Relaxed);
}

fn with_lock<S: System>(segment: &Segment, body: impl FnOnce()) -> bool {
    let lock = S::lock(segment).unwrap();
    let taken = lock.take(None).unwrap();
    body();
    lock.give_up();
    taken.after_death
}

/// Changes the counter, and wakes whoever waits for that.
fn change<S: System>(segment: &Segment) {
    with_lock::<S>(segment, || {
        let event = S::event(segment).unwrap();
        event.before_change();
        count(segment, COUNTER);
        event.after_change();
    });
}

/// Sleeps until the counter is that great; `false` if it is not in time.
fn wait<S: System>(segment: &Segment, least: u64, at_most: Duration) -> bool {
    let (start, event) = (Instant::now(), S::event(segment).unwrap());
    loop {
        let lock = S::lock(segment).unwrap();
        if lock.take(Some(at_most.saturating_sub(start.elapsed()))).is_err() {
            return false;
        }
        if get(segment, COUNTER) >= least {
            lock.give_up();
            return true;
        }
        let ticket = event.announce(get(segment, COUNTER) as u32);
        count(segment, READY);
        lock.give_up();
        match at_most.checked_sub(start.elapsed()) {
            Some(left) => event.sleep(&ticket, Some(left)),
            None => return false,
        }
    }
}

fn eventually(mut done: impl FnMut() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < LONG, "nothing happens");
        std::thread::yield_now();
    }
}

fn one_owner_at_a_time<S: System>() {
    let segment = segment::<S>();
    let children: Vec<_> = (0..4)
        .map(|_| {
            Child::fork(|| {
                (0..2000).for_each(|_| _ = with_lock::<S>(&segment, || count(&segment, COUNTER)));
                true
            })
        })
        .collect();
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| (0..2000).for_each(|_| _ = with_lock::<S>(&segment, || count(&segment, COUNTER))));
        }
    });
    for child in children {
        assert!(child.succeeds_within(LONG));
    }
    assert_eq!(get(&segment, COUNTER), 12_000);
}

fn patience_ends<S: System>() {
    let segment = segment::<S>();
    with_lock::<S>(&segment, || {
        let late = Child::fork(|| {
            // From one full second into the next, where deadlines carry.
            let start = Instant::now();
            let result = S::lock(&segment).unwrap().take(Some(Duration::from_millis(1100)));
            matches!(result, Err(Fault::Patience)) && start.elapsed() >= Duration::from_millis(1100)
        });
        assert!(late.succeeds_within(LONG));
    });
    with_lock::<S>(&segment, || ());
}

fn a_dead_owner_holds_nobody_up<S: System>() {
    for _ in 0..5 {
        let segment = segment::<S>();
        let child = Child::fork(|| {
            let lock = S::lock(&segment).unwrap();
            lock.take(None).unwrap();
            count(&segment, READY);
            loop {
                std::thread::park();
            }
        });
        eventually(|| get(&segment, READY) == 1);
        child.end();
        let next = S::lock(&segment).unwrap().take(Some(Duration::from_millis(300)));
        if <S::Lock<'_> as Lock>::SURVIVES {
            assert!(next.unwrap().after_death);
            S::lock(&segment).unwrap().give_up();
            assert!(!with_lock::<S>(&segment, || ()), "told once");
        } else {
            assert!(matches!(next, Err(Fault::Patience)));
        }
    }
}

/// Those who wait are killed, at random moments of their wait; the lock is there for the rest.
fn dead_waiters_take_nothing_along<S: System>() {
    let segment = segment::<S>();
    let mut random = Random::new(21);
    for round in 0..40 {
        with_lock::<S>(&segment, || {
            let waiters: Vec<_> = (0..3)
                .map(|_| {
                    Child::fork(|| {
                        count(&segment, READY);
                        with_lock::<S>(&segment, || ());
                        true
                    })
                })
                .collect();
            eventually(|| get(&segment, READY) > 0);
            (0..random.below(20_000)).for_each(|_| std::hint::spin_loop());
            waiters.into_iter().for_each(Child::end);
        });
        let next = Child::fork(|| !with_lock::<S>(&segment, || count(&segment, COUNTER)));
        assert!(next.succeeds_within(LONG), "round {round}");
    }
    assert_eq!(get(&segment, COUNTER), 40);
}

/// Owners and waiters are killed all the time; whoever is left goes on.
fn survivors_of_owners_go_on<S: System>() {
    assert!(<S::Lock<'_> as Lock>::SURVIVES);
    let (segment, mut random) = (segment::<S>(), Random::new(22));
    let spawn = || {
        Child::fork(|| {
            loop {
                with_lock::<S>(&segment, || count(&segment, COUNTER));
            }
        })
    };
    let mut children: Vec<_> = (0..3).map(|_| spawn()).collect();
    for _ in 0..150 {
        let before = get(&segment, COUNTER);
        eventually(|| get(&segment, COUNTER) > before + random.below(1000));
        children[random.below(3) as usize] = spawn();
    }
}

fn a_change_wakes_all<S: System>() {
    let segment = segment::<S>();
    let sleepers: Vec<_> = (1..4)
        .map(|least| {
            let segment = &segment;
            Child::fork(move || wait::<S>(segment, least, LONG))
        })
        .collect();
    eventually(|| get(&segment, READY) >= 3);
    for _ in 1..4 {
        change::<S>(&segment);
    }
    for sleeper in sleepers {
        assert!(sleeper.succeeds_within(LONG));
    }
}

fn no_wake_up_is_lost<S: System>() {
    let segment = segment::<S>();
    let player = |mine: u64| {
        Child::fork(|| {
            (0..200).all(|turn| {
                let done = wait::<S>(&segment, 2 * turn + mine, LONG);
                change::<S>(&segment);
                done
            })
        })
    };
    for player in [player(0), player(1)] {
        assert!(player.succeeds_within(LONG));
    }
    assert_eq!(get(&segment, COUNTER), 400);
}

/// A writer dies between its change and the wake-up.
fn sleepers_outlive_their_writer<S: System>() {
    let segment = segment::<S>();
    let time = if <S::Event<'_> as Event>::SURVIVES { LONG } else { Duration::from_millis(300) };
    let sleepers: Vec<_> = (0..3)
        .map(|_| Child::fork(|| wait::<S>(&segment, 1, time) == <S::Event<'_> as Event>::SURVIVES))
        .collect();
    eventually(|| get(&segment, READY) >= 3);
    let writer = Child::fork(|| {
        S::lock(&segment).unwrap().take(None).unwrap();
        S::event(&segment).unwrap().before_change();
        count(&segment, COUNTER);
        loop {
            std::thread::park();
        }
    });
    eventually(|| get(&segment, COUNTER) == 1);
    writer.end();
    for sleeper in sleepers {
        assert!(sleeper.succeeds_within(LONG));
    }
}

macro_rules! conform {
    ($($module:ident: $system:ident, and $($more:ident)*;)*) => {$(
        mod $module {
            use super::$system;

            conform!(@ $system
                one_owner_at_a_time patience_ends a_dead_owner_holds_nobody_up dead_waiters_take_nothing_along
                a_change_wakes_all no_wake_up_is_lost sleepers_outlive_their_writer $($more)*
            );
        }
    )*};
    (@ $system:ident $($case:ident)*) => {$(
        #[test]
        fn $case() {
            super::$case::<$system>();
        }
    )*};
}

conform! {
    linux: Linux, and survivors_of_owners_go_on;
    portable: Portable, and;
}
