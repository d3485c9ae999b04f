//! Changes itself between the starts of workers, and prints what those find.
#![expect(clippy::print_stdout, reason = "it is what this program is for")]
#![expect(unsafe_code, reason = "it runs code before `main`, and changes its environment")]

use rustix::net::{SocketType, sockopt::socket_type};
use std::fs::{self, File};
use std::os::fd::{BorrowedFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicU32, Ordering};

use processing::prelude::*;
use processing::{StartMethod, set_start_method};
use rustix::fs::Mode;
use rustix::process::{Resource, Rlimit, Signal, getrlimit, setrlimit};
use rustix::stdio::dup2_stdout;
use tests::noise::{self, Noise};
use tests::processes;

/// How often the constructor has run here.
static CONSTRUCTED: AtomicU32 = AtomicU32::new(0);
/// What the constructor has opened.
static OPENED: std::sync::OnceLock<File> = std::sync::OnceLock::new();

#[used]
// SAFETY: the section holds pointers to functions that are called before `main`; this one needs no argument.
#[unsafe(link_section = ".init_array")]
static BEFORE_MAIN: extern "C" fn() = before_main;

extern "C" fn before_main() {
    CONSTRUCTED.fetch_add(1, Ordering::Relaxed);
    match std::env::var("BEFORE_MAIN").as_deref() {
        Ok("thread") => drop(std::thread::spawn(|| {
            loop {
                std::thread::park();
            }
        })),
        Ok("descriptor") => drop(OPENED.set(File::open("/proc/self/status").expect("a file"))),
        Ok("output") => print!("once "),
        Ok("death")
            if std::env::var("PROCESSING_WORKER").is_ok_and(|marker| marker.ends_with("template")) =>
        {
            std::process::abort()
        }
        // Says something before it can be asked, where its parent waits for an answer.
        Ok("noise") => {
            if let Some(channel) = channel_of_template() {
                let mut noise = Noise(u64::from(std::process::id()));
                (0..3).for_each(|_| noise.shout_at(&channel, 300));
            }
        }
        _ => {}
    }
}

/// In a template: what leads to its parent.
fn channel_of_template() -> Option<OwnedFd> {
    let marker = std::env::var("PROCESSING_WORKER").ok()?;
    let number: RawFd = marker.strip_suffix(":template")?.split(':').nth(1)?.parse().ok()?;
    // SAFETY: the marker names a descriptor that is open here, and it is only borrowed to make another one.
    rustix::io::fcntl_dupfd_cloexec(unsafe { BorrowedFd::borrow_raw(number) }, 3).ok()
}

/// What a worker finds where it is.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
struct Found {
    /// Whether it is a copy of a template.
    is_copy: bool,
    pid: u32,
    parent: Option<u32>,
    name: String,
    constructed: u32,
    directory: String,
    variable: Option<String>,
    loader: Option<String>,
    umask: u32,
    core_limit: Option<u64>,
    /// Where its descriptors lead, but for the standard streams.
    descriptors: Vec<String>,
    /// Whether it is a thread that the system knows by the same number as the C library does.
    signals_itself: bool,
    below: Option<Box<Found>>,
}

/// Looks around, and starts others below it that do.
#[skprocess(runs = 1)]
struct Look {
    depth: u32,
}

#[skprocess]
impl Look {
    fn run(&mut self) {}
    fn result(&mut self) -> Result<Found, ProcessError> {
        let mut found = look();
        if self.depth > 0 {
            found.below = Some(Box::new(Look { depth: self.depth - 1 }.run()?));
        }
        Ok(found)
    }
}

/// Waits until it is stopped.
#[skprocess]
struct Waiter {}

#[skprocess]
impl Waiter {
    fn run(&mut self) -> Result<(), ListenError> {
        self.listen::<u8>(None).map(|_| ())
    }
    fn result(&mut self) -> bool {
        is_copy()
    }
}

/// The environment that the program was started with, whatever became of it.
fn is_copy() -> bool {
    let environment = fs::read("/proc/self/environ").expect("its environment");
    environment.split(|&byte| byte == 0).any(|entry| entry.ends_with(b":template"))
}

