//! What a process inherits from the thread that starts it, apart from what that hands to it.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use rustix::process::{Pid, Resource, Rlimit, getpriority_process, getrlimit};

/// Everything of that kind that may differ between two starts. Two that are equal make no difference to a new process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Circumstances {
    /// Who it may act as, with which rights and confinements, on which processors, in which group and session.
    status: Vec<u8>,
    /// Where its use of the machine is counted.
    cgroup: Vec<u8>,
    /// How soon the system picks it when it is short of memory.
    oom: Vec<u8>,
    limits: [Rlimit; LIMITS.len()],
    nice: i32,
    /// What `/` is.
    root: (u64, u64),
}

/// Sees the circumstances of one thread.
#[derive(Debug)]
pub(crate) struct Observer {
    thread: Pid,
    status: File,
    cgroup: File,
    oom: File,
}

const LIMITS: [Resource; 16] = [
    Resource::Cpu,
    Resource::Fsize,
    Resource::Data,
    Resource::Stack,
    Resource::Core,
    Resource::Rss,
    Resource::Nproc,
    Resource::Nofile,
    Resource::Memlock,
    Resource::As,
    Resource::Locks,
    Resource::Sigpending,
    Resource::Msgqueue,
    Resource::Nice,
    Resource::Rtprio,
    Resource::Rttime,
];

/// The lines of a thread's status that its children inherit. Others say what it is doing.
const INHERITED: [&[u8]; 15] = [
    b"Umask:",
    b"Uid:",
    b"Gid:",
    b"Groups:",
    b"NSpgid:",
    b"NSsid:",
    b"THP_enabled:",
    b"Cap",
    b"NoNewPrivs:",
    b"Seccomp:",
    b"Seccomp_filters:",
    b"Speculation_Store_Bypass:",
    b"SpeculationIndirectBranch:",
    b"Cpus_allowed:",
    b"Mems_allowed:",
];

impl Observer {
    /// Of the calling thread.
    pub(crate) fn of_this_thread() -> io::Result<Self> {
        let open = |name: &str| File::open(format!("/proc/thread-self/{name}"));
        let thread = rustix::thread::gettid();
        Ok(Observer { thread, status: open("status")?, cgroup: open("cgroup")?, oom: open("oom_score_adj")? })
    }

    pub(crate) fn look(&self) -> io::Result<Circumstances> {
        let status = read(&self.status)?;
        let lines = status.split_inclusive(|byte| *byte == b'\n');
        let inherited = lines.filter(|line| INHERITED.iter().any(|name| line.starts_with(name)));
        let root = rustix::fs::stat("/")?;
        Ok(Circumstances {
            status: inherited.flatten().copied().collect(),
            cgroup: read(&self.cgroup)?,
            oom: read(&self.oom)?,
            limits: LIMITS.map(getrlimit),
            nice: getpriority_process(Some(self.thread))?,
            root: (root.st_dev, root.st_ino),
        })
    }
}

/// Reads a file that the system writes as it is read.
fn read(file: &File) -> io::Result<Vec<u8>> {
    let mut text = vec![0; 8 * 1024];
    loop {
        let length = file.read_at(&mut text, 0)?;
        if length < text.len() {
            text.truncate(length);
            return Ok(text);
        }
        // There may be more, and it has to be of one moment.
        text.resize(2 * length, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::process::nice;

    #[test]
    fn the_same_until_something_changes() {
        // Of a thread of its own, whose niceness is nobody else's.
        std::thread::spawn(|| {
            let observer = Observer::of_this_thread().unwrap();
            let before = observer.look().unwrap();
            assert!(before.status.starts_with(b"Umask:") && !before.cgroup.is_empty());
            assert_eq!(observer.look().unwrap(), before);
            nice(1).unwrap();
            assert_ne!(observer.look().unwrap(), before);
        })
        .join()
        .unwrap();
    }
}
