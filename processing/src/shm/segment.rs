//! One piece of memory that any number of processes map whole.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::fault::{Fault, Result};
use super::layout::Header;
use crate::sys::{self, AsFd, BorrowedFd, Mapping, OwnedFd};

/// A sealed memory file and its mapping.
///
/// The file is sparse and has its largest length from the start, so growing is touching and the base never
/// moves. It is sealed against shrinking and growing, so no process can take the pages away from
/// under another one. It has no name: it is gone with the last process that holds it.
#[derive(Debug)]
pub(crate) struct Segment {
    file: OwnedFd,
    map: Mapping,
    len: u64,
}

impl Segment {
    /// Makes a segment of `largest` bytes, or of the greatest half, quarter, … that the limits on this
    /// process allow, down to `smallest`.
    pub(crate) fn create(name: &str, largest: u64, smallest: u64) -> Result<Segment> {
        // A write limit would not fail the call below but kill the process, so it is looked up first.
        let allowed = sys::longest_file();
        let mut len = largest;
        while len > allowed && len / 2 >= smallest {
            len /= 2;
        }
        if len > allowed {
            return Err(Fault::Os(std::io::ErrorKind::FileTooLarge.into()));
        }
        loop {
            match Segment::create_exactly(name, len) {
                Err(Fault::Os(_)) if len / 2 >= smallest => len /= 2,
                result => return result,
            }
        }
    }

    fn create_exactly(name: &str, len: u64) -> Result<Segment> {
        Segment::map(sys::fixed_memory(name, len)?, len)
    }

    /// Maps a segment that another process made.
    pub(crate) fn attach(file: OwnedFd) -> Result<Segment> {
        let len = sys::fixed_length(&file).map_err(|_| Fault::Corrupt("no memory of a fixed length"))?;
        Segment::map(file, len)
    }

    fn map(file: OwnedFd, len: u64) -> Result<Segment> {
        if len == 0 || !len.is_multiple_of(4096) {
            return Err(Fault::Corrupt("length"));
        }
        const { assert!(size_of::<Header>() <= 4096) };
        let size = usize::try_from(len).map_err(|_| Fault::Corrupt("length"))?;
        let map = Mapping::sparse(&file, size)?;
        Ok(Segment { file, map, len })
    }

    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    /// The file behind the segment, for passing it on.
    pub(crate) fn file(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }

    /// Which memory this is, the same in every process: the system has no number for it, so by what its maker drew for it.
    #[cfg(target_os = "macos")]
    pub(crate) fn identity(file: &OwnedFd) -> Result<(u64, u64)> {
        let segment = Segment::attach(file.try_clone()?)?;
        Ok((0, segment.word(super::layout::SEED)?.load(Relaxed)))
    }

    /// Which memory this is, the same in every process: by what its maker drew for it.
    #[cfg(windows)]
    pub(crate) fn identity(file: &OwnedFd) -> Result<(u64, u64)> {
        sys::memory_identity(file).map_err(|_| Fault::Corrupt("no memory of a fixed length"))
    }

    /// Which file this is, the same in every process.
    #[cfg(target_os = "linux")]
    pub(crate) fn identity(file: &OwnedFd) -> Result<(u64, u64)> {
        let stat = rustix::fs::fstat(file)?;
        Ok((stat.st_dev, stat.st_ino))
    }

    /// The address of `at` in this process, for the kernel's list of held locks.
    pub(crate) fn address(&self, at: u64) -> usize {
        (self.map.start() as usize).wrapping_add(at as usize)
    }

    /// The header.
    #[inline]
    pub(crate) fn header(&self) -> &Header {
        let pointer = self.map.start().cast::<Header>();
        // SAFETY:
        // - aligned: the mapping starts on a page;
        // - in bounds: `map` refuses less than a page, and a header is smaller;
        // - initialised: the kernel zeroes new pages, and any bits are a valid `Header`;
        // - aliasing: a `Header` holds only atomics, so others may write while this reference lives, and
        //   the borrow of `self` keeps the mapping in place.
        unsafe { &*pointer }
    }

