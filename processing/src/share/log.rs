//! A shared log.

use std::fmt;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use super::error::ShareError;
use super::operations::operations;
use super::place::Place;
use super::shareable::{ShareHandle, Shareable};
use crate::shm::fault::Fault;
use crate::shm::list::{LIST, List};
use crate::shm::slot::SLOT;
use crate::shm::view::View;
use crate::shm::writer::Writer;

/// How much a [`Record`] matters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Level {
    /// The finest steps.
    #[default]
    Trace,
    /// Of interest to whoever looks for a fault.
    Debug,
    /// What happens.
    Info,
    /// What should not happen, and does no harm.
    Warn,
    /// What should not happen.
    Error,
}

impl Level {
    const ALL: [Level; 5] = [Level::Trace, Level::Debug, Level::Info, Level::Warn, Level::Error];

    fn of(number: u64) -> Option<Level> {
        Level::ALL.get(usize::try_from(number).ok()?).copied()
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Level::Trace => "TRACE",
            Level::Debug => "DEBUG",
            Level::Info => "INFO",
            Level::Warn => "WARN",
            Level::Error => "ERROR",
        })
    }
}

/// One entry of a [`Log`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Record {
    /// How much it matters.
    pub level: Level,
    /// When it was written.
    pub time: SystemTime,
    /// The process that wrote it.
    pub process: u32,
    /// What it says.
    pub message: String,
}

impl Record {
    fn new(level: Level, message: String) -> Record {
        Record { level, time: SystemTime::now(), process: std::process::id(), message }
    }

    /// The level, the nanoseconds since 1970, the process, the message.
    fn to_bytes(&self) -> Vec<u8> {
        let nanos = self.time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_nanos();
        let mut bytes = Vec::with_capacity(13 + self.message.len());
        bytes.push(self.level as u8);
        bytes.extend_from_slice(&u64::try_from(nanos).unwrap_or(u64::MAX).to_le_bytes());
        bytes.extend_from_slice(&self.process.to_le_bytes());
        bytes.extend_from_slice(self.message.as_bytes());
        bytes
    }

    fn of_bytes(bytes: &[u8]) -> Option<Record> {
        let (level, rest) = bytes.split_first()?;
        let (nanos, rest) = rest.split_first_chunk()?;
        let (process, message) = rest.split_first_chunk()?;
        Some(Record {
            level: Level::of((*level).into())?,
            time: SystemTime::UNIX_EPOCH.checked_add(Duration::from_nanos(u64::from_le_bytes(*nanos)))?,
            process: u32::from_le_bytes(*process),
            message: std::str::from_utf8(message).ok()?.to_owned(),
        })
    }
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:5} [{}] {}", self.level, self.process, self.message)
    }
}

/// A log that many processes write and any process reads, in one order.
///
/// With the feature `tracing`, each record is also an event of the process that writes it.
///
/// ```
/// use processing::{Share, Shareable, share::{Level, Log}};
///
/// #[derive(Shareable, Default)]
/// struct State { counter: u64, log: Log }
///
/// let share = Share::new(State::default())?;
/// share.transaction(|state| {
///     state.counter += 1;
///     state.log.info(state.counter.get());
/// });
/// share.log.set_level(Level::Warn);
/// share.log.debug("not worth keeping");
/// assert_eq!(share.log.messages(), ["1"]);
/// # Ok::<(), processing::ShareError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Log {
    level: Level,
    records: Vec<Record>,
}

impl Log {
    /// A log that keeps records of `level` and above.
    #[must_use]
    pub fn with_level(level: Level) -> Log {
        Log { level, records: Vec::new() }
    }

    /// Writes a record, if the log keeps records of that level.
    pub fn log(&mut self, level: Level, message: impl fmt::Display) {
        if level >= self.level {
            self.records.push(Record::new(level, message.to_string()));
        }
    }

    /// The records, in the order in which they were written.
    #[must_use]
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// What the records say.
    #[must_use]
    pub fn messages(&self) -> Vec<String> {
        self.records.iter().map(|record| record.message.clone()).collect()
    }
}

/// Stands for a shared [`Log`].
pub struct LogHandle {
    place: Place,
}

fn list(at: u64) -> List {
    List::new(at + 8, SLOT)
}

fn level(view: &View<'_>, at: u64) -> Result<Level, ShareError> {
    let number = view.load(at)?;
    view.check()?;
    Level::of(number).ok_or_else(|| Fault::Corrupt("level of a log").into())
}

fn record(view: &View<'_>, at: u64, index: u64) -> Result<Record, ShareError> {
    let place = list(at).locate(view, index)?;
    let bytes = view.slot(place)?;
    view.check()?;
    bytes.and_then(|bytes| Record::of_bytes(&bytes)).ok_or_else(|| Fault::Corrupt("record of a log").into())
}

