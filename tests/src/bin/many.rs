//! Starts many processes one after the other, and prints what it holds before and after.
#![expect(clippy::print_stdout, reason = "it is what this program is for")]

use std::time::{Duration, Instant};

use processing::Stream;
use processing::prelude::*;
use tests::processes;

/// How many processes of a kind are started.
const MANY: u32 = 2000;
/// Those that are only to be compared with each other are fewer.
const FEW: u32 = 200;

#[skprocess(runs = 1)]
struct Plain {
    fails: bool,
    dies: bool,
    data: Vec<u8>,
}

#[skprocess]
impl Plain {
    fn run(&mut self) -> Result<(), String> {
        if self.dies {
            std::process::abort();
        }
        if self.fails { Err("it always fails".into()) } else { Ok(()) }
    }
    fn result(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.data)
    }
}

/// Echoes what it hears, until the end.
#[skprocess]
struct Echo;

#[skprocess]
impl Echo {
    fn run(&mut self) -> anyhow::Result<()> {
        if let Some(text) = self.listen::<String>(None)? {
            println!("{}", text.len());
            self.tell(&text)?;
        }
        Ok(())
    }
}

/// Echoes what it hears, and keeps it.
#[skprocess]
struct Phoenix {
    data: Vec<u8>,
}

#[skprocess]
impl Phoenix {
    fn run(&mut self) -> anyhow::Result<()> {
        if let Some(text) = self.listen::<String>(None)? {
            self.tell(&text)?;
            self.data.clone_from(&text.into_bytes());
        }
        Ok(())
    }
}

fn plain(fails: bool, dies: bool) -> Plain {
    Plain { fails, dies, data: vec![1; 100_000] }
}

fn one_of(kind: &str, round: u32, phoenix: Option<&Handle<Phoenix>>) {
    match kind {
        "well" => assert_eq!(plain(false, false).run().expect("a value").len(), 100_000),
        "failing" => assert!(plain(true, false).configure(|config| config.lives(3)).run().is_err()),
        "dying" => assert!(plain(false, true).configure(|config| config.lives(2)).run().is_err()),
        "killed" => Echo.start().expect("a process").kill(),
        "dropped" => drop(Echo.start().expect("a process")),
        "talking" => talk(&Echo.configure(|config| config.stdout(Stream::Null)).start().expect("a process")),
        "captured" => {
            let echo = Echo.configure(|config| config.stdout(Stream::Capture)).start().expect("a process");
            talk(&echo);
            echo.stop();
            echo.wait().expect("a good end");
            assert_eq!(echo.output().len(), 2);
        }
        "refused" => {
            assert!(plain(false, false).configure(|config| config.lives(0)).start().is_err());
        }
        "background" => {
            let echo = Echo.start().expect("a process");
            let calls = (echo.background().result(), echo.background().listen::<String>(None));
            echo.stop();
            calls.0.wait().expect("a good end");
            assert!(calls.1.wait().is_err());
        }
        "replaced" => {
            let worker = phoenix.expect("one that comes back");
            let text = format!("{round} {}", "x".repeat(100_000));
            worker.tell(&text).expect("a worker");
            // What was told before a death may be told again after it.
            while worker.listen::<String>(None).expect("an answer").as_ref() != Some(&text) {}
            // It may have died already: an answer may be told again by the worker that follows.
            let _ = processes::watch(worker.pid()).kill();
        }
        other => panic!("unknown kind {other}"),
    }
}

fn talk(echo: &Handle<Echo>) {
    for size in [10, 200_000] {
        let text = "x".repeat(size);
        echo.tell(&text).expect("somebody to tell");
        assert_eq!(echo.listen::<String>(None).expect("an answer"), Some(text));
    }
}

/// Prints how many descriptors and threads there are, and how much memory is in use.
fn report(when: &str) {
    let own = std::process::id();
    let of = |name| processes::status(own, name).expect("a number");
    println!("{when} {} {} {}", processes::descriptors(own), of("Threads"), of("VmRSS"));
}

/// Waits until there are no more processes, threads and descriptors than this, if there ever are: ends take a moment.
fn settle(workers: usize, threads: u64, descriptors: usize) {
    let own = std::process::id();
    let is_more = || {
        processes::descendants(own).len() > workers
            || processes::status(own, "Threads").is_none_or(|number| number > threads)
            || processes::descriptors(own) > descriptors
    };
    let end = Instant::now() + Duration::from_secs(20);
    while is_more() && Instant::now() < end {
        std::thread::yield_now();
    }
}

fn wait_for_a_line() {
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).expect("a line");
}

/// Waits in every way there is, and lets its workers wait.
fn idle() {
    let silent = || Echo.configure(|config| config.stdout(Stream::Null));
    let workers: Vec<_> = (0..4).map(|_| silent().start().expect("a process")).collect();
    workers.iter().for_each(|echo| echo.tell("hello").expect("somebody to tell"));
    workers.iter().for_each(|echo| assert!(echo.listen::<String>(None).is_ok()));
    let _result = workers[0].background().result();
    let _message = workers[1].background().listen::<String>(None);
    let pids: Vec<_> = workers.iter().map(|echo| echo.pid().to_string()).collect();
    println!("{}", pids.join(" "));
    wait_for_a_line();
}

fn main() {
    let kind = std::env::args().nth(1).expect("a kind");
    if kind == "idle" {
        return idle();
    }
    // What is made for the first ones stays for all.
    let phoenix = Phoenix { data: vec![] }.configure(|config| config.lives(u32::MAX));
    let phoenix = (kind == "replaced").then(|| phoenix.start().expect("a process"));
    (0..50).for_each(|round| one_of(&kind, round, phoenix.as_ref()));
    // This thread and the one that looks after workers.
    settle(usize::from(phoenix.is_some()), 2, usize::MAX);
    let own = std::process::id();
    let (threads, descriptors) = (processes::status(own, "Threads"), processes::descriptors(own));
    report("before");
    let count = if kind == "well" { MANY } else { FEW };
    (50..50 + count).for_each(|round| one_of(&kind, round, phoenix.as_ref()));
    // Not only dropped: between two of its workers there would be none to be seen.
    phoenix.iter().for_each(Handle::kill);
    drop(phoenix);
    settle(0, threads.expect("a number"), descriptors + processes::OF_A_COPY_AHEAD);
    report("after");
    wait_for_a_line();
}
