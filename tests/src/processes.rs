//! The system's processes: which there are, and when they are gone.

use std::fs;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open, pidfd_send_signal};

/// A process that may be gone already, by a handle that never means another one.
#[derive(Debug)]
pub struct Watched {
    /// Its number, which another process may have by now.
    pub pid: u32,
    handle: Option<OwnedFd>,
}

/// Takes hold of a process.
///
/// # Panics
/// If the system gives no handle of a process that exists.
#[must_use]
pub fn watch(pid: u32) -> Watched {
    let handle = match pidfd_open(as_pid(pid), PidfdFlags::empty()) {
        Ok(handle) => Some(handle),
        Err(rustix::io::Errno::SRCH) => None,
        Err(error) => panic!("no handle of process {pid}: {error}"),
    };
    Watched { pid, handle }
}

impl Watched {
    /// Sends SIGKILL; `false` if it has ended already.
    #[must_use]
    pub fn kill(&self) -> bool {
        self.signal(Signal::KILL)
    }

    /// Sends a signal; `false` if it has ended already.
    #[must_use]
    pub fn signal(&self, signal: Signal) -> bool {
        self.handle.as_ref().is_some_and(|handle| pidfd_send_signal(handle, signal).is_ok())
    }

    /// Waits until it has ended; `false` if it has not by then.
    ///
    /// # Panics
    /// If the system cannot tell.
    #[must_use]
    pub fn ends_within(&self, limit: Duration) -> bool {
        let Some(handle) = &self.handle else { return true };
        let end = Instant::now() + limit;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let left = Timespec { tv_sec: left.as_secs().cast_signed(), tv_nsec: left.subsec_nanos().into() };
            match poll(&mut [PollFd::new(handle, PollFlags::IN)], Some(&left)) {
                Ok(0) => return false,
                Ok(_) => return true,
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => panic!("cannot wait for process {}: {error}", self.pid),
            }
        }
    }
}

/// Sends a signal, as somebody from outside would.
///
/// # Panics
/// If there is no such process.
pub fn signal(pid: u32, signal: Signal) {
    kill_process(as_pid(pid), signal).expect("a process to send a signal to");
}

/// One that is reaped by its parent: there is no trace of it any more, not even a zombie.
#[must_use]
pub fn exists(pid: u32) -> bool {
    fs::exists(format!("/proc/{pid}")).unwrap_or(false)
}

/// All processes that this one has started, and those that they have started; without those that only wait to be
/// copied, and the copies that wait to be workers, which stay as long as their program.
#[must_use]
pub fn descendants(of: u32) -> Vec<u32> {
    tree(of).into_iter().filter(|&pid| !is_template(pid) && !is_called(pid, "processing-copy")).collect()
}

/// The processes that wait to be copied for this one.
#[must_use]
pub fn templates(of: u32) -> Vec<u32> {
    children(of).into_iter().filter(|&pid| is_template(pid)).collect()
}

/// The copies that wait to be workers of this one.
#[must_use]
pub fn ahead(of: u32) -> Vec<u32> {
    children(of).into_iter().filter(|&pid| is_called(pid, "processing-copy")).collect()
}

/// All processes that this one has started and not reaped.
#[must_use]
pub fn children(of: u32) -> Vec<u32> {
    all().into_iter().filter(|&pid| parent(pid) == Some(of)).collect()
}

fn is_template(pid: u32) -> bool {
    is_called(pid, "processing-fork")
}

fn is_called(pid: u32, by: &str) -> bool {
    // What has ended is something else, and somebody has to reap it.
    name(pid).is_some_and(|name| name == by) && stat(pid, 0).is_some_and(|state| state != "Z")
}

/// What a process is called in lists of processes.
#[must_use]
pub fn name(pid: u32) -> Option<String> {
    Some(fs::read_to_string(format!("/proc/{pid}/comm")).ok()?.trim_end().to_owned())
}

