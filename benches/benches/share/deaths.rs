//! How soon the next operation is done when whoever has the lock is killed.

use std::time::Duration;

use benches::{Contest, timed};
use processing::prelude::*;

use super::State;

/// Begins a transaction, changes so many words in it, and stays there.
#[skprocess(runs = 1)]
struct Holder {
    share: Share<State>,
    changes: u64,
    is_inside: Share<bool>,
}

#[skprocess]
impl Holder {
    fn run(&mut self) {
        let Holder { share, changes, is_inside } = self;
        share.transaction(|state| {
            for number in 0..*changes {
                state.names.push(format!("a name that nobody will ever read, {number}"));
            }
            state.counter += 1;
            is_inside.set(true);
            loop {
                std::thread::park();
            }
        });
    }
}

/// Kills one that has changed so much; the time until the next change is done.
fn kill(changes: u64) -> Duration {
    let (mut share, is_inside) =
        (Share::new(State::default()).expect("memory"), Share::new(false).expect("memory"));
    let holder =
        Holder { share: share.clone(), changes, is_inside: is_inside.clone() }.start().expect("it starts");
    is_inside.wait_until(|inside| *inside == true).expect("it works");
    let ((), time) = timed(|| {
        holder.kill();
        share.counter += 1;
    });
    assert_eq!((share.counter.get(), share.names.len()), (1, 0));
    time
}

pub(super) fn of_a_holder() {
    let mut contest = Contest::new("from the SIGKILL of whoever has the lock to the next change").rounds(50);
    contest.enter("it has changed an integer", || kill(0));
    contest.enter("it has appended 1 000 strings", || kill(1_000));
    println!("{}", contest.run());
}