    /// The word at `at`.
    #[inline]
    pub(crate) fn word(&self, at: u64) -> Result<&AtomicU64> {
        if !at.is_multiple_of(8) || at > self.len - 8 {
            return Err(Fault::Corrupt("offset"));
        }
        // SAFETY: `at` is at most `len - 8`, and the mapping is `len` bytes long.
        let pointer = unsafe { self.map.start().add(at as usize) };
        // SAFETY:
        // - aligned: the mapping starts on a page, and `at` is a multiple of 8;
        // - in bounds: checked above; the seals keep the file as long as it is;
        // - initialised: the kernel zeroes new pages, and any bits are a valid `AtomicU64`;
        // - aliasing: every reference into the mapping is to an atomic, so others may write while this
        //   one lives, and the borrow of `self` keeps the mapping in place.
        Ok(unsafe { AtomicU64::from_ptr(pointer.cast()) })
    }

    /// `count` words from `at` on.
    #[inline]
    pub(crate) fn words(&self, at: u64, count: u64) -> Result<&[AtomicU64]> {
        let end = count.checked_mul(8).and_then(|bytes| bytes.checked_add(at));
        if !at.is_multiple_of(8) || end.is_none_or(|end| end > self.len) {
            return Err(Fault::Corrupt("offset"));
        }
        // SAFETY: `at` is at most `len`, and the mapping is `len` bytes long.
        let pointer = unsafe { self.map.start().add(at as usize) };
        // SAFETY: as in `word`, for every word of the range, whose end was checked above.
        Ok(unsafe { std::slice::from_raw_parts(pointer.cast::<AtomicU64>(), count as usize) })
    }

    /// Copies `into.len()` bytes out, from the word at `at` on.
    pub(crate) fn copy_out(&self, at: u64, into: &mut [u8]) -> Result<()> {
        let words = self.words(at, into.len().div_ceil(8) as u64)?;
        let mut chunks = into.chunks_exact_mut(8);
        for (chunk, word) in (&mut chunks).zip(words) {
            chunk.copy_from_slice(&word.load(Relaxed).to_le_bytes());
        }
        let rest = chunks.into_remainder();
        if let (false, Some(word)) = (rest.is_empty(), words.last()) {
            rest.copy_from_slice(&word.load(Relaxed).to_le_bytes()[..rest.len()]);
        }
        Ok(())
    }

    /// Copies bytes in, from the word at `at` on. The rest of the last word becomes zero.
    pub(crate) fn copy_in(&self, at: u64, bytes: &[u8]) -> Result<()> {
        let words = self.words(at, bytes.len().div_ceil(8) as u64)?;
        let chunks = bytes.chunks_exact(8);
        let rest = chunks.remainder();
        for (chunk, word) in chunks.zip(words) {
            word.store(u64_of(chunk), Relaxed);
        }
        if let (false, Some(word)) = (rest.is_empty(), words.last()) {
            word.store(u64_of(rest), Relaxed);
        }
        Ok(())
    }

    /// Makes the pages of a range present in one call; only a hint, for which not every system has a call.
    #[cfg_attr(not(target_os = "linux"), expect(clippy::unused_self, reason = "there is nothing to do"))]
    pub(crate) fn populate(&self, at: u64, len: u64) {
        #[cfg(not(target_os = "linux"))]
        let _ = (at, len);
        #[cfg(target_os = "linux")]
        self.populate_from(at & !4095, at.saturating_add(len).min(self.len));
    }

    #[cfg(target_os = "linux")]
    fn populate_from(&self, start: u64, end: u64) {
        if start >= end {
            return;
        }
        // SAFETY: `start` is below `len`, which is the mapping's length.
        let pointer = unsafe { self.map.start().add(start as usize) };
        // SAFETY: the range lies in our own shared mapping, and populating changes no byte of it.
        let _ = unsafe {
            rustix::mm::madvise(
                pointer.cast(),
                (end - start) as usize,
                rustix::mm::Advice::LinuxPopulateWrite,
            )
        };
    }

