//! Process types in a pool, and what crosses besides plain data.

use std::cell::RefCell;
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::rc::{Rc, Weak};
use std::time::Duration;

use anyhow::{Result, bail, ensure};
use processing::prelude::*;
use processing::{CurrentTask, Phase, Pool, Stream, cucumber};
use tests::deeds::Deed;
use tests::{TempDir, chain};

/// Does it in its second iteration if it is number 3, the first time.
#[skprocess(runs = 3, timeouts(run = "300ms"))]
struct Mapped {
    number: u32,
    deed: Deed,
    done: Vec<u64>,
}

#[skprocess]
impl Mapped {
    fn new(number: u32, deed: Deed) -> Self {
        Mapped { number, deed, done: vec![] }
    }
    fn run(&mut self) -> anyhow::Result<()> {
        let is_first = CurrentTask::get().is_some_and(|task| task.attempt == 0);
        if self.number == 3 && self.current_run() == 1 && is_first {
            self.deed.commit()?;
        }
        std::thread::sleep(Duration::from_millis(15));
        self.done.push(self.current_run());
        Ok(())
    }
    fn result(&mut self) -> (u32, Vec<u64>) {
        (self.number, std::mem::take(&mut self.done))
    }
}

pub(crate) fn mapped(deed: Deed) -> Result<String> {
    let pool = |lives| Pool::builder().workers(2).lives(lives).stderr(Stream::Null).build();
    let items = || (0..8).map(|number| (number, deed));
    let values = pool(2)?.star().lives(2).map(Mapped, items())?;
    for (place, (number, done)) in values.into_iter().enumerate() {
        ensure!(number as usize == place && done == [0, 1, 2], "process {place}: {number}, {done:?}");
    }
    let mut failed = None;
    for (place, result) in pool(1)?.star().map_results(Mapped, items()).into_iter().enumerate() {
        match result {
            Ok((number, _)) => ensure!(number as usize == place && place != 3, "process {place} is {number}"),
            Err(error) if place == 3 => failed = Some(error),
            Err(error) => bail!("process {place} failed too: {}", chain(&error).join(": ")),
        }
    }
    let Some(error) = failed else { bail!("process 3 has not failed") };
    ensure!(error.is_timeout() == (deed == Deed::Spin), "{error:?}");
    ensure!(error.source.phase() == Some(Phase::Run), "in {:?}", error.source.phase());
    Ok("8 of 8 with a second life; without, that process alone, in `run`".to_owned())
}

/// Reads on in a file that was open when it was started.
#[skprocess(runs = 3, lives = 2)]
struct Reader {
    file: File,
    words: Vec<String>,
}

#[skprocess]
impl Reader {
    fn run(&mut self) -> anyhow::Result<()> {
        let mut word = [0; 4];
        self.file.read_exact(&mut word)?;
        self.words.push(String::from_utf8_lossy(&word).into_owned());
        if self.current_run() == 1 && self.last_failure().is_none() {
            // Its place is the file's, so the next worker finds it where this one has left it.
            self.file.seek(SeekFrom::Current(-4))?;
            Deed::Sigkill.commit()?;
        }
        Ok(())
    }
    fn result(&mut self) -> Vec<String> {
        std::mem::take(&mut self.words)
    }
}

pub(crate) fn open_file() -> Result<String> {
    let folder = TempDir::new();
    let path = folder.path().join("words");
    let mut file = File::options().create_new(true).read(true).write(true).open(&path)?;
    file.write_all(b"skipone two thr ")?;
    file.seek(SeekFrom::Start(4))?;
    // It has no name any more, so nobody could open it again.
    std::fs::remove_file(&path)?;
    let words = Reader { file, words: vec![] }.run()?;
    ensure!(words == ["one ", "two ", "thr "], "{words:?}");
    Ok("it crosses open, at its place; the next worker reads on, without the file having a name".to_owned())
}

/// A node that knows its parent.
#[cucumber]
struct Node {
    number: u32,
    parent: RefCell<Weak<Node>>,
    children: RefCell<Vec<Rc<Node>>>,
}

#[cucumber]
struct Tree {
    root: Rc<Node>,
    same: Rc<Node>,
}

fn tree(number: u32) -> Tree {
    let root = Rc::new(Node { number, parent: RefCell::default(), children: RefCell::default() });
    let child =
        Node { number: number + 1, parent: RefCell::new(Rc::downgrade(&root)), children: RefCell::default() };
    root.children.borrow_mut().push(Rc::new(child));
    Tree { same: Rc::clone(&root), root }
}

fn is_whole(tree: &Tree) -> bool {
    let child = Rc::clone(&tree.root.children.borrow()[0]);
    let parent = child.parent.borrow().upgrade();
    parent.is_some_and(|parent| Rc::ptr_eq(&parent, &tree.root)) && Rc::ptr_eq(&tree.root, &tree.same)
}

pub(crate) fn graph() -> Result<String> {
    let pool = Pool::builder().workers(2).build()?;
    let grown = |tree: Tree| {
        assert!(is_whole(&tree), "it has come apart");
        tree
    };
    let trees = pool.map(grown, (0..8).map(tree))?;
    ensure!(trees.iter().all(is_whole) && trees[7].root.number == 7, "they have come apart on the way back");
    Ok("the same on both sides: who is shared is shared, who points up points up".to_owned())
}
