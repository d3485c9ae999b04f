use std::error::Error as _;

use super::*;

fn position() -> Box<Position> {
    Box::new(Position {
        worker: "shop::Orders".into(),
        phase: Some(Phase::Prerun),
        run: 1,
        lives_left: 0,
        pid: 7,
    })
}

#[test]
fn one_line_says_what_where_and_how_often() {
    let failure = Box::new(Failure::from_error("no such table".into()));
    let error = ProcessError::Hook { at: position(), failure };
    assert_eq!(error.to_string(), "worker `shop::Orders` failed in `prerun` (run 1, no lives left, pid 7)");
    assert_eq!(error.source().unwrap().to_string(), "no such table");
}

#[cfg(unix)]
#[test]
fn a_crash_names_the_signal() {
    let error = ProcessError::Died {
        at: position(),
        exit: Exit::Signal(libc::SIGSEGV),
        stack_overflow: true,
        last_words: vec!["oh".into()],
    };
    assert!(error.is_crash() && !error.is_timeout());
    assert_eq!(
        error.to_string(),
        "worker `shop::Orders` was ended by SIGSEGV, its stack used up, in `prerun` (run 1, no lives left, pid 7); its last words were `oh`"
    );
}

#[test]
fn a_crash_loop_is_as_its_last_failure_was() {
    let last = Box::new(ProcessError::Timeout { at: position(), limit: Duration::from_secs(1) });
    let error = ProcessError::CrashLoop { failures: 4, within: Duration::from_secs(60), last };
    assert!(error.is_timeout());
    assert_eq!(error.phase(), Some(Phase::Prerun));
}
