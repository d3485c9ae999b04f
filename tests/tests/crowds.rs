//! Many processes at once, and many threads that start them.
#![allow(clippy::unwrap_used, reason = "a hook of a test is a part of the test")]

use processing::prelude::*;
use tests::processes;
use tests::watchdog;

/// Doubles what it hears.
#[skprocess]
struct Doubler {
    dies: bool,
}

#[skprocess]
impl Doubler {
    fn run(&mut self) -> anyhow::Result<()> {
        if let Some(number) = self.listen::<u64>(None)? {
            if self.dies {
                std::process::abort();
            }
            self.tell(&(number * 2))?;
        }
        Ok(())
    }
    fn result(&mut self) -> u32 {
        std::process::id()
    }
}

#[test]
fn a_hundred_processes_live_at_once() {
    let _watchdog = watchdog();
    let workers: Vec<_> = (0..100).map(|_| Doubler { dies: false }.start().unwrap()).collect();
    for (number, worker) in (0_u64..).zip(&workers) {
        worker.tell(&number).unwrap();
    }
    for (number, worker) in (0_u64..).zip(&workers) {
        assert_eq!(worker.listen::<u64>(None).unwrap(), Some(number * 2));
    }
    workers.iter().for_each(Handle::stop);
    let mut pids: Vec<u32> = workers.iter().map(|worker| worker.result().unwrap()).collect();
    pids.sort_unstable();
    pids.dedup();
    assert_eq!(pids.len(), 100);
}

#[test]
fn many_threads_can_start_processes() {
    let _watchdog = watchdog();
    std::thread::scope(|scope| {
        for thread in 0..8_u64 {
            scope.spawn(move || {
                for round in 0..20 {
                    let worker = Doubler { dies: false }.start().unwrap();
                    worker.tell(&(thread * 100 + round)).unwrap();
                    assert_eq!(worker.listen::<u64>(None).unwrap(), Some((thread * 100 + round) * 2));
                    worker.stop();
                    assert_eq!(worker.result().unwrap(), worker.pid());
                }
            });
        }
    });
}

#[test]
fn the_death_of_one_concerns_no_other() {
    let _watchdog = watchdog();
    let workers: Vec<_> = (0..20).map(|number| Doubler { dies: number % 2 == 1 }.start().unwrap()).collect();
    for worker in &workers {
        worker.tell(&1_u64).unwrap();
    }
    for (number, worker) in workers.iter().enumerate() {
        assert_eq!(worker.listen::<u64>(None).is_ok(), number % 2 == 0);
    }
    for worker in workers.iter().step_by(2) {
        worker.tell(&2_u64).unwrap();
        assert_eq!(worker.listen::<u64>(None).unwrap(), Some(4));
        worker.kill();
        assert!(!processes::exists(worker.pid()));
    }
}
