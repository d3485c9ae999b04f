//! A live SQLite connection crosses as the path of its file.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

use std::path::PathBuf;

use cucumber::{Live, SqliteRecipe};
use rusqlite::Connection;
use serde::{Deserialize, Serialize};

/// A file of its own, gone at the end.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        Self(std::env::temp_dir().join(format!("cucumber-{name}-{}.db", std::process::id())))
    }

    fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

#[derive(Serialize, Deserialize)]
struct Worker {
    db: Live<Connection>,
}

fn filled(scratch: &Scratch) -> Live<Connection> {
    let db = Live::<Connection>::open(scratch.path()).unwrap();
    db.execute_batch("CREATE TABLE words (word TEXT); INSERT INTO words VALUES ('one'), ('two');").unwrap();
    db
}

fn count(db: &Connection) -> i64 {
    db.query_row("SELECT count(*) FROM words", (), |row| row.get(0)).unwrap()
}

#[test]
fn the_other_side_reads_what_was_written_here() {
    let scratch = Scratch::new("crosses");
    let here = Worker { db: filled(&scratch) };
    let there: Worker = cucumber::from_bytes(&cucumber::to_bytes(&here).unwrap()).unwrap();
    assert!(!there.db.is_connected());
    assert_eq!(count(&there.db), 2);
    there.db.execute("INSERT INTO words VALUES ('three')", ()).unwrap();
    assert_eq!(count(&here.db), 3);
}

#[test]
fn a_connection_that_is_there_becomes_live() {
    let scratch = Scratch::new("taken");
    drop(filled(&scratch));
    let mut live = Live::try_from(Connection::open(scratch.path()).unwrap()).unwrap();
    assert!(live.is_connected());
    live.close();
    assert_eq!(count(&live), 2);
}

#[test]
fn what_is_read_only_stays_so() {
    let scratch = Scratch::new("read-only");
    drop(filled(&scratch));
    let live = Live::<Connection>::new(SqliteRecipe::new(&scratch.0).read_only());
    let live: Live<Connection> = cucumber::from_bytes(&cucumber::to_bytes(&live).unwrap()).unwrap();
    assert_eq!(count(&live), 2);
    assert!(live.execute("INSERT INTO words VALUES ('three')", ()).is_err());
}

#[test]
fn a_file_that_cannot_be_opened_is_an_error_with_its_cause() {
    let live = Live::<Connection>::new(SqliteRecipe::new("/no/such/directory/x.db"));
    let error = live.get().map(drop).unwrap_err();
    assert!(error.is_connect());
    assert!(std::error::Error::source(&error).unwrap().to_string().contains("/no/such/directory"));
}

#[test]
fn a_database_in_memory_is_refused_with_advice() {
    for name in [":memory:", "", "file::memory:?cache=shared", "file:x?mode=memory"] {
        let error = Live::<Connection>::open(name).unwrap_err();
        assert!(
            std::error::Error::source(&error).unwrap().to_string().contains("open one in a file"),
            "{name}"
        );
    }
    let error = Live::try_from(Connection::open_in_memory().unwrap()).unwrap_err();
    assert!(error.to_string().contains("open one in a file"), "{error}");
}

#[test]
fn a_relative_path_means_the_file_here() {
    let recipe = SqliteRecipe::new("orders.db");
    assert_eq!(recipe.path(), std::env::current_dir().unwrap().join("orders.db"));
    assert_eq!(SqliteRecipe::new("file:a.db?mode=ro").path(), PathBuf::from("file:a.db?mode=ro"));
}
