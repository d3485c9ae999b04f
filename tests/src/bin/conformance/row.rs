//! A row of the matrix, and running it in a process of its own.

use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use tests::TempDir;
use tests::processes::{in_group, kill, watch, with_environment};

/// A row is still running after this: it hangs.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);
/// Nobody may be there any more this long after a row's program has ended.
const GONE: Duration = Duration::from_secs(1);
/// What the processes of a row are known by.
const TOKEN: &str = "CONFORMANCE_TOKEN";
/// What the last line of a row's output begins with.
const SEEN: &str = "seen:";
const MISSED: &str = "missed:";

/// One thing that may happen, and what has to be seen then.
pub(crate) struct Row {
    /// How to ask for it.
    pub(crate) name: &'static str,
    /// What happens.
    pub(crate) event: &'static str,
    /// Makes it happen; what was seen, or what was missing.
    pub(crate) run: fn() -> Result<String>,
    /// When it is taken to hang.
    pub(crate) patience: Duration,
}

/// What came of a row.
#[derive(Clone, Debug)]
pub(crate) struct Verdict {
    pub(crate) holds: bool,
    pub(crate) seen: String,
    pub(crate) took: Duration,
}

/// Runs one thing in this very process, and says what was seen where the program that started it looks for it.
#[expect(clippy::print_stdout, reason = "it is how a row says what was seen")]
pub(crate) fn perform(run: impl FnOnce() -> Result<String> + std::panic::UnwindSafe) -> ExitCode {
    let done = std::panic::catch_unwind(run).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|&text| text.to_owned()));
        Err(anyhow::anyhow!("it panicked: {}", text.unwrap_or_default()))
    });
    let one_line = |text: String| text.split_whitespace().collect::<Vec<_>>().join(" ");
    match done {
        Ok(seen) => {
            println!("\n{SEEN}{}", one_line(seen));
            ExitCode::SUCCESS
        }
        Err(error) => {
            println!("\n{MISSED}{}", one_line(format!("{error:#}")));
            ExitCode::FAILURE
        }
    }
}

/// Runs a command that performs a row, with a watchdog, and sees what it leaves behind.
pub(crate) fn judge(command: &mut Command, patience: Duration) -> Result<Verdict> {
    let (folder, output) = (TempDir::new(), TempDir::new());
    let (output, errors) = (output.path().join("output"), output.path().join("errors"));
    let token = format!("{}-{}", std::process::id(), folder.path().display());
    let before = shared_memory();
    let begin = Instant::now();
    let mut child = command
        .env(TOKEN, &token)
        .env("TMPDIR", folder.path())
        .stdin(Stdio::null())
        // A file, and no pipe: what is left behind would keep that one open.
        .stdout(File::create(&output).context("no file for the output")?)
        .stderr(File::create(&errors).context("no file for the output")?)
        .process_group(0)
        .spawn()
        .context("the row's program does not start")?;
    let group = child.id();
    let ended = watch(group).ends_within(patience);
    let took = begin.elapsed();
    let all = || -> Vec<u32> {
        let mut all = with_environment(&format!("{TOKEN}={token}"));
        all.extend(in_group(group));
        all.sort_unstable();
        all.dedup();
        all
    };
    if !ended {
        all().into_iter().for_each(kill);
        child.wait().context("the row's program cannot be waited for")?;
        let seen = format!("HANG: still running after {} s", patience.as_secs());
        return Ok(Verdict { holds: false, seen, took });
    }
    let status = child.wait().context("the row's program cannot be waited for")?;
    let mut left = all();
    left.retain(|&pid| {
        !watch(pid).ends_within((begin + took + GONE).saturating_duration_since(Instant::now()))
    });
    left.iter().copied().for_each(kill);
    let said = String::from_utf8_lossy(&fs::read(&output).context("no output")?).into_owned();
    let line = said.lines().rev().find_map(|line| line.strip_prefix(SEEN).or(line.strip_prefix(MISSED)));
    let mut seen =
        line.map_or_else(|| format!("it ended with {status}{}", last_words(&errors)), str::to_owned);
    let mut holds = status.success() && line.is_some();
    let files: Vec<_> = shared_memory().into_iter().filter(|file| !before.contains(file)).collect();
    for (what, count) in [
        ("processes", left.len()),
        ("temporary files", fs::read_dir(folder.path()).map_or(0, Iterator::count)),
        ("segments", files.len()),
    ] {
        if count > 0 {
            seen += &format!("; left over: {count} {what}");
            holds = false;
        }
    }
    Ok(Verdict { holds, seen, took })
}

/// The last line of what a row's program complained of.
fn last_words(errors: &Path) -> String {
    let text = fs::read(errors).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    text.lines()
        .rev()
        .find(|line| !line.trim().is_empty())
        .map_or_else(String::new, |line| format!(": {line}"))
}

/// What has a name in shared memory, but for what database servers keep there.
fn shared_memory() -> Vec<String> {
    let entries = fs::read_dir("/dev/shm").into_iter().flatten().flatten();
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    names.filter(|name| !name.starts_with("PostgreSQL")).collect()
}
