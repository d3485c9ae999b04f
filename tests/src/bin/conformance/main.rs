//! The conformance matrix: everything that can go wrong, made to happen, and what was seen then.
//!
//! ```sh
//! cargo run --release -p tests --bin conformance                      # all rows; exit status 1 if one misses
//! cargo run --release -p tests --bin conformance -- pool-kill share   # those whose names begin like this
//! cargo run --release -p tests --features neighbours --bin conformance -- --against procspawn,multiprocessing
//! cargo run --release -p tests --bin conformance -- --markdown        # as the README has it
//! ```
//!
//! Each row runs in a process of its own, under a watchdog, and has to leave nothing behind: no process a second later,
//! no temporary file, no segment. Times that were promised are judged here and in no test: 99 of 100 have to keep them,
//! and what a plain sleep was late in the same moments is the machine's own.

mod arguments;
mod crossing;
mod forks;
mod live;
mod neighbours;
mod parents;
mod peers;
mod pools;
mod processes;
mod row;
mod rows;
mod shares;
mod starts;
mod table;
mod times;

use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result, bail};

use arguments::{Arguments, Task};
use rows::ROWS;
use table::Table;

fn main() -> Result<ExitCode> {
    neighbours::init();
    match arguments::read()? {
        Task::List => {
            list();
            Ok(ExitCode::SUCCESS)
        }
        Task::Row { row, of: None } => {
            let Some(row) = ROWS.iter().find(|known| known.name == row) else {
                bail!("there is no row `{row}`")
            };
            Ok(row::perform(row.run))
        }
        Task::Row { row, of: Some(system) } => Ok(row::perform(move || neighbours::perform(&system, &row))),
        Task::Victim(of) if of == "processing" => parents::victim(),
        Task::Victim(of) => neighbours::victim(&of),
        Task::Judge(mut arguments) => {
            arguments.against.retain(|system| {
                let is_here = neighbours::is_here(system);
                if !is_here {
                    say_not_here(system);
                }
                is_here
            });
            all(&arguments)
        }
    }
}

#[expect(clippy::print_stdout, reason = "it was asked for")]
fn list() {
    ROWS.iter().for_each(|row| println!("{:20} {}", row.name, row.event));
}

#[expect(clippy::print_stderr, reason = "a column is missing from what was asked for")]
fn say_not_here(system: &str) {
    let how = match system {
        "procspawn" => "build with `--features neighbours`",
        _ => "`PYTHON` may name a Python that can import it",
    };
    eprintln!("{system}: not here; {how}");
}

/// All rows that were asked for, one after the other.
fn all(arguments: &Arguments) -> Result<ExitCode> {
    let program = std::env::current_exe().context("this program")?;
    let rows: Vec<_> = ROWS.iter().filter(|row| arguments.wants(row.name)).collect();
    if rows.is_empty() {
        bail!("no row is called like this; `--list` says which there are");
    }
    let mut table = Table::new(arguments);
    let mut holds = true;
    for row in rows {
        let verdict = row::judge(
            Command::new(&program).args(["--row", row.name]),
            arguments.patience.unwrap_or(row.patience),
        )?;
        holds &= verdict.holds;
        let mut beside = Vec::new();
        for system in &arguments.against {
            let command = neighbours::command(system, row.name)?;
            beside.push(command.map(|mut command| row::judge(&mut command, row::PATIENCE)).transpose()?);
        }
        table.add(row, &verdict, &beside);
    }
    table.finish();
    Ok(if holds { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
