//! The fork server: what its copies find, and what becomes of it.

use std::fs;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use processing::prelude::*;
use processing::{OutputStream, StartMethod, Stream, set_start_method};
use rustix::fs::Mode;
use rustix::process::{Resource, Rlimit, Signal, getrlimit, setrlimit, umask};
use tests::TempDir;
use tests::processes::{self, descriptors, status};

/// Whether it is a copy, and what it finds where it is.
type Found = (bool, String, Option<String>, u32, Option<u64>);

#[skprocess(runs = 1)]
struct Look {}

#[skprocess]
impl Look {
    fn run(&mut self) {}
    fn result(&mut self) -> Result<Found> {
        let mask = umask(Mode::empty());
        umask(mask);
        let directory = std::env::current_dir()?.display().to_string();
        let variable = std::env::var(VARIABLE).ok();
        Ok((is_copy(), directory, variable, mask.as_raw_mode(), getrlimit(Resource::Core).current))
    }
}

const VARIABLE: &str = "CONFORMANCE_VARIABLE";

/// The environment that the program was started with, whatever became of it.
fn is_copy() -> bool {
    let environment = fs::read("/proc/self/environ").unwrap_or_default();
    environment.split(|&byte| byte == 0).any(|entry| entry.ends_with(b":template"))
}

fn until_a_copy() -> Result<Found> {
    for _ in 0..1000 {
        let found = Look {}.run()?;
        if found.0 {
            return Ok(found);
        }
    }
    anyhow::bail!("no worker is a copy")
}

/// What a worker finds is what its program had when it was started.
pub(crate) fn moment() -> Result<String> {
    set_start_method(StartMethod::ForkServer);
    until_a_copy()?;
    let dir = TempDir::new();
    let place = fs::canonicalize(dir.path())?;
    std::env::set_current_dir(&place)?;
    set_variable("now");
    let (copy, directory, variable, ..) = Look {}.run()?;
    ensure!(copy, "the directory takes another start");
    ensure!(
        directory == place.display().to_string() && variable.as_deref() == Some("now"),
        "{directory} {variable:?}"
    );
    umask(Mode::from_raw_mode(0o027));
    setrlimit(Resource::Core, Rlimit { current: Some(4096), ..getrlimit(Resource::Core) })?;
    // No template may serve that has been started with other limits, and the next one has these.
    for found in [Look {}.run()?, until_a_copy()?] {
        ensure!((found.3, found.4) == (0o027, Some(4096)), "mask {:o}, limit {:?}", found.3, found.4);
        ensure!(found.1 == directory && found.2 == variable, "{} {:?}", found.1, found.2);
    }
    std::env::set_current_dir("/")?;
    Ok("environment, directory, mask and limits of the moment; no template serves that has others".to_owned())
}

#[expect(unsafe_code, reason = "the environment is what is tested")]
fn set_variable(value: &str) {
    // SAFETY: the only other thread is the one that looks after workers, which is handed a copy and never reads it.
    unsafe { std::env::set_var(VARIABLE, value) };
}

/// The template is killed or stopped.
pub(crate) fn template() -> Result<String> {
    set_start_method(StartMethod::ForkServer);
    let own = std::process::id();
    let mut longest = Duration::ZERO;
    for signal in [Signal::KILL, Signal::STOP] {
        until_a_copy()?;
        let [template] = processes::templates(own)[..] else { anyhow::bail!("no template") };
        processes::signal(template, signal);
        let begin = Instant::now();
        Look {}.run()?;
        longest = longest.max(begin.elapsed());
        until_a_copy()?;
        let templates = processes::templates(own);
        ensure!(templates.len() == 1 && templates[0] != template, "templates {templates:?} after {template}");
    }
    while !processes::zombies(own).is_empty() {
        std::thread::yield_now();
    }
    Ok(format!("the next start succeeds, within {} ms; then there is another one", longest.as_millis()))
}

/// Waits until it is told something.
#[skprocess(runs = 1)]
struct Idle {}

#[skprocess]
impl Idle {
    fn run(&mut self) -> Result<()> {
        self.listen::<u8>(None)?;
        Ok(())
    }
    fn result(&mut self) -> u32 {
        std::process::id()
    }
}

const CROWD: usize = 1000;

/// So many processes live at the same time.
pub(crate) fn crowd() -> Result<String> {
    let limit = getrlimit(Resource::Nofile);
    if limit.maximum.is_some_and(|most| most < 8 * CROWD as u64) {
        return Ok(format!("skipped: this system allows {:?} descriptors", limit.maximum));
    }
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit })?;
    let own = std::process::id();
    let before = descriptors(own);
    let workers = (0..CROWD).map(|_| Idle {}.start()).collect::<Result<Vec<_>, _>>()?;
    let alive = workers.iter().filter(|worker| worker.is_alive()).count();
    ensure!(alive == CROWD, "{alive} are alive");
    let each = (descriptors(own) - before) / CROWD;
    let threads = status(own, "Threads").context("no threads")?;
    workers.iter().try_for_each(|worker| worker.tell(&1_u8))?;
    for worker in &workers {
        ensure!(worker.result()? == worker.pid(), "another worker has answered");
    }
    workers.iter().try_for_each(Handle::wait)?;
    Ok(format!("all answer; {each} descriptors each and {threads} threads in the program"))
}

/// Writes to both streams, and reads the third.
#[skprocess(runs = 1)]
struct Writer {}

#[skprocess]
#[expect(clippy::print_stdout, clippy::print_stderr, reason = "it is what is looked for")]
impl Writer {
    fn run(&mut self) -> Result<()> {
        println!("one\ntwo");
        eprintln!("three");
        print!("four");
        Ok(())
    }
    fn result(&mut self) -> Result<usize> {
        Ok(std::io::read_to_string(std::io::stdin())?.len())
    }
}

/// Streams that are captured or lead nowhere, by either way of starting.
pub(crate) fn streams() -> Result<String> {
    for method in [StartMethod::Exec, StartMethod::ForkServer] {
        set_start_method(method);
        let writer = Writer {}
            .configure(|config| config.stdin(Stream::Null).stdout(Stream::Capture).stderr(Stream::Capture));
        let writer = writer.start()?;
        ensure!(writer.result()? == 0, "there is something to read");
        writer.wait()?;
        let lines = writer.output();
        let of = |stream| lines.iter().filter(move |line| line.stream() == stream).map(|line| line.text());
        let said: Vec<_> = of(OutputStream::Stdout).chain(of(OutputStream::Stderr)).collect();
        ensure!(said == ["one", "two", "four", "three"], "{said:?}");
        ensure!(lines.iter().all(|line| line.pid() == writer.pid()), "of another process");
        let writer = Writer {}
            .configure(|config| config.stdin(Stream::Null).stdout(Stream::Null).stderr(Stream::Null));
        let writer = writer.start()?;
        writer.wait()?;
        ensure!(writer.output().is_empty(), "what leads nowhere was captured");
    }
    Ok("every line, with its stream and worker; by exec and by copy alike".to_owned())
}
