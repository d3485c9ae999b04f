//! How fast two processes can talk: a ball that goes back and forth through a pipe, and then as much as fits.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use processing::prelude::*;
use processing::{Anchor, Pipe, PipeError, Point};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
enum Ball {
    /// To be sent back as it is.
    Play(Vec<u8>),
    /// So many more follow; only the last one is answered.
    Flood(u64),
}

#[skprocess(runs = 1)]
struct Player {
    pipe: Point<Ball, Vec<u8>>,
}

#[skprocess]
impl Player {
    fn run(&mut self) -> Result<(), PipeError> {
        let mut to_come = 0;
        // Ends when the anchor is gone.
        for ball in self.pipe.iter() {
            match ball? {
                Ball::Flood(count) => to_come = count,
                Ball::Play(bytes) => {
                    to_come = u64::saturating_sub(to_come, 1);
                    if to_come == 0 {
                        self.pipe.send(&bytes)?;
                    }
                }
            }
        }
        Ok(())
    }
}

/// How long each measurement takes.
const WHILE: Duration = Duration::from_millis(300);

/// Each round trip on its own; returns how long one takes.
fn ping_pong(anchor: &Anchor<Ball, Vec<u8>>, size: usize) -> anyhow::Result<Duration> {
    let mut times = Vec::new();
    let ball = Ball::Play(vec![7; size]);
    let start = Instant::now();
    while start.elapsed() < WHILE {
        let begin = Instant::now();
        anchor.send(&ball)?;
        let back = anchor.recv_timeout(Duration::from_secs(10))?;
        times.push(begin.elapsed());
        anyhow::ensure!(back.len() == size, "{} bytes came back", back.len());
    }
    times.sort();
    let middle = *times.get(times.len() / 2).context("no rounds")?;
    println!("{size:>9} bytes there and back: {middle:>10.2?} ({} rounds)", times.len());
    Ok(middle)
}

/// One way, without waiting for each.
fn flood(anchor: &Anchor<Ball, Vec<u8>>, size: usize, count: u64) -> anyhow::Result<()> {
    let ball = Ball::Play(vec![7; size]);
    let begin = Instant::now();
    anchor.send(&Ball::Flood(count))?;
    for _ in 0..count {
        anchor.send(&ball)?;
    }
    anchor.recv_timeout(Duration::from_secs(10))?;
    let seconds = begin.elapsed().as_secs_f64();
    let (messages, megabytes) = (count as f64 / seconds, count as f64 * size as f64 / seconds / 1e6);
    println!("{size:>9} bytes one way: {messages:>10.0} messages and {megabytes:>6.0} MB a second");
    Ok(())
}

fn main() -> anyhow::Result<()> {
    let (anchor, point) = Pipe::pair()?;
    let player = Player { pipe: point }.start()?;
    for size in [8, 1 << 10, 64 << 10, 1 << 20] {
        let round = ping_pong(&anchor, size)?;
        flood(&anchor, size, (WHILE.as_nanos() / round.as_nanos().max(1)) as u64 + 1)?;
    }
    drop(anchor);
    player.wait()?;
    Ok(())
}
