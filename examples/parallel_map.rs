//! Counts the words of all texts below a folder, a process for each processor: `parallel_map [FOLDER]`.
//!
//! Without a folder it reads the sources of this workspace.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use processing::Pool;

type Counts = HashMap<String, u64>;

/// The words of one file. Runs in a worker.
fn count(file: PathBuf) -> Result<Counts, String> {
    let bytes = fs::read(&file).map_err(|error| format!("{}: {error}", file.display()))?;
    let mut counts = Counts::new();
    for word in String::from_utf8_lossy(&bytes).split(|c: char| !c.is_alphabetic()) {
        if word.chars().count() > 3 {
            *counts.entry(word.to_lowercase()).or_default() += 1;
        }
    }
    Ok(counts)
}

/// All sources and texts below a folder.
fn texts(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let (mut files, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            let is_text =
                path.extension().is_some_and(|end| ["rs", "md", "txt", "toml"].iter().any(|e| end == *e));
            if path.is_dir() && !path.is_symlink() {
                folders.push(path);
            } else if is_text {
                files.push(path);
            }
        }
    }
    Ok(files)
}

fn main() -> anyhow::Result<()> {
    let folder = std::env::args_os().nth(1).map(PathBuf::from);
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."));
    let files = texts(folder.as_deref().unwrap_or(&workspace.join("processing")))?;
    let total = files.len();

    let pool = Pool::new(0)?;
    let mut sum = Counts::new();
    let mut unread = 0;
    for result in pool.progress().unordered_imap(count, files) {
        match result? {
            Ok(counts) => counts.into_iter().for_each(|(word, n)| *sum.entry(word).or_default() += n),
            Err(error) => {
                unread += 1;
                eprintln!("{error}");
            }
        }
    }

    let mut ranking: Vec<(String, u64)> = sum.into_iter().collect();
    ranking.sort_by(|(a, n), (b, m)| m.cmp(n).then_with(|| a.cmp(b)));
    println!("\n{total} files, {unread} of them not read, with {} different words", ranking.len());
    for (word, times) in ranking.iter().take(10) {
        println!("{times:8} {word}");
    }
    Ok(())
}
