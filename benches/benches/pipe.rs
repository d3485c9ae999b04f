//! How long through a pipe and back, beside the bare ring under it and ipc-channel?
//!
//! `cargo bench --bench pipe`, with `-- --quick` for a tenth of the rounds. For the same on one core, put `taskset -c 0`
//! in front of it.

mod peers {
    pub(crate) mod ipc;
}

use std::time::Duration;

use benches::{Contest, Side, keep_apart, timed_each};
use peers::ipc;
use processing::__private::BarePipe;
use processing::prelude::*;
use processing::{Pipe, PipeError, Point};

/// Sends back what it receives.
#[skprocess(runs = 1)]
struct Echo {
    pipe: Point<Vec<u8>, Vec<u8>>,
}

#[skprocess]
impl Echo {
    fn run(&mut self) -> Result<(), PipeError> {
        self.pipe.iter().try_for_each(|message| self.pipe.send(&message?))
    }
}

/// The same with integers, which need no memory.
#[skprocess(runs = 1)]
struct Count {
    pipe: Point<u64, u64>,
}

#[skprocess]
impl Count {
    fn run(&mut self) -> Result<(), PipeError> {
        self.pipe.iter().try_for_each(|number| self.pipe.send(&number?))
    }
}

/// The same with the bare ring, up to an empty message.
#[skprocess(runs = 1)]
struct Floor {
    pipe: BarePipe,
}

#[skprocess]
impl Floor {
    fn run(&mut self) {
        let mut message = vec![0];
        while !message.is_empty() {
            self.pipe.recv(&mut message);
            self.pipe.send(&message);
        }
    }
}

/// Makes the program, started again by hand, a child of the kind that it names.
const CHILD: &str = "BENCH_CHILD";

fn main() {
    if let Ok(server) = std::env::var(CHILD) {
        keep_apart(Side::There);
        return ipc::echo(&server);
    }
    processing::on_worker_start(|| keep_apart(Side::There));
    let (anchor, point) = Pipe::pair().expect("memory");
    let echo = Echo { pipe: point }.start().expect("it starts");
    let (numbers, point) = Pipe::pair().expect("memory");
    let count = Count { pipe: point }.start().expect("it starts");
    let bare = BarePipe::new();
    let floor = Floor { pipe: processing::cucumber::encode(&bare).map(again).expect("it crosses") };
    let floor = floor.start().expect("it starts");
    let typed = ipc::Typed::start();
    let bytes = ipc::Bytes::start();
    keep_apart(Side::Here);

    for (size, name, batch) in
        [(8, "8 B", 200), (1 << 10, "1 KiB", 200), (64 << 10, "64 KiB", 10), (1 << 20, "1 MiB", 2)]
    {
        let message: Vec<u8> = (0..size).map(|n: usize| n as u8).collect();
        let mut back = Vec::new();
        let mut contest = Contest::new(format!("{name}, there and back")).rounds(300);
        contest.floor("bare ring: spin, yield, futex", || {
            awake(batch, || {
                bare.send(&message);
                bare.recv(&mut back);
                assert_eq!(back.len(), size);
            })
        });
        contest.enter("pipe, `Vec<u8>`", || {
            awake(batch, || {
                anchor.send(&message).expect("it lives");
                assert_eq!(anchor.recv().expect("it lives").len(), size);
            })
        });
        if size == 8 {
            contest.enter("pipe, `u64`", || {
                awake(batch, || {
                    numbers.send(&7).expect("it lives");
                    assert_eq!(numbers.recv().expect("it lives"), 7);
                })
            });
        }
        contest.peer("ipc-channel, `IpcSender<Vec<u8>>`", || {
            awake(batch.div_ceil(10), || assert_eq!(typed.round(&message).len(), size))
        });
        contest.peer("ipc-channel, `IpcBytesSender`", || {
            awake(batch.div_ceil(10), || assert_eq!(bytes.round(&message).len(), size))
        });
        print!("{}", contest.run());
    }
    bare.send(&[]);
    floor.wait().expect("it ends well");
    drop((anchor, numbers));
    echo.wait().expect("it ends well");
    count.wait().expect("it ends well");
}

/// How long each round takes once both sides are awake: what wakes them up is not counted.
fn awake(times: u32, mut round: impl FnMut()) -> Duration {
    round();
    timed_each(times, round)
}

/// The other end of a bare ring.
fn again(encoded: processing::cucumber::Encoded) -> BarePipe {
    processing::cucumber::decode(&encoded.bytes, encoded.attachments).expect("it crosses")
}
