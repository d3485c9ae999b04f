use super::*;
use crate::Scope;

/// The tests' own code: this is the only place that knows where it is.
pub(crate) fn trust() -> Trust {
    let here = trust as fn() -> Trust as usize;
    let text = here.saturating_sub(1 << 30)..here.saturating_add(1 << 30);
    // SAFETY: wider than the code, but the tests decode only what they encoded themselves.
    unsafe { set_image(text) }.unwrap()
}

fn sent<P: FnPointer>(function: Func<P>) -> Result<Func<P>> {
    let bytes = crate::to_bytes(&function)?;
    crate::decode_with(&bytes, Scope::new().with_functions(trust()))
}

fn square(x: i64) -> i64 {
    x * x
}

fn identity<T>(x: T) -> T {
    x
}

#[test]
fn functions_come_back_as_themselves() {
    trust();
    fn local(x: i64) -> i64 {
        x - 1
    }
    assert_eq!(sent(Func::<fn(i64) -> i64>::new(square)).unwrap().get()(7), 49);
    assert_eq!(sent(Func::<fn(i64) -> i64>::new(local)).unwrap().get()(7), 6);
    assert_eq!(sent(Func::<fn(i64) -> i64>::new(|x| x + 1)).unwrap().get()(7), 8);
    assert_eq!(sent(Func::<fn(String) -> String>::new(identity::<String>)).unwrap().get()("a".into()), "a");
    assert_eq!(sent(Func::<fn(u8, u8) -> u8>::new(u8::max)).unwrap().get()(1, 2), 2);
    assert!(sent(Func::<fn() -> Vec<u8>>::new(Vec::new)).unwrap().get()().is_empty());
}

#[test]
fn a_function_is_refused_where_it_is_not_trusted() {
    trust();
    let bytes = crate::to_bytes(&Func::<fn(i64) -> i64>::new(square)).unwrap();
    let error = crate::from_bytes::<Func<fn(i64) -> i64>>(&bytes).unwrap_err();
    assert!(error.is_function(), "{error:?}");
}

#[test]
fn a_function_of_another_type_is_refused() {
    let trust = trust();
    let bytes = crate::to_bytes(&Func::<fn(i64) -> i64>::new(square)).unwrap();
    let error =
        crate::decode_with::<Func<fn(u64) -> u64>>(&bytes, Scope::new().with_functions(trust)).unwrap_err();
    assert!(error.is_function() && error.to_string().contains("fn(u64) -> u64"), "{error}");
}

#[test]
fn a_place_outside_the_code_is_refused() {
    let trust = trust();
    let forged = crate::to_bytes(&(i64::MAX / 2, signature_of::<fn()>())).unwrap();
    let error = crate::decode_with::<Func<fn()>>(&forged, Scope::new().with_functions(trust)).unwrap_err();
    assert!(error.to_string().contains("outside"), "{error}");
}

#[test]
fn a_named_field_says_which_function_failed() {
    #[derive(serde::Serialize, serde::Deserialize, Debug)]
    struct Job {
        callback: Func<fn(i64) -> i64>,
    }
    trust();
    let bytes = crate::to_bytes(&Job { callback: Func::new(square) }).unwrap();
    let error = crate::from_bytes::<Job>(&bytes).unwrap_err();
    assert_eq!(error.path(), "callback");
    assert!(error.is_function());
}
