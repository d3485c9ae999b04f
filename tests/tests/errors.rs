//! What an error says, on the other side of a process boundary.
#![allow(clippy::unwrap_used, reason = "a hook of a test is a part of the test")]

use std::error::Error;
use std::fmt;
use std::process::{Command, Stdio};

use processing::prelude::*;
use serde::{Deserialize, Serialize};
use tests::driver::Driver;
use tests::{chain, watchdog};

/// An error that serde can carry.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum ShopError {
    SoldOut { article: String, left: u32 },
}

impl fmt::Display for ShopError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("sold out")
    }
}

impl Error for ShopError {}

#[skprocess(runs = 1)]
struct Shop;

#[skprocess]
impl Shop {
    fn run(&mut self) -> Result<(), ShopError> {
        Err(ShopError::SoldOut { article: "nails".into(), left: 0 })
    }
}

#[test]
fn an_error_that_serde_can_carry_comes_back_as_itself() {
    let _watchdog = watchdog();
    let error = Shop.run().unwrap_err();
    assert_eq!(error.message(), Some("sold out"));
    let typed = error.downcast::<ShopError>();
    assert_eq!(typed, Some(ShopError::SoldOut { article: "nails".into(), left: 0 }));
    assert_eq!(error.downcast::<String>(), None);
}

/// An error with a cause, that serde knows nothing of.
#[derive(Debug)]
struct Opaque(std::io::Error);

impl fmt::Display for Opaque {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the books cannot be read")
    }
}

impl Error for Opaque {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

#[skprocess(runs = 1)]
struct Books;

#[skprocess]
impl Books {
    fn prerun(&mut self) -> Result<(), Opaque> {
        Err(Opaque(std::io::Error::other("no such shelf")))
    }
    fn run(&mut self) {}
}

#[test]
fn an_error_keeps_its_causes() {
    let _watchdog = watchdog();
    let error = Books.run().unwrap_err();
    let pid = error.pid().unwrap();
    let first = format!("worker `errors::Books` failed in `prerun` (run 0, no lives left, pid {pid})");
    assert_eq!(chain(&error), [first.as_str(), "the books cannot be read", "no such shelf"]);
    let location = error.location().unwrap();
    assert!(location.file.ends_with("errors.rs"), "{location:?}");
    assert!(location.line > 1, "{location:?}");
    assert!(!error.is_panic() && !error.is_crash() && !error.is_timeout() && !error.is_killed());
}

/// Returns errors that are no more than text.
#[skprocess(runs = 1)]
struct Texts {
    which: u8,
}

#[skprocess]
impl Texts {
    fn prerun(&mut self) -> Result<(), String> {
        if self.which == 0 { Err("a string".into()) } else { Ok(()) }
    }
    fn run(&mut self) -> Result<(), &'static str> {
        if self.which == 1 { Err("a literal") } else { Ok(()) }
    }
    fn postrun(&mut self) -> Result<(), Box<dyn Error>> {
        if self.which == 2 { Err("a box".into()) } else { Ok(()) }
    }
    fn onfinish(&mut self) -> Result<(), Box<dyn Error + Send + Sync>> {
        if self.which == 3 { Err("a box to send".into()) } else { Ok(()) }
    }
    fn result(&mut self) -> Result<u8, fmt::Error> {
        Err(fmt::Error)
    }
}

#[test]
fn any_error_type_will_do() {
    let _watchdog = watchdog();
    let says = ["a string", "a literal", "a box", "a box to send", &fmt::Error.to_string()];
    for (which, says) in (0..).zip(says) {
        let error = Texts { which }.run().unwrap_err();
        assert_eq!(error.message(), Some(says));
        assert_eq!(error.phase(), Some(Phase::ALL[usize::from(which)]));
        assert_eq!(error.run(), Some(u64::from(which > 2)));
    }
}

#[test]
fn a_text_comes_back_as_a_text() {
    let _watchdog = watchdog();
    let error = Texts { which: 0 }.run().unwrap_err();
    assert_eq!(error.downcast::<String>().as_deref(), Some("a string"));
}

/// Hands on what a process of its own failed of.
#[skprocess(runs = 1)]
struct Outer;

#[skprocess]
impl Outer {
    fn run(&mut self) -> Result<(), ProcessError> {
        Shop.run()
    }
}

#[test]
fn an_error_of_a_nested_process_comes_back_as_itself() {
    let _watchdog = watchdog();
    let error = Outer.run().unwrap_err();
    let inner = error.downcast::<ProcessError>().expect("the inner error");
    assert_eq!(inner.position().unwrap().worker, "errors::Shop");
    assert_eq!(inner.phase(), Some(Phase::Run));
    assert!(inner.downcast::<ShopError>().is_some());
    assert_ne!(inner.pid(), error.pid());
}

/// Says what it was like on standard error, and dies.
#[skprocess(runs = 1)]
struct Dying;

#[skprocess]
impl Dying {
    #[expect(clippy::print_stderr, reason = "these are the last words")]
    fn run(&mut self) {
        eprintln!("it is getting dark");
        eprintln!("farewell");
        std::process::abort();
    }
}

#[test]
fn captured_last_words_are_in_the_error() {
    let _watchdog = watchdog();
    let dying = Dying.configure(|config| config.stderr(processing::Stream::Capture));
    let error = dying.run().unwrap_err();
    let ProcessError::Died { last_words, .. } = &error else { panic!("{error:?}") };
    assert_eq!(last_words[..], ["it is getting dark", "farewell"]);
    assert!(error.to_string().contains(if cfg!(unix) { "SIGABRT" } else { "an abort" }), "{error}");
    assert!(error.to_string().ends_with("; its last words were `farewell`"), "{error}");
}

#[test]
fn errors_and_panics_bring_the_backtrace_of_their_worker() {
    let _watchdog = watchdog();
    let mut driver = Driver::start(
        Command::new(env!("CARGO_BIN_EXE_erring")).env("RUST_BACKTRACE", "1").stderr(Stdio::null()),
    );
    assert_eq!(driver.line().as_deref(), Some("it errs true"));
    assert_eq!(driver.line().as_deref(), Some("it panics true"));
    assert!(driver.wait().success());
}
