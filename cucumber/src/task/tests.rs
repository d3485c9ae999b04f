use super::captive::{Captive, capturing::*};
use super::*;
use crate::func::tests::trust;
use crate::scope::Scope;

/// What `task!([factor] |x: i64| x * factor)` comes to.
fn times(factor: i64) -> Task<fn(i64) -> i64> {
    task(((&&Captive(&factor)).capture(),), |(factor,)| move |x: i64| x * factor)
}

fn sent<P: Signature>(task: &Task<P>) -> Task<P> {
    let trust = trust();
    let bytes = crate::to_bytes(task).unwrap();
    crate::decode_with(&bytes, Scope::new().with_functions(trust)).unwrap()
}

#[test]
fn a_task_arrives_with_what_it_captured() {
    assert_eq!(sent(&times(3)).closure().unwrap()(14), 42);
}

#[test]
fn a_task_may_capture_a_task() {
    trust();
    let inner = times(3);
    let outer: Task<fn(i64) -> i64> = task(((&&Captive(&inner)).capture(),), |(inner,)| {
        move |x: i64| inner.closure().map_or(0, |f| f(x) + 1)
    });
    assert_eq!(sent(&outer).closure().unwrap()(5), 16);
}

#[test]
fn a_task_is_refused_where_functions_are() {
    trust();
    let bytes = crate::to_bytes(&times(3)).unwrap();
    assert!(crate::from_bytes::<Task<fn(i64) -> i64>>(&bytes).unwrap_err().is_function());
}
