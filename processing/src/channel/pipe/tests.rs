use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::mpsc;
use std::task::{Context, Wake, Waker};
use std::thread;
use std::time::Instant;

use super::*;
use crate::Share;
use crate::shm::ring::{CHUNK, Chunk};
use crate::shm::testing::{Random, scribble};
use crate::sys::{AsFd, OwnedFd};

const LONG: Duration = Duration::from_secs(20);

#[test]
fn messages_arrive_in_order_and_whole() {
    let (anchor, point) = Pipe::pair::<Vec<u8>, u64>().unwrap();
    let message = |round: u64| {
        let mut random = Random::new(round);
        let most = [10, 5_000, 100_000, 2_000_000][(round % 4) as usize];
        (0..random.below(most)).map(|_| random.next() as u8).collect::<Vec<u8>>()
    };
    let reader = thread::spawn(move || {
        for round in 0..200 {
            let received = point.recv().unwrap();
            assert!(received == message(round), "round {round}");
            point.send(&(received.len() as u64)).unwrap();
        }
    });
    for round in 0..200 {
        anchor.send(&message(round)).unwrap();
    }
    for round in 0..200 {
        assert_eq!(anchor.recv_timeout(LONG).unwrap(), message(round).len() as u64);
    }
    reader.join().unwrap();
}

#[test]
fn bytes_and_texts_come_whole_and_in_no_more_memory_than_they_need() {
    let (anchor, point) = Pipe::pair::<Vec<u8>, String>().unwrap();
    let lengths = [0, 1, 7, 8, 1_000, CHUNK - 1, CHUNK, CHUNK + 1, 100_000, 1 << 20];
    thread::scope(|scope| {
        scope.spawn(|| {
            for length in lengths {
                anchor.send(&(0..length).map(|at| at as u8).collect()).unwrap();
                assert_eq!(anchor.recv_timeout(LONG).unwrap(), "é".repeat(length / 2));
            }
        });
        for length in lengths {
            let bytes = point.recv_timeout(LONG).unwrap();
            assert!(bytes.len() == length && bytes.iter().enumerate().all(|(at, byte)| at as u8 == *byte));
            assert!(bytes.capacity() <= length + length / 4 + 8, "{} for {length}", bytes.capacity());
            point.send(&"é".repeat(length / 2)).unwrap();
        }
    });
}

#[test]
fn a_point_takes_along_the_first_half_of_a_text() {
    let (anchor, point) = Pipe::pair::<String, ()>().unwrap();
    let (courier, receiver) = Pipe::one_way::<Point<String, ()>>().unwrap();
    let text = "half".repeat(200_000);
    thread::scope(|scope| {
        let sender = scope.spawn(|| anchor.send_timeout(&text, LONG));
        // As much as there is room for, and no end: nobody gets anything.
        let start = Instant::now();
        while start.elapsed() < LONG && anchor.end.outgoing().has_room(Chunk::size(CHUNK), &mut 0).unwrap() {
            thread::yield_now();
        }
        assert_eq!(point.try_recv().unwrap(), None);
        // What it takes along may be more than the courier has room for.
        let received = scope.spawn(|| receiver.recv_timeout(LONG).unwrap().recv_timeout(LONG).unwrap());
        courier.send(&point).unwrap();
        assert!(received.join().unwrap() == text);
        sender.join().unwrap().unwrap();
    });
}

#[test]
fn whoever_has_received_a_message_may_be_gone_with_it() {
    for _ in 0..200 {
        let (anchor, point) = Pipe::pair::<u32, ()>().unwrap();
        thread::scope(|scope| {
            scope.spawn(move || assert_eq!(point.recv_timeout(LONG).unwrap(), 7));
            // So long that it looks whether the other end is there.
            thread::sleep(Duration::from_millis(2));
            anchor.send(&7).unwrap();
        });
        assert!(anchor.recv_timeout(LONG).unwrap_err().is_disconnected());
    }
}

#[test]
fn nothing_is_sent_to_nobody() {
    let (anchor, point) = Pipe::pair::<u32, ()>().unwrap();
    drop(point);
    thread::sleep(Duration::from_millis(2));
    assert!(anchor.send(&7).unwrap_err().is_disconnected());
}

