//! Starts workers under unusual circumstances and prints what came of it.
#![expect(clippy::print_stdout, reason = "it is what this program is for")]

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::time::Duration;

use processing::prelude::*;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Looks around in its worker.
#[skprocess(runs = 1)]
struct Mirror {
    lines: Vec<String>,
}

fn hex(text: OsString) -> String {
    text.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[skprocess]
impl Mirror {
    fn run(&mut self) -> std::io::Result<()> {
        let arguments: Vec<_> = std::env::args_os().map(hex).collect();
        self.lines.push(format!("arguments {}", arguments.join(" ")));
        self.lines.push(format!("variable {}", hex(std::env::var_os("MIRRORED").unwrap_or_default())));
        let own = std::env::vars_os().any(|(name, _)| name.as_bytes().starts_with(b"PROCESSING_WORKER"));
        let child = std::process::Command::new("env").output()?.stdout;
        let inherited = child.windows(17).any(|part| part == b"PROCESSING_WORKER");
        self.lines.push(format!("marker {own} {inherited}"));
        self.lines.push(format!("directory {}", std::env::current_dir()?.display()));
        println!("the worker's own output");
        Ok(())
    }
    fn result(&mut self) -> Vec<String> {
        std::mem::take(&mut self.lines)
    }
}

/// Listens only once it has been told to, by the last of its messages in `prerun`.
#[skprocess]
struct Hoarder {
    heard: u64,
    bytes: u64,
}

#[skprocess]
impl Hoarder {
    fn run(&mut self) -> Result<(), ListenError> {
        if self.heard == 0 {
            // All of it has been told when this is there.
            while !std::env::temp_dir().join("listen").exists() {
                std::thread::yield_now();
            }
        }
        if let Some(text) = self.listen::<String>(None)? {
            self.heard += 1;
            self.bytes += text.len() as u64;
        }
        Ok(())
    }
    fn postrun(&mut self) {
        if self.heard == BACKLOG {
            self.stop();
        }
    }
    fn result(&mut self) -> (u64, u64) {
        (self.heard, self.bytes)
    }
}

const BACKLOG: u64 = 500;

fn backlog(lives: u32) -> Result<(), Box<dyn std::error::Error>> {
    let go = std::env::temp_dir().join("listen");
    let _ = std::fs::remove_file(&go);
    let worker = Hoarder { heard: 0, bytes: 0 }.configure(|config| config.lives(lives)).start()?;
    let text = "x".repeat(100_000);
    for _ in 0..BACKLOG {
        worker.tell(&text)?;
    }
    std::fs::write(&go, "")?;
    let (heard, bytes) = worker.result()?;
    println!("{heard} {bytes}");
    Ok(())
}

fn report<T>(result: Result<T, impl std::error::Error + 'static>) {
    match result {
        Ok(_) => println!("well"),
        Err(error) => println!("{}", tests::chain(&error).join("; ")),
    }
}

/// Starts a process and tells how that went.
fn try_it(lives: u32) {
    let mirror = Mirror { lines: vec![] }.configure(|config| config.lives(lives));
    match mirror.start() {
        Ok(worker) => {
            report(worker.wait());
            println!("{} {}", worker.is_alive(), tests::processes::exists(worker.pid()));
        }
        Err(error) => report(Err::<(), _>(error)),
    }
}

/// How many descriptors are open once what belonged to a process that is over has been closed.
fn descriptors_at_rest(pid: u32) -> u64 {
    let mut open = tests::processes::descriptors(pid);
    loop {
        std::thread::sleep(Duration::from_millis(100));
        let now = tests::processes::descriptors(pid);
        if now >= open {
            return now as u64;
        }
        open = now;
    }
}

fn wait_for_a_line() {
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).expect("a line");
}

fn main() {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    println!("main");
    match arguments[1].to_str().expect("a command") {
        "mirror" => match (Mirror { lines: vec![] }).run() {
            Ok(lines) => lines.iter().for_each(|line| println!("{line}")),
            Err(error) => report(Err::<(), _>(error)),
        },
        // Workers run another program.
        "misled" => {
            processing::set_worker_executable(&arguments[2]);
            let lives = arguments[3].to_str().and_then(|lives| lives.parse().ok());
            try_it(lives.expect("a number of lives"));
        }
        // Workers run a program that never answers.
        "unanswered" => {
            processing::set_worker_executable(&arguments[2]);
            let worker = Mirror { lines: vec![] }.start().expect("a process");
            report(worker.timeout(Duration::from_millis(200)).result());
            worker.kill();
            report(worker.result());
            println!("{} {}", worker.is_alive(), tests::processes::exists(worker.pid()));
        }
        // Something happens to the program's file before its first worker, and before its second.
        "patient" => {
            for _ in 0..2 {
                wait_for_a_line();
                try_it(1);
            }
        }
        // There is no room for another descriptor.
        "cramped" => {
            try_it(1);
            let open = descriptors_at_rest(std::process::id());
            let limit = Rlimit { current: Some(open + 1), maximum: Some(open + 1) };
            setrlimit(Resource::Nofile, limit).expect("a lower limit");
            try_it(1);
        }
        // Far more large messages wait than there may be descriptors.
        "backlog" => {
            setrlimit(Resource::Nofile, Rlimit { current: Some(128), maximum: Some(128) })
                .expect("a lower limit");
            for lives in [1, 2] {
                backlog(lives).unwrap_or_else(|error| println!("{}", tests::chain(&*error).join("; ")));
            }
        }
        // There is room for ever more descriptors, until there is enough.
        "narrow" => {
            // What is made for the first ones stays for all.
            (0..3).for_each(|_| try_it(1));
            let own = std::process::id();
            let open = descriptors_at_rest(own);
            for room in 0..32 {
                let limit = Rlimit { current: Some(open + room), ..getrlimit(Resource::Nofile) };
                setrlimit(Resource::Nofile, limit).expect("another limit");
                let mirror = Mirror { lines: vec![] };
                println!("room {}", mirror.start().is_ok_and(|worker| worker.wait().is_ok()));
            }
            let left = descriptors_at_rest(own);
            println!("left {} {:?}", left.saturating_sub(open), tests::processes::descendants(own));
        }
        // There is no room for another thread, then there is.
        "crowded" => {
            let limit = |current| {
                setrlimit(Resource::As, Rlimit { current, maximum: None }).expect("another limit");
            };
            let used = tests::processes::status(std::process::id(), "VmSize").expect("its size") << 10;
            limit(Some(used + (1 << 20)));
            let start = Mirror { lines: vec![] }.start();
            limit(None);
            report(start);
            try_it(1);
        }
        other => panic!("unknown command {other}"),
    }
}