    /// Gives the whole pages of a range back to the system; they read as zero afterwards.
    pub(crate) fn punch(&self, at: u64, len: u64) {
        let (start, end) = (at.next_multiple_of(4096), at.saturating_add(len).min(self.len) & !4095);
        if start < end {
            sys::punch(&self.file, start, end - start);
        }
    }

    /// How many bytes of the segment are in memory; none, where the system does not say.
    #[cfg(test)]
    #[cfg(not(unix))]
    #[expect(clippy::unused_self, reason = "elsewhere it says")]
    pub(crate) fn resident(&self) -> u64 {
        0
    }

    /// How many bytes of the segment are in memory.
    #[cfg(test)]
    #[cfg(unix)]
    pub(crate) fn resident(&self) -> u64 {
        rustix::fs::fstat(&self.file).map_or(0, |stat| stat.st_blocks as u64 * 512)
    }
}

/// Up to eight bytes as a word, the missing ones zero.
#[inline]
pub(crate) fn u64_of(bytes: &[u8]) -> u64 {
    let mut word = [0; 8];
    word[..bytes.len()].copy_from_slice(bytes);
    u64::from_le_bytes(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segment() -> Segment {
        Segment::create("test", 1 << 20, 1 << 20).unwrap()
    }

    #[test]
    fn access_is_checked() {
        let segment = segment();
        let len = segment.len();
        assert!(segment.word(len - 8).is_ok());
        for at in [1, 4, len - 7, len - 4, len, len + 8, u64::MAX, u64::MAX - 7] {
            assert!(segment.word(at).is_err(), "{at}");
        }
        assert!(segment.words(len - 16, 2).is_ok());
        assert!(segment.words(len, 0).is_ok());
        for (at, count) in [(len - 16, 3), (8, u64::MAX / 8), (0, u64::MAX), (len + 8, 0), (4, 1)] {
            assert!(segment.words(at, count).is_err(), "{at} {count}");
        }
    }

    #[test]
    fn bytes_come_back() {
        let segment = segment();
        for len in [0usize, 1, 7, 8, 9, 15, 16, 1000] {
            let bytes: Vec<u8> = (0..len).map(|i| i as u8 ^ 0x5a).collect();
            segment.copy_in(4096, &bytes).unwrap();
            let mut back = vec![0; len];
            segment.copy_out(4096, &mut back).unwrap();
            assert_eq!(bytes, back);
        }
    }

    #[test]
    fn a_second_mapping_sees_the_first() {
        let one = segment();
        let two = Segment::attach(one.file().try_clone_to_owned().unwrap()).unwrap();
        one.word(64).unwrap().store(7, Relaxed);
        assert_eq!(two.word(64).unwrap().load(Relaxed), 7);
        assert_eq!(Segment::identity(&one.file).unwrap(), Segment::identity(&two.file).unwrap());
    }

    #[cfg(unix)]
    #[test]
    fn files_that_could_shrink_are_refused() {
        let file = sys::memory_file("loose").unwrap();
        sys::set_file_length(&file, 1 << 20).unwrap();
        assert!(matches!(Segment::attach(file), Err(Fault::Corrupt(_))));
        let (pipe, _) = rustix::pipe::pipe().unwrap();
        assert!(matches!(Segment::attach(pipe), Err(Fault::Corrupt(_))));
    }

    #[cfg(unix)]
    #[test]
    fn punched_pages_leave_memory() {
        let segment = segment();
        segment.copy_in(0, &vec![1; 1 << 19]).unwrap();
        assert!(segment.resident() >= 1 << 19);
        segment.punch(4096, (1 << 19) - 4096);
        assert!(segment.resident() <= 8192);
        assert_eq!(segment.word(8192).unwrap().load(Relaxed), 0);
        assert_ne!(segment.word(0).unwrap().load(Relaxed), 0);
    }
}
