//! Starts workers that are busy in many ways, says which they are, and then does what it is told to.
#![expect(clippy::print_stdout, reason = "it is what this program is for")]

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use processing::prelude::*;
use processing::{Nothing, Pipe, Point, Stream};
use tests::deeds::Deed;

/// Starts one more below, if it is to, says so, and is busy from then on.
#[skprocess]
struct Busy {
    deed: Deed,
    depth: u32,
}

#[skprocess]
impl Busy {
    fn run(&mut self) -> anyhow::Result<()> {
        let mut pids = vec![std::process::id()];
        if self.depth > 0 {
            let below = Busy { deed: self.deed, depth: self.depth - 1 }.start()?;
            pids.extend(below.listen::<Vec<u32>>(None)?.expect("no end of time"));
            below.detach();
        }
        self.tell(&pids)?;
        self.deed.commit()
    }
}

/// Echoes what it hears.
#[skprocess]
struct Echo;

#[skprocess]
impl Echo {
    fn run(&mut self) -> anyhow::Result<()> {
        if let Some(text) = self.listen::<String>(None)? {
            self.tell(&text)?;
        }
        Ok(())
    }
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
fn drown() {
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
fn overflow() {
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

/// Starts a busy worker of each kind, some with others below them, and returns the ids of all.
fn start_all() -> (Vec<Handle<Busy>>, Vec<u32>) {
    let mut all = (Vec::new(), Vec::new());
    for deed in Deed::ENDLESS {
        for depth in [0, 2] {
            let busy = Busy { deed, depth }.configure(|config| config.lives(3).stderr(Stream::Null));
            let worker = busy.start().expect("a worker");
            let pids = worker.listen::<Vec<u32>>(None).expect("its ids").expect("no end of time");
            all.1.extend(pids);
            all.0.push(worker);
        }
    }
    all
}

fn say(pids: &[u32]) {
    let words: Vec<String> = pids.iter().map(u32::to_string).collect();
    println!("{}", words.join(" "));
}

fn wait_for_a_line() {
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).expect("a line");
}

/// Talks with a worker, sees it end well, and sees one die.
fn prove_that_all_works() {
    let echo = Echo.start().expect("a worker");
    for _ in 0..20 {
        echo.tell("still there?").expect("somebody to tell");
        assert_eq!(echo.listen::<String>(None).expect("an answer").as_deref(), Some("still there?"));
    }
    echo.stop();
    echo.wait().expect("a good end");
    let dying = Busy { deed: Deed::Sigkill, depth: 0 }.start().expect("a worker");
    let error = dying.wait().expect_err("a bad end");
    assert!(error.is_crash(), "{error:?}");
    println!("all works; the dead worker {}", error.exit().expect("an end"));
}

fn main() {
    let command = std::env::args().nth(1).expect("a command");
    match command.as_str() {
        // Goes on until it is killed, whichever way.
        "waits" => {
            let (_workers, pids) = start_all();
            say(&pids);
            wait_for_a_line();
        }
        // The thread that has started them is gone.
        "thread" => {
            let (_workers, pids) = std::thread::spawn(start_all).join().expect("the workers");
            say(&pids);
            wait_for_a_line();
        }
        "aborts" | "panics" | "exits" | "returns" | "detaches" => {
            let (workers, pids) = start_all();
            say(&pids);
            wait_for_a_line();
            match command.as_str() {
                "aborts" => std::process::abort(),
                "panics" => panic!("the program panics with {} workers", workers.len()),
                "exits" => signal_hook::low_level::exit(0),
                "detaches" => workers.into_iter().for_each(Handle::detach),
                _ => {}
            }
        }
        // Handles Ctrl-C in its own way; its workers do not care.
        "handles" => {
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
        "drowns" => drown(),
        "overflows" => {
            overflow();
            wait_for_a_line();
        }
        // Whatever became of SIGCHLD, and whoever reaps.
        "works" => prove_that_all_works(),
        "reaps" => {
            // Takes every child's end from under the library's nose, as an init process would.
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
        other => panic!("unknown command {other}"),
    }
}
