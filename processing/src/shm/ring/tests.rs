use super::super::page::Page;
use super::super::testing::Random;
use super::*;

fn rings() -> Page<Rings> {
    Page::new("rings").unwrap()
}

fn chunk(len: usize) -> Chunk {
    Chunk { len, first: true, more: 0, abort: false, handles: 3 }
}

#[test]
fn chunks_come_out_as_they_went_in() {
    let page = rings();
    let (ring, mut random, mut known) = (&page.down, Random::new(1), 0);
    let mut waiting = std::collections::VecDeque::new();
    for round in 0..5000u64 {
        let len = random.below(if round % 50 == 0 { CHUNK as u64 } else { 300 }) as usize;
        let bytes: Vec<u8> = (0..len).map(|index| (index as u64 * 31 + round) as u8).collect();
        while !ring.has_room(Chunk::size(len), &mut known).unwrap()
            || (random.below(3) == 0 && !waiting.is_empty())
        {
            let next = ring.next().unwrap().unwrap();
            let expected: Vec<u8> = waiting.pop_front().unwrap();
            assert_eq!(next, chunk(expected.len()));
            let mut back = vec![9];
            ring.take(next, &mut back);
            assert_eq!(back[1..], expected);
        }
        ring.put(chunk(len), &bytes);
        waiting.push_back(bytes);
    }
}

#[test]
fn nonsense_is_refused() {
    let page = rings();
    let ring = &page.down;
    ring.put(chunk(5), b"hello");
    assert!(ring.next().unwrap().is_ok());
    for word in [u64::from(u32::MAX), 1 << 40, FIRST | (CHUNK as u64 + 1), 6000] {
        ring.data[0].store(word, Relaxed);
        assert!(ring.next().is_err(), "{word:x}");
    }
    let page = rings();
    let ring = &page.up;
    for written in [8 + ROOM, u64::MAX - 7, 4] {
        ring.written.advance(written);
        assert!(ring.next().is_err());
        assert!(ring.has_room(8, &mut 0).is_err());
    }
}

#[test]
fn flags_survive_their_word() {
    for (first, more, abort) in
        [(true, 0, false), (false, 1, false), (false, 0, true), (true, Chunk::MOST, true)]
    {
        let len = if more == 0 { 77 } else { CHUNK };
        let chunk = Chunk { len, first, more, abort, handles: u16::MAX };
        assert_eq!(Chunk::of(chunk.word()).unwrap(), chunk);
    }
}
