//! A live SQLite connection crosses as the path of its file, or as all that it holds in memory.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

use std::path::PathBuf;
use std::time::Duration;

use cucumber::{Live, SqliteRecipe};
use rusqlite::Connection;
use rusqlite::backup::Backup;
use serde::{Deserialize, Serialize};

#[path = "sqlite/names.rs"]
mod names;
#[path = "sqlite/taken.rs"]
mod taken;

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
    let error = live.connection().map(drop).unwrap_err();
    assert!(error.is_connect());
    assert!(std::error::Error::source(&error).unwrap().to_string().contains("/no/such/directory"));
}

fn across(here: &Live<Connection>) -> Live<Connection> {
    cucumber::from_bytes(&cucumber::to_bytes(here).unwrap()).unwrap()
}

/// All that a database says of itself: its schema, its settings, and every row of every table.
fn everything(db: &Connection) -> Vec<String> {
    let all = |query: &str| -> Vec<String> {
        let mut statement = db.prepare(query).unwrap();
        let columns = statement.column_count();
        let rows = statement.query_map((), |row| {
            let shown = |column| Ok(format!("{:?}", row.get_ref(column)?));
            (0..columns).map(shown).collect::<Result<Vec<_>, _>>()
        });
        rows.unwrap().map(|row| row.unwrap().join(" ")).collect()
    };
    let mut found = all("SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY name");
    for pragma in ["user_version", "application_id", "encoding", "page_size", "auto_vacuum"] {
        found.extend(all(&format!("PRAGMA {pragma}")));
    }
    let query = "SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') ORDER BY name";
    let mut names = db.prepare(query).unwrap();
    for name in names.query_map((), |row| row.get::<_, String>(0)).unwrap() {
        found.extend(all(&format!("SELECT * FROM \"{}\"", name.unwrap())));
    }
    found
}

const SCHEMA: &str = r#"
    PRAGMA page_size = 1024; PRAGMA auto_vacuum = FULL; PRAGMA user_version = 7; PRAGMA application_id = 11;
    CREATE TABLE "odd é name" (id INTEGER PRIMARY KEY AUTOINCREMENT, x BLOB, y REAL, up TEXT AS (upper(x)));
    CREATE UNIQUE INDEX by_x ON "odd é name" (x DESC) WHERE x IS NOT NULL;
    CREATE VIEW seen AS SELECT id + 1 AS next FROM "odd é name";
    CREATE TABLE log (what TEXT) STRICT;
    CREATE TABLE short (k PRIMARY KEY, v) WITHOUT ROWID;
    CREATE TRIGGER noted AFTER INSERT ON short BEGIN INSERT INTO log VALUES (new.k); END;
    INSERT INTO short VALUES ('a', 1), ('b', NULL);
    INSERT INTO "odd é name" (x, y) VALUES (x'00ff', 1e308), (NULL, -0.0), (zeroblob(100000), 3);
    DELETE FROM "odd é name" WHERE y = 3;
"#;

#[test]
fn a_database_in_memory_crosses_whole() {
    for name in [":memory:", "", "file::memory:", "file:whole?mode=memory"] {
        let here = Live::<Connection>::open(name).unwrap();
        here.execute_batch(SCHEMA).unwrap();
        let before = everything(&here);
        assert!(before.len() > 15, "{before:?}");
        let there = across(&here);
        assert_eq!(everything(&there), before, "{name}");
        let check: String = there.query_row("PRAGMA integrity_check", (), |row| row.get(0)).unwrap();
        assert_eq!(check, "ok");

        // Each goes its own way, and what was made here works there: the trigger, the counter of keys.
        there.execute("INSERT INTO short VALUES ('c', 3)", ()).unwrap();
        let noted: i64 = there.query_row("SELECT count(*) FROM log", (), |row| row.get(0)).unwrap();
        assert_eq!(noted, 3);
        there.execute(r#"INSERT INTO "odd é name" (y) VALUES (4)"#, ()).unwrap();
        assert_eq!(there.last_insert_rowid(), 4);
        assert_eq!(everything(&here), before, "reading it changed it");
        assert_eq!(everything(&across(&there)), everything(&there), "once more");
    }
}

#[test]
fn a_database_in_memory_in_which_nothing_is_crosses_too() {
    let here = Live::from(Connection::open_in_memory().unwrap());
    let there = across(&here);
    there.execute_batch("CREATE TABLE words (word TEXT)").unwrap();
    assert_eq!(count(&across(&there)), 0);
}

#[test]
fn what_a_database_in_memory_held_outlives_its_end_and_is_in_its_clone() {
    let mut here = Live::from(Connection::open_in_memory().unwrap());
    here.execute_batch("CREATE TABLE words (word TEXT); INSERT INTO words VALUES ('one')").unwrap();
    let copy = here.clone();
    assert!(!copy.is_connected());
    here.execute("INSERT INTO words VALUES ('two')", ()).unwrap();
    here.close();
    assert!(!here.is_connected());
    assert_eq!((count(&here), count(&copy)), (2, 1));
    // What is not open crosses as it was.
    here.close();
    assert_eq!(count(&across(&here)), 2);
}

#[test]
fn what_was_copied_into_memory_from_a_file_with_a_wal_comes_back() {
    let scratch = Scratch::new("wal");
    let file = filled(&scratch);
    let mode: String = file.query_row("PRAGMA journal_mode = WAL", (), |row| row.get(0)).unwrap();
    assert_eq!(mode, "wal");
    let mut here = Live::<Connection>::open(":memory:").unwrap();
    let backup = Backup::new(&file, &mut here).unwrap();
    backup.run_to_completion(100, Duration::ZERO, None).unwrap();
    drop(backup);
    assert_eq!((count(&here), count(&across(&here)), count(&here.clone())), (2, 2, 2));
    here.close();
    assert_eq!(count(here.connection().unwrap()), 2);
    here.execute("INSERT INTO words VALUES ('three')", ()).unwrap();
    assert_eq!(count(&across(&here)), 3);
}

#[test]
fn an_open_transaction_is_an_error_that_names_the_field() {
    let here = Worker { db: Live::from(Connection::open_in_memory().unwrap()) };
    here.db.execute_batch("CREATE TABLE words (word TEXT); BEGIN; INSERT INTO words VALUES ('one')").unwrap();
    let error = cucumber::to_bytes(&here).unwrap_err().with_root("worker");
    assert!(
        error.to_string().starts_with("worker.db: ") && error.to_string().contains("commit it"),
        "{error}"
    );
    here.db.execute_batch("COMMIT").unwrap();
    let there: Worker = cucumber::from_bytes(&cucumber::to_bytes(&here).unwrap()).unwrap();
    assert_eq!(count(&there.db), 1);
}

#[test]
fn an_image_that_is_none_is_an_error() {
    let here = Live::from(Connection::open_in_memory().unwrap());
    here.execute_batch("CREATE TABLE words (word TEXT)").unwrap();
    let json = serde_json::to_string(&here).unwrap();
    // It begins with "SQLite".
    assert!(json.contains("83,81,76"));
    let there: Live<Connection> = serde_json::from_str(&json.replacen("83,81,76", "1,2,3", 1)).unwrap();
    let error = there.connection().map(drop).unwrap_err();
    assert!(error.is_connect(), "{error}");
    assert!(!format!("{here:?} {:?}", there.recipe()).contains("83, 81"), "the image is in words");
}