#[test]
fn the_end_comes_after_the_last_message() {
    let (anchor, point) = Pipe::one_way::<u32>().unwrap();
    for number in 0..10 {
        anchor.send(&number).unwrap();
    }
    drop(anchor);
    assert_eq!(point.iter().map(Result::unwrap).collect::<Vec<_>>(), (0..10).collect::<Vec<_>>());
    assert!(point.recv().unwrap_err().is_disconnected());
    assert!(point.try_recv().unwrap_err().is_disconnected());
}

#[test]
fn a_dead_end_is_noticed_while_asleep_and_while_sending() {
    let (anchor, point) = Pipe::pair::<Vec<u8>, u32>().unwrap();
    let sleeper = thread::spawn(move || {
        let received = anchor.recv();
        assert!(received.unwrap_err().is_disconnected());
        anchor
    });
    thread::sleep(Duration::from_millis(50));
    drop(point);
    let anchor = sleeper.join().unwrap();
    assert!(anchor.send(&vec![1]).unwrap_err().is_disconnected());

    let (anchor, point) = Pipe::one_way::<Vec<u8>>().unwrap();
    let sender = thread::spawn(move || anchor.send(&vec![0; 1 << 20]));
    thread::sleep(Duration::from_millis(50));
    drop(point);
    assert!(sender.join().unwrap().unwrap_err().is_disconnected());
}

#[test]
fn closing_wakes_everyone() {
    let (anchor, point) = Pipe::pair::<u32, u32>().unwrap();
    let anchor = Arc::new(anchor);
    let sleepers: Vec<_> = (0..3)
        .map(|_| {
            let anchor = Arc::clone(&anchor);
            thread::spawn(move || anchor.recv())
        })
        .collect();
    thread::sleep(Duration::from_millis(50));
    anchor.close();
    for sleeper in sleepers {
        let error = sleeper.join().unwrap().unwrap_err();
        assert!(error.is_closed() || error.is_disconnected(), "{error}");
    }
    assert!(anchor.send(&1).unwrap_err().is_closed());
    assert!(point.recv().unwrap_err().is_disconnected());
    anchor.close();
}

#[test]
fn waiting_ends_in_time() {
    let (anchor, point) = Pipe::pair::<Vec<u8>, u32>().unwrap();
    let start = Instant::now();
    assert!(anchor.recv_timeout(Duration::from_millis(40)).unwrap_err().is_timeout());
    assert!(start.elapsed() >= Duration::from_millis(40));
    assert_eq!(anchor.try_recv().unwrap(), None);

    // A message that was given up half way does not disturb the next one.
    assert!(anchor.send_timeout(&vec![1; 1 << 20], Duration::from_millis(40)).unwrap_err().is_timeout());
    let sender = thread::spawn(move || {
        anchor.send(&vec![2; 300]).unwrap();
        anchor
    });
    assert_eq!(point.recv().unwrap(), vec![2; 300]);
    drop(sender.join().unwrap());
}

#[test]
fn waiting_ends_in_time_whoever_else_waits() {
    const SHORT: Duration = Duration::from_millis(40);
    let (anchor, point) = Pipe::pair::<Vec<u8>, u32>().unwrap();
    thread::scope(|scope| {
        let patient = scope.spawn(|| anchor.recv().unwrap());
        let sender = scope.spawn(|| anchor.send(&vec![1; 1 << 20]));
        // There is nothing to receive and no room to send, and somebody waits for both already, most of the time.
        thread::sleep(SHORT);
        assert!(anchor.recv_timeout(SHORT).unwrap_err().is_timeout());
        assert!(anchor.send_timeout(&vec![2; 1 << 20], SHORT).unwrap_err().is_timeout());
        assert_eq!(anchor.try_recv().unwrap(), None);
        assert!(anchor.try_send(&vec![3]).unwrap_err().is_full());
        point.send(&7).unwrap();
        assert_eq!(patient.join().unwrap(), 7);
        assert_eq!(point.recv().unwrap(), vec![1; 1 << 20]);
        sender.join().unwrap().unwrap();
    });
}

