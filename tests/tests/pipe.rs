//! Pipes between processes: both directions, large messages, and ends that die.
#![allow(clippy::unwrap_used, reason = "what tests share is a part of each of them")]
#![forbid(unsafe_code)]

use std::time::Duration;

use processing::prelude::*;
use processing::{Anchor, Nothing, Pipe, Point};
use serde::{Deserialize, Serialize};
use tests::watchdog;

const LONG: Duration = Duration::from_secs(20);

#[derive(Serialize, Deserialize, Debug, PartialEq)]
enum Down {
    Hello(String),
    Bytes(Vec<u8>),
    Bye,
}

#[derive(Serialize, Deserialize, Debug, PartialEq)]
enum Up {
    Hello(String),
    Length(usize),
}

type Error = Box<dyn std::error::Error + Send + Sync>;

/// Answers what comes through its pipe.
#[skprocess(runs = 1)]
struct Answering {
    pipe: Point<Down, Up>,
}

#[skprocess]
impl Answering {
    fn run(&mut self) -> Result<(), Error> {
        for message in self.pipe.iter() {
            match message? {
                Down::Hello(name) => self.pipe.send(&Up::Hello(name.to_uppercase()))?,
                Down::Bytes(bytes) => self.pipe.send(&Up::Length(bytes.len()))?,
                Down::Bye => break,
            }
        }
        Ok(())
    }
}

fn answering() -> (Anchor<Down, Up>, Handle<Answering>) {
    let (anchor, point) = Pipe::pair().expect("memory");
    (anchor, Answering { pipe: point }.start().expect("it starts"))
}

#[test]
fn a_process_and_its_parent_talk() {
    let _watchdog = watchdog();
    let (anchor, process) = answering();
    anchor.send(&Down::Hello("ada".into())).unwrap();
    assert_eq!(anchor.recv_timeout(LONG).unwrap(), Up::Hello("ADA".into()));
    for size in [0, 100, 1 << 20, 20 << 20] {
        anchor.send(&Down::Bytes(vec![7; size])).unwrap();
        assert_eq!(anchor.recv_timeout(LONG).unwrap(), Up::Length(size));
    }
    anchor.send(&Down::Bye).unwrap();
    process.wait().unwrap();
    assert!(anchor.recv_timeout(LONG).unwrap_err().is_disconnected());
}

fn ends_with_its_process(end: impl Fn(u32)) {
    let _watchdog = watchdog();
    let (anchor, process) = answering();
    anchor.send(&Down::Hello("ada".into())).unwrap();
    anchor.recv_timeout(LONG).unwrap();
    end(process.pid());
    assert!(anchor.recv().unwrap_err().is_disconnected());
    assert!(process.wait().is_err());
    assert!(anchor.send(&Down::Bye).unwrap_err().is_disconnected());
}

#[test]
fn the_end_of_a_process_is_the_end_of_its_pipe() {
    ends_with_its_process(tests::processes::kill);
}

#[cfg(target_os = "linux")]
#[test]
fn a_fault_of_a_process_is_the_end_of_its_pipe() {
    ends_with_its_process(|pid| tests::processes::signal(pid, rustix::process::Signal::SEGV));
}

#[test]
fn the_end_of_the_parents_end_is_noticed_by_the_process() {
    let _watchdog = watchdog();
    let (anchor, process) = answering();
    anchor.send(&Down::Hello("ada".into())).unwrap();
    anchor.recv_timeout(LONG).unwrap();
    drop(anchor);
    process.wait().unwrap();
}

/// Hands its point on to a process of its own.
#[skprocess(runs = 1)]
struct Between {
    pipe: Option<Point<Down, Up>>,
    depth: u32,
}

#[skprocess]
impl Between {
    fn run(&mut self) -> Result<(), Error> {
        let pipe = self.pipe.take().ok_or("the pipe is there once")?;
        if self.depth == 0 {
            Answering { pipe }.start()?.wait()?;
        } else {
            Between { pipe: Some(pipe), depth: self.depth - 1 }.start()?.wait()?;
        }
        Ok(())
    }
}

#[test]
fn a_point_goes_down_through_nested_processes() {
    let _watchdog = watchdog();
    let (anchor, point) = Pipe::pair().unwrap();
    let process = Between { pipe: Some(point), depth: 2 }.start().unwrap();
    anchor.send(&Down::Hello("ada".into())).unwrap();
    assert_eq!(anchor.recv_timeout(LONG).unwrap(), Up::Hello("ADA".into()));
    anchor.send(&Down::Bye).unwrap();
    process.wait().unwrap();
    assert!(anchor.recv_timeout(LONG).unwrap_err().is_disconnected());
}

/// Gets the points of a pipe by message, and connects two siblings.
#[skprocess(runs = 1)]
struct Sibling {
    first: bool,
}

#[skprocess]
impl Sibling {
    fn run(&mut self) -> Result<(), Error> {
        if self.first {
            // The anchor stays here; the point goes to the sibling, by way of the parent.
            let (anchor, point) = Pipe::pair::<u64, u64>()?;
            self.tell(&point)?;
            anchor.send(&20)?;
            let answer = anchor.recv_timeout(LONG)?;
            self.tell(&answer)?;
        } else {
            let point: Option<Point<u64, u64>> = self.listen(LONG)?;
            let point = point.ok_or("no point came")?;
            let number = point.recv_timeout(LONG)?;
            point.send(&(number + 1))?;
        }
        Ok(())
    }
}

#[test]
fn siblings_talk_through_a_point_that_was_told() {
    let _watchdog = watchdog();
    let (one, two) = (Sibling { first: true }.start().unwrap(), Sibling { first: false }.start().unwrap());
    let point: Point<u64, u64> = one.listen(LONG).unwrap().unwrap();
    two.tell(&point).unwrap();
    assert!(!point.is_open(), "a point that was told is gone from here");
    assert_eq!(one.listen::<u64>(LONG).unwrap(), Some(21));
    one.wait().unwrap();
    two.wait().unwrap();
}

