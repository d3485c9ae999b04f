//! What can be done to a program by signals, by reaping its children and by limits of files.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use processing::prelude::*;
use processing::{Nothing, Pipe, Point};

use super::{Echo, prove_that_all_works, say};

/// Handles Ctrl-C in its own way; its workers do not care.
pub(super) fn handle_ctrl_c() {
    let interrupted = Arc::new(AtomicBool::new(false));
    signal_hook::flag::register(rustix::process::Signal::INT.as_raw(), Arc::clone(&interrupted))
        .expect("a handler");
    let echo = Echo.start().expect("a worker");
    echo.tell("before").expect("somebody to tell");
    assert!(echo.listen::<String>(None).expect("an answer").is_some());
    say(&[echo.pid()]);
    while !interrupted.load(std::sync::atomic::Ordering::Relaxed) {
        std::thread::yield_now();
    }
    echo.tell("after").expect("somebody to tell");
    assert_eq!(echo.listen::<String>(None).expect("an answer").as_deref(), Some("after"));
    prove_that_all_works();
}

/// Takes every child's end from under the library's nose, as an init process would.
pub(super) fn reap() {
    std::thread::spawn(|| {
        loop {
            let options = rustix::process::WaitOptions::empty();
            if rustix::process::wait(options).is_err() {
                std::thread::yield_now();
            }
        }
    });
    (0..20).for_each(|_| prove_that_all_works());
}

/// Tells its program one thing after the other.
#[skprocess(runs = 1)]
struct Flood;

#[skprocess]
impl Flood {
    fn run(&mut self) -> anyhow::Result<()> {
        self.tell(&0_u64)?;
        loop {
            self.tell(&vec![1_u8; 1000])?;
        }
    }
}

/// Listens to two workers that tell without end.
pub(super) fn drown() {
    let floods = [Flood, Flood].map(|flood| flood.start().expect("a worker"));
    for flood in &floods {
        assert_eq!(flood.listen::<u64>(None).expect("its first word"), Some(0));
    }
    say(&floods.each_ref().map(Handle::pid));
    std::thread::scope(|scope| {
        for flood in &floods {
            scope.spawn(|| while flood.listen::<Vec<u8>>(None).is_ok() {});
        }
    });
}

/// Listens to so many messages, once it knows how many.
#[skprocess(runs = 1)]
struct Late {
    count: Point<u64, Nothing>,
}

#[skprocess]
impl Late {
    fn run(&mut self) -> anyhow::Result<()> {
        for number in 0..self.count.recv()? {
            let heard = self.listen::<Vec<u8>>(None)?;
            anyhow::ensure!(heard == Some(vec![number as u8; 1 << 20]), "{number} is another one");
        }
        Ok(())
    }
}

/// Tells as much as is taken.
#[skprocess(runs = 1)]
struct Pour {
    told: u64,
}

#[skprocess]
impl Pour {
    fn run(&mut self) {
        self.told = tell_until_it_is_too_much(|message| self.tell(&message));
    }
    fn result(&mut self) -> u64 {
        self.told
    }
}

/// Tells one mebibyte after the other until that is refused; says how many were not.
fn tell_until_it_is_too_much(tell: impl Fn(Vec<u8>) -> Result<(), TellError>) -> u64 {
    for number in 0.. {
        match tell(vec![number as u8; 1 << 20]) {
            Ok(()) => {}
            Err(TellError::Full(_)) => return number,
            Err(error) => panic!("{number}: {error}"),
        }
    }
    unreachable!("nothing takes that much")
}

/// Tells workers more than there is room for, and is told more by one; says how much was taken each time.
pub(super) fn overflow() {
    let limit = rustix::process::Rlimit { current: Some(24 << 20), maximum: Some(24 << 20) };
    rustix::process::setrlimit(rustix::process::Resource::Fsize, limit).expect("a limit of one's own");
    let mut taken = Vec::new();
    for lives in [1, 3] {
        let (count, point) = Pipe::one_way().expect("memory");
        let late = Late { count: point }.configure(|config| config.lives(lives)).start().expect("a worker");
        let told = tell_until_it_is_too_much(|message| late.tell(&message));
        count.send(&told).expect("it waits for that");
        late.wait().expect("it hears all that was taken");
        taken.push(told as u32);
    }
    let pour = Pour { told: 0 }.start().expect("a worker");
    let told = pour.result().expect("a number");
    for number in 0..told {
        let heard = pour.listen::<Vec<u8>>(None).expect("all that was taken");
        assert!(heard == Some(vec![number as u8; 1 << 20]), "{number} is another one");
    }
    assert!(pour.listen::<Vec<u8>>(None).is_err(), "nothing that was refused");
    taken.push(told as u32);
    say(&taken);
}
