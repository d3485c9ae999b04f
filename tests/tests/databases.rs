//! Workers with live database connections, on real databases.

use postgres::NoTls;
use processing::prelude::*;
use tests::services::is_there;
use tests::{LONGEST, TempDir, watchdog};

const SERVER: &str = "127.0.0.1:5432";

#[skprocess(lives = 2)]
struct Ledger {
    db: Live<rusqlite::Connection>,
}

#[skprocess]
impl Ledger {
    fn run(&mut self) -> anyhow::Result<()> {
        let Some(name) = self.listen::<String>(None)? else { return Ok(()) };
        if name == "crash" && self.last_failure().is_none() {
            std::process::abort();
        }
        self.db.execute("INSERT INTO names (name) VALUES (?1)", [&name])?;
        let count: i64 = self.db.query_row("SELECT count(*) FROM names", (), |row| row.get(0))?;
        self.tell(&count)?;
        Ok(())
    }

    fn onfinish(&mut self) {
        self.db.close();
    }
}

#[test]
fn an_sqlite_file_is_open_in_the_worker_and_in_the_one_that_replaces_it() {
    let _dog = watchdog();
    let dir = TempDir::new();
    let db = Live::<rusqlite::Connection>::open(dir.path().join("names.db").to_str().expect("a plain path"))
        .expect("a database");
    db.execute("CREATE TABLE names (name TEXT NOT NULL)", ()).expect("a table");
    let ledger = Ledger { db: db.clone() }.start().expect("a process");
    for (name, count) in [("ada", 1), ("crash", 2), ("grace", 3)] {
        ledger.tell(name).expect("a listener");
        assert_eq!(ledger.listen::<i64>(LONGEST).expect("an answer"), Some(count));
    }
    ledger.stop();
    ledger.wait().expect("a good end");
    let names: i64 = db.query_row("SELECT count(*) FROM names", (), |row| row.get(0)).expect("a count");
    assert_eq!((names, ledger.lives_left()), (3, 0));
}

#[autoreconnect(postgres::Client = { "*": "a password that a trusting server never asks for" })]
#[skprocess(lives = 2)]
struct Asker {
    db: Live<postgres::Client>,
    question: Option<String>,
}

#[skprocess]
impl Asker {
    fn prerun(&mut self) -> anyhow::Result<()> {
        self.question = self.listen(None)?;
        Ok(())
    }

    fn run(&mut self) -> anyhow::Result<()> {
        if let Some(question) = self.question.take() {
            let row = self.db.query_one(&question, &[])?;
            self.tell(&row.get::<_, i32>(0))?;
        }
        Ok(())
    }
}

const WHO: &str = "SELECT pg_backend_pid()";

fn asker() -> Handle<Asker> {
    let db = Live::lazy("postgres://postgres:not-asked-for@127.0.0.1:5432/test").expect("a recipe");
    Asker { db, question: None }.start().expect("a process")
}

fn ask(asker: &Handle<Asker>, question: &str) -> i32 {
    asker.tell(question).expect("a listener");
    asker.listen(LONGEST).expect("an answer").expect("an answer")
}

#[test]
fn a_worker_asks_postgresql() {
    let _dog = watchdog();
    if !is_there("PostgreSQL", SERVER) {
        return;
    }
    let asker = asker();
    assert_eq!(ask(&asker, "SELECT 6 * 7"), 42);
    assert_eq!(ask(&asker, WHO), ask(&asker, WHO), "one connection for all runs");
    asker.stop();
    asker.wait().expect("a good end");
}

#[test]
fn a_backend_that_the_server_ended_is_replaced_between_runs() {
    let _dog = watchdog();
    if !is_there("PostgreSQL", SERVER) {
        return;
    }
    let mut admin =
        postgres::Client::connect("host=127.0.0.1 user=postgres dbname=test", NoTls).expect("an admin");
    let asker = asker();
    let first = ask(&asker, WHO);
    let ended: bool =
        admin.query_one("SELECT pg_terminate_backend($1, 5000)", &[&first]).expect("an end").get(0);
    assert!(ended);
    // The iteration that waits for this question began before the backend ended, so it may fail and be repeated; the
    // question after it is asked over a connection that was looked at in between.
    asker.tell(WHO).expect("a listener");
    asker.tell(WHO).expect("a listener");
    let second = asker.listen::<i32>(LONGEST).expect("an answer").expect("an answer");
    assert_ne!(second, first);
    assert!(asker.is_alive());
    asker.stop();
    asker.wait().expect("a good end");
}

#[autoreconnect(postgres::Client = { "*": "a password that a trusting server never asks for" })]
#[skprocess(runs = 3)]
struct Survivor {
    db: Live<postgres::Client>,
    backends: Vec<i32>,
}

#[skprocess]
impl Survivor {
    fn run(&mut self) -> anyhow::Result<()> {
        self.backends.push(self.db.query_one(WHO, &[])?.get(0));
        Ok(())
    }

    fn postrun(&mut self) -> anyhow::Result<()> {
        if self.backends.len() == 2 {
            let mut admin = postgres::Client::connect("host=127.0.0.1 user=postgres dbname=test", NoTls)?;
            admin.query_one("SELECT pg_terminate_backend($1, 5000)", &[&self.backends[1]])?;
        }
        Ok(())
    }

    fn result(&mut self) -> Vec<i32> {
        self.backends.clone()
    }
}

#[test]
fn replacing_a_dead_backend_costs_no_life() {
    let _dog = watchdog();
    if !is_there("PostgreSQL", SERVER) {
        return;
    }
    let db = Live::lazy("postgres://postgres:not-asked-for@127.0.0.1:5432/test").expect("a recipe");
    let backends = Survivor { db, backends: Vec::new() }.run().expect("three runs with one life");
    assert_eq!(backends[0], backends[1]);
    assert_ne!(backends[1], backends[2]);
}

#[test]
fn a_server_that_is_not_there_is_an_error_that_names_the_field() {
    let _dog = watchdog();
    // Nobody listens on the discard port of this machine.
    let db =
        Live::lazy("postgres://postgres:not-asked-for@127.0.0.1:9/test?connect_timeout=1").expect("a recipe");
    let worker = Asker { db, question: None };
    let worker =
        worker.configure(|config| config.lives(1).timeout(Phase::Prerun, std::time::Duration::from_secs(2)));
    let error = worker.run().expect_err("no server");
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    assert!(text.contains("field `db`"), "{text}");
    assert!(!text.contains("not-asked-for") && !text.contains("trusting"), "{text}");
    assert_eq!((error.phase(), error.is_timeout()), (Some(Phase::Prerun), false), "{text}");
}
