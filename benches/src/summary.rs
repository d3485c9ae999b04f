//! What all benches measured, in one table.

use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::time::Duration;

use crate::table::{Kind, Table, readable};

/// Names the file that a bench adds its rows to, if it is set.
const ROWS: &str = "BENCH_ROWS";

/// A question as it was asked in some bench, with the medians of all who answered it.
#[derive(Clone, Debug, PartialEq)]
pub struct Collected {
    /// What was asked.
    pub question: String,
    /// Whose, what it is called, and how long it took.
    pub answers: Vec<(Kind, String, Duration)>,
}

/// Adds a table to the file, if there is to be one.
///
/// # Panics
/// If it cannot be written.
pub(crate) fn collect(table: &Table) {
    let Some(path) = std::env::var_os(ROWS) else { return };
    let mut lines = String::new();
    for row in &table.rows {
        let kind = match row.kind {
            Kind::Ours => "ours",
            Kind::Peer => "peer",
            Kind::Floor => "floor",
        };
        let nanos = row.median().as_nanos();
        let _ = writeln!(lines, "{}\t{kind}\t{}\t{nanos}", table.question, row.name);
    }
    let file = OpenOptions::new().create(true).append(true).open(path);
    file.and_then(|mut file| file.write_all(lines.as_bytes())).expect("the file of rows");
}

/// Reads what benches have collected in a file.
#[must_use]
pub fn read(text: &str) -> Vec<Collected> {
    let mut all: Vec<Collected> = Vec::new();
    for line in text.lines() {
        let mut fields = line.split('\t');
        let mut next = || fields.next().unwrap_or_default().to_owned();
        let (question, kind, name, nanos) = (next(), next(), next(), next());
        let kind = match kind.as_str() {
            "peer" => Kind::Peer,
            "floor" => Kind::Floor,
            _ => Kind::Ours,
        };
        let answer = (kind, name, Duration::from_nanos(nanos.parse().unwrap_or_default()));
        match all.last_mut() {
            Some(last) if last.question == question => last.answers.push(answer),
            _ => all.push(Collected { question, answers: vec![answer] }),
        }
    }
    all
}

/// The head of the table.
const HEAD: &str =
    "| question | ours | median | times the floor | the others, in times of ours |\n|---|---|---|---|---|\n";

impl Collected {
    /// The rows of a table in Markdown, one for each of ours: how many times the floor it takes, and how many times as
    /// long as it the neighbours do.
    #[must_use]
    pub fn rows(&self) -> String {
        let mut rows = String::new();
        let of = |kind| self.answers.iter().filter(move |answer| answer.0 == kind);
        for (_, name, ours) in of(Kind::Ours) {
            let ratio = |a: Duration, b: Duration| times(a.as_secs_f64() / b.as_secs_f64());
            let floors = of(Kind::Floor).map(|(_, name, floor)| format!("{} {name}", ratio(*ours, *floor)));
            let peers = of(Kind::Peer).map(|(_, name, peer)| format!("{name} {}", ratio(*peer, *ours)));
            let floors = floors.collect::<Vec<_>>().join("<br>");
            let peers = peers.collect::<Vec<_>>().join("<br>");
            let _ =
                writeln!(rows, "| {} | {name} | {} | {floors} | {peers} |", self.question, readable(*ours));
        }
        rows
    }

    /// The whole table.
    #[must_use]
    pub fn table(all: &[Collected]) -> String {
        all.iter().fold(HEAD.to_owned(), |table, question| table + &question.rows())
    }
}

/// Two digits at least, and no more than mean something.
fn times(ratio: f64) -> String {
    if ratio < 10.0 { format!("{ratio:.2}×") } else { format!("{ratio:.0}×") }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROWS: &str = "how long\tfloor\tby hand\t500\nhow long\tours\tprocessing\t1000\n\
        how long\tpeer\tanother\t2500\nhow wide\tours\tprocessing\t20000\n";

    #[test]
    fn rows_of_a_question_come_together() {
        let all = read(ROWS);
        assert_eq!(all.len(), 2);
        assert_eq!(all[0].answers.len(), 3);
        assert_eq!(all[1].answers, [(Kind::Ours, "processing".to_owned(), Duration::from_micros(20))]);
    }

    #[test]
    fn ratios_stand_beside_our_median() {
        let rows = read(ROWS)[0].rows();
        assert_eq!(rows, "| how long | processing | 1.00 µs | 2.00× by hand | another 2.50× |\n");
    }
}
