//! How far a call is, for whoever looks at stderr.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// The least time between two lines of a call whose end is not known.
const PAUSE: Duration = Duration::from_secs(1);

/// How many items are done, and where that is shown.
pub(super) struct Progress {
    look: Look,
    unshown: usize,
}

/// A bar on a terminal, and lines elsewhere.
enum Look {
    Bar(ProgressBar),
    Lines(Lines),
}

impl Progress {
    /// Of a call over so many items, if that is known.
    pub(super) fn new(name: &str, total: Option<usize>) -> Progress {
        let name = name.rsplit("::").next().unwrap_or(name).to_owned();
        if !std::io::stderr().is_terminal() {
            let look = Look::Lines(Lines { name, total, done: 0, said: None });
            return Progress { look, unshown: 0 };
        }
        let length = total.and_then(|total| u64::try_from(total).ok());
        let bar = ProgressBar::with_draw_target(length, ProgressDrawTarget::stderr());
        let template = match length {
            Some(_) => "{msg} {wide_bar} {pos}/{len} {eta}",
            None => "{msg} {spinner} {pos} {elapsed}",
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.set_message(name);
        Progress { look: Look::Bar(bar), unshown: 0 }
    }

    /// One more item is done, for good or ill. Nothing is written yet, as the pool is locked.
    pub(super) fn count(&mut self) {
        self.unshown += 1;
    }

    /// Shows what has been counted. It may wait for whoever reads stderr, so nothing may be locked.
    pub(super) fn show(&mut self) {
        for _ in 0..std::mem::take(&mut self.unshown) {
            match &mut self.look {
                Look::Bar(bar) => bar.inc(1),
                // A reader of stderr that is gone is no reason to stop.
                Look::Lines(lines) => _ = lines.step(Instant::now(), &mut std::io::stderr()),
            }
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.show();
        match &mut self.look {
            Look::Bar(bar) => bar.abandon(),
            Look::Lines(lines) => _ = lines.end(&mut std::io::stderr()),
        }
    }
}

/// A line for each tenth of a known number of items, else one a second; and the last one.
struct Lines {
    name: String,
    total: Option<usize>,
    done: usize,
    /// What was last said, and when.
    said: Option<(usize, Instant)>,
}

impl Lines {
    fn step(&mut self, now: Instant, to: &mut impl Write) -> std::io::Result<()> {
        self.done += 1;
        let is_due = match (self.total, self.said) {
            (Some(total), said) => {
                let tenth = |done: usize| done.saturating_mul(10) / total.max(1);
                tenth(self.done) > said.map_or(0, |(done, _)| tenth(done))
            }
            (None, Some((_, said))) => now.saturating_duration_since(said) >= PAUSE,
            (None, None) => true,
        };
        if is_due { self.say(now, to) } else { Ok(()) }
    }

    fn end(&mut self, to: &mut impl Write) -> std::io::Result<()> {
        if self.said.is_some_and(|(done, _)| done == self.done) {
            Ok(())
        } else {
            self.say(Instant::now(), to)
        }
    }

    fn say(&mut self, now: Instant, to: &mut impl Write) -> std::io::Result<()> {
        self.said = Some((self.done, now));
        let Lines { name, done, .. } = self;
        match self.total {
            // In one piece, as others may write there too.
            Some(total) => to.write_all(format!("{name}: {done} of {total} done\n").as_bytes()),
            None => to.write_all(format!("{name}: {done} done\n").as_bytes()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(total: Option<usize>, steps: usize, apart: Duration) -> Vec<String> {
        let (mut lines, mut out) =
            (Lines { name: "count".to_owned(), total, done: 0, said: None }, Vec::new());
        let mut now = Instant::now();
        for _ in 0..steps {
            lines.step(now, &mut out).unwrap();
            now += apart;
        }
        lines.end(&mut out).unwrap();
        String::from_utf8(out).unwrap().lines().map(str::to_owned).collect()
    }

    #[test]
    fn a_known_number_of_items_has_a_line_for_each_tenth() {
        let all = lines(Some(1000), 1000, Duration::ZERO);
        assert_eq!(
            (all.len(), &*all[0], &*all[9]),
            (10, "count: 100 of 1000 done", "count: 1000 of 1000 done")
        );
        assert_eq!(lines(Some(3), 2, Duration::ZERO), ["count: 1 of 3 done", "count: 2 of 3 done"]);
        assert_eq!(lines(Some(0), 0, Duration::ZERO), ["count: 0 of 0 done"]);
    }

    #[test]
    fn an_unknown_number_has_a_line_a_second() {
        let all = lines(None, 21, Duration::from_millis(100));
        assert_eq!(all, ["count: 1 done", "count: 11 done", "count: 21 done"]);
        assert_eq!(lines(None, 5, Duration::ZERO), ["count: 1 done", "count: 5 done"]);
    }
}
