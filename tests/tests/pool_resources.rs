//! Process types in a pool with asynchronous hooks and with live connections.
#![allow(clippy::unwrap_used, reason = "a hook of a test is a part of the test")]

use std::time::Duration;

use processing::prelude::*;
use processing::{Pool, ProcessError, Retry, Stream};
use tests::services::is_there;
use tests::{TempDir, watchdog};

const LIMIT: Duration = Duration::from_millis(150);

fn pool(workers: usize) -> Pool {
    Pool::builder().workers(workers).stderr(Stream::Null).build().unwrap()
}

/// How a hook ends.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
enum End {
    Well,
    /// Waits without end, as a task should: it can be cancelled.
    Awaits,
    /// Waits without end, and does not let go of its thread.
    Blocks,
    Panics,
}

#[skprocess(runs = 2)]
struct Tasks {
    end: End,
    sum: u64,
}

#[skprocess]
impl Tasks {
    fn new(end: End) -> Self {
        Tasks { end, sum: 0 }
    }

    async fn run(&mut self) {
        let number = tokio::spawn(async {
            tokio::time::sleep(Duration::from_millis(1)).await;
            21
        });
        self.sum += number.await.unwrap();
        match self.end {
            End::Well => {}
            End::Awaits => std::future::pending().await,
            End::Blocks => std::thread::sleep(Duration::from_secs(3600)),
            End::Panics => panic!("behind an await"),
        }
    }

    async fn result(&mut self) -> u64 {
        tokio::task::yield_now().await;
        self.sum
    }
}

#[test]
fn asynchronous_hooks_run_in_a_pool() {
    let _watchdog = watchdog();
    for pool in [pool(2), Pool::inline()] {
        assert_eq!(pool.map(Tasks, [End::Well; 20]).unwrap(), [42; 20]);
        let results = pool.map_results(Tasks, [End::Well, End::Panics, End::Well]);
        assert_eq!((results[0].as_ref().unwrap(), results[2].as_ref().unwrap()), (&42, &42));
        let error = results[1].as_ref().unwrap_err();
        assert_eq!((error.source.phase(), error.source.is_panic()), (Some(Phase::Run), true), "{error:?}");
    }
}

#[test]
fn an_asynchronous_hook_that_overruns_its_limit_costs_its_process_only() {
    let _watchdog = watchdog();
    let pool = pool(2);
    for end in [End::Awaits, End::Blocks] {
        let results = pool.task_timeout(LIMIT).map_results(Tasks, [End::Well, end, End::Well, End::Well]);
        assert_eq!(results.iter().filter(|result| matches!(result, Ok(42))).count(), 3, "{end:?}");
        let error = results[1].as_ref().unwrap_err();
        assert!(matches!(error.source, ProcessError::Timeout { limit, .. } if limit == LIMIT), "{error:?}");
    }
}

#[skprocess(runs = 3)]
struct Words {
    db: Live<rusqlite::Connection>,
    word: String,
}

#[skprocess]
impl Words {
    fn new(db: Live<rusqlite::Connection>, word: String) -> Self {
        Words { db, word }
    }

    fn run(&mut self) -> anyhow::Result<()> {
        self.db.execute("INSERT INTO words VALUES (?1)", [&self.word])?;
        if self.word == "crash" && self.current_run() == 0 && self.last_failure().is_none() {
            std::process::abort();
        }
        Ok(())
    }

    fn result(&mut self) -> anyhow::Result<i64> {
        let count = "SELECT count(*) FROM words WHERE word = ?1";
        Ok(self.db.query_row(count, [&self.word], |row| row.get(0))?)
    }
}

#[test]
fn processes_of_a_pool_share_a_database_file() {
    let _watchdog = watchdog();
    let dir = TempDir::new();
    let path = dir.path().join("words.db");
    let db = Live::<rusqlite::Connection>::open(path.to_str().unwrap()).unwrap();
    db.execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE words (word TEXT NOT NULL)").unwrap();
    let words = ["ada", "crash", "grace"].map(|word| (db.clone(), word.to_owned()));
    // What an attempt wrote before its worker died is in the file.
    let retry = Retry::times(20).delay(Duration::from_millis(1));
    assert_eq!(pool(2).retry(retry).star().map(Words, words).unwrap(), [3, 4, 3]);
    let all: i64 = db.query_row("SELECT count(*) FROM words", (), |row| row.get(0)).unwrap();
    assert_eq!(all, 10);
}

const SERVER: &str = "127.0.0.1:5432";
const WHO: &str = "SELECT pg_backend_pid()";

#[autoreconnect(postgres::Client = { "*": "a password that a trusting server never asks for" })]
#[skprocess(runs = 3)]
struct Asker {
    db: Live<postgres::Client>,
    backends: Vec<i32>,
}

#[skprocess]
impl Asker {
    fn new(db: Live<postgres::Client>) -> Self {
        Asker { db, backends: Vec::new() }
    }

    fn run(&mut self) -> anyhow::Result<()> {
        self.backends.push(self.db.query_one(WHO, &[])?.get(0));
        Ok(())
    }

    fn postrun(&mut self) -> anyhow::Result<()> {
        if self.backends.len() == 2 {
            let admin = "host=127.0.0.1 user=postgres dbname=test";
            let mut admin = postgres::Client::connect(admin, postgres::NoTls)?;
            admin.query_one("SELECT pg_terminate_backend($1, 5000)", &[&self.backends[1]])?;
        }
        Ok(())
    }

    fn result(&mut self) -> Vec<i32> {
        self.backends.clone()
    }
}

#[test]
fn a_connection_of_a_pooled_process_comes_up_and_is_replaced_when_its_backend_ends() {
    let _watchdog = watchdog();
    if !is_there("PostgreSQL", SERVER) {
        return;
    }
    let db = || Live::lazy("postgres://postgres:not-asked-for@127.0.0.1:5432/test").unwrap();
    for backends in pool(2).map(Asker, [db(), db(), db(), db()]).unwrap() {
        assert_eq!(backends[0], backends[1]);
        assert_ne!(backends[1], backends[2]);
    }
}

#[test]
fn a_server_that_is_away_is_the_error_of_its_item() {
    let _watchdog = watchdog();
    // Nobody listens on the discard port of this machine.
    let away = Live::lazy("postgres://postgres:not-asked-for@127.0.0.1:9/test?connect_timeout=1").unwrap();
    let error = pool(1).map(Asker, [away]).unwrap_err();
    let text = tests::chain(&error).join(": ");
    assert!(text.contains("field `db`") && !text.contains("not-asked-for"), "{text}");
}
