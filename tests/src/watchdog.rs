//! Ends a test that hangs, and says which one it was.

use std::io::{Write, stderr};
use std::process::abort;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

/// How long a test may take. Long, as the machine may be busy: nothing is measured against it. What stands in for Windows
/// may take a tenth of a second for each start.
pub const LONGEST: Duration = Duration::from_secs(if cfg!(windows) { 240 } else { 60 });

/// Watches over a test until it is dropped.
#[derive(Debug)]
#[must_use = "the watchdog watches as long as it lives"]
pub struct Watchdog(#[expect(dead_code, reason = "its drop tells the watching thread")] Sender<()>);

/// Aborts this process, and with it every worker, if the calling test takes longer than [`LONGEST`].
pub fn watchdog() -> Watchdog {
    let (alive, over) = channel();
    let test = thread::current().name().unwrap_or("a test").to_owned();
    thread::spawn(move || {
        if over.recv_timeout(LONGEST) == Err(RecvTimeoutError::Timeout) {
            // Not by `eprintln!`, which a test has caught: nobody would see it after an abort.
            let _ = writeln!(stderr(), "`{test}` hangs: it is not done after {LONGEST:?}");
            abort();
        }
    });
    Watchdog(alive)
}
