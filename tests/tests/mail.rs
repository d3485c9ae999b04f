//! `tell` and `listen` when there is much to say: full rings, sides that do not listen, and sides that are killed.
#![allow(clippy::unwrap_used, reason = "a hook of a test is a part of the test")]

#[cfg(target_os = "linux")]
use std::process::{Command, Stdio};
use std::time::Duration;

use processing::prelude::*;
use processing::{Context, Nothing, Pipe, Point, Share};
use serde::{Deserialize, Serialize};
use tests::processes::watch;
use tests::watchdog;
#[cfg(target_os = "linux")]
use tests::{LONGEST, driver::Driver, processes};

#[derive(Debug, Serialize, Deserialize)]
enum Item {
    Number(u64),
    Bytes(Vec<u8>),
    Share(Share<u64>),
}

/// Bytes that say which they are, from the first to the last.
fn bytes(number: u64, size: usize) -> Vec<u8> {
    let mut bytes = number.to_le_bytes().to_vec();
    bytes.resize(8 + size, number as u8);
    bytes
}

/// A size that is different for each, mostly small, and at times more than a ring holds.
fn size(number: u64) -> usize {
    let most = [10, 2_000, 100, 20_000, 10, 700, 400_000, 20][(number % 8) as usize];
    (number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40) as usize % most
}

/// Tells so many messages, and ends.
#[skprocess(runs = 1)]
struct Chatterbox {
    count: u64,
}

#[skprocess]
impl Chatterbox {
    fn run(&mut self) -> anyhow::Result<()> {
        (0..self.count).try_for_each(|number| self.tell(&bytes(number, size(number))))?;
        Ok(())
    }
}

#[test]
fn whoever_is_not_listened_to_goes_on() {
    let _watchdog = watchdog();
    const COUNT: u64 = 500;
    let worker = Chatterbox { count: COUNT }.start().unwrap();
    // Nobody has listened yet when it is over, and all of it is many times what the ring holds.
    worker.wait().unwrap();
    for number in 0..COUNT {
        assert!(worker.listen::<Vec<u8>>(None).unwrap().unwrap() == bytes(number, size(number)), "{number}");
    }
    assert!(matches!(worker.listen::<Vec<u8>>(None), Err(ListenError::Ended { cause: None, .. })));
}

/// Tells so many messages of a mebibyte each, and says what the last one was.
#[skprocess(runs = 1)]
struct Flood {
    count: u64,
}

#[skprocess]
impl Flood {
    fn run(&mut self) -> anyhow::Result<()> {
        (0..self.count).try_for_each(|number| self.tell(&bytes(number, 1 << 20)))?;
        Ok(())
    }
}

#[cfg(target_os = "linux")]
#[test]
fn what_nobody_listens_to_takes_bounded_memory() {
    let _watchdog = watchdog();
    const COUNT: u64 = 300;
    let own = std::process::id();
    let before = processes::status(own, "VmRSS").unwrap();
    let worker = Flood { count: COUNT }.start().unwrap();
    // It is not held up, though nobody listens.
    worker.wait().unwrap();
    let grown = processes::status(own, "VmRSS").unwrap().saturating_sub(before);
    // In kilobytes. Other tests of this process have some of it.
    assert!(grown < 150 << 10, "{grown} KB more for {COUNT} MiB that nobody listens to");
    for number in 0..COUNT {
        assert!(worker.listen::<Vec<u8>>(None).unwrap().unwrap() == bytes(number, 1 << 20), "{number}");
    }
    assert!(worker.listen::<Vec<u8>>(None).is_err());
}

/// Listens to so many messages once it has been let, and says how much that was.
#[skprocess(runs = 1)]
struct Latecomer {
    count: u64,
    let_go: Point<(), Nothing>,
}

#[skprocess]
impl Latecomer {
    fn run(&mut self) -> anyhow::Result<()> {
        self.let_go.recv()?;
        for number in 0..self.count {
            let heard = self.listen::<Vec<u8>>(None)?;
            anyhow::ensure!(heard == Some(bytes(number, size(number))), "{number} is another one");
        }
        Ok(())
    }
}

#[test]
fn whoever_does_not_listen_holds_nobody_up() {
    let _watchdog = watchdog();
    const COUNT: u64 = 500;
    let (anchor, let_go) = Pipe::one_way().unwrap();
    let worker = Latecomer { count: COUNT, let_go }.start().unwrap();
    (0..COUNT).for_each(|number| worker.tell(&bytes(number, size(number))).unwrap());
    anchor.send(&()).unwrap();
    worker.wait().unwrap();
}