/// Sends as fast as it can, in one direction.
#[skprocess(runs = 1)]
struct Flood {
    pipe: Point<Nothing, u64>,
    count: u64,
}

#[skprocess]
impl Flood {
    fn run(&mut self) -> Result<(), Error> {
        for number in 0..self.count {
            self.pipe.send(&number)?;
        }
        Ok(())
    }
}

#[test]
fn a_flood_arrives_in_order_and_whole() {
    let _watchdog = watchdog();
    let (anchor, point) = Pipe::pair::<Nothing, u64>().unwrap();
    let process = Flood { pipe: point, count: 200_000 }.start().unwrap();
    let mut expected = 0;
    for number in anchor.iter() {
        assert_eq!(number.unwrap(), expected);
        expected += 1;
    }
    assert_eq!(expected, 200_000);
    process.wait().unwrap();
}

#[test]
fn a_process_killed_in_the_middle_of_a_message_leaves_whole_ones() {
    let _watchdog = watchdog();
    for round in 0..20 {
        let (anchor, point) = Pipe::pair::<Nothing, u64>().unwrap();
        let process = Flood { pipe: point, count: u64::MAX }.start().unwrap();
        let mut expected = 0;
        for number in anchor.iter() {
            assert_eq!(number.unwrap(), expected);
            expected += 1;
            if expected == 1000 + round * 77 {
                tests::processes::kill(process.pid());
            }
        }
        assert!(expected >= 1000);
        assert!(process.wait().is_err());
    }
}

/// Sends messages that are larger than what a pipe holds.
#[skprocess(runs = 1)]
struct Pour {
    pipe: Point<Nothing, Vec<u64>>,
}

#[skprocess]
impl Pour {
    fn run(&mut self) -> Result<(), Error> {
        for number in 0.. {
            self.pipe.send(&vec![u64::MAX - number; 60_000])?;
        }
        Ok(())
    }
}

#[test]
fn a_process_killed_in_the_middle_of_a_large_message_leaves_whole_ones() {
    let _watchdog = watchdog();
    for round in 0..8 {
        let (anchor, point) = Pipe::pair::<Nothing, Vec<u64>>().unwrap();
        let process = Pour { pipe: point }.start().unwrap();
        let mut heard = 0;
        for message in anchor.iter() {
            assert!(message.unwrap() == vec![u64::MAX - heard; 60_000]);
            heard += 1;
            if heard == 1 + round % 4 {
                tests::processes::kill(process.pid());
            }
        }
        assert!(process.wait().is_err());
    }
}

#[test]
fn points_go_through_a_pool() {
    let _watchdog = watchdog();
    let pool = processing::Pool::new(2).unwrap();
    let (anchors, points): (Vec<_>, Vec<_>) = (0..6).map(|_| Pipe::pair::<u32, u32>().unwrap()).unzip();
    for (number, anchor) in anchors.iter().enumerate() {
        anchor.send(&(number as u32)).unwrap();
    }
    fn answer(point: Point<u32, u32>) -> bool {
        point.recv().and_then(|number| point.send(&(number + 100))).is_ok()
    }
    assert_eq!(pool.map(answer, points).unwrap(), [true; 6]);
    for (number, anchor) in anchors.iter().enumerate() {
        assert_eq!(anchor.recv_timeout(LONG).unwrap(), number as u32 + 100);
        assert!(anchor.recv_timeout(LONG).unwrap_err().is_disconnected(), "no copy is left anywhere");
    }
}

/// Answers at every point that comes through its pipe, until there are no more.
#[skprocess(runs = 1)]
struct Switchboard {
    points: Point<Option<Point<u32, u32>>, Nothing>,
}

#[skprocess]
impl Switchboard {
    fn run(&mut self) -> Result<(), Error> {
        while let Some(point) = self.points.recv()? {
            point.send(&(point.recv_timeout(LONG)? + 1))?;
        }
        Ok(())
    }
}

#[test]
fn points_go_through_another_pipe() {
    let _watchdog = watchdog();
    let (courier, points) = Pipe::one_way().unwrap();
    let process = Switchboard { points }.start().unwrap();
    for number in 0..5 {
        let (anchor, point) = Pipe::pair::<u32, u32>().unwrap();
        anchor.send(&number).unwrap();
        courier.send(&Some(point)).unwrap();
        assert_eq!(anchor.recv_timeout(LONG).unwrap(), number + 1);
        assert!(anchor.recv_timeout(LONG).unwrap_err().is_disconnected(), "no copy is left anywhere");
    }
    courier.send(&None).unwrap();
    process.wait().unwrap();
}

/// A point in the state of a process with lives outlasts its worker.
#[skprocess(runs = 1, lives = 3)]
struct Stubborn {
    pipe: Point<u32, u32>,
}

#[skprocess]
impl Stubborn {
    fn run(&mut self) -> Result<(), Error> {
        let number = self.pipe.recv_timeout(LONG)?;
        if number < 2 {
            std::process::abort();
        }
        Ok(self.pipe.send(&number)?)
    }
}

#[test]
fn a_replaced_worker_has_the_same_point() {
    let _watchdog = watchdog();
    let (anchor, point) = Pipe::pair::<u32, u32>().unwrap();
    let process = Stubborn { pipe: point }.start().unwrap();
    for number in 0..3 {
        anchor.send(&number).unwrap();
    }
    assert_eq!(anchor.recv_timeout(LONG).unwrap(), 2);
    process.wait().unwrap();
}
