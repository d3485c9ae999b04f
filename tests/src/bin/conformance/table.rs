//! The table that is printed.
#![expect(clippy::print_stdout, reason = "it is what this program is for")]

use std::time::Duration;

use crate::arguments::Arguments;
use crate::row::{Row, Verdict};
use crate::rows::ROWS;
use crate::times::millis;

/// Prints rows as they are done.
pub(crate) struct Table {
    markdown: bool,
    against: Vec<String>,
    width: usize,
    rows: usize,
    missed: Vec<&'static str>,
    skipped: usize,
    took: Duration,
}

impl Table {
    pub(crate) fn new(arguments: &Arguments) -> Self {
        let against = arguments.against.clone();
        if arguments.markdown {
            let names: String = against.iter().map(|name| format!(" {name} |")).collect();
            println!("| event | `processing` |{names}\n|---|---|{}", "---|".repeat(against.len()));
        }
        let width = ROWS.iter().map(|row| row.event.chars().count()).max().unwrap_or(0);
        Table {
            markdown: arguments.markdown,
            against,
            width,
            rows: 0,
            missed: Vec::new(),
            skipped: 0,
            took: Duration::ZERO,
        }
    }

    pub(crate) fn add(&mut self, row: &Row, verdict: &Verdict, beside: &[Option<Verdict>]) {
        self.rows += 1;
        self.took += verdict.took;
        self.skipped += usize::from(verdict.holds && verdict.seen.starts_with("skipped"));
        if !verdict.holds {
            self.missed.push(row.name);
        }
        let seen = if verdict.holds { verdict.seen.clone() } else { format!("MISSED: {}", verdict.seen) };
        let theirs = beside.iter().map(|beside| beside.as_ref().map_or("–", |verdict| &verdict.seen));
        if self.markdown {
            let cells = [row.event, &seen].into_iter().chain(theirs);
            let cells: Vec<_> = cells.map(|cell| cell.replace('|', "\\|")).collect();
            println!("| {} |", cells.join(" | "));
        } else {
            let mark = match verdict.holds {
                true if verdict.seen.starts_with("skipped") => '–',
                true => '✓',
                false => '✗',
            };
            let took = millis(verdict.took);
            println!("{mark} {:width$}  {took:>8}  {seen}", row.event, width = self.width);
            for (name, seen) in self.against.iter().zip(theirs) {
                println!("  {:>width$}            {seen}", name, width = self.width);
            }
        }
    }

    pub(crate) fn finish(self) {
        if self.markdown {
            return;
        }
        let (rows, took) = (self.rows, millis(self.took));
        match self.missed.as_slice() {
            [] if self.skipped > 0 => {
                println!("\nall {rows} rows hold but {} that were skipped, in {took}", self.skipped);
            }
            [] => println!("\nall {rows} rows hold, in {took}"),
            missed => println!("\n{} of {rows} rows missed: {}", missed.len(), missed.join(", ")),
        }
    }
}
