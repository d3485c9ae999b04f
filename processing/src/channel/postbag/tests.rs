use super::super::mailbox::{Look, Mailbox};
use super::super::message::Message;
use super::*;
use crate::shm::Page;
use crate::shm::mail::Mail;
use crate::shm::testing::Random;

/// A message that says which it is; of some, there are descriptors.
fn packet(number: u64, size: u64) -> Arc<Packet> {
    let mut body = number.to_le_bytes().to_vec();
    body.resize(8 + size as usize, number as u8);
    let fds = has_descriptors(number).then(|| crate::sys::memory_file("test").unwrap());
    Arc::new(Packet::new(1, body, fds.into_iter().collect()).unwrap())
}

fn has_descriptors(number: u64) -> bool {
    number % 20 == 7
}

fn number_of(bytes: &[u8]) -> u64 {
    u64::from_le_bytes(*bytes.first_chunk().unwrap())
}

/// The next message that is in the ring.
fn hear(mailbox: &mut Mailbox, lane: &Lane) -> Option<u64> {
    loop {
        match mailbox.next(lane).unwrap() {
            Look::Found(Message { bytes, .. }) => {
                let number = number_of(&bytes);
                assert!(bytes[8..].iter().all(|&byte| byte == number as u8));
                return Some(number);
            }
            Look::Again => {}
            Look::Nothing(_) => return None,
        }
    }
}

/// What the control channel brings.
fn bring(mailbox: &mut Mailbox, packet: &Packet) {
    mailbox.add(Message { bytes: packet.body.clone(), fds: Vec::new() });
}

#[test]
fn what_is_kept_is_told_again_from_its_start_to_whoever_comes_next() {
    let mail = Page::<Mail>::new("test").unwrap();
    let (lane, mut random) = (&mail.down, Random::new(5));
    let (mut bag, mut mailbox) = (Postbag::default(), Mailbox::default());
    let (mut pushed, mut heard, mut done, mut most) = (0, 0, 0, 0);
    let mut deaths = 0;
    while pushed < 800 || done < pushed {
        // At first more is told than heard, until there is more than memory is to take.
        if pushed < 800 {
            let packet = packet(pushed, random.below([20, 3_000, 600_000][pushed as usize % 3]));
            if has_descriptors(pushed) {
                bring(&mut mailbox, &packet);
            }
            bag.push(packet).unwrap();
            pushed += 1;
        }
        let is_slow = pushed < 700;
        for _ in 0..random.below(if is_slow { 2 } else { 10 }) {
            bag.flush(lane, true).unwrap();
            if let Some(number) = hear(&mut mailbox, lane) {
                assert_eq!(number, heard);
                heard += 1;
            }
        }
        if random.below(4) == 0 {
            done += random.below(heard - done + 1);
            bag.forget_until(done);
            assert_eq!(bag.first(), done);
        }
        if random.below(50) == 0 {
            // The reader dies in the midst of something, and another one comes.
            mail.clear();
            bag.rewind();
            (mailbox, heard) = (Mailbox::default(), done);
            bag.with_descriptors().for_each(|packet| bring(&mut mailbox, packet));
            let again: Vec<_> = bag.with_descriptors().map(|packet| number_of(&packet.body)).collect();
            assert_eq!(again, (done..pushed).filter(|&number| has_descriptors(number)).collect::<Vec<_>>());
            deaths += 1;
        }
        most = most.max(bag.far.as_ref().map_or(0, |far| far.spool.end()));
        assert!(bag.size <= NEAR + HEAD);
    }
    assert!(deaths > 5 && most > 10 << 20, "{deaths} deaths, {most} bytes in a file");
    assert!(bag.is_put() && bag.far.is_none() && bag.size == 0);
}

#[test]
fn what_nobody_keeps_is_gone_once_it_is_put() {
    let mail = Page::<Mail>::new("test").unwrap();
    let (mut bag, mut mailbox) = (Postbag::default(), Mailbox::default());
    for number in 0..3 {
        bag.push(packet(number, 10)).unwrap();
    }
    assert!(bag.flush(&mail.down, false).unwrap());
    assert_eq!((bag.first(), bag.near.len()), (3, 0));
    bag.push(packet(3, 1 << 20)).unwrap();
    assert!(!bag.flush(&mail.down, false).unwrap());
    mail.clear();
    bag.clear();
    bag.rewind();
    bag.push(packet(4, 10)).unwrap();
    assert!(bag.flush(&mail.down, false).unwrap());
    assert_eq!((hear(&mut mailbox, &mail.down), hear(&mut mailbox, &mail.down)), (Some(4), None));
}

#[test]
fn where_there_is_no_room_a_message_is_refused_and_no_other_is_lost() {
    let mail = Page::<Mail>::new("test").unwrap();
    let mut mailbox = Mailbox::default();
    let far = Far { spool: Spool::without_room(), ..Far::default() };
    let mut bag = Postbag { far: Some(far), ..Postbag::default() };
    let mut pushed = 0;
    while bag.push(packet(pushed * 20, 100_000)).is_ok() {
        pushed += 1;
    }
    assert!((10..20).contains(&pushed), "{pushed}");
    for number in 0..pushed {
        bag.flush(&mail.down, false).unwrap();
        assert_eq!(hear(&mut mailbox, &mail.down), Some(number * 20));
    }
    assert!(bag.is_put());
    bag.push(packet(1, 100_000)).unwrap();
}

#[test]
fn messages_with_handles_take_bounded_memory_too() {
    let far = Far { spool: Spool::default(), ..Far::default() };
    let mut bag = Postbag { far: Some(far), ..Postbag::default() };
    let heavy = packet(7, 5 << 20);
    let mut pushed = 0;
    while bag.push(Arc::clone(&heavy)).is_ok() {
        pushed += 1;
    }
    assert_eq!(pushed, 6);
    // Who was refused may try again when some have gone.
    bag.take_back(&heavy);
    bag.push(Arc::clone(&heavy)).unwrap();
    assert!(bag.push(heavy).is_err());
}
