use std::thread;
use std::time::Instant;

use super::super::page::Page;
use super::super::ring::CHUNK;
use super::*;

#[test]
fn a_bell_wakes_who_sleeps_and_who_is_about_to() {
    let mail = Page::<Mail>::new("test").unwrap();
    let lane = &mail.up;
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                let ticket = lane.news.ticket();
                while !lane.has_news(0, ticket) {
                    lane.sleep_for_news(0, ticket, None);
                }
            });
        }
        thread::sleep(Duration::from_millis(20));
        lane.news.ring();
    });
    let ticket = lane.news.ticket();
    lane.news.ring();
    lane.sleep_for_news(0, ticket, None);
    let begin = Instant::now();
    lane.sleep_for_news(0, lane.news.ticket(), Some(Duration::from_millis(30)));
    assert!(begin.elapsed() >= Duration::from_millis(30));
}

#[test]
fn a_call_is_answered_once() {
    let mail = Page::<Mail>::new("test").unwrap();
    assert!(!mail.owes_news() && !mail.owes_room().unwrap());
    mail.call_for_news();
    mail.call_for_room();
    assert!(mail.owes_news() && !mail.owes_news());
    // Only where it is worth the trouble.
    let (bytes, mut into) = (vec![1; CHUNK], Vec::new());
    for _ in 0..3 {
        let (chunk, piece) = Chunk::next_of(&bytes, 0);
        mail.down.put(chunk, piece);
    }
    assert!(!mail.owes_room().unwrap());
    for _ in 0..2 {
        let chunk = mail.down.ring.next().unwrap().unwrap();
        mail.down.take(chunk, &mut into);
    }
    assert!(mail.owes_room().unwrap() && !mail.owes_room().unwrap());
}

#[test]
fn a_cleared_page_is_as_good_as_a_new_one() {
    let mail = Page::<Mail>::new("test").unwrap();
    let (chunk, piece) = Chunk::next_of(b"left over", 0);
    mail.down.put(chunk, piece);
    mail.up.put(chunk, piece);
    mail.clear();
    assert!(mail.down.ring.next().unwrap().is_err() && mail.up.ring.next().unwrap().is_err());
    assert!(mail.up.ring.has_room(super::super::ring::ROOM, &mut 0).unwrap());
}
