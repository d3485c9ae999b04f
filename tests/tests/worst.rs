//! The worst possible object: everything that crosses, nested at random and in circles, there and back through a worker.
#![allow(clippy::unwrap_used, reason = "a hook of a test is a part of the test")]
#![allow(clippy::arc_with_non_send_sync, reason = "everything is nested in everything here")]

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::ffi::OsString;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::Command;
use std::rc::{self, Rc};
use std::sync::{self, Arc, Mutex, OnceLock, RwLock};
use std::time::{Duration, Instant, SystemTime};

use processing::prelude::*;
use processing::{Task, cucumber};
use tests::{TempDir, watchdog};

#[path = "worst/connections.rs"]
mod connections;
#[path = "worst/dice.rs"]
mod dice;
#[path = "worst/outside.rs"]
mod outside;
#[path = "worst/plain.rs"]
mod plain;
#[path = "worst/steps.rs"]
mod steps;

use connections::{Connections, Servers};
use dice::Dice;
use outside::Outside;
use plain::{Plain, Tagged};
use steps::{Add, Step};

const SEEDS: u64 = 100;
const PATIENCE: Duration = Duration::from_secs(60);

/// Anything at all.
#[cucumber]
enum Any {
    Nothing,
    Whole(i128),
    Float(f64),
    Text(String, char),
    Bytes(Vec<u8>),
    Name(OsString, PathBuf),
    List(Vec<Any>),
    Queue(VecDeque<Option<Any>>),
    Map(BTreeMap<String, Any>),
    Numbered(BTreeMap<(u8, i16), Any>),
    Tagged(Vec<Tagged>),
    Locks { mutex: Mutex<Box<Any>>, lock: RwLock<Option<Box<Any>>>, once: OnceLock<String> },
    Cell(Box<RefCell<Any>>),
    Peer(Option<Arc<Mutex<Peer>>>),
    Watched(sync::Weak<Mutex<Peer>>),
    Branch(Option<Rc<Branch>>),
    File(File),
    Ends { one: UnixStream, other: UnixStream },
    Pipe(std::io::PipeReader, std::io::PipeWriter),
    Function(fn(i64) -> i64),
    Task(Task<fn(i64) -> i64>),
    Step(Box<dyn Step>),
    Range(std::ops::RangeInclusive<u8>, std::ops::Range<u64>),
    Rest(std::vec::IntoIter<String>),
    Command(Command),
    Time(SystemTime, Duration),
    Plain(Box<Plain>),
    Outside(Outside),
    Database(Live<rusqlite::Connection>),
}

/// Everybody may know everybody.
#[cucumber]
struct Peer {
    name: String,
    what: Any,
    peers: Vec<Arc<Mutex<Peer>>>,
    best: Option<Arc<Mutex<Peer>>>,
    watcher: sync::Weak<Mutex<Peer>>,
}

/// A tree with a way up, and perhaps a ring.
#[cucumber]
struct Branch {
    name: String,
    parent: RefCell<rc::Weak<Branch>>,
    children: RefCell<Vec<Rc<Branch>>>,
    ring: RefCell<Option<Rc<Branch>>>,
    what: RefCell<Vec<Any>>,
}

#[cucumber]
struct Worst {
    seed: u64,
    content: Content,
    /// The one thing that may be off by what it takes to read two clocks.
    since: Instant,
    /// How the content looked to whoever sent it.
    looked: String,
}

#[cucumber]
struct Content {
    peers: Vec<Arc<Mutex<Peer>>>,
    root: Rc<Branch>,
    cursor: Option<Rc<Branch>>,
    all: Vec<Any>,
    live: Connections,
}

/// What an object is made from.
struct Maker<'m> {
    dice: Dice,
    folder: &'m TempDir,
    servers: &'m Servers,
    peers: Vec<Arc<Mutex<Peer>>>,
    branches: Vec<Rc<Branch>>,
}

const FILE: &str = "0123456789";

