//! What a program or its hooks do to the library without meaning to: none of it may cost anybody else.
#![allow(clippy::unwrap_used, reason = "a hook of a test is a part of the test")]

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Wake, Waker};
use std::time::{Duration, Instant};

use processing::prelude::*;
use processing::{Phase, ProcessError};
use rustix::process::Signal;
use tests::processes::watch;
use tests::{Marks, TempDir, watchdog};

/// Ends its worker whenever it gets that far.
#[skprocess]
struct Mortal {}

#[skprocess]
impl Mortal {
    fn run(&mut self) {
        std::process::abort();
    }
}

/// Ends well.
#[skprocess(runs = 1)]
struct Fine {}

#[skprocess]
impl Fine {
    fn run(&mut self) {}
    fn result(&mut self) -> u32 {
        42
    }
}

#[test]
fn a_backoff_without_end_can_be_stopped() {
    let _watchdog = watchdog();
    let patient = Mortal {}
        .configure(|config| config.lives(3).restart(10, Duration::from_secs(60), Duration::MAX))
        .start()
        .unwrap();
    while patient.lives_left() == 2 {
        std::thread::sleep(Duration::from_millis(5));
    }
    // Its back-off holds up nobody else, and ends with a stop.
    assert_eq!(Fine {}.run().unwrap(), 42);
    patient.stop();
    patient.wait().unwrap();
}

/// Runs until it is stopped.
#[skprocess]
struct Idle {}

#[skprocess]
impl Idle {
    fn run(&mut self) {
        self.listen::<u8>(None).ok();
    }
}

struct Closed;

impl Wake for Closed {
    fn wake(self: Arc<Self>) {
        panic!("the executor is gone");
    }
}

#[test]
fn a_waker_that_panics_harms_nobody_else() {
    let _watchdog = watchdog();
    let waker = Waker::from(Arc::new(Closed));
    let mut context = Context::from_waker(&waker);
    let worker = Idle {}.start().unwrap();
    // One is woken by the end, the other by its limit.
    let mut end = pin!(worker.asynced().wait());
    let mut limit = pin!(worker.timeout(Duration::from_millis(1)).asynced().wait());
    assert!(end.as_mut().poll(&mut context).is_pending());
    let _ = limit.as_mut().poll(&mut context);
    std::thread::sleep(Duration::from_millis(20));
    worker.stop();
    worker.wait().unwrap();
    assert!(end.as_mut().poll(&mut context).is_ready());
    assert_eq!(Fine {}.run().unwrap(), 42);
}

/// An error on so many others.
#[derive(Debug)]
struct Layer(u32, Option<Box<Layer>>);

impl Layer {
    fn cake(layers: u32) -> Layer {
        (1..layers).fold(Layer(0, None), |below, layer| Layer(layer, Some(Box::new(below))))
    }
}

impl std::fmt::Display for Layer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "layer {}", self.0)
    }
}

impl std::error::Error for Layer {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.1.as_deref().map(|below| below as _)
    }
}

/// Panics when it is thrown away.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("nobody may drop this");
    }
}

/// Fails as it is told to, and then is asked whether it is still the same.
#[skprocess(runs = 1)]
struct Failing {
    how: String,
    attempts: Vec<u32>,
}

fn use_up_descriptors() {
    let hoard: Vec<_> = std::iter::from_fn(|| std::fs::File::open("/dev/null").ok()).collect();
    Box::leak(Box::new(hoard));
}

#[skprocess]
impl Failing {
    fn run(&mut self) -> anyhow::Result<()> {
        self.attempts.push(std::process::id());
        if self.attempts.len() > 1 {
            return Ok(());
        }
        match self.how.as_str() {
            "in layers" => return Err(Layer::cake(200).into()),
            "with a bomb" => std::panic::panic_any(Bomb),
            "by another thread" => {
                let _ = std::panic::catch_unwind(|| panic!("an old story"));
                let joined = std::thread::spawn(|| panic!("the news")).join();
                joined.unwrap_or_else(|payload| std::panic::resume_unwind(payload));
            }
            "at length, without descriptors" => {
                use_up_descriptors();
                anyhow::bail!("{}", "at length ".repeat(20_000));
            }
            "at the end, without descriptors" => use_up_descriptors(),
            _ => {}
        }
        Ok(())
    }
    fn result(&mut self) -> (Vec<u32>, String) {
        let much = if self.how.starts_with("at the end") { 200_000 } else { 0 };
        (std::mem::take(&mut self.attempts), "x".repeat(much))
    }
}

