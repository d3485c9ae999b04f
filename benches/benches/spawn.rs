//! How long from `start` to the result of a process whose `run` is one line? And what does it need while it waits?
//!
//! `cargo bench --bench spawn`, with `-- --quick` for a tenth of the rounds.

#[path = "peers/forks.rs"]
mod forks;

use std::process::{Command, Stdio};

use benches::{Contest, timed};
use ipc_channel::ipc::{IpcOneShotServer, IpcSender};
use processing::prelude::*;
use processing::{StartMethod, set_start_method};

#[skprocess(runs = 1)]
struct Double {
    number: u64,
}

#[skprocess]
impl Double {
    fn run(&mut self) {
        self.number *= 2;
    }

    fn result(&mut self) -> u64 {
        self.number
    }
}

/// Makes the program, started again by hand, a child of the kind that it names.
const CHILD: &str = "BENCH_CHILD";

fn main() {
    // Its children never come back from here; ours do not even get here.
    procspawn::init();
    match std::env::var(CHILD).as_deref() {
        Ok("fork server") => return forks::serve(),
        Ok("pipe") => return println!("{}", 2 * 21),
        Ok(server) => {
            let sender = IpcSender::connect(server.to_owned()).expect("the parent waits");
            return sender.send(2 * 21_u64).expect("the parent still waits");
        }
        Err(_) => {}
    }

    let server = forks::ForkServer::start();
    let mut contest = Contest::new("start → result of a process with a one-line `run`").rounds(300);
    contest.enter("processing", || {
        let (worker, time) = timed(|| {
            let worker = Double { number: 21 }.start().expect("it starts");
            assert_eq!(worker.result().expect("it ends well"), 42);
            worker
        });
        worker.wait().expect("it has ended well");
        time
    });
    contest.floor("a bare fork server", || {
        let (answer, time) = timed(|| server.ask(21));
        assert_eq!(answer, 42);
        time
    });
    contest.enter("processing, each worker by exec", || {
        set_start_method(StartMethod::Exec);
        let (worker, time) = timed(|| {
            let worker = Double { number: 21 }.start().expect("it starts");
            assert_eq!(worker.result().expect("it ends well"), 42);
            worker
        });
        worker.wait().expect("it has ended well");
        set_start_method(StartMethod::Auto);
        time
    });
    contest.enter("processing, until the worker is reaped", || {
        timed(|| {
            let worker = Double { number: 21 }.start().expect("it starts");
            worker.wait().expect("it ends well");
            assert_eq!(worker.result().expect("it has ended well"), 42);
        })
        .1
    });
    contest.peer("procspawn, join (reaps)", || {
        let call = || procspawn::spawn(21, |number: u64| 2 * number).join();
        let (answer, time) = timed(call);
        assert_eq!(answer.expect("it ends well"), 42);
        time
    });
    contest.peer("ipc-channel, one-shot server", || {
        let ((answer, mut child), time) = timed(|| {
            let (server, name) = IpcOneShotServer::<u64>::new().expect("a server");
            let child = again(&name).spawn().expect("it starts");
            let (_receiver, answer) = server.accept().expect("it connects");
            (answer, child)
        });
        assert!(child.wait().expect("it ends").success());
        assert_eq!(answer, 42);
        time
    });
    contest.peer("std::process, its output (reaps)", || {
        let (output, time) = timed(|| again("pipe").stdout(Stdio::piped()).output().expect("it ends"));
        assert_eq!(output.stdout, b"42\n");
        time
    });
    print!("{}", contest.run());
    for method in [StartMethod::ForkServer, StartMethod::Exec] {
        set_start_method(method);
        println!(
            "  an idle worker by {method:?} needs {} KiB (Pss, one of {CROWD})",
            pss_of_an_idle_worker()
        );
    }
}

/// How many wait at once, to see what one of them needs.
const CROWD: u64 = 50;

#[skprocess]
struct Idle {}

#[skprocess]
impl Idle {
    fn run(&mut self) -> Result<(), ListenError> {
        self.listen::<u64>(None).map(|_| ())
    }
    fn prerun(&mut self) -> Result<(), TellError> {
        self.tell(&0_u64)
    }
}

fn pss_of_an_idle_worker() -> u64 {
    let workers: Vec<_> = (0..CROWD).map(|_| Idle {}.start().expect("it starts")).collect();
    workers.iter().for_each(|worker| assert_eq!(worker.listen::<u64>(None).expect("it waits"), Some(0)));
    let pss = |pid: u32| {
        let text = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).expect("its memory");
        let line = text.lines().find_map(|line| line.strip_prefix("Pss:")).expect("a line");
        line.trim_end_matches("kB").trim().parse::<u64>().expect("a number")
    };
    workers.iter().map(|worker| pss(worker.pid())).sum::<u64>() / CROWD
}

/// This program, once more.
fn again(child: &str) -> Command {
    let mut command = Command::new("/proc/self/exe");
    command.env(CHILD, child);
    command
}