impl Maker<'_> {
    fn any(&mut self, depth: usize) -> Any {
        let kinds = if depth == 0 { 20 } else { 28 };
        match self.dice.below(kinds) {
            0 => Any::Nothing,
            1 => Any::Whole([i128::MIN, i128::MAX, -1, 0, 1 << 70][self.dice.below(5)]),
            2 => Any::Float([f64::NAN, -0.0, f64::NEG_INFINITY, 1e-300, 0.1][self.dice.below(5)]),
            3 => Any::Text(self.dice.text(), '\u{10ffff}'),
            4 => Any::Bytes(self.dice.bytes()),
            5 => {
                let mut name = || OsString::from_vec(self.dice.bytes());
                Any::Name(name(), name().into())
            }
            6 => Any::Tagged(vec![Tagged::any(&mut self.dice), Tagged::Empty]),
            7 => self.file(),
            8 => {
                let (one, other) = UnixStream::pair().unwrap();
                Any::Ends { one, other }
            }
            9 => {
                let (reader, writer) = std::io::pipe().unwrap();
                Any::Pipe(reader, writer)
            }
            10 => Any::Function([negated, |x: i64| x.wrapping_mul(3)][self.dice.below(2)]),
            11 => {
                let offset = self.dice.next() as i64;
                Any::Task(task!(|x: i64| x.wrapping_add(offset)))
            }
            12 => Any::Step(Box::new(Add(self.dice.next() as i64))),
            13 => self.iterator(),
            14 => {
                let mut command = Command::new("true");
                command.arg(OsString::from_vec(vec![b'-', 0xff])).env("A", "1").env_remove("B");
                Any::Command(command)
            }
            15 => {
                let far = Duration::from_nanos(self.dice.next() >> 8);
                Any::Time(SystemTime::UNIX_EPOCH - far, far)
            }
            16 => Any::Peer(self.peer()),
            17 => Any::Watched(self.peer().map_or_else(sync::Weak::new, |peer| Arc::downgrade(&peer))),
            18 => Any::Plain(Box::new(Plain::any(&mut self.dice))),
            19 => Any::Outside(Outside::any(&mut self.dice, self.folder)),
            20 => Any::List(self.several(depth)),
            21 => Any::Queue(self.several(depth).into_iter().map(Some).chain([None]).collect()),
            22 => Any::Map(self.several(depth).into_iter().map(|any| (self.dice.text(), any)).collect()),
            23 => {
                let any = self.several(depth).into_iter();
                Any::Numbered(any.map(|any| ((self.dice.next() as u8, -300), any)).collect())
            }
            24 => Any::Locks {
                mutex: Mutex::new(Box::new(self.any(depth - 1))),
                lock: RwLock::new(Some(Box::new(self.any(depth - 1)))),
                once: OnceLock::from(self.dice.text()),
            },
            25 => Any::Cell(Box::new(RefCell::new(self.any(depth - 1)))),
            26 => Any::Branch(self.branch()),
            _ => {
                Any::Database(Live::lazy(self.folder.path().join("worst.sqlite").to_str().unwrap()).unwrap())
            }
        }
    }

    fn several(&mut self, depth: usize) -> Vec<Any> {
        (0..self.dice.below(5)).map(|_| self.any(depth - 1)).collect()
    }

    fn file(&mut self) -> Any {
        let path = self.folder.path().join("file");
        std::fs::write(&path, FILE).unwrap();
        let mut file = File::options().read(true).append(self.dice.below(2) == 0).open(path).unwrap();
        file.seek(SeekFrom::Start(self.dice.below(11) as u64)).unwrap();
        Any::File(file)
    }

    fn iterator(&mut self) -> Any {
        let taken = self.dice.below(4);
        if self.dice.below(2) == 0 {
            let mut rest = vec![self.dice.text(), self.dice.text(), self.dice.text()].into_iter();
            rest.by_ref().take(taken).count();
            return Any::Rest(rest);
        }
        let mut range = 253..=255;
        range.by_ref().take(taken).count();
        Any::Range(range, 5..u64::MAX)
    }

    fn peer(&mut self) -> Option<Arc<Mutex<Peer>>> {
        let place = self.dice.below(self.peers.len() + 1);
        self.peers.get(place).cloned()
    }

    fn branch(&mut self) -> Option<Rc<Branch>> {
        let place = self.dice.below(self.branches.len() + 1);
        self.branches.get(place).cloned()
    }

    fn grow(&mut self, depth: usize) -> Rc<Branch> {
        let children = (0..self.dice.below(3).min(depth)).map(|_| self.grow(depth - 1)).collect();
        let branch = Rc::new(Branch {
            name: self.dice.text(),
            parent: RefCell::default(),
            children: RefCell::new(children),
            ring: RefCell::default(),
            what: RefCell::default(),
        });
        for child in branch.children.borrow().iter() {
            *child.parent.borrow_mut() = Rc::downgrade(&branch);
        }
        self.branches.push(branch.clone());
        branch
    }

    fn make(mut self, seed: u64) -> Worst {
        for number in 0..1 + self.dice.below(5) {
            let peer = Peer {
                name: number.to_string(),
                what: Any::Nothing,
                peers: Vec::new(),
                best: None,
                watcher: sync::Weak::new(),
            };
            self.peers.push(Arc::new(Mutex::new(peer)));
        }
        let root = self.grow(3);
        for peer in self.peers.clone() {
            let what = self.any(3);
            let peers = (0..self.dice.below(4)).filter_map(|_| self.peer()).collect();
            let (best, watcher) = (self.peer(), self.peer());
            let mut peer = peer.lock().unwrap();
            (peer.what, peer.peers, peer.best) = (what, peers, best);
            peer.watcher = watcher.as_ref().map_or_else(sync::Weak::new, Arc::downgrade);
        }
        for branch in self.branches.clone() {
            let ring = self.branch();
            let what = (0..self.dice.below(3)).map(|_| self.any(2)).collect();
            branch.ring.replace(ring);
            branch.what.replace(what);
        }
        let all = (0..10).map(|_| self.any(4)).collect();
        let cursor = self.branch();
        let live = Connections::any(&mut self.dice, self.servers);
        let content = Content { peers: self.peers, root, cursor, all, live };
        let looked = content.look();
        Worst { seed, content, since: Instant::now().checked_sub(PATIENCE).unwrap(), looked }
    }
}

