//! `tell` and `listen`, both ways, and what becomes of messages when a side ends.
#![allow(clippy::unwrap_used, reason = "a hook of a test is a part of the test")]

use std::time::{Duration, Instant};

use processing::prelude::*;
use processing::{Context, Stream};
use serde::{Deserialize, Serialize, Serializer};
use tests::deeds::Deed;
use tests::{Marks, TempDir, watchdog};

const SHORT: Duration = Duration::from_millis(100);

#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum Order {
    Echo(u64),
    Burst(u64),
    Bytes(Vec<u8>),
    Text(String),
    Mixed,
    Threads(u64),
    ListenFor(Duration),
    Wait,
    Sleep,
    Commit(Deed),
}

/// Does what it is told.
#[skprocess]
struct Clerk {
    marks: Option<Marks>,
}

#[skprocess]
impl Clerk {
    fn run(&mut self) -> anyhow::Result<()> {
        let Some(order) = self.listen::<Order>(None)? else { return Ok(()) };
        match order {
            Order::Echo(number) => self.tell(&number)?,
            Order::Burst(count) => (0..count).try_for_each(|number| self.tell(&number))?,
            Order::Bytes(mut bytes) => {
                bytes.reverse();
                self.tell(&bytes)?;
            }
            Order::Text(text) => self.tell(&(text + "!"))?,
            Order::Mixed => {
                self.tell(&1_u64)?;
                self.tell("two")?;
                self.tell(&vec![3_u8, 3, 3])?;
                self.tell(&Some(4_i32))?;
            }
            Order::Threads(count) => threads(count),
            Order::ListenFor(time) => {
                let begin = Instant::now();
                let heard = self.listen::<Order>(time)?;
                self.tell(&(heard.is_none(), begin.elapsed()))?;
            }
            Order::Wait => {
                self.tell("waiting")?;
                let heard = self.listen::<Order>(None)?;
                if let Some(marks) = &self.marks {
                    marks.add(format!("heard {}", heard.is_some()));
                }
            }
            Order::Sleep => {
                self.tell("asleep")?;
                std::thread::sleep(Duration::from_secs(3600));
            }
            Order::Commit(deed) => deed.commit()?,
        }
        Ok(())
    }
}

