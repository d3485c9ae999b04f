//! Work that comes to the same however often its workers die. `.ci/run chaos` has them die: with `PROCESSING_CHAOS`.

use tests::episodes::{self, End};
use tests::watchdog;

#[test]
fn messages_are_heard_once_and_in_order() {
    let _watchdog = watchdog();
    for ballast in [0, 100_000] {
        assert_eq!(episodes::messages(100, ballast).unwrap(), End::Well);
    }
}

#[test]
fn every_task_has_one_result() {
    let _watchdog = watchdog();
    assert_eq!(episodes::pool(3, 500, 10).unwrap(), End::Well);
    assert_eq!(episodes::pool(2, 30, 100_000).unwrap(), End::Well);
}

#[test]
fn every_job_of_a_share_is_done_once() {
    let _watchdog = watchdog();
    assert_eq!(episodes::share(3, 50).unwrap(), End::Well);
}

#[test]
fn pipes_are_in_order_until_their_end() {
    let _watchdog = watchdog();
    assert_eq!(episodes::pipe(300, 300_000).unwrap(), End::Well);
}

#[test]
fn a_pipe_outlives_the_worker_at_its_other_end() {
    let _watchdog = watchdog();
    assert_eq!(episodes::patient_pipe(50).unwrap(), End::Well);
}

#[test]
fn what_is_nested_comes_to_the_same() {
    let _watchdog = watchdog();
    assert_eq!(episodes::nested(1).unwrap(), End::Well);
}

#[test]
fn processes_end_as_they_are_told() {
    let _watchdog = watchdog();
    for _ in 0..5 {
        assert_eq!(episodes::ends().unwrap(), End::Well);
    }
}
