//! `timeout`, `asynced` and `background`, in every combination, over every call.
#![allow(clippy::unwrap_used, reason = "a hook of a test is a part of the test")]

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;
use std::time::{Duration, Instant};

use processing::prelude::*;
use processing::{Pipe, PipeError, Point};
use tests::processes::watch;
use tests::{LONGEST, watchdog};

const SHORT: Duration = Duration::from_millis(60);
const LONG: Duration = LONGEST;

/// The smallest executor there is.
fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(value) => return value,
            Poll::Pending => std::thread::park(),
        }
    }
}

/// Answers each number with its double, until it hears 0.
#[skprocess]
struct Doubler {
    answered: u64,
}

#[skprocess]
impl Doubler {
    fn run(&mut self) -> anyhow::Result<()> {
        match self.listen::<u64>(None)? {
            None | Some(0) => self.stop(),
            Some(number) => {
                self.tell(&(number * 2))?;
                self.answered += 1;
            }
        }
        Ok(())
    }
    fn result(&mut self) -> u64 {
        self.answered
    }
}

fn doubler() -> Handle<Doubler> {
    Doubler { answered: 0 }.start().unwrap()
}

fn is_not_yet<T: std::fmt::Debug>(result: Result<T, ProcessError>) {
    let error = result.unwrap_err();
    assert!(matches!(error, ProcessError::NotYet { limit: SHORT }), "{error:?}");
    assert!(error.is_timeout());
}

#[test]
fn a_call_that_takes_too_long_leaves_the_process_running() {
    let _watchdog = watchdog();
    let worker = doubler();
    let begin = Instant::now();
    is_not_yet(worker.timeout(SHORT).result());
    is_not_yet(worker.timeout(SHORT).wait());
    is_not_yet(worker.timeout(SHORT).background().result().wait());
    is_not_yet(worker.background().timeout(SHORT).wait().wait());
    is_not_yet(block_on(worker.timeout(SHORT).asynced().result()));
    is_not_yet(block_on(worker.asynced().timeout(SHORT).wait()));
    assert!(begin.elapsed() >= SHORT * 6);
    assert!(worker.is_alive());
    worker.tell(&4_u64).unwrap();
    assert_eq!(worker.listen::<u64>(None).unwrap(), Some(8));
    worker.tell(&0_u64).unwrap();
    assert_eq!(worker.timeout(LONG).result().unwrap(), 1);
}

#[test]
fn every_modifier_brings_the_result() {
    let _watchdog = watchdog();
    let worker = doubler();
    let in_background = worker.background().result();
    let limited = worker.background().timeout(LONG).wait();
    assert!(!in_background.is_done());
    worker.tell(&0_u64).unwrap();
    assert_eq!(in_background.wait().unwrap(), 0);
    limited.wait().unwrap();
    assert_eq!(worker.timeout(LONG).result().unwrap(), 0);
    worker.timeout(LONG).wait().unwrap();
    assert_eq!(block_on(worker.asynced().result()).unwrap(), 0);
    assert_eq!(block_on(worker.timeout(LONG).asynced().result()).unwrap(), 0);
    block_on(worker.asynced().wait()).unwrap();
    block_on(worker.background().wait()).unwrap();
}

#[test]
fn every_modifier_listens() {
    let _watchdog = watchdog();
    let worker = doubler();
    let heard = worker.background().listen::<u64>(None);
    worker.tell(&1_u64).unwrap();
    assert_eq!(heard.wait().unwrap(), Some(2));
    let heard = worker.asynced().listen::<u64>(None);
    worker.tell(&2_u64).unwrap();
    assert_eq!(block_on(heard).unwrap(), Some(4));
    let begin = Instant::now();
    assert_eq!(block_on(worker.asynced().listen::<u64>(SHORT)).unwrap(), None);
    assert_eq!(worker.background().listen::<u64>(SHORT).wait().unwrap(), None);
    assert!(begin.elapsed() >= SHORT * 2);
}

#[test]
fn a_dropped_future_loses_no_message() {
    let _watchdog = watchdog();
    let worker = doubler();
    {
        let mut listening = pin!(worker.asynced().listen::<u64>(None));
        let mut cx = Context::from_waker(Waker::noop());
        assert!(listening.as_mut().poll(&mut cx).is_pending());
        worker.tell(&1_u64).unwrap();
    }
    assert_eq!(worker.listen::<u64>(None).unwrap(), Some(2));
}

#[test]
fn a_background_call_can_be_waited_for_a_while() {
    let _watchdog = watchdog();
    let worker = doubler();
    let begin = Instant::now();
    let waiting = worker.background().result().wait_timeout(SHORT).unwrap_err();
    assert!(begin.elapsed() >= SHORT);
    worker.stop();
    assert_eq!(waiting.wait_timeout(LONG).unwrap().unwrap(), 0);
}

#[test]
fn an_end_wakes_every_task() {
    let _watchdog = watchdog();
    let worker = doubler();
    std::thread::scope(|scope| {
        let waiting: Vec<_> = (0..4).map(|_| scope.spawn(|| block_on(worker.asynced().result()))).collect();
        worker.kill();
        for task in waiting {
            assert!(task.join().unwrap().unwrap_err().is_killed());
        }
    });
}

#[test]
fn any_executor_will_do() {
    let _watchdog = watchdog();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let worker = doubler();
        let result = tokio::spawn(worker.asynced().timeout(LONG).result());
        for number in 1..50 {
            worker.tell(&number).unwrap();
            assert_eq!(worker.asynced().listen::<u64>(None).await.unwrap(), Some(number * 2));
        }
        tokio::time::timeout(SHORT, worker.asynced().wait()).await.unwrap_err();
        worker.stop();
        assert_eq!(result.await.unwrap().unwrap(), 49);
    });
}

/// Runs for ever, or not at all.
#[skprocess]
struct Once {
    ever: bool,
}

#[skprocess]
impl Once {
    fn run(&mut self) {
        let _ = self.listen::<()>(None);
        let _ = self.ever;
    }
    fn result(&mut self) -> u32 {
        std::process::id()
    }
}

#[test]
fn run_takes_every_modifier() {
    let _watchdog = watchdog();
    let once = || Once { ever: false }.configure(|config| config.runs(0));
    assert!(once().timeout(LONG).run().is_ok());
    assert!(once().background().run().unwrap().wait().is_ok());
    assert!(once().timeout(LONG).background().run().unwrap().wait().is_ok());
    assert!(block_on(once().asynced().run()).is_ok());
    assert!(block_on(once().asynced().timeout(LONG).run()).is_ok());
    is_not_yet(Once { ever: true }.timeout(SHORT).run());
    is_not_yet(Once { ever: true }.background().timeout(SHORT).run().unwrap().wait());
    is_not_yet(block_on(Once { ever: true }.asynced().timeout(SHORT).run()));
}

/// Says which process it is, and goes on until it is stopped.
#[skprocess]
struct Caller {
    point: Point<(), u32>,
}

#[skprocess]
impl Caller {
    fn prerun(&mut self) -> Result<(), PipeError> {
        self.point.send(&std::process::id())
    }
    fn run(&mut self) {
        let _ = self.listen::<()>(None);
    }
}

#[test]
fn dropping_a_run_stops_its_process() {
    let _watchdog = watchdog();
    let (anchor, point) = Pipe::pair::<(), u32>().unwrap();
    let mut run = Box::pin(Caller { point }.asynced().run());
    assert!(run.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    let process = watch(anchor.recv().unwrap());
    drop(run);
    assert!(process.ends_within(LONGEST));
}
