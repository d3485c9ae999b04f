//! What hooks leave behind for a test to find, whichever process they ran in.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use serde::{Deserialize, Serialize};

/// A directory that goes away with this value.
#[derive(Debug)]
pub struct TempDir(PathBuf);

impl TempDir {
    /// An empty directory of its own.
    ///
    /// # Panics
    /// If there cannot be one.
    #[must_use]
    pub fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name =
            format!("processing-tests-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        fs::create_dir(&path).expect("a new directory under the temporary one");
        TempDir(path)
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// A file of marks in it.
    #[must_use]
    pub fn marks(&self) -> Marks {
        Marks(self.0.join("marks"))
    }
}

impl Default for TempDir {
    fn default() -> Self {
        TempDir::new()
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A file that lines are added to by any process, each in one piece.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Marks(PathBuf);

impl Marks {
    /// Adds a line.
    ///
    /// # Panics
    /// If the file cannot be written.
    pub fn add(&self, mark: impl std::fmt::Display) {
        let file = OpenOptions::new().create(true).append(true).open(&self.0);
        let mut file = file.expect("the file of marks");
        file.write_all(format!("{mark}\n").as_bytes()).expect("room for a mark");
    }

    /// Adds a line; says whether it is the first such one. Only for one process at a time.
    #[must_use]
    pub fn is_first(&self, mark: &str) -> bool {
        let first = !self.read().iter().any(|line| line == mark);
        self.add(mark);
        first
    }

    /// All lines so far.
    #[must_use]
    pub fn read(&self) -> Vec<String> {
        let text = fs::read_to_string(&self.0).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// How often a line is there.
    #[must_use]
    pub fn count(&self, mark: &str) -> usize {
        self.read().iter().filter(|line| *line == mark).count()
    }
}
