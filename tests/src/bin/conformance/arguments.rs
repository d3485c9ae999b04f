//! What the command line asks for.

use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use crate::neighbours::SYSTEMS;

/// What to do.
pub(crate) enum Task {
    /// Run rows, each in a process of its own, and print the table.
    Judge(Arguments),
    /// Say which rows there are.
    List,
    /// Be the process of a row, or of what a neighbour does in its place.
    Row { row: String, of: Option<String> },
    /// Be the program that a row ends.
    Victim(String),
}

/// Which rows, and what to print of them.
#[derive(Default)]
pub(crate) struct Arguments {
    /// The names of rows begin like one of these; none means all.
    rows: Vec<String>,
    /// The neighbours to put beside us.
    pub(crate) against: Vec<String>,
    pub(crate) markdown: bool,
    /// When a row is taken to hang, in place of its own limit.
    pub(crate) patience: Option<Duration>,
}

impl Arguments {
    pub(crate) fn wants(&self, row: &str) -> bool {
        self.rows.is_empty() || self.rows.iter().any(|begin| row.starts_with(begin))
    }
}

pub(crate) fn read() -> Result<Task> {
    let mut words = std::env::args().skip(1);
    let mut arguments = Arguments::default();
    let mut row = None;
    let mut of = None;
    while let Some(word) = words.next() {
        let mut value = || words.next().with_context(|| format!("`{word}` what?"));
        match word.as_str() {
            "--list" => return Ok(Task::List),
            "--victim" => return Ok(Task::Victim(value()?)),
            "--row" => row = Some(value()?),
            "--of" => of = Some(value()?),
            "--patience" => {
                let seconds = value()?.parse().context("`--patience` takes seconds")?;
                arguments.patience = Some(Duration::from_secs(seconds));
            }
            "--markdown" => arguments.markdown = true,
            "--against" => {
                let names = value()?;
                for name in names.split(',') {
                    match name {
                        "all" => arguments.against.extend(SYSTEMS.iter().map(|&name| name.to_owned())),
                        name if SYSTEMS.contains(&name) => arguments.against.push(name.to_owned()),
                        name => bail!("no neighbour `{name}`; there are: all, {}", SYSTEMS.join(", ")),
                    }
                }
            }
            word if word.starts_with('-') => {
                bail!(
                    "no option `{word}`; there are: --list, --markdown, --patience SECONDS, --against NEIGHBOUR,…"
                )
            }
            _ => arguments.rows.push(word),
        }
    }
    Ok(match row {
        Some(row) => Task::Row { row, of },
        None => Task::Judge(arguments),
    })
}
