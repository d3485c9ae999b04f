//! What a program or its hooks do to the library without meaning to: none of it may cost anybody else.

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