fn look() -> Found {
    let umask = rustix::process::umask(Mode::empty());
    rustix::process::umask(umask);
    let mut descriptors = Vec::new();
    for entry in fs::read_dir("/proc/self/fd").expect("a list").flatten() {
        let number: u32 = entry.file_name().to_str().and_then(|name| name.parse().ok()).expect("a number");
        if let (true, Ok(link)) = (number > 2, fs::read_link(entry.path())) {
            descriptors.push(link.display().to_string());
        }
    }
    let flag = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    signal_hook::flag::register(Signal::USR1.as_raw(), flag.clone()).expect("a handler");
    signal_hook::low_level::raise(Signal::USR1.as_raw()).expect("a signal");
    println!("said by the worker");
    Found {
        is_copy: is_copy(),
        pid: std::process::id(),
        parent: rustix::process::getppid().map(|pid| pid.as_raw_nonzero().get().unsigned_abs()),
        name: processes::name(std::process::id()).unwrap_or_default(),
        constructed: CONSTRUCTED.load(Ordering::Relaxed),
        directory: std::env::current_dir()
            .map_or_else(|error| error.to_string(), |path| path.display().to_string()),
        variable: std::env::var("FORKER").ok(),
        loader: std::env::var("LD_BIND_NOW").ok(),
        umask: umask.as_raw_mode(),
        core_limit: getrlimit(Resource::Core).current,
        descriptors,
        signals_itself: flag.load(Ordering::Relaxed),
        below: None,
    }
}

fn found() -> Found {
    Look { depth: 0 }.run().expect("it looks around")
}

fn set_variable(name: &str, value: &str) {
    // SAFETY: called by the only thread that reads or changes the environment: the one that looks after workers is
    // handed a copy.
    unsafe { std::env::set_var(name, value) };
}

/// Starts workers until one is a copy; how many it took.
fn until_a_copy() -> usize {
    let look = || Look { depth: 0 }.configure(|config| config.lives(9)).run().expect("it looks around");
    (1..1000).find(|_| look().is_copy).expect("a copy at last")
}

/// Waits until nothing is left of what was started but a template and what it has made ahead. For a moment those are
/// called by other names, and who has answered is not reaped yet.
fn until_nothing_is_left() {
    let own = std::process::id();
    while !processes::zombies(own).is_empty() || !processes::descendants(own).is_empty() {
        std::thread::yield_now();
    }
}

fn templates() -> Vec<u32> {
    processes::templates(std::process::id())
}