/// Listens to so many messages of a mebibyte each once it has been let; the first worker of it dies half way.
#[skprocess(runs = 1)]
struct Heedless {
    count: u64,
    let_go: Point<(), Nothing>,
    dies: bool,
}

#[skprocess]
impl Heedless {
    fn run(&mut self) -> anyhow::Result<()> {
        self.let_go.recv()?;
        let is_first = self.lives_left() > 1;
        for number in 0..self.count {
            let heard = self.listen::<Vec<u8>>(None)?;
            anyhow::ensure!(heard == Some(bytes(number, 1 << 20)), "{number} is another one");
            if self.dies && is_first && number == self.count / 2 {
                std::process::abort();
            }
        }
        Ok(())
    }
}

#[cfg(target_os = "linux")]
#[test]
fn what_a_worker_does_not_listen_to_takes_bounded_memory() {
    let _watchdog = watchdog();
    const COUNT: u64 = 200;
    let own = std::process::id();
    for (lives, dies) in [(1, false), (3, true)] {
        let before = processes::status(own, "VmRSS").unwrap();
        let (anchor, let_go) = Pipe::one_way().unwrap();
        let worker = Heedless { count: COUNT, let_go, dies }.configure(|config| config.lives(lives));
        let worker = worker.start().unwrap();
        (0..COUNT).for_each(|number| worker.tell(&bytes(number, 1 << 20)).unwrap());
        let grown = processes::status(own, "VmRSS").unwrap().saturating_sub(before);
        // In kilobytes. Other tests of this process have some of it.
        assert!(grown < 120 << 10, "{grown} KB more for {COUNT} MiB that a worker does not listen to");
        (0..=u32::from(dies)).for_each(|_| anchor.send(&()).unwrap());
        worker.wait().unwrap();
        assert_eq!(worker.lives_left(), if dies { 1 } else { 0 });
    }
}

#[cfg(target_os = "linux")]
#[test]
fn where_there_is_no_room_to_keep_more_telling_is_an_error() {
    let _watchdog = watchdog();
    let parent = env!("CARGO_BIN_EXE_parent");
    // It may write files of 24 MiB.
    let mut program = Driver::start(Command::new(parent).arg("overflows").stdin(Stdio::piped()));
    let taken = program.numbers();
    assert!(taken.len() == 3 && taken.iter().all(|mebibytes| (50..70).contains(mebibytes)), "{taken:?}");
    assert!(processes::status(program.pid(), "VmHWM").unwrap() < 150 << 10);
}

/// Sends back what it hears, on two threads; shares come back with one added.
#[skprocess(runs = 1)]
struct Echo {
    threads: u32,
    count: u64,
}

fn echo(count: u64) {
    let process = Context::current().unwrap();
    for _ in 0..count {
        let item = process.listen::<Item>(None).unwrap().unwrap();
        if let Item::Share(share) = &item {
            share.add(1);
        }
        process.tell(&item).unwrap();
    }
}

#[skprocess]
impl Echo {
    fn run(&mut self) {
        let (threads, each) = (u64::from(self.threads), self.count / u64::from(self.threads));
        let threads: Vec<_> = (0..threads).map(|_| std::thread::spawn(move || echo(each))).collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
    }
}

#[test]
fn handles_keep_their_place_among_other_messages() {
    let _watchdog = watchdog();
    const COUNT: u64 = 400;
    let worker = Echo { threads: 1, count: COUNT }.start().unwrap();
    let share = Share::new(0_u64).unwrap();
    for number in 0..COUNT {
        worker
            .tell(&match number % 4 {
                0 => Item::Share(share.clone()),
                1 => Item::Bytes(bytes(number, size(number))),
                _ => Item::Number(number),
            })
            .unwrap();
    }
    for number in 0..COUNT {
        match (number % 4, worker.listen::<Item>(None).unwrap().unwrap()) {
            (0, Item::Share(back)) => assert!(back.get() > number / 4),
            (1, Item::Bytes(back)) => assert!(back == bytes(number, size(number))),
            (_, Item::Number(back)) => assert_eq!(back, number),
            (_, other) => panic!("{number} came back as {other:?}"),
        }
    }
    worker.wait().unwrap();
    assert_eq!(share.get(), COUNT / 4);
}

