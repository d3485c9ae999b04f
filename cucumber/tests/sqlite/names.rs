//! What a name means to SQLite decides how its database crosses.

use std::error::Error as _;
use std::path::PathBuf;

use cucumber::{Live, SqliteRecipe};
use rusqlite::Connection;

use super::{Scratch, across, count};

const FILL: &str = "CREATE TABLE words (word TEXT); INSERT INTO words VALUES ('one'), ('two')";

#[test]
fn a_relative_path_means_the_file_here() {
    let here = std::env::current_dir().unwrap();
    assert_eq!(SqliteRecipe::new("orders.db").path(), here.join("orders.db"));
    assert_eq!(SqliteRecipe::new(":memory:.db").path(), here.join(":memory:.db"));
    let uri = SqliteRecipe::new("file:a%20b.db?mode=ro").path().into_os_string().into_string().unwrap();
    let folder = here.file_name().unwrap().to_str().unwrap();
    assert!(uri.starts_with("file:") && uri.ends_with(&format!("{folder}/a%20b.db?mode=ro")), "{uri}");
}

#[test]
fn a_name_that_is_none_of_a_file_stays_as_it_is() {
    for name in ["", ":memory:", "file:x?mode=memory", "file:x?vfs=memdb", "file:x?vfs=mine", "file:/x.db"] {
        assert_eq!(SqliteRecipe::new(name).path(), PathBuf::from(name));
    }
}

#[test]
fn a_database_in_memory_crosses_whole_whatever_its_uri() {
    for name in [
        "file:",
        "file:?cache=private",
        "file:%00x",
        "file://localhost",
        "file:%3Amemory%3A",
        "file::memory:?mode=rw",
        "file:x?mode=%6demory",
        "file:x?mode=rw&cache=private&mode=memory",
        "file:///x?mode=memory#y",
        "file:x?vfs=memdb",
        "file:/cucumber-names?vfs=memdb",
    ] {
        let mut here = Live::<Connection>::open(name).unwrap();
        here.execute_batch(FILL).unwrap();
        let there = across(&here);
        there.execute("INSERT INTO words VALUES ('three')", ()).unwrap();
        assert_eq!((count(&here), count(&there)), (2, 3), "{name}");
        here.close();
        assert_eq!(count(&here), 2, "{name}");
    }
}

#[test]
fn a_file_is_the_same_file_whatever_its_uri() {
    let scratch = Scratch::new("mode=memory");
    let path = scratch.path();
    for name in [
        path.to_owned(),
        format!("file:{path}"),
        format!("file:{path}?x=mode=memory&modes=memory&vf=memdb"),
        format!("file:{path}?mode=memory&mode=rwc#?mode=memory"),
    ] {
        let here = Live::<Connection>::open(&name).unwrap();
        here.execute_batch(&format!("DROP TABLE IF EXISTS words; {FILL}")).unwrap();
        across(&here).execute("INSERT INTO words VALUES ('three')", ()).unwrap();
        assert_eq!(count(&here), 3, "{name}");
    }
}

#[test]
fn a_key_in_a_uri_is_refused_and_shown_nowhere() {
    let scratch = Scratch::new("key");
    let path = scratch.path();
    for key in ["key=s3cret", "hexkey=s3cret", "textkey=s3cret", "mode=rwc&%6bey=s3cret#", "key=s3cret&key="]
    {
        let name = format!("file:{path}?{key}");
        for error in [Live::<Connection>::open(&name), Live::lazy(&name)].map(Result::unwrap_err) {
            assert!(
                error.is_connect() && error.source().unwrap().to_string().contains("PRAGMA key"),
                "{error:?}"
            );
            assert!(!format!("{error:?}").contains("s3cret"));
        }

        let live = Live::<Connection>::new(SqliteRecipe::new(&name));
        let refused = cucumber::to_bytes(&live).unwrap_err();
        assert!(refused.is_refused() && refused.to_string().contains("PRAGMA key"), "{refused}");
        let error = live.connection().map(drop).unwrap_err();
        let shown = format!("{refused:?} {error:?} {:?} {live:?}", live.recipe());
        assert!(!shown.contains("s3cret"), "{shown}");
        assert!(serde_json::to_string(&live).is_err());
    }
    assert!(!scratch.0.exists());
    // No keys, and SQLite ignores what it does not know.
    let here = Live::<Connection>::open(&format!("file:{path}?monkey=1&KEY=2&x=key&y=%26key=3")).unwrap();
    here.execute_batch(FILL).unwrap();
    assert_eq!(count(&across(&here)), 2);
}