/// Each thread hears one message, tells it back, and one of them asks for the end.
fn threads(count: u64) {
    let threads: Vec<_> = (0..count)
        .map(|_| {
            std::thread::spawn(|| {
                let process = Context::current().unwrap();
                let number = process.listen::<u64>(None).unwrap().unwrap();
                process.tell(&number).unwrap();
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    std::thread::spawn(|| Context::current().unwrap().stop()).join().unwrap();
}

fn clerk() -> Handle<Clerk> {
    Clerk { marks: None }.configure(|config| config.stderr(Stream::Capture)).start().unwrap()
}

#[test]
fn messages_keep_their_order_both_ways() {
    let _watchdog = watchdog();
    let worker = clerk();
    for number in 0..1000 {
        worker.tell(&Order::Echo(number)).unwrap();
    }
    for number in 0..1000 {
        assert_eq!(worker.listen::<u64>(None).unwrap(), Some(number));
    }
    worker.stop();
    worker.wait().unwrap();
}

#[test]
fn a_message_of_another_type_is_not_lost_and_the_next_one_is_next() {
    let _watchdog = watchdog();
    let worker = clerk();
    worker.tell(&Order::Mixed).unwrap();
    let Err(ListenError::WrongType(unread)) = worker.listen::<String>(None) else { panic!("it is a number") };
    assert!(unread.found().contains("u64") && unread.expected().contains("String"), "{unread:?}");
    assert_eq!(unread.read::<u64>().unwrap(), 1);
    assert_eq!(worker.listen::<String>(None).unwrap().as_deref(), Some("two"));
    let Err(ListenError::WrongType(unread)) = worker.listen::<u64>(None) else { panic!("it is a list") };
    assert!(unread.read::<String>().is_err());
    assert_eq!(worker.listen::<Option<i32>>(None).unwrap(), Some(Some(4)));
}

#[test]
fn a_worker_that_hears_another_type_has_an_error_and_lives_on() {
    let _watchdog = watchdog();
    let worker = Clerk { marks: None }.configure(|config| config.lives(2)).start().unwrap();
    worker.tell("no order").unwrap();
    worker.tell(&Order::Echo(7)).unwrap();
    assert_eq!(worker.listen::<u64>(None).unwrap(), Some(7));
    assert_eq!(worker.lives_left(), 0);
}

#[test]
fn listening_to_nobody_takes_its_time_and_hears_nothing() {
    let _watchdog = watchdog();
    let worker = clerk();
    let begin = Instant::now();
    assert_eq!(worker.listen::<u64>(SHORT).unwrap(), None);
    assert!(begin.elapsed() >= SHORT);
    assert_eq!(worker.listen::<u64>(Duration::ZERO).unwrap(), None, "zero only looks");
    worker.tell(&Order::ListenFor(SHORT)).unwrap();
    let (nothing, took) = worker.listen::<(bool, Duration)>(None).unwrap().unwrap();
    assert!(nothing && took >= SHORT);
}

#[test]
fn a_told_none_is_a_message() {
    let _watchdog = watchdog();
    #[skprocess(runs = 1)]
    struct Nothing;
    #[skprocess]
    impl Nothing {
        fn run(&mut self) -> Result<(), TellError> {
            self.tell(&None::<u8>)
        }
    }
    assert_eq!(Nothing.start().unwrap().listen::<Option<u8>>(None).unwrap(), Some(None));
}

#[test]
fn a_stop_wakes_a_listening_worker() {
    let _watchdog = watchdog();
    let dir = TempDir::new();
    let worker = Clerk { marks: Some(dir.marks()) }.start().unwrap();
    worker.tell(&Order::Wait).unwrap();
    assert_eq!(worker.listen::<String>(None).unwrap().as_deref(), Some("waiting"));
    worker.stop();
    worker.wait().unwrap();
    assert_eq!(dir.marks().read(), ["heard false"]);
}

/// Listens, in a thread, to a worker that has nothing to say until this brings about its end.
fn listen_until(worker: &Handle<Clerk>, end: impl FnOnce()) -> ListenError {
    let listening = worker.background().listen::<u64>(None);
    assert!(!listening.is_done());
    end();
    let heard = listening.wait();
    heard.unwrap_err()
}

#[test]
fn an_end_wakes_a_listening_parent() {
    let _watchdog = watchdog();
    let cause = |error: ListenError| match error {
        ListenError::Ended { cause, .. } => cause,
        other => panic!("{other:?}"),
    };
    let stopped = clerk();
    assert!(cause(listen_until(&stopped, || stopped.stop())).is_none(), "it ended well");
    let killed = clerk();
    assert!(cause(listen_until(&killed, || killed.kill())).unwrap().is_killed());
    for deed in [Deed::ExitZero, Deed::Abort, Deed::Sigkill] {
        let dying = clerk();
        let died = listen_until(&dying, || dying.tell(&Order::Commit(deed)).unwrap());
        assert!(cause(died).unwrap().is_crash());
    }
    let erring = clerk();
    let erred = listen_until(&erring, || erring.tell(&Order::Commit(Deed::Io)).unwrap());
    assert_eq!(cause(erred).unwrap().message(), Some("the disk is on fire"));
}

#[test]
fn telling_the_dead_is_an_error() {
    let _watchdog = watchdog();
    let worker = clerk();
    worker.stop();
    worker.wait().unwrap();
    assert!(matches!(worker.tell(&1), Err(TellError::Ended { .. })));
    assert!(matches!(worker.listen::<u64>(None), Err(ListenError::Ended { cause: None, .. })));
}

#[test]
fn unread_messages_are_in_nobodys_way() {
    let _watchdog = watchdog();
    const MANY: u64 = 20_000;
    let worker = clerk();
    worker.tell(&Order::Burst(MANY)).unwrap();
    for number in 0..MANY {
        worker.tell(&number).unwrap();
    }
    worker.stop();
    worker.result().unwrap_or_else(|error| assert_eq!(error.phase(), Some(Phase::Run)));
    let mut heard = 0;
    while let Ok(Some(number)) = worker.listen::<u64>(None) {
        assert_eq!(number, heard);
        heard += 1;
    }
    // A stop that was quicker than the first order leaves nothing to be told.
    assert!(heard == MANY || heard == 0, "{heard}");
}

#[test]
fn what_was_told_before_a_crash_still_arrives() {
    let _watchdog = watchdog();
    for deed in [Deed::Sigkill, Deed::Abort, Deed::ExitZero, Deed::PanicStr] {
        let worker = clerk();
        worker.tell(&Order::Burst(5000)).unwrap();
        worker.tell(&Order::Commit(deed)).unwrap();
        assert!(worker.wait().is_err());
        for number in 0..5000 {
            assert_eq!(worker.listen::<u64>(None).unwrap(), Some(number), "{deed:?}");
        }
        assert!(matches!(worker.listen::<u64>(None), Err(ListenError::Ended { cause: Some(_), .. })));
    }
}

/// 64 MiB that are not all the same.
fn large_text() -> String {
    let line: String = ('a'..='z').cycle().take(4093).collect();
    let mut text = line.repeat((64 << 20) / line.len() + 1);
    text.truncate(64 << 20);
    text
}

#[test]
fn a_large_message_passes_both_ways() {
    let _watchdog = watchdog();
    let worker = clerk();
    let text = large_text();
    worker.tell(&Order::Text(text.clone())).unwrap();
    let answer = worker.listen::<String>(None).unwrap().unwrap();
    assert!(answer.strip_suffix('!') == Some(&text));
}

#[test]
fn bytes_pass_both_ways() {
    let _watchdog = watchdog();
    let worker = clerk();
    // Around the size from which they go by shared memory, and well above.
    for size in [0, 1, 65_500, 65_536, 65_600, 1 << 20] {
        let mut bytes: Vec<u8> = (0..size).map(|number: u32| (number % 251) as u8).collect();
        worker.tell(&Order::Bytes(bytes.clone())).unwrap();
        let answer = worker.listen::<Vec<u8>>(None).unwrap().unwrap();
        bytes.reverse();
        assert!(answer == bytes, "{size}");
    }
}

/// Carries its text through the constructor's state, the checkpoint and the result.
#[skprocess(runs = 1)]
struct Carrier {
    text: String,
}

#[skprocess]
impl Carrier {
    fn run(&mut self) {
        self.text.push('!');
    }
    fn result(&mut self) -> String {
        std::mem::take(&mut self.text)
    }
}

#[test]
fn a_large_state_passes_and_a_large_result_returns() {
    let _watchdog = watchdog();
    for lives in [1, 2] {
        let text = large_text();
        let carrier = Carrier { text: text.clone() }.configure(|config| config.lives(lives));
        let answer = carrier.run().unwrap();
        assert!(answer.strip_suffix('!') == Some(&text));
    }
}

#[test]
fn any_thread_of_a_worker_can_talk_and_stop() {
    let _watchdog = watchdog();
    let worker = clerk();
    worker.tell(&Order::Threads(4)).unwrap();
    (0..4_u64).for_each(|number| worker.tell(&number).unwrap());
    let mut heard: Vec<u64> = (0..4).map(|_| worker.listen(None).unwrap().unwrap()).collect();
    heard.sort_unstable();
    assert_eq!(heard, [0, 1, 2, 3]);
    worker.wait().unwrap();
}

#[test]
fn any_thread_of_a_program_can_use_a_handle() {
    let _watchdog = watchdog();
    let worker = clerk();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..250).for_each(|number| worker.tell(&Order::Echo(number)).unwrap()));
        }
        for _ in 0..4 {
            scope.spawn(|| (0..250).for_each(|_| assert!(worker.listen::<u64>(None).unwrap().is_some())));
        }
    });
    worker.stop();
    worker.wait().unwrap();
}

/// Cannot be encoded.
struct Refuses;

impl Serialize for Refuses {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom("it would rather stay"))
    }
}

#[test]
fn a_value_that_cannot_be_told_harms_nobody() {
    let _watchdog = watchdog();
    let worker = clerk();
    assert!(matches!(worker.tell(&Refuses), Err(TellError::Value(_))));
    worker.tell(&Order::Echo(1)).unwrap();
    assert_eq!(worker.listen::<u64>(None).unwrap(), Some(1));
}