#[test]
fn two_threads_on_each_side_share_the_messages() {
    let _watchdog = watchdog();
    const EACH: u64 = 1_500;
    let worker = Echo { threads: 2, count: 2 * EACH }.start().unwrap();
    let mut heard: Vec<u64> = std::thread::scope(|scope| {
        let worker = &worker;
        for side in 0..2 {
            scope.spawn(move || {
                for number in (side..2 * EACH).step_by(2) {
                    let large = number % 100 < 2;
                    let item = if large { Item::Bytes(bytes(number, 280_000)) } else { Item::Number(number) };
                    worker.tell(&item).unwrap();
                }
            });
        }
        let listeners: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(move || {
                    let one = |_| match worker.listen::<Item>(None).unwrap().unwrap() {
                        Item::Number(number) => Some(number),
                        _ => None,
                    };
                    (0..EACH).filter_map(one).collect::<Vec<_>>()
                })
            })
            .collect();
        listeners.into_iter().flat_map(|listener| listener.join().unwrap()).collect()
    });
    worker.wait().unwrap();
    heard.sort_unstable();
    assert_eq!(heard, (0..2 * EACH).filter(|number| number % 100 >= 2).collect::<Vec<_>>());
}

#[test]
fn a_worker_killed_in_the_midst_of_a_message_leaves_whole_ones() {
    let _watchdog = watchdog();
    for round in 0..40 {
        let worker = Chatterbox { count: u64::MAX }.start().unwrap();
        let mut heard = 0;
        loop {
            match worker.listen::<Vec<u8>>(None) {
                Ok(Some(message)) => assert!(message == bytes(heard, size(heard)), "{heard} of {round}"),
                Ok(None) => unreachable!("no end of time"),
                Err(ListenError::Ended { cause, .. }) => {
                    assert!(cause.unwrap().is_crash());
                    break;
                }
                Err(error) => panic!("{heard} of {round}: {error}"),
            }
            heard += 1;
            if heard == 5 + round {
                assert!(watch(worker.pid()).kill());
            }
        }
    }
}

/// Adds up what it hears, says what it came to, and keeps it.
#[skprocess]
struct Adder {
    heard: u64,
}

#[skprocess]
impl Adder {
    fn run(&mut self) -> anyhow::Result<()> {
        if let Some(message) = self.listen::<Vec<u8>>(None)? {
            anyhow::ensure!(message == bytes(self.heard, size(self.heard)), "{} is another one", self.heard);
            self.heard += 1;
            self.tell(&(self.heard, message))?;
        }
        Ok(())
    }
    fn result(&mut self) -> u64 {
        self.heard
    }
}

#[test]
fn kills_at_any_moment_lose_no_message_of_any_size() {
    let _watchdog = watchdog();
    const KILLS: u32 = 100;
    let worker = Adder { heard: 0 }.configure(|config| config.lives(u32::MAX)).start().unwrap();
    let (mut told, mut kills, mut chance) = (0, 0, 7_u32);
    while kills < KILLS {
        chance = chance.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        for _ in 0..chance >> 28 {
            worker.tell(&bytes(told, size(told))).unwrap();
            told += 1;
        }
        std::thread::sleep(Duration::from_micros(u64::from(chance >> 8) % 5000));
        kills += u32::from(watch(worker.pid()).kill());
    }
    // Each is answered at least once, and the answers of one worker are in order.
    let (mut next, mut answers) = (1, 0_u64);
    while next <= told {
        let (number, message) = worker.listen::<(u64, Vec<u8>)>(None).unwrap().unwrap();
        assert!(message == bytes(number - 1, size(number - 1)), "the answer to {number}");
        assert!(number <= next, "an answer to {next} is missing");
        next = number + 1;
        answers += 1;
    }
    assert!(answers >= told);
    worker.stop();
    assert_eq!(worker.result().unwrap(), told);
}

#[cfg(target_os = "linux")]
#[test]
fn a_worker_that_waits_for_room_ends_with_its_program() {
    let _watchdog = watchdog();
    let parent = env!("CARGO_BIN_EXE_parent");
    let mut program = Driver::start(Command::new(parent).arg("drowns").stdin(Stdio::piped()));
    let workers: Vec<_> = program.numbers().into_iter().map(watch).collect();
    assert_eq!(workers.len(), 2);
    processes::signal(program.pid(), rustix::process::Signal::STOP);
    for worker in &workers {
        // It tells without end, so it sleeps when there is no room any more.
        while !processes::is_asleep(worker.pid) {
            std::thread::yield_now();
        }
    }
    processes::kill(program.pid());
    for worker in workers {
        assert!(worker.ends_within(LONGEST), "worker {} is left", worker.pid);
    }
}
