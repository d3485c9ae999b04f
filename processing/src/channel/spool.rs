//! Records in a file without a name: put at the end, read at any place, forgotten from the front.
//!
//! What was put last is in memory, [`PORTION`] bytes and one record at most; it is written when more comes.

use std::io;

use super::packet::write_all_at;
use crate::sys::{self, OwnedFd};

/// How many bytes are written, and given back to the system, at a time.
const PORTION: usize = 1 << 20;
/// Where a file without a name can be made, one that is not in memory if possible.
const PLACES: [&str; 2] = ["/var/tmp", "/tmp"];
/// The bytes of a record's head.
const HEAD: usize = 8;
/// In the head, beside the length: whoever put the record keeps more of it elsewhere.
const MARKED: u64 = 1 << 63;

/// See the module's page.
#[derive(Debug, Default)]
pub(super) struct Spool {
    /// Made when there is something to write.
    file: Option<OwnedFd>,
    /// What of the file is returned to the system, and what is written.
    punched: u64,
    written: u64,
    /// What comes behind that, and is not written yet.
    rest: Vec<u8>,
}

/// What is said of a record ahead of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Head {
    pub(super) is_marked: bool,
    len: usize,
    /// Where the next record begins.
    pub(super) next: u64,
}

impl Spool {
    /// Where the next record will be.
    pub(super) fn end(&self) -> u64 {
        self.written + self.rest.len() as u64
    }

    /// Puts a record behind the others; if there is no room for those, it was not put.
    pub(super) fn push(&mut self, bytes: &[u8], is_marked: bool) -> io::Result<()> {
        if self.rest.len() >= PORTION {
            self.write()?;
        }
        let head = bytes.len() as u64 | if is_marked { MARKED } else { 0 };
        self.rest.extend_from_slice(&head.to_le_bytes());
        self.rest.extend_from_slice(bytes);
        Ok(())
    }

    /// Takes back the record of `len` bytes that was put last.
    pub(super) fn take_back(&mut self, len: usize) {
        self.rest.truncate(self.rest.len().saturating_sub(HEAD + len));
    }

    fn write(&mut self) -> io::Result<()> {
        let end = self.end();
        // A write beyond that limit does not fail but ends the process.
        if end > sys::longest_file() {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        let file = match &self.file {
            Some(file) => file,
            None => self.file.insert(nameless()?),
        };
        write_all_at(file, &self.rest, self.written)?;
        self.written = end;
        self.rest = Vec::new();
        Ok(())
    }

    /// What is said of the record at `at`.
    pub(super) fn head(&self, at: u64) -> io::Result<Head> {
        let mut head = [0; HEAD];
        self.copy(at, &mut head)?;
        let word = u64::from_le_bytes(head);
        let len = word & !MARKED;
        let next = at + HEAD as u64 + len;
        Ok(Head { is_marked: word & MARKED != 0, len: len as usize, next })
    }

    /// The record at `at`.
    pub(super) fn read(&self, at: u64) -> io::Result<(Vec<u8>, Head)> {
        let head = self.head(at)?;
        let mut bytes = vec![0; head.len];
        self.copy(at + HEAD as u64, &mut bytes)?;
        Ok((bytes, head))
    }

    /// Copies bytes that are all in the file or all behind it: records are written whole.
    fn copy(&self, at: u64, into: &mut [u8]) -> io::Result<()> {
        let Some(inside) = at.checked_sub(self.written) else {
            return sys::read_exact_at(self.file.as_ref().ok_or(io::ErrorKind::UnexpectedEof)?, into, at);
        };
        let inside = inside as usize;
        into.copy_from_slice(self.rest.get(inside..inside + into.len()).ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    /// Nobody will read anything before `place` any more.
    pub(super) fn forget(&mut self, place: u64) {
        let done = place.min(self.written) & !(PORTION as u64 - 1);
        if done > self.punched
            && let Some(file) = &self.file
        {
            sys::punch(file, self.punched, done - self.punched);
            self.punched = done;
        }
    }

    /// One that finds no room when it has something to write.
    #[cfg(test)]
    pub(super) fn without_room() -> Spool {
        // What is open for reading only cannot be written to.
        let read_only = std::fs::File::open("/dev/null").expect("it is there");
        Spool { file: Some(read_only.into()), ..Spool::default() }
    }
}

fn nameless() -> io::Result<OwnedFd> {
    let mut refused = io::Error::from(io::ErrorKind::NotFound);
    for place in PLACES {
        match sys::unnamed_file(place.as_ref()) {
            Ok(file) => return Ok(file),
            Err(error) => refused = error,
        }
    }
    Err(refused)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_read_at_their_places_and_forgotten_from_the_front() {
        let mut spool = Spool::default();
        let bytes = |number: u64| vec![number as u8; number as usize * 7919 % 300_000];
        let places: Vec<u64> = (0..100)
            .map(|number| {
                let at = spool.end();
                spool.push(&bytes(number), number % 7 == 0).unwrap();
                at
            })
            .collect();
        assert!(spool.written > 0 && !spool.rest.is_empty());
        for (number, &at) in (0_u64..).zip(&places) {
            let (read, head) = spool.read(at).unwrap();
            assert!(read == bytes(number) && head.is_marked == (number % 7 == 0));
            assert_eq!(head.next, places.get(number as usize + 1).copied().unwrap_or(spool.end()));
        }
        assert!(spool.read(spool.end()).is_err());
        spool.forget(places[50]);
        assert!(spool.punched > 0 && spool.punched <= places[50]);
        assert!(spool.read(places[50]).unwrap().0 == bytes(50));
        let end = spool.end();
        spool.push(&[1; 10], false).unwrap();
        spool.take_back(10);
        assert_eq!(spool.end(), end);
    }

    #[test]
    fn where_there_is_no_room_nothing_is_put() {
        let mut spool = Spool::without_room();
        let mut count = 0_u64;
        while spool.push(&[count as u8; 1000], false).is_ok() {
            count += 1;
        }
        // What is in memory stays, and is all that there is.
        assert_eq!(spool.end(), count * 1008);
        assert!(spool.rest.len() < PORTION + 1008);
        assert_eq!(spool.read(1008 * 3).unwrap().0, [3; 1000]);
    }
}
