//! What came of a contest.

use std::fmt;
use std::time::Duration;

/// The rows of one question.
#[derive(Clone, Debug)]
pub struct Table {
    /// What was asked.
    pub question: String,
    /// How often each entry was measured.
    pub rounds: usize,
    /// One for each entry, in the order in which they entered.
    pub rows: Vec<Row>,
}

/// What was measured of one entry.
#[derive(Clone, Debug)]
pub struct Row {
    /// What it is called.
    pub name: String,
    /// Whose it is.
    pub kind: Kind,
    times: Vec<Duration>,
}

/// Whose an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// This library's.
    Ours,
    /// A neighbour's.
    Peer,
    /// The machine's: the least that the thing can cost.
    Floor,
}

impl Row {
    pub(crate) fn new(name: String, kind: Kind, mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        Row { name, kind, times }
    }

    /// The time that so many percent of the rounds did not exceed.
    ///
    /// # Panics
    /// If nothing was measured.
    #[must_use]
    pub fn percentile(&self, percent: usize) -> Duration {
        self.times[(self.times.len() - 1) * percent / 100]
    }

    /// The middle one of all times.
    #[must_use]
    pub fn median(&self) -> Duration {
        self.percentile(50)
    }
}

impl Table {
    /// How many times as long as the first entry this row took.
    #[must_use]
    pub fn ratio(&self, row: &Row) -> f64 {
        row.median().as_secs_f64() / self.rows[0].median().as_secs_f64()
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.rows.iter().map(|row| row.name.chars().count()).max().unwrap_or(0);
        writeln!(f, "\n{} ({} rounds)", self.question, self.rounds)?;
        writeln!(f, "  {:width$}  {:>10}  {:>10}  {:>10}  {:>7}", "", "median", "p10", "p90", "ratio")?;
        for row in &self.rows {
            let [median, p10, p90] = [50, 10, 90].map(|percent| readable(row.percentile(percent)));
            let ratio = self.ratio(row);
            writeln!(f, "  {:width$}  {median:>10}  {p10:>10}  {p90:>10}  {ratio:>6.2}×", row.name)?;
        }
        Ok(())
    }
}

/// Three digits and a unit.
pub(crate) fn readable(time: Duration) -> String {
    let nanos = time.as_nanos() as f64;
    let (value, unit) = match nanos {
        ..1e3 => (nanos, "ns"),
        ..1e6 => (nanos / 1e3, "µs"),
        ..1e9 => (nanos / 1e6, "ms"),
        _ => (nanos / 1e9, "s"),
    };
    let digits = match value {
        ..10.0 => 2,
        ..100.0 => 1,
        _ => 0,
    };
    format!("{value:.digits$} {unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(nanos: impl IntoIterator<Item = u64>) -> Row {
        Row::new("it".into(), Kind::Ours, nanos.into_iter().map(Duration::from_nanos).collect())
    }

    #[test]
    fn percentiles_are_times_that_were_measured() {
        let row = row((1..=101).rev());
        assert_eq!(row.median(), Duration::from_nanos(51));
        assert_eq!(row.percentile(10), Duration::from_nanos(11));
        assert_eq!(row.percentile(100), Duration::from_nanos(101));
    }

    #[test]
    fn ratios_are_to_the_first_row() {
        let table = Table { question: "which".into(), rounds: 1, rows: vec![row([200]), row([500])] };
        assert_eq!(table.ratio(&table.rows[1]), 2.5);
        assert!(table.to_string().contains("500 ns"));
    }

    #[test]
    fn times_keep_three_digits() {
        assert_eq!(readable(Duration::from_nanos(1_234)), "1.23 µs");
        assert_eq!(readable(Duration::from_micros(12_340)), "12.3 ms");
        assert_eq!(readable(Duration::from_secs(321)), "321 s");
    }
}
