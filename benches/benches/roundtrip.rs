//! How long for a message to a worker and back?
//!
//! Each neighbour has a process of its own at the other end, which sends back what it receives.
//!
//! `cargo bench --bench roundtrip`, with `-- --quick` for a tenth of the rounds.

mod peers {
    pub(crate) mod ipc;
    pub(crate) mod socket;
}

use benches::{Contest, Side, keep_apart, timed_each};
use peers::{ipc, socket};
use processing::prelude::*;

#[skprocess]
struct Echo {}

#[skprocess]
impl Echo {
    fn run(&mut self) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        // `None` when it is asked to stop.
        if let Some(message) = self.listen::<Vec<u8>>(None)? {
            self.tell(&message)?;
        }
        Ok(())
    }
}

/// Makes the program, started again by hand, a child of the kind that it names.
const CHILD: &str = "BENCH_CHILD";

fn main() {
    if let Ok(kind) = std::env::var(CHILD) {
        keep_apart(Side::There);
        return if kind == "socket" { socket::echo() } else { ipc::echo(&kind) };
    }
    processing::on_worker_start(|| keep_apart(Side::There));
    let echo = Echo {}.start().expect("it starts");
    let typed = ipc::Typed::start();
    let bytes = ipc::Bytes::start();
    let mut stream = socket::Stream::start();
    keep_apart(Side::Here);

    for (size, name, batch) in
        [(8, "8 B", 20), (1 << 10, "1 KiB", 20), (64 << 10, "64 KiB", 5), (1 << 20, "1 MiB", 1)]
    {
        let message: Vec<u8> = (0..size).map(|n: usize| n as u8).collect();
        let mut contest = Contest::new(format!("a message of {name}, there and back")).rounds(200);
        contest.enter("processing, tell and listen", || {
            timed_each(batch, || {
                echo.tell(&message).expect("it lives");
                let back = echo.listen::<Vec<u8>>(None).expect("it lives");
                assert_eq!(back.map(|back| back.len()), Some(size));
            })
        });
        contest.peer("ipc-channel, `IpcSender<Vec<u8>>`", || {
            timed_each(batch, || assert_eq!(typed.round(&message).len(), size))
        });
        contest.peer("ipc-channel, `IpcBytesSender`", || {
            timed_each(batch, || assert_eq!(bytes.round(&message).len(), size))
        });
        contest.floor("std, a socket pair", || {
            timed_each(batch, || assert_eq!(stream.round(&message).len(), size))
        });
        print!("{}", contest.run());
    }
    echo.stop();
    echo.wait().expect("it ends well");
}
