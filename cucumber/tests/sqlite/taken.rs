//! A connection that somebody else opened comes back as what it was, and as no more.

use cucumber::Live;
use rusqlite::{Connection, OpenFlags};

use super::{Scratch, across, count, filled};

#[test]
fn a_connection_that_is_there_becomes_live() {
    let scratch = Scratch::new("taken");
    drop(filled(&scratch));
    let mut live = Live::from(Connection::open(scratch.path()).unwrap());
    assert!(live.is_connected());
    across(&live).execute("INSERT INTO words VALUES ('three')", ()).unwrap();
    live.close();
    assert_eq!(count(&live), 3);
}

#[test]
fn one_that_can_only_read_stays_so() {
    let scratch = Scratch::new("taken-read-only");
    drop(filled(&scratch));
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let live = Live::from(Connection::open_with_flags(scratch.path(), flags).unwrap());
    let there = across(&live);
    assert_eq!(count(&there), 2);
    assert!(there.execute("INSERT INTO words VALUES ('three')", ()).is_err());
    assert!(there.is_readonly("main").unwrap());
}

#[test]
fn a_file_that_is_gone_is_an_error_and_no_empty_database() {
    let scratch = Scratch::new("taken-gone");
    drop(filled(&scratch));
    let mut here = Live::from(Connection::open(scratch.path()).unwrap());
    let there = across(&here);
    here.close();
    let moved = scratch.0.with_extension("moved");
    std::fs::rename(&scratch.0, &moved).unwrap();
    let outcomes = [&here, &there].map(|live| live.connection().map(drop));
    let exists = scratch.0.exists();
    std::fs::rename(&moved, &scratch.0).unwrap();
    assert!(outcomes.into_iter().all(|outcome| outcome.is_err_and(|error| error.is_connect())));
    assert!(!exists);
    assert_eq!((count(&here), count(&there)), (2, 2));
}

#[cfg(target_os = "linux")]
mod on_a_path_that_is_no_text {
    use std::os::unix::ffi::OsStringExt;

    use cucumber::SqliteRecipe;

    use super::*;

    const FILL: &str = "CREATE TABLE words (word TEXT); INSERT INTO words VALUES ('one'), ('two')";

    fn scratch(name: &str) -> Scratch {
        let mut path = Scratch::new(name).0.clone().into_os_string().into_vec();
        path.extend(b" \xff\xfe\xe9");
        Scratch(std::ffi::OsString::from_vec(path).into())
    }

    #[test]
    fn it_crosses_by_its_path() {
        let scratch = scratch("bytes");
        let mut here = Live::from(Connection::open(&scratch.0).unwrap());
        here.execute_batch(FILL).unwrap();
        across(&here).execute("INSERT INTO words VALUES ('three')", ()).unwrap();
        assert_eq!(count(&here), 3);
        assert_eq!(here.recipe().path(), scratch.0);
        here.close();
        assert_eq!(count(&here), 3);
    }

    #[test]
    fn where_sqlite_does_not_tell_the_path_it_is_an_error_and_no_copy() {
        let scratch = scratch("utf-16");
        let connection = Connection::open(&scratch.0).unwrap();
        connection.execute_batch(&format!("PRAGMA encoding = 'UTF-16'; {FILL}")).unwrap();
        let mut here = Live::from(connection);
        for _ in 0..2 {
            let error = cucumber::to_bytes(&here).unwrap_err();
            let text = error.to_string();
            assert!(error.is_refused() && text.contains("SqliteRecipe::new(path)"), "{text}");
            here.close();
        }
        let error = here.connection().map(drop).unwrap_err();
        assert!(format!("{error:?}").contains("no UTF-8"), "{error:?}");

        // As the error says.
        let here = Live::with(Connection::open(&scratch.0).unwrap(), SqliteRecipe::new(&scratch.0));
        across(&here).execute("INSERT INTO words VALUES ('three')", ()).unwrap();
        assert_eq!(count(&here), 3);
    }
}
