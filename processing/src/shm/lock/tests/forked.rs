//! Owners in several processes, some of which are killed.

use super::super::super::testing::{Child, Random};
use super::*;

#[test]
fn one_owner_at_a_time_across_processes() {
    let segment = segment();
    let children: Vec<_> = (0..4)
        .map(|_| {
            Child::fork(|| {
                (0..20_000).for_each(|_| with_lock(&segment, |_| count(&segment)));
                true
            })
        })
        .collect();
    for child in children {
        assert!(child.succeeds_within(Duration::from_secs(60)));
    }
    assert_eq!(segment.word(COUNTER).unwrap().load(Relaxed), 80_000);
    assert_eq!(segment.header().lock.load(Relaxed), 0, "nobody is left announced");
}

#[test]
fn lock_survives_its_owner() {
    let segment = segment();
    let ready = segment.word(512).unwrap();
    let child = Child::fork(|| {
        with_lock(&segment, |_| {
            ready.store(1, Relaxed);
            std::thread::sleep(Duration::from_secs(60));
        });
        true
    });
    while ready.load(Relaxed) == 0 {
        std::thread::yield_now();
    }
    child.end();
    let start = Instant::now();
    let taken = with_lock(&segment, |taken| taken);
    assert!(taken.after_death);
    assert!(start.elapsed() < Duration::from_secs(1));
    assert!(!with_lock(&segment, |taken| taken).after_death, "told once");
}

/// Owners and waiters are killed all the time; whoever is left must go on.
#[test]
fn kills_strand_nobody() {
    let segment = segment();
    let progress = segment.word(COUNTER).unwrap();
    let mut random = Random::new(1);
    let spawn = || {
        Child::fork(|| {
            loop {
                with_lock(&segment, |_| {
                    progress.fetch_add(1, Relaxed);
                    // Long enough for the others to fall asleep.
                    (0..200).for_each(|_| std::hint::spin_loop());
                });
            }
        })
    };
    let mut children: Vec<_> = (0..4).map(|_| spawn()).collect();
    for _ in 0..400 {
        std::thread::sleep(Duration::from_micros(random.below(1500)));
        let victim = random.below(4) as usize;
        let before = progress.load(Relaxed);
        children[victim] = spawn();
        let start = Instant::now();
        while progress.load(Relaxed) == before {
            assert!(start.elapsed() < Duration::from_secs(5), "everybody sleeps");
            std::thread::yield_now();
        }
    }
}