fn negated(value: i64) -> i64 {
    value.wrapping_neg()
}

impl Content {
    /// All there is to be seen of it: values, positions, and who is whom.
    fn look(&self) -> String {
        cucumber::inspect(self).to_json()
    }

    /// Takes the circles apart, which would hold themselves for ever.
    fn dissolve(&self) {
        let mut branches = vec![self.root.clone()];
        branches.extend(self.cursor.clone());
        while let Some(branch) = branches.pop() {
            branches.extend(branch.children.take());
            branches.extend(branch.ring.take());
            drop(branch.what.take());
        }
        for peer in &self.peers {
            let (what, peers, best) = {
                let mut peer = peer.lock().unwrap();
                let what = std::mem::replace(&mut peer.what, Any::Nothing);
                (what, std::mem::take(&mut peer.peers), peer.best.take())
            };
            drop((what, peers, best));
        }
    }
}

impl Worst {
    /// Looks at everything, and uses what can be used.
    fn verify(&mut self) -> anyhow::Result<usize> {
        let looks = self.content.look();
        let apart = looks.bytes().zip(self.looked.bytes()).take_while(|(one, other)| one == other).count();
        let shorten = |text: &str| {
            String::from_utf8_lossy(&text.as_bytes()[apart.saturating_sub(60)..])
                .chars()
                .take(160)
                .collect::<String>()
        };
        anyhow::ensure!(
            looks == self.looked,
            "seed {}: was …{}… and is …{}…",
            self.seed,
            shorten(&self.looked),
            shorten(&looks)
        );
        anyhow::ensure!(
            self.since.elapsed() > PATIENCE - Duration::from_secs(1),
            "seed {}: the clock",
            self.seed
        );
        let mut used = self.content.live.try_out()?;
        for any in &self.content.all {
            used += any.try_out()?;
        }
        for peer in &self.content.peers {
            used += peer.lock().unwrap().what.try_out()?;
        }
        Ok(used)
    }
}