#[test]
fn a_full_pipe_says_so() {
    let (anchor, point) = Pipe::one_way::<Vec<u8>>().unwrap();
    let mut sent = 0;
    let error = loop {
        match anchor.try_send(&vec![sent as u8; 10_000]) {
            Ok(()) => sent += 1,
            Err(error) => break error,
        }
    };
    assert!(error.is_full());
    assert!((20..30).contains(&sent));
    assert!(anchor.try_send(&vec![0; 1 << 20]).unwrap_err().is_full());
    for number in 0..sent {
        assert_eq!(point.recv().unwrap(), vec![number as u8; 10_000]);
    }
    anchor.try_send(&vec![1; 100_000]).unwrap();
    assert_eq!(point.try_recv().unwrap().unwrap().len(), 100_000);
}

#[test]
fn threads_share_an_end() {
    let (anchor, point) = Pipe::pair::<(u32, Vec<u8>), u32>().unwrap();
    thread::scope(|scope| {
        for thread in 0..4_u32 {
            let (anchor, point) = (&anchor, &point);
            scope.spawn(move || {
                for round in 0..200 {
                    anchor.send(&(thread, vec![thread as u8; round * 500])).unwrap();
                    anchor.recv_timeout(LONG).unwrap();
                }
            });
            scope.spawn(move || {
                for _ in 0..200 {
                    let (from, bytes) = point.recv_timeout(LONG).unwrap();
                    assert!(bytes.iter().all(|&byte| u32::from(byte) == from));
                    point.send(&from).unwrap();
                }
            });
        }
    });
}

#[test]
fn whoever_empties_the_socket_wakes_who_sleeps_at_it() {
    let (anchor, point) = Pipe::pair::<(), ()>().unwrap();
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            let start = Instant::now();
            while !over.load(Relaxed) && start.elapsed() < 2 * LONG {
                anchor.end.wire.look();
            }
        });
        scope.spawn(|| {
            for _ in 0..300 {
                anchor.recv_timeout(LONG).unwrap();
                anchor.send(&()).unwrap();
            }
            over.store(true, Relaxed);
        });
        for _ in 0..300 {
            // Time enough for the receiver to have gone to sleep, most of the time.
            thread::sleep(Duration::from_micros(200));
            point.send(&()).unwrap();
            point.recv_timeout(LONG).unwrap();
        }
    });
}

#[test]
fn handles_go_along() {
    let (anchor, point) = Pipe::pair::<Vec<Share<u32>>, Share<u32>>().unwrap();
    let shares: Vec<_> = (0..600).map(|number| Share::with_limit(number, 1 << 16).unwrap()).collect();
    let reader = thread::spawn(move || {
        let shares = point.recv().unwrap();
        shares.iter().for_each(|share| _ = share.add(1));
        point.send(&shares[5]).unwrap();
    });
    anchor.send(&shares).unwrap();
    assert_eq!(anchor.recv().unwrap().get(), 6);
    reader.join().unwrap();
    assert!(shares.iter().enumerate().all(|(number, share)| share.get() == number as u32 + 1));
}

#[test]
fn a_point_takes_along_what_it_has_not_received() {
    let (anchor, mut point) = Pipe::pair::<Share<u32>, u32>().unwrap();
    let (courier, receiver) = Pipe::one_way::<Point<Share<u32>, u32>>().unwrap();
    let share = Share::new(0).unwrap();
    for round in 0..5 {
        anchor.send(&share).unwrap();
        anchor.send(&share).unwrap();
        assert_eq!(point.recv().unwrap().add(1), round + 1);
        courier.send(&point).unwrap();
        assert!(point.recv().unwrap_err().is_closed());
        point = receiver.recv().unwrap();
    }
    for round in 5..10 {
        assert_eq!(point.recv().unwrap().add(1), round + 1);
    }
    drop(point);
    assert!(anchor.recv().unwrap_err().is_disconnected(), "no copy is left anywhere");
}

#[test]
fn a_point_that_could_not_be_sent_stays() {
    struct Never;
    impl Serialize for Never {
        fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(serde::ser::Error::custom("on purpose"))
        }
    }
    let (anchor, point) = Pipe::pair::<u32, u32>().unwrap();
    let (courier, receiver) = Pipe::pair::<(Point<u32, u32>, Never), ()>().unwrap();
    let package = (point, Never);
    assert!(courier.send(&package).unwrap_err().is_value());
    anchor.send(&1).unwrap();
    assert_eq!(package.0.recv().unwrap(), 1);
    drop(receiver);
    assert!(courier.recv().unwrap_err().is_disconnected());
}