/// Fails once and goes on in the same worker; returns the failure of another one that has no lives.
fn fail(how: &str) -> ProcessError {
    let failing = |lives| {
        Failing { how: how.to_owned(), attempts: vec![] }
            .configure(|config| config.lives(lives))
            .start()
            .expect("a process")
    };
    let survivor = failing(2);
    let (attempts, _) = survivor.result().expect("a second attempt");
    assert_eq!(attempts, [survivor.pid(); 2], "{how}");
    failing(1).result().expect_err("no second attempt")
}

fn cause(error: &ProcessError) -> String {
    tests::chain(error).swap_remove(1)
}

#[test]
fn an_error_with_many_causes_is_told_and_survived() {
    let _watchdog = watchdog();
    let error = fail("in layers");
    assert!(tests::chain(&error).len() > 60, "{error}");
}

#[test]
fn a_payload_that_cannot_be_dropped_costs_no_worker() {
    let _watchdog = watchdog();
    assert!(cause(&fail("with a bomb")).contains("not text"));
}

#[test]
fn a_panic_that_is_passed_on_says_what_it_said() {
    let _watchdog = watchdog();
    assert!(cause(&fail("by another thread")).contains("the news"));
}

#[test]
fn a_failure_is_told_even_if_no_descriptor_is_left() {
    let _watchdog = watchdog();
    let error = fail("at length, without descriptors");
    assert!(cause(&error).starts_with("at length at length"), "{error}");
}

#[test]
fn a_value_that_no_descriptor_is_left_for_is_an_error_that_says_so() {
    let _watchdog = watchdog();
    let failing = Failing { how: "at the end, without descriptors".to_owned(), attempts: vec![] };
    let error = failing.run().unwrap_err();
    assert_eq!(error.phase(), Some(Phase::Result));
    assert!(cause(&error).contains("cannot be sent"), "{error}");
}

/// Never yields.
#[skprocess(runs = 1, timeouts(run = "100ms"))]
struct Endless {}

#[skprocess]
impl Endless {
    fn run(&mut self) {
        loop {
            std::hint::black_box(0);
        }
    }
}

#[test]
fn a_flood_of_messages_holds_up_nobody_else() {
    let _watchdog = watchdog();
    let worker = Idle {}.start().unwrap();
    // Whoever is stopped reads nothing, so its socket is soon full.
    tests::processes::signal(worker.pid(), Signal::STOP);
    let end = Instant::now() + Duration::from_secs(2);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                while Instant::now() < end {
                    worker.tell(&0_u8).unwrap();
                }
            });
        }
        std::thread::sleep(Duration::from_millis(100));
        assert!(Endless {}.run().unwrap_err().is_timeout());
        assert!(Instant::now() < end, "the limit was not kept before the flood was over");
    });
    worker.kill();
}

/// Fails with so many words that it takes a while to tell them, and to be told what follows.
#[skprocess(runs = 1)]
struct Wordy {
    marks: Marks,
}

#[skprocess]
impl Wordy {
    fn run(&mut self) -> anyhow::Result<()> {
        anyhow::bail!("{}", "words ".repeat(5_000_000))
    }
    fn error(&mut self, _error: ProcessError) -> Result<(), ProcessError> {
        self.marks.add("error");
        Ok(())
    }
}

#[test]
fn a_death_on_the_way_to_the_error_hook_does_not_skip_it() {
    let _watchdog = watchdog();
    loop {
        let dir = TempDir::new();
        let wordy = Wordy { marks: dir.marks() }.start().unwrap();
        let first = wordy.pid();
        while wordy.failure().is_none() {
            std::thread::yield_now();
        }
        // Its failure has arrived. If it is stopped before it has heard of that, it is where it has to be.
        tests::processes::signal(first, Signal::STOP);
        std::thread::sleep(Duration::from_millis(20));
        if wordy.phase() == Some(Phase::Run) {
            assert!(watch(first).kill());
            wordy.wait().unwrap();
            assert_ne!(wordy.pid(), first);
            assert_eq!(dir.marks().read(), ["error"]);
            return;
        }
        wordy.kill();
    }
}
