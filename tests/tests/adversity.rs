//! What a program or its hooks do to the library without meaning to: none of it may cost anybody else.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Wake, Waker};
use std::time::Duration;

use processing::prelude::*;
use tests::watchdog;

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
