//! Many processes, many operations, large values, and what is left of them.
#![expect(clippy::unwrap_used, reason = "whatever fails fails its test")]

use std::os::unix::fs::MetadataExt;
use std::sync::{Mutex, PoisonError};

use processing::prelude::*;
use processing::share::{Log, Plain};
use tests::watchdog;

#[derive(Shareable, Default)]
struct State {
    numbers: Vec<u64>,
    names: Vec<String>,
    count: u64,
    log: Log,
}

/// How much memory the shares of this process take, all together.
fn resident() -> u64 {
    let files = std::fs::read_dir("/proc/self/fd").unwrap().flatten().map(|entry| entry.path());
    let shares = files.filter(|path| {
        std::fs::read_link(path)
            .is_ok_and(|target| target.to_string_lossy().contains("memfd:processing-share"))
    });
    shares.filter_map(|path| std::fs::metadata(path).ok()).map(|data| data.blocks() * 512).sum()
}

/// For those tests that look how much memory is taken; what the others have is little.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// Appends so many numbers.
#[skprocess(runs = 1)]
struct Appender {
    share: Share<State>,
    count: u64,
    number: u64,
}

#[skprocess]
impl Appender {
    fn run(&mut self) {
        for index in 0..self.count {
            self.share.numbers.push(index * 100 + self.number);
        }
        self.share.transaction(|state| {
            state.count += 1;
            state.names.push(format!("appender {}", self.number));
            state.log.info(state.count.get());
        });
    }
}

fn append(processes: u64, each: u64) -> Share<State> {
    let share = Share::new(State::default()).unwrap();
    let appenders: Vec<_> = (0..processes)
        .map(|number| Appender { share: share.clone(), count: each, number }.start().unwrap())
        .collect();
    for appender in appenders {
        appender.wait().unwrap();
    }
    let mut next = vec![0; processes as usize];
    for number in share.numbers.to_vec() {
        let (index, who) = (number / 100, number as usize % 100);
        assert_eq!(next[who], index, "those of one process are in its order");
        next[who] += 1;
    }
    assert!(next.iter().all(|&count| count == each));
    share
}

#[test]
fn a_million_appends_are_all_there() {
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let _watchdog = watchdog();
    let share = append(4, 250_000);
    assert!(resident() > 8_000_000);
    share.numbers.clear();
    assert!(resident() < 4 << 20, "{} bytes are left of an empty list", resident());
}

#[test]
fn sixty_four_processes_share_one_state() {
    let _watchdog = watchdog();
    let share = append(64, 50);
    assert_eq!(share.count, 64);
    assert_eq!(share.log.messages(), (1..=64).map(|count| count.to_string()).collect::<Vec<_>>());
    let mut names = share.names.to_vec();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), 64);
}

/// Turns a large value around.
#[skprocess(runs = 1)]
struct Reverser {
    bytes: Share<Vec<u8>>,
    text: Share<Plain<String>>,
}

#[skprocess]
impl Reverser {
    fn run(&mut self) {
        self.bytes.update(|bytes| bytes.reverse());
        self.text.change(|text| text.push('!'));
    }
}

#[test]
fn values_of_64_mebibytes_come_and_go() {
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let _watchdog = watchdog();
    let size = 64 << 20;
    // A list, which can change at any place, is made of 65 536 blocks; that takes its time in code that is not optimised.
    let length = if cfg!(debug_assertions) { size / 8 } else { size };
    let mut bytes = b"not the same from the back".repeat(length / 26 + 1);
    bytes.truncate(length);
    let share = Share::new(Vec::new()).unwrap();
    let text = Share::new(Plain("x".repeat(size))).unwrap();
    share.assign(bytes.clone());
    Reverser { bytes: share.clone(), text: text.clone() }.run().unwrap();
    bytes.reverse();
    assert!(share.to_vec() == bytes);
    assert!(text.get().len() == size + 1 && text.get().ends_with("x!"));
    share.clear();
    text.set(String::new());
    // The text also stands as what it was at first, for `Share::clear`.
    assert!(resident() < 70 << 20, "{} bytes are left", resident());
}

#[test]
fn shares_that_are_gone_leave_nothing() {
    let _watchdog = watchdog();
    let pid = std::process::id();
    let (descriptors, space) = (tests::processes::descriptors(pid), tests::processes::status(pid, "VmSize"));
    for round in 0..2000_u32 {
        let share = Share::new((round, vec![round])).unwrap();
        share.1.push(7);
        assert_eq!(share.clone().snapshot(), (round, vec![round, 7]));
    }
    // Other tests of this process open and close a few.
    assert!(tests::processes::descriptors(pid) < descriptors + 100);
    let grown = tests::processes::status(pid, "VmSize").unwrap().saturating_sub(space.unwrap());
    // In kilobytes; each share takes 64 GiB of addresses.
    assert!(grown < 100 << 26, "{grown} KB more addresses in use");
}