impl LogHandle {
    operations! {
        /// Writes a record, if the log keeps records of that level.
        fn log | try_log(&self, level: Level, message: impl fmt::Display) {
            if level < self.try_level()? {
                return Ok(());
            }
            let message = message.to_string();
            // Level and time are those of the moment at which the record gets its place, or the records could be out
            // of order in time, and one too many after the level was raised.
            let record = self.place.write(|writer, at| {
                if level < self::level(writer, at)? {
                    return Ok(None);
                }
                let record = Record::new(level, message);
                let place = list(at).push_back(writer)?;
                writer.fill_slot(place, &record.to_bytes())?;
                Ok::<_, ShareError>(Some(record))
            })?;
            if let Some(record) = record {
                forward(&record);
            }
            Ok(())
        }

        /// Keeps records of `level` and above from now on.
        fn set_level | try_set_level(&self, level: Level) {
            self.place.write(|writer, at| Ok(writer.set(at, level as u64)?))
        }

        /// From which level on records are kept.
        fn level | try_level(&self) -> Level {
            self.place.read(level)
        }

        /// The records, in the order in which they were written.
        fn records | try_records(&self) -> Vec<Record> {
            Ok(self.try_snapshot()?.records)
        }

        /// What the records say, in the order in which they were written.
        fn messages | try_messages(&self) -> Vec<String> {
            Ok(self.try_records()?.into_iter().map(|record| record.message).collect())
        }

        /// The record written last.
        fn last | try_last(&self) -> Option<Record> {
            self.place.read(|view, at| {
                let len = list(at).len(view)?;
                len.checked_sub(1).map(|last| record(view, at, last)).transpose()
            })
        }

        /// How many records there are.
        fn len | try_len(&self) -> usize {
            self.place.read(|view, at| Ok(list(at).len(view)? as usize))
        }

        /// Whether there are none.
        fn is_empty | try_is_empty(&self) -> bool {
            Ok(self.try_len()? == 0)
        }

        /// Forgets all records.
        fn clear | try_clear(&self) {
            self.place.write(|writer, at| truncate(writer, at, 0))
        }
    }
}

/// The methods named after levels.
macro_rules! levels {
    ($($level:ident: $name:ident | $try_name:ident, $text:literal;)*) => {
        impl Log {$(
            #[doc = concat!("Writes a record of level ", $text, ".")]
            pub fn $name(&mut self, message: impl fmt::Display) {
                self.log(Level::$level, message);
            }
        )*}

        impl LogHandle {
            operations! {$(
                #[doc = concat!("Writes a record of level ", $text, ".")]
                fn $name | $try_name(&self, message: impl fmt::Display) {
                    self.try_log(Level::$level, message)
                }
            )*}
        }
    };
}

levels! {
    Trace: trace | try_trace, "trace";
    Debug: debug | try_debug, "debug";
    Info: info | try_info, "info";
    Warn: warn | try_warn, "warning";
    Error: error | try_error, "error";
}

fn truncate(writer: &mut Writer<'_>, at: u64, len: u64) -> Result<(), ShareError> {
    while list(at).len(writer)? > len {
        let last = list(at).len(writer)? - 1;
        let place = list(at).locate(writer, last)?;
        writer.drop_slot(place)?;
        list(at).pop_back(writer)?;
    }
    Ok(())
}

impl ShareHandle for LogHandle {
    type Plain = Log;

    fn place(&self) -> &Place {
        &self.place
    }
}

impl Shareable for Log {
    type Handle = LogHandle;

    const WORDS: u64 = 1 + LIST / 8;

    fn handle(place: Place) -> LogHandle {
        LogHandle { place }
    }

    fn load(view: &View<'_>, at: u64) -> Result<Log, ShareError> {
        let level = level(view, at)?;
        let records =
            (0..list(at).whole(view)?).map(|index| record(view, at, index)).collect::<Result<_, _>>()?;
        Ok(Log { level, records })
    }

    fn store(&self, writer: &mut Writer<'_>, at: u64) -> Result<(), ShareError> {
        writer.set(at, self.level as u64)?;
        truncate(writer, at, self.records.len() as u64)?;
        for (index, record) in (0..).zip(&self.records) {
            if index < list(at).len(writer)? {
                let place = list(at).locate(writer, index)?;
                writer.set_slot(place, &record.to_bytes())?;
            } else {
                let place = list(at).push_back(writer)?;
                writer.fill_slot(place, &record.to_bytes())?;
            }
        }
        Ok(())
    }

    fn free(writer: &mut Writer<'_>, at: u64) -> Result<(), ShareError> {
        truncate(writer, at, 0)?;
        Ok(writer.set(at, 0)?)
    }
}

impl fmt::Debug for LogHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.records()).finish()
    }
}

/// Hands a record to `tracing`; does nothing without the feature.
fn forward(record: &Record) {
    #[cfg(feature = "tracing")]
    {
        let message = &record.message;
        match record.level {
            Level::Trace => tracing::trace!(target: "processing::share", "{message}"),
            Level::Debug => tracing::debug!(target: "processing::share", "{message}"),
            Level::Info => tracing::info!(target: "processing::share", "{message}"),
            Level::Warn => tracing::warn!(target: "processing::share", "{message}"),
            Level::Error => tracing::error!(target: "processing::share", "{message}"),
        }
    }
    let _ = record;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Share;

    #[test]
    fn records_are_kept_in_order() {
        let share = Share::new(Log::default()).unwrap();
        for number in 0..200 {
            share.info(number);
        }
        share.set_level(Level::Error);
        share.warn("lost");
        share.error("a longer message than fits a slot, with an é");
        assert_eq!(share.len(), 201);
        assert_eq!(share.messages()[..3], ["0", "1", "2"]);
        let last = share.last().unwrap();
        assert_eq!((last.level, last.process), (Level::Error, std::process::id()));
        assert!(last.to_string().ends_with("with an é"));
        let mut kept = share.snapshot();
        kept.error("more");
        share.assign(kept.clone());
        assert_eq!(share.snapshot(), kept);
        share.clear();
        assert!(share.is_empty() && share.level() == Level::Trace);
    }

    #[test]
    fn records_of_many_writers_are_in_the_order_of_their_times() {
        let share = Share::new(Log::default()).unwrap();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                let share = share.clone();
                scope.spawn(move || (0..500).for_each(|number| share.info(number)));
            }
        });
        assert!(share.records().is_sorted_by_key(|record| record.time));
    }
}
