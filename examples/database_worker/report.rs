//! Tables of what was asked, what was answered, and how long it took.

use std::fmt::{self, Display, Write};
use std::time::Duration;

use processing::{Timer, Timers};

use crate::Reply;
use crate::database::User;

#[derive(Default)]
pub(crate) struct Report {
    rows: Vec<(&'static str, String, Duration)>,
}

impl Report {
    pub(crate) fn add(&mut self, question: &'static str, reply: Option<Reply>, took: Duration) {
        let answer = match reply {
            None => "no reply".to_owned(),
            Some(Reply::Failed(error)) => format!("failed: {error}"),
            Some(Reply::TooSlow) => "too slow: its worker was ended and replaced".to_owned(),
            Some(Reply::Found(users)) => match &users[..] {
                [User { name, city, spent, .. }] => format!("{name} from {city} has spent {spent:.2}"),
                [User { name, spent, .. }, ..] => {
                    format!("{} users, of whom {name} has spent most, {spent:.2}", users.len())
                }
                [] => "nothing found".to_owned(),
            },
        };
        self.rows.push((question, answer, took));
    }
}

impl Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (question, answer, took) in &self.rows {
            writeln!(f, "{question:26}  {:>9}  {answer}", milliseconds(Some(*took)))?;
        }
        Ok(())
    }
}

/// How long each hook took.
pub(crate) fn hooks(timers: &Timers) -> String {
    let mut table = format!("{:10}{:>7}{:>12}{:>12}{:>12}\n", "hook", "times", "mean", "median", "longest");
    let named = [
        ("prerun", &timers.prerun),
        ("run", &timers.run),
        ("postrun", &timers.postrun),
        ("onfinish", &timers.onfinish),
        ("full run", &timers.full_run),
    ];
    for (name, timer) in named {
        let [mean, median, longest] =
            [Timer::mean, Timer::median, Timer::max].map(|of| milliseconds(of(timer)));
        // Writing to a string does not fail.
        let _ = writeln!(table, "{name:10}{:>7}{mean:>12}{median:>12}{longest:>12}", timer.num_times());
    }
    table
}

fn milliseconds(time: Option<Duration>) -> String {
    time.map_or_else(|| "–".to_owned(), |time| format!("{:.2} ms", time.as_secs_f64() * 1e3))
}