fn tree(of: u32) -> Vec<u32> {
    let all: Vec<(u32, u32)> = all().into_iter().filter_map(|pid| Some((pid, parent(pid)?))).collect();
    let mut found = vec![of];
    let mut next = 0;
    while next < found.len() {
        let parent = found[next];
        found.extend(all.iter().filter(|(_, its)| *its == parent).map(|(pid, _)| *pid));
        next += 1;
    }
    found.remove(0);
    found
}

/// Its direct children that have ended and that it has not reaped.
#[must_use]
pub fn zombies(of: u32) -> Vec<u32> {
    let is_one = |pid: &u32| parent(*pid) == Some(of) && stat(*pid, 0).is_some_and(|state| state == "Z");
    all().into_iter().filter(is_one).collect()
}

/// All processes in whose environment this text stands.
#[must_use]
pub fn with_environment(text: &str) -> Vec<u32> {
    let has = |pid: &u32| {
        let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environment.split(|&byte| byte == 0).any(|entry| entry == text.as_bytes())
    };
    all().into_iter().filter(has).collect()
}

/// All processes of a process group that have not ended.
#[must_use]
pub fn in_group(group: u32) -> Vec<u32> {
    let is_in = |pid: &u32| {
        stat(*pid, 2).is_some_and(|its| its == group.to_string())
            && stat(*pid, 0).is_some_and(|state| state != "Z")
    };
    all().into_iter().filter(is_in).collect()
}

/// Sends SIGKILL to a process that may be gone.
pub fn kill(pid: u32) {
    let _ = kill_process(as_pid(pid), Signal::KILL);
}

/// Whether its first thread waits for something.
#[must_use]
pub fn is_asleep(pid: u32) -> bool {
    stat(pid, 0).is_some_and(|state| state == "S")
}

/// How many clock ticks of processor time a process has used.
///
/// # Panics
/// If there is no such process.
#[must_use]
pub fn ticks(pid: u32) -> u64 {
    let field = |number| stat(pid, number)?.parse::<u64>().ok();
    let (user, system) = (field(11), field(12));
    user.zip(system).map(|(user, system)| user + system).expect("a process that exists")
}

/// A number from `/proc/<pid>/status`, like `VmRSS` in kilobytes, or `Threads`.
#[must_use]
pub fn status(pid: u32, name: &str) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    line.split_whitespace().next()?.parse().ok()
}

/// What a process is doing, for whoever wonders why it does not end: its state, its parent, where its threads wait.
#[must_use]
pub fn describe(pid: u32) -> String {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let threads = threads.map(|thread| {
        let read = |name| fs::read_to_string(thread.path().join(name)).unwrap_or_default().trim().to_owned();
        let syscall = read("syscall");
        let call: Vec<_> = syscall.split(' ').take(4).collect();
        format!("{} {} in {}", thread.file_name().display(), read("comm"), call.join(" "))
    });
    let threads: Vec<_> = threads.collect();
    let state = stat(pid, 0).unwrap_or_default();
    format!(
        "{pid} of {:?}, {state}, {} descriptors, threads: {}",
        parent(pid),
        descriptors(pid),
        threads.join(", ")
    )
}

/// The descriptors that a program holds of the copy which waits to be its next worker, its channel and its handle.
/// Whenever somebody counts, that copy may be there or not.
pub const OF_A_COPY_AHEAD: usize = 2;

/// How many descriptors a process has open.
#[must_use]
pub fn descriptors(pid: u32) -> usize {
    fs::read_dir(format!("/proc/{pid}/fd")).map_or(0, Iterator::count)
}

fn as_pid(pid: u32) -> Pid {
    i32::try_from(pid).ok().and_then(Pid::from_raw).expect("a process id")
}

fn all() -> Vec<u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}

fn parent(pid: u32) -> Option<u32> {
    stat(pid, 1)?.parse().ok()
}

/// A field of `/proc/<pid>/stat`, counted from the one behind the name, which may hold anything.
fn stat(pid: u32, field: usize) -> Option<String> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, rest) = text.rsplit_once(')')?;
    rest.split_whitespace().nth(field).map(str::to_owned)
}
