//! A share whose users die.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use processing::Context;
use processing::prelude::*;
use tests::processes::{self, watch};

use crate::times::Times;

const PROMISE: Duration = Duration::from_millis(10);

#[derive(Shareable, Default)]
struct Accounts {
    left: i64,
    right: i64,
    moves: u64,
    words: Vec<String>,
}

/// Stops in the middle of a transaction, with the lock in its hands and half of the change done.
#[skprocess(runs = 1)]
struct Holder {
    share: Share<Accounts>,
}

#[skprocess]
impl Holder {
    fn run(&mut self) {
        self.share.transaction(|accounts| {
            accounts.left -= 5;
            accounts.moves += 1;
            accounts.words.push("a word that nobody may see".to_owned());
            if let Some(process) = Context::current() {
                process.tell("inside").expect("a parent");
            }
            loop {
                std::thread::park();
            }
        });
    }
}

/// Somebody is killed who holds the lock. Odd rounds wait for it already, even ones come afterwards.
pub(crate) fn killed_holder() -> Result<String> {
    let share = Share::new(Accounts::default())?;
    let mut times = Times::default();
    for round in 0..60_u64 {
        let holder = Holder { share: share.clone() }.start()?;
        holder.listen::<String>(None)?.context("it is not inside")?;
        let worker = watch(holder.pid());
        let operate = |share: &Share<Accounts>| {
            let sum = share.transaction(|accounts| {
                accounts.moves += 1;
                accounts.left.get() + accounts.right.get()
            });
            (sum, Instant::now())
        };
        let (sum, took) = if round % 2 == 1 {
            std::thread::scope(|scope| {
                let waiting = scope.spawn(|| operate(&share));
                std::thread::sleep(Duration::from_millis(3));
                let begin = Instant::now();
                ensure!(worker.kill(), "it was gone before");
                let (sum, end) = waiting.join().map_err(|_| anyhow::anyhow!("the operation panicked"))?;
                Ok((sum, end - begin))
            })?
        } else {
            let begin = Instant::now();
            ensure!(worker.kill(), "it was gone before");
            let (sum, end) = operate(&share);
            (sum, end - begin)
        };
        ensure!(sum == 0, "half a transaction can be seen");
        ensure!(share.moves == round + 1 && share.words.is_empty(), "half a transaction can be seen");
        times.add(took);
    }
    times.within(PROMISE)?;
    Ok(format!("the next operation goes on, on whole data: {times}"))
}

/// Adds without end.
#[skprocess]
struct Adder {
    share: Share<Accounts>,
}

#[skprocess]
impl Adder {
    fn run(&mut self) {
        self.share.transaction(|accounts| {
            accounts.left += 1;
            accounts.words.push("a word".to_owned());
            accounts.right -= 1;
            if accounts.words.len() > 20 {
                accounts.words.clear();
            }
        });
    }
}

/// All who use it are killed, at any moment; there is no manager that could be.
pub(crate) fn killed_users() -> Result<String> {
    let share = Share::new(Accounts::default())?;
    for round in 0..40 {
        let adders = [Adder { share: share.clone() }.start()?, Adder { share: share.clone() }.start()?];
        let before = share.left.get();
        share.wait_until_for(Duration::from_secs(10), |accounts| accounts.left > before + round)?;
        adders.iter().for_each(|adder| processes::kill(adder.pid()));
        ensure!(share.transaction(|accounts| accounts.left.get() + accounts.right.get()) == 0, "it is torn");
    }
    Ok(format!("80 kills in {} transactions: each all or nothing", share.left.get()))
}