/// Says when it is being encoded, takes its time for that, and fails in the end if it is to.
struct Slow {
    fails: bool,
    begun: mpsc::Sender<()>,
}

impl Serialize for Slow {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.begun.send(()).unwrap();
        thread::sleep(Duration::from_millis(20));
        if self.fails { Err(serde::ser::Error::custom("on purpose")) } else { serializer.serialize_unit() }
    }
}

#[test]
fn nobody_receives_from_a_point_that_is_leaving() {
    for (round, fails) in [false, true].into_iter().cycle().take(10).enumerate() {
        let (anchor, point) = Pipe::pair::<Vec<u8>, u32>().unwrap();
        let (begun, has_begun) = mpsc::channel();
        let package = (point, Slow { fails, begun });
        thread::scope(|scope| {
            let moving = scope.spawn(|| encode(&package).map(drop));
            // In the middle of the encoding, a message of many pieces comes and somebody wants it.
            has_begun.recv().unwrap();
            thread::sleep(Duration::from_millis(round as u64 % 3));
            scope.spawn(|| _ = anchor.send_timeout(&vec![7; 200_000], Duration::from_secs(5)));
            let received = package.0.recv_timeout(Duration::from_secs(5));
            assert_eq!(moving.join().unwrap().is_err(), fails);
            // It has left with all of the message, or it stays with all of it.
            match received {
                Ok(message) => assert!(fails && message.len() == 200_000),
                Err(error) => assert!(!fails && error.is_closed(), "{error}"),
            }
        });
    }
}

#[test]
fn a_point_of_another_type_is_refused() {
    let (_anchor, point) = Pipe::pair::<u32, u32>().unwrap();
    let encoded = cucumber::encode(&point).unwrap();
    assert!(cucumber::decode::<Point<u32, u64>>(&encoded.bytes, encoded.attachments).is_err());
}

/// A waker that unparks a thread.
struct Unpark(thread::Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

fn block_on<F: Future>(future: F) -> F::Output {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = std::pin::pin!(future);
    loop {
        if let std::task::Poll::Ready(value) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return value;
        }
        thread::park();
    }
}

#[test]
fn futures_need_no_executor() {
    let (anchor, point) = Pipe::pair::<Vec<u8>, usize>().unwrap();
    let other = thread::spawn(move || {
        block_on(async {
            while let Ok(message) = point.recv_async().await {
                point.send_async(&message.len()).await.unwrap();
            }
        });
    });
    block_on(async {
        for size in [0, 10, 100_000, 3_000_000] {
            anchor.send_async(&vec![1; size]).await.unwrap();
            assert_eq!(anchor.recv_async().await.unwrap(), size);
        }
    });
    // A future that is dropped has taken nothing, and keeps nothing open.
    let waiting = anchor.recv_async();
    let (started, has_started) = mpsc::channel();
    thread::spawn(move || {
        let mut waiting = Box::pin(waiting);
        let waker = Waker::from(Arc::new(Unpark(thread::current())));
        assert!(waiting.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        drop(waiting);
        started.send(()).unwrap();
    });
    has_started.recv().unwrap();
    drop(anchor);
    other.join().unwrap();
}

#[test]
fn scribbled_memory_is_an_error() {
    let (anchor, point) = Pipe::pair::<String, u32>().unwrap();
    anchor.send(&"hello".to_owned()).unwrap();
    let encoded = cucumber::encode(&point).unwrap();
    let memory = encoded.attachments.into_iter().next().unwrap().downcast::<OwnedFd>().unwrap();
    for (at, word) in [(256_u64, u64::MAX), (256, 1 << 50), (256, 4096)] {
        scribble(memory.as_fd(), at, word);
        assert!(point.recv().is_err());
    }
    for (at, word) in [(0_u64, 7_u64), (128, 1 << 40), (128, 3)] {
        scribble(memory.as_fd(), at, word);
        assert!(point.recv().is_err());
        assert!(anchor.send(&"again".to_owned()).is_err());
    }
}