/// The one template, once the copy that it has just made is called by its own name.
fn the_template() -> u32 {
    loop {
        if let [template] = templates()[..] {
            return template;
        }
        std::thread::yield_now();
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let own = std::process::id();
    match arguments[1].as_str() {
        // Looks around so often.
        "look" => {
            let times: u32 = arguments[2].parse().expect("a number");
            (0..times).for_each(|_| println!("{:?}", found()));
            println!("templates {}", templates().len());
        }
        "try" => match (Look { depth: 0 }).start() {
            Ok(_) => println!("started"),
            Err(error) => println!("{error}"),
        },
        "nest" => {
            println!("{own} {:?}", Look { depth: 2 }.run().expect("it looks around"));
        }
        // Changes everything that a worker inherits, one after the other.
        "change" => {
            until_a_copy();
            std::env::set_current_dir(&arguments[2]).expect("a directory");
            let directory = found();
            println!("directory {} {}", directory.is_copy, directory.directory);
            set_variable("FORKER", "changed");
            println!("variable {} {:?}", found().is_copy, found().variable);
            rustix::process::umask(Mode::from_raw_mode(0o027));
            println!("umask {:o}", found().umask);
            setrlimit(Resource::Core, Rlimit { current: Some(4096), ..getrlimit(Resource::Core) })
                .expect("a limit");
            println!("limit {:?}", found().core_limit);
            set_variable("LD_BIND_NOW", "1");
            println!("loader {:?}", found().loader);
            until_a_copy();
            let last = found();
            println!("last {} {:?} {:o} {:?}", last.is_copy, last.variable, last.umask, last.core_limit);
            the_template();
            println!("one template");
            let file = File::create(std::path::Path::new(&arguments[2]).join("output")).expect("a file");
            let stdout = rustix::io::dup(rustix::stdio::stdout()).expect("room for it");
            dup2_stdout(&file).expect("another output");
            let copy = found().is_copy;
            dup2_stdout(&stdout).expect("the old output");
            println!("output {copy}");
        }
        // The directory that it is in is gone.
        "nowhere" => {
            until_a_copy();
            std::env::set_current_dir(&arguments[2]).expect("a directory");
            fs::remove_dir(&arguments[2]).expect("an empty directory");
            println!("{}", found().directory);
        }
        // Has descriptors that others would inherit, older and newer than the template.
        "leaky" => {
            let file = File::open(&arguments[2]).expect("a file");
            let _old = rustix::io::dup(&file).expect("room for it");
            until_a_copy();
            let _new = rustix::io::dup(&file).expect("room for it");
            println!("{}", found().descriptors.join(" "));
            let template = the_template();
            let links = fs::read_dir(format!("/proc/{template}/fd")).expect("a list").flatten();
            let links = links.filter_map(|entry| fs::read_link(entry.path()).ok());
            let mut links: Vec<String> = links.map(|link| link.display().to_string()).collect();
            links.sort();
            println!("{}", links.join(" "));
        }
        // Something happens to the template.
        "signal" => {
            until_a_copy();
            let template = the_template();
            let signal = if arguments[2] == "stop" { Signal::STOP } else { Signal::KILL };
            let waiter = Waiter {}.start().expect("a worker");
            processes::signal(template, signal);
            println!("first {}", found().pid != 0);
            println!("again {}", until_a_copy() > 0);
            println!("replaced {}", the_template() != template);
            waiter.stop();
            println!("older {}", waiter.result().expect("a good end"));
            waiter.wait().expect("a good end");
            until_nothing_is_left();
            println!("nothing is left");
        }
        "threads" => {
            set_start_method(StartMethod::ForkServer);
            std::thread::scope(|scope| {
                let start = || (0..25).filter(|_| found().is_copy).count();
                let threads: Vec<_> = (0..8).map(|_| scope.spawn(start)).collect();
                let copies: usize = threads.into_iter().map(|thread| thread.join().expect("a number")).sum();
                println!("{copies}");
            });
        }
        // The template is killed over and over while workers are started.
        "shoot" => {
            let over = std::sync::atomic::AtomicBool::new(false);
            std::thread::scope(|scope| {
                scope.spawn(|| {
                    while !over.load(Ordering::Relaxed) {
                        for template in templates() {
                            let _ = processes::watch(template).kill();
                        }
                        std::thread::sleep(std::time::Duration::from_micros(200));
                    }
                });
                // A copy is called as its template for a moment, and shot as well: that costs a life.
                let look = || Look { depth: 0 }.configure(|config| config.lives(u32::MAX)).run();
                let parents: Vec<_> = (0..300).map(|_| look().map(|found| found.parent)).collect();
                over.store(true, Ordering::Relaxed);
                parents.into_iter().for_each(|parent| assert_eq!(parent.expect("a parent"), Some(own)));
            });
            until_nothing_is_left();
            println!("nothing is left");
        }
        "crowd" => {
            let many: usize = arguments[2].parse().expect("a number");
            let limit = getrlimit(Resource::Nofile);
            setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit })
                .expect("the highest limit");
            let before = processes::descriptors(own);
            let workers: Vec<_> = (0..many).map(|_| Waiter {}.start().expect("a worker")).collect();
            let each = (processes::descriptors(own) - before) as f64 / many as f64;
            println!("alive {}", workers.iter().filter(|worker| worker.is_alive()).count());
            workers.iter().for_each(Handle::stop);
            let copies = workers.iter().filter(|worker| worker.result().expect("a good end")).count();
            println!("copies {copies}");
            println!("descriptors of each {each:.1}");
        }
        // The copy that was made ahead is killed; the next worker is another, and later there is one ahead again.
        "ahead" => {
            let ahead =
                || std::iter::repeat_with(|| processes::ahead(own)).find_map(|all| all.first().copied());
            until_a_copy();
            let first = ahead().expect("it is made");
            let watched = processes::watch(first);
            assert!(watched.kill() && watched.ends_within(tests::LONGEST));
            println!("another {}", found().pid != first);
            until_nothing_is_left();
            println!("nothing is left");
            let second = ahead().expect("it is made");
            println!("one of them {}", found().pid == second);
        }
        // Sends its template, and what that has made ahead, anything but a wish.
        "noise" => {
            let mut noise = Noise(arguments[2].parse().expect("a number"));
            let before = processes::status(own, "VmRSS").expect("a number");
            for _ in 0..20 {
                until_a_copy();
                // Only the template's: that of a copy is a stream, and nobody but the program can garble it.
                let mut sockets = noise::sockets();
                sockets.retain(|socket| socket_type(socket) == Ok(SocketType::SEQPACKET));
                for _ in 0..1 + noise.below(4) {
                    sockets.iter().for_each(|socket| noise.shout_at(socket, 300));
                }
                // A copy that was made ahead may be taken on its way out: that costs a life.
                let look = Look { depth: 0 }.configure(|config| config.lives(9)).run();
                println!("started {}", look.expect("it looks around").parent == Some(own));
            }
            let grown = processes::status(own, "VmRSS").expect("a number").saturating_sub(before);
            println!("grown {}", if grown < 16 * 1024 { "little".to_owned() } else { format!("{grown} kB") });
            until_nothing_is_left();
            println!("nothing is left");
        }
        // Goes on until it is killed.
        "wait" => {
            until_a_copy();
            let _worker = Waiter {}.start().expect("a worker");
            // For a moment it is called as what it is a copy of.
            while templates().len() > 1 || processes::descendants(own).is_empty() {
                std::thread::yield_now();
            }
            let mut all = processes::descendants(own);
            all.extend(templates());
            println!("{}", all.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "));
            std::thread::park();
        }
        other => panic!("unknown command {other}"),
    }
}
