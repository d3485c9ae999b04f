//! A worker that is told what to do, and answers: `tell` and `listen`, both ways.

use std::collections::BTreeMap;
use std::time::Duration;

use processing::prelude::*;
use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize, Deserialize)]
enum Command {
    Deposit { account: String, cents: u64 },
    Withdraw { account: String, cents: u64 },
    Close,
}

#[derive(Debug, Serialize, Deserialize)]
enum Answer {
    Balance(u64),
    Refused(String),
}

#[skprocess]
struct Bank {
    accounts: BTreeMap<String, u64>,
    command: Option<Command>,
}

#[skprocess]
impl Bank {
    fn prerun(&mut self) -> Result<(), ListenError> {
        self.command = self.listen(None)?; // sleeps until there is something, or it is asked to stop
        Ok(())
    }

    fn run(&mut self) -> Result<(), TellError> {
        match self.command.take() {
            Some(Command::Deposit { account, cents }) => {
                let answer = self.book(account, |balance| balance.checked_add(cents));
                self.tell(&answer)
            }
            Some(Command::Withdraw { account, cents }) => {
                let answer = self.book(account, |balance| balance.checked_sub(cents));
                self.tell(&answer)
            }
            Some(Command::Close) | None => {
                self.stop();
                Ok(())
            }
        }
    }

    fn result(&mut self) -> BTreeMap<String, u64> {
        std::mem::take(&mut self.accounts)
    }

    // Not a hook, so it is left alone.
    fn book(&mut self, account: String, change: impl FnOnce(u64) -> Option<u64>) -> Answer {
        let balance = self.accounts.entry(account).or_default();
        match change(*balance) {
            Some(changed) => *balance = changed,
            None => return Answer::Refused(format!("not with a balance of {balance} cents")),
        }
        Answer::Balance(*balance)
    }
}

fn main() -> anyhow::Result<()> {
    const SOON: Duration = Duration::from_secs(10);
    let bank = Bank { accounts: BTreeMap::new(), command: None }.start()?;

    let deposit = |account: &str, cents| Command::Deposit { account: account.into(), cents };
    let withdraw = |account: &str, cents| Command::Withdraw { account: account.into(), cents };
    for command in [deposit("ada", 500), withdraw("ada", 120), withdraw("ada", 9_000), deposit("grace", 42)] {
        bank.tell(&command)?;
        match bank.listen::<Answer>(SOON)? {
            Some(answer) => println!("{command:?}  →  {answer:?}"),
            None => println!("{command:?}  →  no answer within {SOON:?}"),
        }
    }

    // Nobody has said anything since.
    println!("within 50 ms: {:?}", bank.listen::<Answer>(Duration::from_millis(50))?);

    // A message is read as what it is, or not at all.
    bank.tell(&deposit("grace", 1))?;
    match bank.listen::<String>(SOON) {
        Err(error) => println!("listening for a `String`: {error}"),
        Ok(text) => anyhow::bail!("{text:?} was no text"),
    }

    bank.tell(&Command::Close)?;
    println!("in the end: {:?}", bank.result()?);
    println!("{} bookings, {:?} each", bank.current_run(), bank.timers().run.mean().unwrap_or_default());
    Ok(())
}
