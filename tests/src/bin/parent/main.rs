//! Starts workers that are busy in many ways, says which they are, and then does what it is told to.
#![expect(clippy::print_stdout, reason = "it is what this program is for")]

use processing::Stream;
use processing::prelude::*;
use tests::deeds::Deed;

#[cfg(unix)]
mod unix;

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
        // Whatever became of SIGCHLD.
        "works" => prove_that_all_works(),
        #[cfg(unix)]
        "handles" => unix::handle_ctrl_c(),
        #[cfg(unix)]
        "reaps" => unix::reap(),
        #[cfg(unix)]
        "drowns" => unix::drown(),
        #[cfg(unix)]
        "overflows" => {
            unix::overflow();
            wait_for_a_line();
        }
        other => panic!("unknown command {other}"),
    }
}
