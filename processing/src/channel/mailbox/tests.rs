use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::*;
use crate::channel::{Packet, Postbag};
use crate::shm::Page;
use crate::shm::mail::Mail;
use crate::shm::testing::{Random, scribble};

fn packet(size: usize, fill: u8) -> Arc<Packet> {
    Arc::new(Packet::new(1, vec![fill; size], Vec::new()).unwrap())
}

fn message(fill: u8) -> Message {
    Message { bytes: vec![fill], fds: Vec::new() }
}

/// The next message that is there.
fn next(mailbox: &mut Mailbox, lane: &Lane) -> Option<Message> {
    loop {
        match mailbox.next(lane).unwrap() {
            Look::Found(message) => return Some(message),
            Look::Again => {}
            Look::Nothing(_) => return None,
        }
    }
}

#[test]
fn messages_of_any_size_come_out_as_they_went_in() {
    let mail = Page::<Mail>::new("test").unwrap();
    let (mut bag, mut mailbox, mut random) = (Postbag::default(), Mailbox::default(), Random::new(3));
    let sizes: Vec<usize> =
        (0..300).map(|round| random.below([20, 3_000, 100_000, 900_000][round % 4]) as usize).collect();
    sizes.iter().enumerate().for_each(|(number, &size)| bag.push(packet(size, number as u8)).unwrap());
    let mut heard = 0;
    while heard < sizes.len() {
        bag.flush(&mail.down, false).unwrap();
        if random.below(3) == 0 {
            mailbox.drain(&mail.down).unwrap();
        }
        while let Some(message) = next(&mut mailbox, &mail.down) {
            assert_eq!(message.bytes.len(), sizes[heard]);
            assert!(message.bytes.iter().all(|&byte| byte == heard as u8));
            heard += 1;
        }
    }
    assert!(bag.is_put() && bag.flush(&mail.down, false).unwrap());
}

#[test]
fn a_mark_keeps_the_place_of_what_comes_by_another_way() {
    let mail = Page::<Mail>::new("test").unwrap();
    let (mut mailbox, mut sent, mut known) = (Mailbox::default(), 0, 0);
    assert!(mark(&mail.up, &mut known).unwrap());
    assert!(post(&mail.up, b"after", &mut sent, &mut known).unwrap());
    assert!(next(&mut mailbox, &mail.up).is_none(), "it has not come");
    mailbox.drain(&mail.up).unwrap();
    mailbox.add(message(1));
    mailbox.add(message(2));
    assert_eq!(next(&mut mailbox, &mail.up).unwrap().bytes, [1]);
    assert_eq!(next(&mut mailbox, &mail.up).unwrap().bytes, b"after");
    assert!(next(&mut mailbox, &mail.up).is_none(), "nothing marks the second");
}

#[test]
fn what_was_not_finished_is_forgotten_and_the_rest_is_not() {
    let mail = Page::<Mail>::new("test").unwrap();
    let (mut bag, mut mailbox) = (Postbag::default(), Mailbox::default());
    bag.push(packet(10, 1)).unwrap();
    bag.push(packet(1 << 20, 2)).unwrap();
    assert!(!bag.flush(&mail.up, false).unwrap());
    mailbox.drain(&mail.up).unwrap();
    mailbox.forget_unfinished();
    mail.clear();
    bag.clear();
    bag.push(packet(10, 3)).unwrap();
    assert!(bag.flush(&mail.up, false).unwrap());
    assert_eq!(next(&mut mailbox, &mail.up).unwrap().bytes, [1; 10]);
    assert_eq!(next(&mut mailbox, &mail.up).unwrap().bytes, [3; 10]);
    assert!(next(&mut mailbox, &mail.up).is_none());
}

#[test]
fn readers_and_writers_sleep_and_wake() {
    const EACH: u64 = 3_000;
    let mail = Page::<Mail>::new("test").unwrap();
    let (lane, mailbox) = (&mail.up, Mutex::new(Mailbox::default()));
    let (known, left) = (Mutex::new(0), Mutex::new(2 * EACH));
    std::thread::scope(|scope| {
        for writer in 0..2 {
            let known = &known;
            scope.spawn(move || {
                let mut random = Random::new(writer);
                for number in 0..EACH {
                    let bytes =
                        vec![7; random.below(if number % 50 == 0 { 200_000 } else { 100 }) as usize + 1];
                    let (mut known, mut sent) = (known.lock().unwrap(), 0);
                    loop {
                        let (ticket, saw) = (lane.room.ticket(), lane.ring.read.position());
                        if post(lane, &bytes, &mut sent, &mut known).unwrap() {
                            break;
                        }
                        lane.sleep_for_room(saw, ticket);
                    }
                    if random.below(20) == 0 {
                        std::thread::sleep(Duration::from_micros(random.below(300)));
                    }
                }
            });
        }
        for reader in 0..2 {
            let (mailbox, left) = (&mailbox, &left);
            scope.spawn(move || {
                let mut random = Random::new(reader + 10);
                while *left.lock().unwrap() > 0 {
                    let deadline = Some(Instant::now() + Duration::from_millis(random.below(100)));
                    let heard = wait_for_news(lane, deadline, || mailbox.lock().unwrap().next(lane).unwrap());
                    if let Some(message) = heard {
                        assert!(message.bytes.iter().all(|&byte| byte == 7));
                        *left.lock().unwrap() -= 1;
                    }
                }
            });
        }
    });
}

#[test]
fn scribbled_rings_are_errors_or_messages_but_never_panics() {
    let mail = Page::<Mail>::new("test").unwrap();
    let size = size_of::<Mail>() as u64;
    let mut random = Random::new(9);
    let (mut errors, mut messages) = (0, 0);
    for _ in 0..500 {
        mail.clear();
        let (mut bag, mut mailbox) = (Postbag::default(), Mailbox::default());
        (0..random.below(5)).for_each(|_| bag.push(packet(random.below(100_000) as usize, 5)).unwrap());
        let _ = bag.flush(&mail.up, false);
        for _ in 0..=random.below(3) {
            // Most of what matters is at the start of a ring: its positions, and the first headers.
            let most = [size, 400, 400, 400][random.below(4) as usize];
            let at = (size_of::<Lane>() as u64 + random.below(most)) % size / 8 * 8;
            let word = match random.below(4) {
                0 => random.next(),
                1 => random.below(1 << 20),
                2 => random.below(1 << 20) & !7,
                _ => 1 << random.below(64),
            };
            scribble(&mail, at, word);
        }
        for _ in 0..50 {
            match mailbox.next(&mail.up) {
                Ok(Look::Found(_)) => messages += 1,
                Ok(Look::Again) => {}
                Ok(Look::Nothing(_)) => break,
                Err(_) => {
                    errors += 1;
                    break;
                }
            }
        }
        let _ = mailbox.drain(&mail.up);
        let _ = post(&mail.up, &[1; 1000], &mut 0, &mut 0);
        let _ = mail.owes_room();
    }
    assert!(errors > 10 && messages > 100, "{errors} errors and {messages} messages");
}