impl Any {
    /// Uses it; how much there was to use.
    fn try_out(&self) -> anyhow::Result<usize> {
        let mut inner = 0;
        match self {
            Self::File(file) => {
                let mut file = file;
                let position = file.stream_position()?;
                let mut text = String::new();
                file.read_to_string(&mut text)?;
                anyhow::ensure!(text == FILE[position as usize..]);
                file.seek(SeekFrom::Start(position))?;
            }
            Self::Ends { one, other } => crossed(&mut { one }, &mut { other })?,
            Self::Pipe(reader, writer) => crossed(&mut { writer }, &mut { reader })?,
            Self::Function(function) => anyhow::ensure!([-5, 15].contains(&function(5))),
            Self::Task(task) => {
                let closure = task.closure()?;
                anyhow::ensure!(closure(1).wrapping_sub(closure(0)) == 1);
            }
            Self::Outside(outside) => outside.try_out()?,
            Self::Step(step) => anyhow::ensure!(step.apply(1).wrapping_sub(step.apply(0)) == 1),
            Self::Database(database) => {
                let two: i64 = database.connection()?.query_row("select 1 + 1", [], |row| row.get(0))?;
                anyhow::ensure!(two == 2);
            }
            Self::Locks { mutex, lock, .. } => {
                inner += mutex.lock().unwrap().try_out()?;
                inner += lock.read().unwrap().as_ref().map_or(Ok(0), |any| any.try_out())?;
            }
            Self::List(list) => inner += list.iter().map(Self::try_out).sum::<anyhow::Result<usize>>()?,
            Self::Map(map) => inner += map.values().map(Self::try_out).sum::<anyhow::Result<usize>>()?,
            _ => return Ok(0),
        }
        Ok(inner + 1)
    }
}

fn crossed(writer: &mut impl Write, reader: &mut impl Read) -> anyhow::Result<()> {
    writer.write_all(b"crossed")?;
    let mut heard = [0; 7];
    reader.read_exact(&mut heard)?;
    anyhow::ensure!(&heard == b"crossed");
    Ok(())
}

#[skprocess(runs = SEEDS)]
struct Customs {}

#[skprocess]
impl Customs {
    fn run(&mut self) -> anyhow::Result<()> {
        let mut worst = self.listen::<Worst>(PATIENCE)?.unwrap();
        worst.verify()?;
        self.tell(&worst)?;
        worst.content.dissolve();
        Ok(())
    }
}

#[test]
fn a_hundred_of_the_worst_possible_objects_go_there_and_back() {
    let _watchdog = watchdog();
    let (folder, servers) = (TempDir::new(), Servers::find());
    let worker = Customs {}.start().unwrap();
    let mut used = 0;
    for seed in 0..SEEDS {
        let (peers, branches) = (Vec::new(), Vec::new());
        let maker = Maker { dice: Dice::new(seed), folder: &folder, servers: &servers, peers, branches };
        let mut worst = maker.make(seed);
        worker.tell(&worst).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        let answer = worker.listen::<Worst>(PATIENCE);
        let mut back = match answer {
            Ok(back) => back.unwrap_or_else(|| panic!("seed {seed}: no answer")),
            Err(error) => panic!("seed {seed}: {:?}", tests::chain(&error)),
        };
        assert_eq!((back.seed, &back.looked), (seed, &worst.looked));
        used += back.verify().unwrap_or_else(|error| panic!("{error}"));
        // The one that stayed here is as it was.
        worst.verify().unwrap_or_else(|error| panic!("the source has changed: {error}"));
        worst.content.dissolve();
        back.content.dissolve();
    }
    worker.wait().unwrap();
    assert!(used > 500, "too little was in them: {used}");
}
