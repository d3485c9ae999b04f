//! What others do in the same situations. Nobody judges them: what was seen is printed beside ours.

#[cfg(feature = "neighbours")]
mod procspawn;

use std::process::{Command, ExitCode};
use std::sync::OnceLock;

#[cfg(feature = "neighbours")]
use anyhow::Context as _;
use anyhow::{Result, bail};

/// Those that can be asked.
pub(crate) const SYSTEMS: &[&str] =
    &["procspawn", "multiprocessing", "concurrent.futures", "loky", "suitkaise"];

/// The ones that are Python's.
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/bin/conformance/neighbours/python.py");

/// Children of procspawn never come back from here.
pub(crate) fn init() {
    #[cfg(feature = "neighbours")]
    ::procspawn::init();
}

/// Whether it can be asked at all.
pub(crate) fn is_here(system: &str) -> bool {
    if system == "procspawn" { cfg!(feature = "neighbours") } else { knows(system, "") }
}

/// What makes a row happen with another system; `None` if that has nothing of the kind.
pub(crate) fn command(system: &str, row: &str) -> Result<Option<Command>> {
    if system != "procspawn" {
        let mut command = python();
        command.args([SCRIPT, system, row]);
        return Ok(knows(system, row).then_some(command));
    }
    #[cfg(feature = "neighbours")]
    if procspawn::has(row) {
        let mut command = Command::new(std::env::current_exe().context("this program")?);
        command.args(["--row", row, "--of", system]);
        return Ok(Some(command));
    }
    Ok(None)
}

fn knows(system: &str, row: &str) -> bool {
    let known = python().args([SCRIPT, "knows", system, row]).output();
    known.is_ok_and(|output| output.status.success())
}

/// What a row shows with another system, in this process.
pub(crate) fn perform(system: &str, row: &str) -> Result<String> {
    #[cfg(feature = "neighbours")]
    if system == "procspawn" {
        return procspawn::perform(row);
    }
    bail!("`{system}` cannot be asked for `{row}` here")
}

/// The program of another system that a row ends.
pub(crate) fn victim(system: &str) -> Result<ExitCode> {
    #[cfg(feature = "neighbours")]
    if system == "procspawn" {
        return procspawn::victim();
    }
    bail!("`{system}` has no program here")
}

fn python() -> Command {
    static PYTHON: OnceLock<String> = OnceLock::new();
    let python = PYTHON.get_or_init(|| std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned()));
    Command::new(python)
}
