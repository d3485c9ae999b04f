//! What the program holds when nothing is going on.

use std::fmt;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use tests::processes::{descendants, descriptors, status, zombies};

/// How much the memory may vary without anything that grows: what the allocator keeps for so many threads, in kilobytes.
const SLACK: u64 = 12 * 1024;
/// It goes up and down from round to round; what grows is more in each of so many than in any of as many before.
const ROUNDS: usize = 6;
/// How long ends may take until they are a leak: a handle that was dropped gives its worker five seconds. The template of
/// the workers stays for good.
const REST: Duration = Duration::from_secs(6);

#[derive(Debug)]
pub(crate) struct Holdings {
    workers: usize,
    zombies: usize,
    descriptors: usize,
    threads: u64,
    kilobytes: u64,
    files: usize,
    segments: usize,
}

impl Holdings {
    /// Looks again and again until nothing gets less any more.
    pub(crate) fn at_rest(folder: &Path) -> Self {
        let begin = Instant::now();
        let mut last = Self::now(folder);
        loop {
            std::thread::sleep(Duration::from_millis(200));
            let now = Self::now(folder);
            let is_same =
                (now.workers, now.descriptors, now.threads) == (last.workers, last.descriptors, last.threads);
            if is_same && (now.workers == 0 || begin.elapsed() > REST) || begin.elapsed() > 2 * REST {
                return now;
            }
            last = now;
        }
    }

    fn now(folder: &Path) -> Self {
        let own = std::process::id();
        let of = |name| status(own, name).unwrap_or_default();
        let count = |path: &Path, ours: &str| {
            let names = fs::read_dir(path).into_iter().flatten().flatten().map(|entry| entry.file_name());
            names.filter(|name| name.to_string_lossy().contains(ours)).count()
        };
        Holdings {
            workers: descendants(own).len(),
            zombies: zombies(own).len(),
            descriptors: descriptors(own),
            threads: of("Threads"),
            kilobytes: of("VmRSS"),
            files: count(folder, ""),
            segments: count("/dev/shm".as_ref(), "processing"),
        }
    }

    /// What there is more of now.
    pub(crate) fn complaints(&self, now: &Holdings) -> Vec<String> {
        let numbers = |of: &Holdings| {
            [of.workers, of.zombies, of.descriptors, of.threads as usize, of.files, of.segments]
        };
        let names = ["workers", "zombies", "descriptors", "threads", "temporary files", "segments"];
        let pairs = numbers(self).into_iter().zip(numbers(now)).zip(names);
        let all: Vec<_> = pairs
            .filter(|((first, now), _)| now > first)
            .map(|((first, now), name)| format!("{now} {name}, and {first} in the beginning"))
            .collect();
        all
    }

    /// Whether the memory grows.
    pub(crate) fn growth(all: &[Holdings]) -> Option<String> {
        let kilobytes: Vec<u64> = all.iter().map(|holdings| holdings.kilobytes).collect();
        let (first, last) = (kilobytes.first_chunk::<ROUNDS>()?, kilobytes.last_chunk::<ROUNDS>()?);
        let (most, least) = (first.iter().max()?, last.iter().min()?);
        (*least > most + SLACK).then(|| format!("{least} kB at least, and {most} at most in the beginning"))
    }
}

impl fmt::Display for Holdings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Holdings { workers, zombies, descriptors, threads, kilobytes, files, segments } = self;
        write!(
            f,
            "{workers} workers, {zombies} zombies, {descriptors} descriptors, {threads} threads, {kilobytes} kB, \
             {files} files, {segments} segments"
        )
    }
}
